#include "server/suppliers/dingconnect_forms.h"

#include <algorithm>
#include <utility>

#include "server/suppliers/exact_json.h"

namespace topup::suppliers::ding {
namespace {

using base::Json;

constexpr std::int64_t kMostValidityDays = 3'660;

bool has_benefit(const Json& item, std::string_view word) {
  const Json* benefits = list_in(item, "Benefits");
  return benefits && std::any_of(benefits->begin(), benefits->end(),
                                 [&](const Json& benefit) { return benefit == word; });
}

std::optional<ProductKind> kind_of(const Json& item) {
  const std::string redeemed = text_or_empty(item, "RedemptionMechanism");
  const bool is_mobile = has_benefit(item, "Mobile") || has_benefit(item, "Minutes");
  if (redeemed == "ReadReceipt") return ProductKind::pin;
  if (redeemed != "Immediate") return {};
  if (has_benefit(item, "Data")) return ProductKind::data;
  return is_mobile ? std::optional(ProductKind::airtime) : std::nullopt;
}

bool wants_settings(const Json& item) {
  if (is_true(item, "LookupBillsRequired")) return true;
  const Json* settings = list_in(item, "SettingDefinitions");
  return settings && std::any_of(settings->begin(), settings->end(), [](const Json& setting) {
           return is_true(setting, "IsMandatory");
         });
}

// "P30D", "P1M", "PT24H": one number and one unit; 0 for anything else.
std::uint32_t days_of(std::string_view period) {
  const bool is_hours = period.starts_with("PT");
  if (!period.starts_with("P") || period.size() < 3) return 0;
  const std::string_view digits =
      period.substr(is_hours ? 2 : 1, period.size() - (is_hours ? 3 : 2));
  if (!is_digits(digits) || digits.size() > 5) return 0;
  const std::int64_t count = std::stoll(std::string(digits));
  const char unit = period.back();
  std::int64_t days = 0;
  if (is_hours) days = unit == 'H' ? (count + 23) / 24 : 0;
  if (!is_hours && unit == 'D') days = count;
  if (!is_hours && unit == 'W') days = count * 7;
  if (!is_hours && unit == 'M') days = count * 30;
  if (!is_hours && unit == 'Y') days = count * 365;
  return days <= kMostValidityDays ? static_cast<std::uint32_t>(days) : 0;
}

// The value is printed as "THB 50.00" where a product has a nominal one: what arrives is often not
// round, because of taxes and rates.
std::optional<Money> nominal_of(const std::string& text, Currency currency) {
  const std::string word(to_word(currency));
  if (!text.starts_with(word + " ")) return {};
  const auto amount = parse_decimal(text.substr(word.size() + 1), currency);
  return amount && amount->minor > 0 ? std::optional<Money>(*amount) : std::nullopt;
}

}  // namespace

Envelope read_envelope(const base::OutboundReply& reply) {
  Answer answer = read_answer(reply);
  Envelope out;
  out.kind = answer.kind == Answer::Kind::not_sent ? answer.kind : Answer::Kind::unclear;
  out.code = answer.word.empty() ? "answer_malformed" : answer.word;
  const auto result = base::integer_in(answer.body, "ResultCode", 1, 5);
  if (!result) return out;
  out.result_code = static_cast<int>(*result);
  out.body = std::move(answer.body);
  if (out.result_code == 1 && answer.is_ok()) {
    out.kind = Answer::Kind::ok;
    out.code.clear();
    return out;
  }
  const Json* errors = list_in(out.body, "ErrorCodes");
  const std::string code = errors && !errors->empty() ? text_or_empty(errors->front(), "Code") : "";
  if (out.result_code == 1 || !is_identifier(code)) return out;  // 1 with an HTTP error: unclear
  out.kind = Answer::Kind::refused;
  out.code = code;
  return out;
}

std::int64_t commission_of(const Json& product) {
  const auto rate = parse_rate(literal_of(product, "CommissionRate"), Currency::usd, Currency::usd);
  return rate && rate->scaled < kRateOne ? rate->scaled : 0;
}

std::optional<Price> read_price(const Json& price, Currency wallet, std::int64_t commission_e8) {
  const auto arrives = parse_currency(text_or_empty(price, "ReceiveCurrencyIso"));
  if (!arrives || parse_currency(text_or_empty(price, "SendCurrencyIso")) != wallet) return {};
  const auto send = amount_in(price, "SendValue", wallet, Round::up);
  const auto receive = amount_in(price, "ReceiveValue", *arrives, Round::down);
  if (!send || !receive || send->minor <= 0) return {};
  Price out{*send, *send, *receive, *receive};
  if (const auto fee = amount_in(price, "DistributorFee", wallet, Round::up)) {
    const auto sum = add(out.cost, *fee);
    if (!sum) return {};
    out.cost = *sum;
  }
  __extension__ using Wide = __int128;
  out.cost.minor -= static_cast<std::int64_t>(Wide{send->minor} * commission_e8 / kRateOne);
  const auto net = amount_in(price, "ReceiveValueExcludingTax", *arrives, Round::down);
  if (net && net->minor > 0) out.received = *net;
  return out;
}

std::optional<Product> read_product(const Json& item, Currency wallet) {
  if (!item.is_object() || wants_settings(item)) return {};
  const auto kind = kind_of(item);
  const std::string sku = text_or_empty(item, "SkuCode");
  const Json* least = member(item, "Minimum");
  const Json* most = member(item, "Maximum");
  if (!kind || !is_sku(sku) || !least || !most) return {};
  const std::int64_t commission = commission_of(item);
  const auto low = read_price(*least, wallet, commission);
  const auto high = read_price(*most, wallet, commission);
  if (!low || !high || low->receive.currency != high->receive.currency) return {};
  Product out;
  out.least = *low;
  out.is_range = low->send != high->send;
  ListedProduct& listed = out.listed;
  listed.supplier_operator_id = text_or_empty(item, "ProviderCode");
  listed.kind = *kind;
  listed.sku = sku;
  listed.cost = low->cost;
  listed.validity_days = days_of(text_or_empty(item, "ValidityPeriodIso"));
  const std::string shown = text_or_empty(item, "DefaultDisplayText", kMaxListedNameBytes);
  listed.face = low->receive;
  if (!out.is_range) listed.face = nominal_of(shown, low->receive.currency).value_or(low->receive);
  if (low->received != listed.face) listed.delivered = low->received;
  if (*kind != ProductKind::airtime) listed.name = shown;
  if (out.is_range) {
    if (*kind != ProductKind::airtime || high->receive.minor <= low->receive.minor) return {};
    listed.most_minor = high->receive.minor;
    listed.step_minor = 1;
    for (int i = 0; i < minor_digits(listed.face.currency); ++i) listed.step_minor *= 10;
  }
  if (!is_identifier(listed.supplier_operator_id) || listed.face.minor <= 0) return {};
  return out;
}

bool is_sku(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTheirIdBytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_identifier({&c, 1}) || c == '.';
         });
}

std::optional<std::int64_t> parse_started(std::string_view text) {
  if (const auto at = parse_time(text)) return at;
  return parse_time(std::string(text) + "Z");
}

}  // namespace topup::suppliers::ding
