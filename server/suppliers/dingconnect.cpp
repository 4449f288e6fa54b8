#include "server/suppliers/dingconnect.h"

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "server/base/crypto.h"
#include "server/suppliers/dingconnect_forms.h"
#include "server/suppliers/exact_json.h"
#include "server/suppliers/reading.h"

namespace topup::suppliers {
namespace {

using base::Json;
using ding::Envelope;
using Kind = Answer::Kind;

constexpr std::int64_t kFound = 20;     // records asked for under one reference
constexpr std::int64_t kPerPage = 100;  // records of a statement
constexpr std::int64_t kMaxPages = 1'000;
constexpr std::int64_t kProviderNameMs = 800;           // of a look-up
constexpr std::string_view kPinAccount = "0000000000";  // theirs, for products without a number
constexpr std::string_view kDuplicate = "DuplicateTransactionPrevented";

// ---- What an error of theirs means for an order. One that is not listed means unknown.

constexpr Word<SupplyState> kErrors[] = {
    // Refused before it went to the provider: final.
    {"AccountNumberInvalid", SupplyState::rejected},
    {"RechargeNotAllowed", SupplyState::rejected},
    {"ProviderError", SupplyState::rejected},
    {"ParameterMissing", SupplyState::rejected},
    {"ParameterInvalid", SupplyState::rejected},
    {"ParameterOutOfRange", SupplyState::rejected},
    {"ParameterCombinationInvalid", SupplyState::rejected},
    {"TooManyParameters", SupplyState::rejected},
    {"RequestInvalid", SupplyState::rejected},
    {"BatchItemRefMustBeUnique", SupplyState::rejected},
    // Our account, or too many calls: nothing was sent on.
    {"InsufficientBalance", SupplyState::held},
    {"AuthenticationFailed", SupplyState::held},
    {"RateLimited", SupplyState::held},
    // Listed to show it was decided: the record says what became of it.
    {"TransientProviderError", SupplyState::unknown},
    {kDuplicate, SupplyState::unknown},
    {"NearestMatch", SupplyState::unknown},
    {"OtherError", SupplyState::unknown},
};

constexpr Word<SupplyState> kStates[] = {
    {"Complete", SupplyState::succeeded},  {"Completed", SupplyState::succeeded},
    {"Failed", SupplyState::rejected},     {"Cancelled", SupplyState::rejected},
    {"Submitted", SupplyState::accepted},  {"Processing", SupplyState::accepted},
    {"Cancelling", SupplyState::accepted},
};

std::string reference_of(const Json& record) {
  const Json* id = member(record, "TransferId");
  return id ? text_or_empty(*id, "DistributorRef") : "";
}

void read_receipt(const Json& record, SupplyOutcome& result) {
  const Json* receipt = member(record, "ReceiptParams");
  if (!receipt) return;
  for (const char* key : {"pin", "Pin", "PIN"}) {
    const std::string code = text_or_empty(*receipt, key, kMaxPinBytes);
    if (!is_plain_line(code)) continue;
    result.pins.push_back({code, text_or_empty(*receipt, "serial", kMaxPinBytes)});
    return;
  }
}

// ---- The supplier.

class Dingconnect final : public Supplier {
 public:
  Dingconnect(DingconnectConfig config, base::Outbound& http)
      : config_(std::move(config)), http_(http) {}

  std::string_view name() const override { return "dingconnect"; }
  bool deduplicates() const override { return false; }
  Result<std::vector<ListedProduct>> products(const std::string& country) override;
  SupplyOutcome submit(const SubmitRequest& request) override;
  SupplyOutcome query(const AttemptId& attempt, const std::string& supplier_order_id) override;
  Result<Money> balance() override;
  Result<LookedUp> look_up(const std::string& account_number) override;
  Result<std::vector<StatementLine>> statement(std::int64_t from_ms,
                                               std::int64_t until_ms) override;
  Result<AttemptId> parse_callback(const CallbackRequest& request) const override;

 private:
  struct Quote {
    Money send, cost;
    std::optional<SupplyOutcome> refusal;
  };
  Envelope call(std::string_view what, std::string_view method, std::string target,
                std::string body = "", bool is_deferred = false,
                std::int64_t within_ms = kCallDeadlineMs) const;
  Quote quote(const SubmitRequest& request) const;
  Quote estimate(const SubmitRequest& request, std::int64_t commission_e8) const;
  SupplyOutcome record_in(const Json& record, const AttemptId& attempt) const;
  SupplyOutcome find(const AttemptId& attempt, const std::string& supplier_order_id) const;
  std::string provider_name(const std::string& provider) const;

