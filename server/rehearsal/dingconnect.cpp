#include "server/rehearsal/dingconnect.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "server/base/crypto.h"
#include "server/rehearsal/dingconnect_forms.h"
#include "server/rehearsal/number_owner.h"

namespace topup::rehearsal {
namespace {

using base::Json;

constexpr std::int64_t kFirstBalanceMinor = 10'000'000;  // USD 100,000
constexpr std::int64_t kHorizonMs = 61LL * 24 * 3'600'000;
constexpr std::int64_t kDayMs = 24LL * 3'600'000;
constexpr std::int64_t kMaxTake = 100;
constexpr std::size_t kMaxReference = 50;
constexpr int kNearestMatch = 2;  // the country alone
constexpr std::string_view kPinAccount = "0000000000";

// The last digit is that of their own test numbers, behind 900.
constexpr FaultKind kMagic[] = {
    {"9000", "Complete"},
    {"9001", "3 RateLimited"},
    {"9002", "3 TransientProviderError ProviderTimedOut; its record is Failed"},
    {"9003", "3 TransientProviderError ProviderRefusedRequest; its record is Failed"},
    {"9004", "5 ProviderError ProductUnavailable"},
    {"9005", "4 AccountNumberInvalid ProviderRefusedRequest"},
    {"9006", "5 ProviderError ProviderTemporarilyUnavailable"},
    {"9007", "5 InsufficientBalance, as HTTP 500"},
    {"9008", "the connection is dropped after the transfer was taken on; Complete"},
    {"9009", "HTTP 500 without a body after the transfer was taken on; Complete"},
    {"9010", "Processing for a day"},
    {"9011", "Submitted, then Failed"},
    {"9012", "Submitted for 20 s, then Complete"},
    {"908x", kLookupMeaning},
};

struct MagicError {
  std::string_view digits, refusal;
};
constexpr MagicError kMagicErrors[] = {
    {"9001", "3/RateLimited/"},
    {"9002", "3/TransientProviderError/ProviderTimedOut"},
    {"9003", "3/TransientProviderError/ProviderRefusedRequest"},
    {"9004", "5/ProviderError/ProductUnavailable"},
    {"9005", "4/AccountNumberInvalid/ProviderRefusedRequest"},
    {"9006", "5/ProviderError/ProviderTemporarilyUnavailable"},
    {"9007", "5/InsufficientBalance/"},
};

// "4/ParameterInvalid/ValidateOnly": result code, code and context.
Json errors_of(std::string_view text, int* result_code) {
  const auto first = text.find('/');
  const auto second = text.find('/', first + 1);
  *result_code = text.front() - '0';
  const std::string context(text.substr(second + 1));
  return Json::array({{{"Code", text.substr(first + 1, second - first - 1)},
                       {"Context", context.empty() ? Json(nullptr) : Json(context)}}});
}

Answered refused(std::string_view text) {
  int result_code = 0;
  const Json errors = errors_of(text, &result_code);
  int status = 200;
  if (text.find("InsufficientBalance") != std::string_view::npos) status = 500;
  if (text.find("AuthenticationFailed") != std::string_view::npos) status = 401;
  return Answered::json({{"ResultCode", result_code}, {"ErrorCodes", errors}}, status);
}

Answered said(Json body) {
  body["ResultCode"] = 1;
  body["ErrorCodes"] = Json::array();
  return Answered::json(body);
}

std::vector<std::string> values_of(const Asked& asked, std::string_view name) {
  std::vector<std::string> out;
  for (const auto& [key, value] : asked.query) {
    if (key == name) out.push_back(value);
  }
  return out;
}

bool has_empty_filter(const Asked& asked) {
  return std::any_of(asked.query.begin(), asked.query.end(),
                     [](const auto& pair) { return pair.second.empty(); });
}

bool fits(const std::vector<std::string>& wanted, const std::string& value) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

std::optional<Money> dollars_in(const Json& body, const char* key) {
  if (!body.is_object() || !body.contains(key) || !body.at(key).is_number()) return {};
  const auto amount = parse_decimal_rounded(body.at(key).dump(), Currency::usd, Round::half_up);
  return amount ? std::optional<Money>(*amount) : std::nullopt;
}

std::string dotnet_time(std::int64_t wall_ms) {
  std::string text = spaced_time(wall_ms, 0);
  text[10] = 'T';
  return text + "Z";
}

std::string_view word_of(const SupplierOrder& order, std::int64_t now_ms) {
  if (order.state == "succeeded" || order.state == "reversed") return "Complete";
  if (order.state == "failed") return "Failed";
  if (order.state == "cancelled") return "Cancelled";
  return now_ms < order.due_ms - order.takes_ms / 2 ? "Submitted" : "Processing";
}

}  // namespace

Dingconnect::Dingconnect(Surroundings surroundings, DingconnectIdentity identity)
    : SupplierParty(surroundings, "dingconnect",
                    {{kFirstBalanceMinor, Currency::usd},
                     true,
                     false,
                     {5'000, 30'000, 120'000},
                     {std::begin(kMagic), std::end(kMagic)}}),
      identity_(std::move(identity)) {}

Answered Dingconnect::outage() const { return {.status = 503, .body = ""}; }

std::string Dingconnect::refusal_word() const {
  return "4/AccountNumberInvalid/AccountNumberFailedRegex";
}

void Dingconnect::shape_refusal(Course& course) const {
  const std::string code = "/" + course.refusal + "/";
  const auto known = std::find_if(
      std::begin(kMagicErrors), std::end(kMagicErrors),
      [&](const MagicError& row) { return row.refusal.find(code) != std::string_view::npos; });
  course.refusal = known == std::end(kMagicErrors) ? "4" + code : std::string(known->refusal);
}

Answered Dingconnect::api(const Asked& asked) {
  if (!base::constant_time_equal(asked.header("api_key"), identity_.api_key)) {
    return refused("4/AuthenticationFailed/");
  }
  if (has_empty_filter(asked)) return refused("4/ParameterInvalid/");
  if (asked.is("GET", {"api", "V1", "GetBalance"})) {
    return said({{"Balance", decimal(decimal_text(balance()))}, {"CurrencyIso", "USD"}});
  }
  if (asked.is("GET", {"api", "V1", "GetProviders"})) return providers(asked);
  if (asked.is("GET", {"api", "V1", "GetProducts"})) return products(asked);
  if (asked.is("GET", {"api", "V1", "GetAccountLookup"})) return account_lookup(asked);
  if (asked.is("POST", {"api", "V1", "EstimatePrices"})) return estimates(asked);
  if (asked.is("POST", {"api", "V1", "SendTransfer"})) return transfer(asked);
  if (asked.is("POST", {"api", "V1", "ListTransferRecords"})) return records(asked);
  return {.status = 404, .body = "{\"Message\":\"No HTTP resource was found\"}"};
}

Answered Dingconnect::providers(const Asked& asked) const {
  const auto countries = values_of(asked, "countryIsos");
  const auto codes = values_of(asked, "providerCodes");
  Json items = Json::array();
  for (std::size_t i = 0; i < catalogue_operators().size(); ++i) {
    const CatalogueOperator& entry = catalogue_operators()[i];
    const std::string code = ding::provider_code(i);
    if (!fits(countries, std::string(entry.country)) || !fits(codes, code)) continue;
    items.push_back({{"ProviderCode", code},
                     {"CountryIso", entry.country},
                     {"Name", entry.name_en},
                     {"ShortName", nullptr},
                     {"ValidationRegex", "^[0-9]{7,15}$"},
                     {"RegionCodes", {entry.country}},
                     {"PaymentTypes", {"Prepaid"}},
                     {"LogoUrl", ""}});
  }
  return said({{"Items", std::move(items)}});
}

Answered Dingconnect::products(const Asked& asked) const {
  const auto countries = values_of(asked, "countryIsos");
  const auto codes = values_of(asked, "providerCodes");
  const auto skus = values_of(asked, "skuCodes");
  Json items = Json::array();
  for (const auto& product : catalogue_products()) {
    if (!ding::is_sold(product)) continue;
    const auto& entry = catalogue_operators()[product.operator_index];
    if (!fits(countries, std::string(entry.country)) || !fits(skus, ding::sku_of(product)) ||
        !fits(codes, ding::provider_code(product.operator_index))) {
      continue;
    }
    items.push_back(ding::product_object(product));
  }
  return said({{"Items", std::move(items)}});
}

Answered Dingconnect::account_lookup(const Asked& asked) const {
  const std::string number = asked.query_value("accountNumber");
  const auto owner = number_owner("+" + number);
  if (!owner) return refused("4/AccountNumberInvalid/AccountNumberFailedRegex");
  const LookupWish wish = lookup_wish(number);
  Json found = {{"CountryIso", owner->country},
                {"AccountNumberNormalized", number},
                {"Items", Json::array()}};
  if (wish == LookupWish::unknown) {
    found["ResultCode"] = kNearestMatch;
    found["ErrorCodes"] = Json::array();
    return Answered::json(found);
  }
  found["Items"].push_back(
      {{"ProviderCode",
        wish == LookupWish::elsewhere ? "ZZZZ" : ding::provider_code(owner->operator_index)},
       {"RegionCode", owner->country}});
  Answered answered = said(std::move(found));
  if (wish == LookupWish::held) answered.hold_ms = around().scaled(kLookupHeldMs);
  return answered;
}

Answered Dingconnect::estimates(const Asked& asked) const {
  const auto body = base::json_in(asked.body);
  if (!body || !body->is_array()) return refused("4/RequestInvalid/");
  Json items = Json::array();
  for (const Json& row : *body) {
    const auto* product = ding::find_product(base::text_in(row, "SkuCode").value_or(""));
    Json answer = {{"BatchItemRef", base::text_in(row, "BatchItemRef").value_or("")}};
    int code = 1;
    answer["ErrorCodes"] = product ? Json::array() : errors_of("4/ParameterInvalid/SkuCode", &code);
    answer["ResultCode"] = code;
    if (product) {
      Money face = product->face;
      if (product->step_minor > 0 && row.contains("ReceiveValue")) {
        const auto wanted =
            parse_decimal_rounded(row.at("ReceiveValue").dump(), face.currency, Round::half_up);
        if (wanted && wanted->minor > 0) face = *wanted;
      }
      answer["SkuCode"] = ding::sku_of(*product);
      answer["Price"] = ding::price_object(*product, face);
    }
    items.push_back(std::move(answer));
  }
  std::reverse(items.begin(), items.end());  // theirs come in no order
  return said({{"Items", std::move(items)}});
}

void Dingconnect::apply_magic(std::string_view four, Course& course) const {
  for (const MagicError& row : kMagicErrors) {
    if (row.digits == four) course.refusal = std::string(row.refusal);
  }
  if (four == "9008") course.is_dropped = true;
  if (four == "9009") course.is_failing = true;
  if (four == "9010") course.takes_ms = kDayMs;
  if (four == "9011") {
    course.end = "failed";
    course.code = "ProviderRefusedRequest";
  }
  if (four == "9012") course.takes_ms = around().scaled(20'000);
}

Answered Dingconnect::transfer(const Asked& asked) {
  const auto body = base::json_in(asked.body);
  if (!body || !body->is_object()) return refused("4/RequestInvalid/");
  const auto validates_only = base::bool_in(*body, "ValidateOnly");
  if (!validates_only) return refused("4/ParameterInvalid/ValidateOnly");
  SupplierOrder order;
  order.reference = base::text_in(*body, "DistributorRef", kMaxReference).value_or("");
  if (order.reference.empty() || has_control_characters(order.reference)) {
    return refused("4/ParameterMissing/DistributorRef");
  }
  order.sku = base::text_in(*body, "SkuCode").value_or("");
  const auto* product = ding::find_product(order.sku);
  if (product == nullptr) return refused("4/ParameterInvalid/SkuCode");
  const auto send = dollars_in(*body, "SendValue");
  if (!send) return refused("4/ParameterMissing/SendValue");
  const bool is_range = product->step_minor > 0;
  const Money least = ding::send_value(*product, product->face);
  const Money most =
      is_range ? ding::send_value(*product, {product->most_minor, product->face.currency}) : least;
  if (send->minor < least.minor || send->minor > most.minor) {
    return refused("4/ParameterOutOfRange/SendValue");
  }
  order.account = base::text_in(*body, "AccountNumber").value_or("");
  const bool is_pin = product->kind == ProductKind::pin;
  const bool is_number = order.account.size() >= 7 && order.account.size() <= 15 &&
                         order.account.find_first_not_of("0123456789") == std::string::npos;
  if (is_pin ? order.account != kPinAccount : !is_number) {
    return refused("4/AccountNumberInvalid/AccountNumberFailedRegex");
  }
  order.face = is_range ? ding::face_of(*product, *send) : product->face;
  order.cost = {send->minor - ding::commission_of(*send).minor, Currency::usd};
  order.callback_url = identity_.callback_url;
  if (is_pin) order.pin_code = "47" + random_digits(12);
  if (*validates_only) {
    return said({{"TransferRecord", {{"TransferId", nullptr}, {"SkuCode", order.sku}}}});
  }
  return place_transfer(asked, std::move(order));
}

Answered Dingconnect::place_transfer(const Asked& asked, SupplierOrder order) {
  Course course = course_of(order.account);
  if (course.is_away) return outage();
  if (course.is_lost) return {.is_dropped = true};
  const bool leaves_record = course.refusal.starts_with("3/Transient");
  if (!course.refusal.empty() && !leaves_record) return refused(course.refusal);
  if (leaves_record) {
    course.end = "failed";
    course.code = course.refusal.substr(course.refusal.rfind('/') + 1);
    course.takes_ms = 0;
  }
  switch (place(order, course)) {
    case Placed::duplicate:
      return refused("5/DuplicateTransactionPrevented/");
    case Placed::poor:
      return refused("5/InsufficientBalance/");
    case Placed::done:
      break;
  }
  if (leaves_record) return shaped(refused(course.refusal), course);
  if (asked.header("x-option") != "DeferTransfer") {  // instant: answered when it has ended
    course.holds_ms = std::max(course.holds_ms, course.takes_ms);
    order.state = course.end;
  }
  return shaped(said({{"TransferRecord", record_object(order)}}), course);
}

Json Dingconnect::record_object(const SupplierOrder& order) const {
  const auto* product = ding::find_product(order.sku);
  const bool is_over = order.state == "succeeded" || order.state == "reversed";
  Json price = product ? ding::price_object(*product, order.face) : Json::object();
  if (order.state == "failed") price["ReceiveValue"] = 0;
  // What it took is kept with the order; a planted difference shows here.
  const Money send = product ? ding::send_value(*product, order.face) : order.cost;
  const Money earned = {send.minor - order.cost.minor, Currency::usd};
  Json receipt = Json::object();
  if (is_over) receipt["providerRef"] = "PR" + std::to_string(order.number);
  if (is_over && !order.pin_code.empty()) receipt["pin"] = order.pin_code;
  return {{"TransferId",
           {{"TransferRef", std::to_string(order.number)}, {"DistributorRef", order.reference}}},
          {"SkuCode", order.sku},
          {"Price", std::move(price)},
          {"CommissionApplied", decimal(decimal_text(earned))},
          {"StartedUtc", dotnet_time(order.created_ms)},
          {"CompletedUtc", order.ended_ms > 0 ? Json(dotnet_time(order.ended_ms)) : Json(nullptr)},
          {"ProcessingState", word_of(order, around().clock.wall_ms())},
          {"ReceiptText", ""},
          {"ReceiptParams", std::move(receipt)},
          {"AccountNumber", order.account}};
}

Answered Dingconnect::records(const Asked& asked) const {
  const auto body = base::json_in(asked.body);
  const auto take = body ? base::integer_in(*body, "Take", 1, kMaxTake) : Result<std::int64_t>(0);
  if (!body || !take || *take == 0) return refused("4/ParameterInvalid/Take");
  const auto skip = base::integer_in(*body, "Skip", 0, 1'000'000).value_or(0);
  const std::string reference = base::text_in(*body, "DistributorRef").value_or("");
  const std::string number = base::text_in(*body, "TransferRef").value_or("");
  const std::int64_t now = around().clock.wall_ms();
  std::vector<SupplierOrder> found =
      reference.empty() ? listed(now - kHorizonMs, now + 1) : with_reference(reference);
  std::erase_if(found, [&](const SupplierOrder& order) {
    return !number.empty() && std::to_string(order.number) != number;
  });
  Json items = Json::array();
  const auto end = std::min<std::int64_t>(skip + *take, static_cast<std::int64_t>(found.size()));
  for (std::int64_t i = skip; i < end; ++i) {
    items.push_back({{"TransferRecord", record_object(found[static_cast<std::size_t>(i)])},
                     {"ResultCode", 1},
                     {"ErrorCodes", Json::array()}});
  }
  const bool has_more = end < static_cast<std::int64_t>(found.size());
  return said({{"Items", std::move(items)}, {"ThereAreMoreItems", has_more}});
}

OwedCallback Dingconnect::callback_of(const SupplierOrder& order, bool is_forged) const {
  SupplierOrder told = order;
  if (is_forged) told.state = "failed";
  OwedCallback callback;
  callback.content_type = "application/json";
  callback.body = dump_decimals({{"TransferRecord", record_object(told)}});
  return callback;
}

}  // namespace topup::rehearsal