  const DingconnectConfig config_;
  base::Outbound& http_;
};

Envelope Dingconnect::call(std::string_view what, std::string_view method, std::string target,
                           std::string body, bool is_deferred, std::int64_t within_ms) const {
  base::OutboundRequest request;
  request.method = std::string(method);
  request.target = "/api/V1/" + std::move(target);
  request.headers = {{"Accept", "application/json"}, {"api_key", config_.api_key}};
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  if (is_deferred) request.headers.emplace_back("X-Option", "DeferTransfer");
  request.body = std::move(body);
  request.deadline_ms = within_ms;
  const base::OutboundReply reply = http_.call(request);
  Envelope envelope = ding::read_envelope(reply);
  if (!envelope.is_ok()) {
    Answer seen;
    seen.status = reply.status;
    seen.word = envelope.code;
    log_failed_call(name(), what, seen);
  }
  return envelope;
}

Result<std::vector<ListedProduct>> Dingconnect::products(const std::string& country) {
  if (!is_country(country)) return refuse(Code::invalid_argument, "country_malformed", "country");
  const auto away = [] { return refuse(Code::unavailable, "supplier_unavailable"); };
  const Envelope providers = call("providers", "GET", "GetProviders?countryIsos=" + country);
  const Json* rows = providers.is_ok() ? list_in(providers.body, "Items") : nullptr;
  if (!rows) return away();
  std::vector<ListedProduct> products;
  for (const Json& row : *rows) {  // one by one, because a whole country can be too large an answer
    const std::string code = text_or_empty(row, "ProviderCode");
    const std::string name = text_or_empty(row, "Name", kMaxListedNameBytes);
    if (!is_identifier(code) || !is_plain_line(name)) continue;
    if (text_or_empty(row, "CountryIso") != country) continue;
    const Envelope sold =
        call("products", "GET", "GetProducts?countryIsos=" + country + "&providerCodes=" + code);
    const Json* items = sold.is_ok() ? list_in(sold.body, "Items") : nullptr;
    if (!items) return away();
    for (const Json& item : *items) {
      auto product = ding::read_product(item, config_.wallet);
      if (!product || product->listed.supplier_operator_id != code) continue;
      if (products.size() >= kMaxListedProducts) break;
      product->listed.country = country;
      product->listed.operator_name = name;
      products.push_back(std::move(product->listed));
    }
  }
  return products;
}

// What the order will take, asked before it is placed. Nothing has been ordered yet, so that
// whatever is unclear here only holds it, with the word that says the reference is still unused.
Dingconnect::Quote Dingconnect::quote(const SubmitRequest& request) const {
  const auto refused = [](SupplyState state, std::string code) {
    return Quote{{}, {}, outcome(state, std::move(code))};
  };
  const Envelope answer = call("quote", "GET", "GetProducts?skuCodes=" + query_text(request.sku));
  const Json* items = answer.is_ok() ? list_in(answer.body, "Items") : nullptr;
  if (!items) return refused(SupplyState::held, "not_sent");
  if (items->empty()) return refused(SupplyState::rejected, "product_unknown");
  if (items->size() > 1 || text_or_empty(items->front(), "SkuCode") != request.sku) {
    return refused(SupplyState::held, "not_sent");
  }
  const auto product = ding::read_product(items->front(), config_.wallet);
  if (!product) return refused(SupplyState::rejected, "product_changed");
  if (product->is_range) return estimate(request, ding::commission_of(items->front()));
  if (product->listed.face != request.face && product->least.receive != request.face) {
    return refused(SupplyState::rejected, "product_changed");
  }
  return {product->least.send, product->least.cost, {}};
}

Dingconnect::Quote Dingconnect::estimate(const SubmitRequest& request,
                                         std::int64_t commission_e8) const {
  const Json item = {{"SkuCode", request.sku},
                     {"SendValue", 0},
                     {"ReceiveValue", literal(decimal_text(request.face))},
                     {"SendCurrencyIso", std::string(to_word(config_.wallet))},
                     {"BatchItemRef", request.attempt_id.text}};
  const Envelope answer = call("quote", "POST", "EstimatePrices", dump_exact(Json::array({item})));
  const Json* items = answer.is_ok() ? list_in(answer.body, "Items") : nullptr;
  for (const Json& row : items ? *items : Json::array()) {  // in no order: matched by reference
    const Json* price = member(row, "Price");
    if (text_or_empty(row, "BatchItemRef") != request.attempt_id.text || !price) continue;
    const auto found = ding::read_price(*price, config_.wallet, commission_e8);
    if (found && found->receive.currency == request.face.currency) {
      return {found->send, found->cost, {}};
    }
  }
  return {{}, {}, outcome(SupplyState::held, "not_sent")};
}

SupplyOutcome Dingconnect::submit(const SubmitRequest& request) {
  const bool is_pin = request.kind == ProductKind::pin;
  if (!is_identifier(request.attempt_id.text) || request.attempt_id.text.size() > 36 ||
      !ding::is_sku(request.sku) || !(is_pin || is_e164(request.account_number)) ||
      request.face.minor <= 0) {
    return outcome(SupplyState::rejected, "request_malformed");
  }
  const Quote quoted = quote(request);
  if (quoted.refusal) return *quoted.refusal;
  if (is_above(quoted.cost, request.most_cost)) {
    return outcome(SupplyState::rejected, "cost_too_high");
  }
  const Json body = {
      {"SkuCode", request.sku},
      {"SendValue", literal(decimal_text(quoted.send))},
      {"SendCurrencyIso", std::string(to_word(config_.wallet))},
      {"AccountNumber", is_pin ? std::string(kPinAccount) : request.account_number.substr(1)},
      {"DistributorRef", request.attempt_id.text},
      {"ValidateOnly", false}};
  if (request.may_leave && !request.may_leave()) return outcome(SupplyState::held, "too_late");
  const Envelope answer = call("submit", "POST", "SendTransfer", dump_exact(body), true);
  if (answer.kind == Kind::not_sent) return outcome(SupplyState::held, answer.code);
  const Json* record = member(answer.body, "TransferRecord");
  const SupplyOutcome said = record ? record_in(*record, request.attempt_id)
                                    : outcome(SupplyState::unknown, "answer_malformed");
  if (answer.is_ok()) return said;
  if (answer.kind != Kind::refused) return outcome(SupplyState::unknown, answer.code);
  // A refusal that brings a record which is not a failure contradicts itself.
  const bool contradicts = record && said.state != SupplyState::rejected &&
                           !text_or_empty(*record, "ProcessingState").empty();
  if (contradicts) return outcome(SupplyState::unknown, answer.code);
  if (answer.code != kDuplicate) return outcome(state_of(kErrors, answer.code), answer.code);
  SupplyOutcome earlier = find(request.attempt_id, "");
  if (earlier.state != SupplyState::not_found) return earlier;
  return outcome(SupplyState::unknown, std::string(kDuplicate));
}

SupplyOutcome Dingconnect::record_in(const Json& record, const AttemptId& attempt) const {
  const Json* id = member(record, "TransferId");
  const std::string number = id ? literal_of(*id, "TransferRef") : "";
  const std::string state = text_or_empty(record, "ProcessingState");
  if (!is_identifier(number) || !is_identifier(state)) {
    return outcome(SupplyState::unknown, "answer_malformed");
  }
  if (reference_of(record) != attempt.text) {
    return outcome(SupplyState::unknown, "answer_of_another_order");
  }
  SupplyOutcome result = outcome(state_of(kStates, state), state);
  result.supplier_order_id = number;
  const Json* price = member(record, "Price");
  if (result.state != SupplyState::succeeded || !price) return result;
  if (const auto found = ding::read_price(*price, config_.wallet, 0)) {
    result.cost = found->cost;
    result.delivered = found->received;
    const auto earned = amount_in(record, "CommissionApplied", config_.wallet, Round::down);
    if (earned) result.cost->minor -= earned->minor;
  }
  read_receipt(record, result);
  return result;
}

SupplyOutcome Dingconnect::find(const AttemptId& attempt,
                                const std::string& supplier_order_id) const {
  Json body = {{"DistributorRef", attempt.text}, {"Skip", 0}, {"Take", kFound}};
  if (!supplier_order_id.empty()) body["TransferRef"] = supplier_order_id;
  const Envelope answer = call("query", "POST", "ListTransferRecords", body.dump());
  if (!answer.is_ok()) return outcome(SupplyState::unknown, answer.code);
  const Json* items = list_in(answer.body, "Items");
  const auto more = base::bool_in(answer.body, "ThereAreMoreItems");
  if (!items || !more) return outcome(SupplyState::unknown, "answer_malformed");
  std::optional<SupplyOutcome> best;
  for (const Json& item : *items) {
    const Json* record = member(item, "TransferRecord");
    const SupplyOutcome said =
        record ? record_in(*record, attempt) : outcome(SupplyState::unknown, "answer_malformed");
    // A record of another order means that the filter was not applied.
    if (said.state == SupplyState::unknown) return said;
    // Of several, the one that was delivered counts, then one that still may be.
    const bool is_better =
        !best || said.state == SupplyState::succeeded ||
        (said.state == SupplyState::accepted && best->state == SupplyState::rejected);
    if (is_better) best = said;
  }
  if (best) return *best;
  // Of an order they numbered, absence says nothing.
  const bool is_none = !*more && supplier_order_id.empty();
  return outcome(is_none ? SupplyState::not_found : SupplyState::unknown, "");
}

SupplyOutcome Dingconnect::query(const AttemptId& attempt, const std::string& supplier_order_id) {
  if (!is_identifier(attempt.text) ||
      !(supplier_order_id.empty() || is_identifier(supplier_order_id))) {
    return outcome(SupplyState::unknown, "request_malformed");
  }
  return find(attempt, supplier_order_id);
}

Result<Money> Dingconnect::balance() {
  const Envelope answer = call("balance", "GET", "GetBalance");
  if (answer.is_ok() &&
      parse_currency(text_or_empty(answer.body, "CurrencyIso")) == config_.wallet) {
    const auto money = amount_in(answer.body, "Balance", config_.wallet, Round::down);
    if (money) return *money;
  }
  return refuse(Code::unavailable, "supplier_unavailable");
}

std::string Dingconnect::provider_name(const std::string& provider) const {
  const Envelope answer =
      call("look_up", "GET", "GetProviders?providerCodes=" + provider, "", false, kProviderNameMs);
  const Json* items = answer.is_ok() ? list_in(answer.body, "Items") : nullptr;
  if (!items || items->size() != 1) return {};
  return text_or_empty(items->front(), "Name", kMaxListedNameBytes);
}

Result<LookedUp> Dingconnect::look_up(const std::string& account_number) {
  if (!is_e164(account_number)) {
    return refuse(Code::invalid_argument, "account_number_invalid", "account_number");
  }
  const Envelope answer =
      call("look_up", "GET", "GetAccountLookup?accountNumber=" + account_number.substr(1), "",
           false, kLookUpMs - kProviderNameMs);
  if (answer.result_code == 2 || answer.result_code == 4) {
    return refuse(Code::rejected, "operator_unknown");
  }
  const Json* items = answer.is_ok() ? list_in(answer.body, "Items") : nullptr;
  if (!items) return refuse(Code::unavailable, "supplier_unavailable");
  LookedUp found;
  if (items->size() == 1)
    found.supplier_operator_id = text_or_empty(items->front(), "ProviderCode");
  found.country = text_or_empty(answer.body, "CountryIso");
  if (!is_identifier(found.supplier_operator_id) || !is_country(found.country)) {
    return refuse(Code::rejected, "operator_unknown");
  }
  found.operator_name = provider_name(found.supplier_operator_id);
  return found;
}

// Their list takes no dates, so that all of the two months they keep is read.
Result<std::vector<StatementLine>> Dingconnect::statement(std::int64_t from_ms,
                                                          std::int64_t until_ms) {
  if (from_ms < 0 || until_ms < from_ms) {
    return refuse(Code::invalid_argument, "period_malformed");
  }
  std::vector<StatementLine> lines;
  for (std::int64_t page = 0; page < kMaxPages; ++page) {
    const Json body = {{"Skip", page * kPerPage}, {"Take", kPerPage}};
    const Envelope answer = call("statement", "POST", "ListTransferRecords", body.dump());
    const Json* items = answer.is_ok() ? list_in(answer.body, "Items") : nullptr;
    const auto more = base::bool_in(answer.body, "ThereAreMoreItems");
    if (!items || !more) break;
    for (const Json& item : *items) {
      const Json* record = member(item, "TransferRecord");
      if (!record) return refuse(Code::unavailable, "supplier_unavailable");
      const auto at = ding::parse_started(text_or_empty(*record, "StartedUtc"));
      const std::string reference = reference_of(*record);
      if (!at) return refuse(Code::unavailable, "supplier_unavailable");
      if (*at < from_ms || *at >= until_ms) continue;
      const SupplyOutcome said = record_in(*record, AttemptId(reference));
      lines.push_back({reference, said.supplier_order_id, said.state, said.cost, *at});
    }
    if (!*more) return lines;
  }
  return refuse(Code::unavailable, "supplier_unavailable");
}

Result<AttemptId> Dingconnect::parse_callback(const CallbackRequest& request) const {
  if (config_.callback_token.empty() ||
      !base::constant_time_equal(request.token, config_.callback_token)) {
    return refuse(Code::forbidden, "signature_invalid");
  }
  const auto body = exact_json_in(request.body);
  if (!body) return refuse(Code::invalid_argument, "callback_malformed");
  const Json* record = member(*body, "TransferRecord");
  const std::string reference = reference_of(record ? *record : *body);
  if (!is_identifier(reference)) return refuse(Code::invalid_argument, "callback_malformed");
  return AttemptId(reference);
}

}  // namespace

std::unique_ptr<Supplier> make_dingconnect(DingconnectConfig config, base::Outbound& http) {
  return std::make_unique<Dingconnect>(std::move(config), http);
}

}  // namespace topup::suppliers
