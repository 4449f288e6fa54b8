#include "server/suppliers/dtone.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "server/base/crypto.h"
#include "server/suppliers/dtone_catalogue.h"
#include "server/suppliers/exact_json.h"
#include "server/suppliers/iso_country.h"
#include "server/suppliers/reading.h"

namespace topup::suppliers {
namespace {

using base::Json;

constexpr std::int64_t kRowsPerPage = 40;  // a page of transactions stays far below 256 KiB
constexpr std::int64_t kMaxPages = 2'500;
constexpr std::int64_t kStatementWindowMs = 24LL * 3'600'000;  // theirs
constexpr std::int64_t kMaxStatementMs = 100LL * kStatementWindowMs;
constexpr std::int64_t kReservationLifeMs = 120'000;  // no submission of ours takes as long

// ---- What an error of theirs means for an attempt. One that is not listed means unknown.

constexpr std::string_view kUsed = "1007001";
constexpr std::string_view kNoSuchTransaction = "1008004";

constexpr Word<SupplyState> kErrors[] = {
    // Refused before anything was created: final.
    {"1000400", SupplyState::rejected},  // malformed
    {"1003001", SupplyState::rejected},  // the product is not available
    {"1003002", SupplyState::rejected},  // amount out of range
    {"1003003", SupplyState::rejected},  // amount in the wrong unit
    {"1003101", SupplyState::rejected},  // other objects of the catalogue
    {"1003201", SupplyState::rejected},
    {"1003301", SupplyState::rejected},
    {"1005003", SupplyState::rejected},  // the recipient's number
    {"1005004", SupplyState::rejected},  // other fields of the recipient
    {"1005005", SupplyState::rejected},
    {"1005006", SupplyState::rejected},
    {"1005503", SupplyState::rejected},  // the sender's number
    {"1007500", SupplyState::rejected},  // not supported by this operator
    // Our account or our set-up, not the order.
    {"1000401", SupplyState::held},
    {"1000404", SupplyState::held},
    {"1000429", SupplyState::held},
    {"1006001", SupplyState::held},  // the balance is too low
    // Listed to show it was decided: what they say does not tell whether an order exists.
    {"1006003", SupplyState::unknown},
    {"1006009", SupplyState::unknown},
    {"1006503", SupplyState::unknown},
    {"1007002", SupplyState::unknown},  // confirmed already
    {"1007004", SupplyState::unknown},  // cannot be confirmed
    {"1007005", SupplyState::unknown},  // cancelled already
    {"1007007", SupplyState::unknown},  // cannot be cancelled
    {kNoSuchTransaction, SupplyState::unknown},
    {"1009001", SupplyState::unknown},
    {"1009503", SupplyState::unknown},
};

constexpr std::string_view kReversed = "8";
constexpr Word<SupplyState> kClasses[] = {
    {"1", SupplyState::accepted},        // CREATED: reserved, not confirmed
    {"2", SupplyState::accepted},        // CONFIRMED
    {"3", SupplyState::rejected},        // REJECTED by them
    {"4", SupplyState::rejected},        // CANCELLED
    {"5", SupplyState::accepted},        // SUBMITTED to the operator
    {"7", SupplyState::succeeded},       // COMPLETED
    {kReversed, SupplyState::rejected},  // delivered and taken back
    {"9", SupplyState::rejected},        // DECLINED by the operator
};
constexpr std::string_view kCreated = "1";

std::string class_of(const Json& transaction) {
  const Json* status = member(transaction, "status");
  const Json* group = status ? member(*status, "class") : nullptr;
  return group ? literal_of(*group, "id") : "";
}

// Their codes of a refusal; several that mean different things mean unknown.
SupplyOutcome refusal_of(const Answer& answer) {
  const Json* errors = list_in(answer.body, "errors");
  if (!errors || errors->empty()) {
    return outcome(answer.status == 429 ? SupplyState::held : SupplyState::unknown, answer.word);
  }
  const std::string first = literal_of(errors->front(), "code");
  SupplyState state = state_of(kErrors, first);
  for (const Json& error : *errors) {
    if (state_of(kErrors, literal_of(error, "code")) != state) state = SupplyState::unknown;
  }
  return outcome(state, is_digits(first) ? first : answer.word);
}

void read_pin(const Json& transaction, SupplyOutcome& result) {
  const Json* pin = member(transaction, "pin");
  if (!pin) return;
  const std::string code = text_or_empty(*pin, "code", kMaxPinBytes);
  if (is_plain_line(code)) {
    result.pins.push_back({code, text_or_empty(*pin, "serial", kMaxPinBytes)});
  }
}

// ---- The supplier.

class Dtone final : public Supplier {
 public:
  Dtone(DtoneConfig config, base::Outbound& http, const base::Clock& clock)
      : config_(std::move(config)), http_(http), clock_(clock) {}

  std::string_view name() const override { return "dtone"; }
  Result<std::vector<ListedProduct>> products(const std::string& country) override;
  SupplyOutcome submit(const SubmitRequest& request) override;
  SupplyOutcome query(const AttemptId& attempt, const std::string& supplier_order_id) override;
  Result<Money> balance() override;
  Result<LookedUp> look_up(const std::string& account_number) override;
  Result<std::vector<StatementLine>> statement(std::int64_t from_ms,
                                               std::int64_t until_ms) override;
  Result<AttemptId> parse_callback(const CallbackRequest& request) const override;

 private:
  Answer call(std::string_view what, std::string_view method, std::string target,
              std::string body = "", std::int64_t within_ms = kCallDeadlineMs) const;
  std::string body_of(const SubmitRequest& request, bool is_reserved) const;
  SupplyOutcome transaction_in(const Json& transaction, const AttemptId& attempt) const;
  SupplyOutcome after_reservation(const SubmitRequest& request, const Json& transaction) const;
  SupplyOutcome end_reservation(const AttemptId& attempt, const std::string& order_id,
                                std::string_view verb) const;
  SupplyOutcome find(const AttemptId& attempt, const std::string& supplier_order_id,
                     Json* transaction) const;
  bool append_day(std::int64_t from_ms, std::int64_t until_ms,
                  std::vector<StatementLine>& lines) const;

  const DtoneConfig config_;
  base::Outbound& http_;
  const base::Clock& clock_;
};

Answer Dtone::call(std::string_view what, std::string_view method, std::string target,
                   std::string body, std::int64_t within_ms) const {
  base::OutboundRequest request;
  request.method = std::string(method);
  request.target = "/v1" + std::move(target);
  request.headers = {
      {"Accept", "application/json"},
      {"Authorization", "Basic " + base::base64(config_.api_key + ":" + config_.api_secret)}};
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  request.body = std::move(body);
  request.deadline_ms = within_ms;
  Answer answer = read_answer(http_.call(request));
  if (!answer.is_ok()) log_failed_call(name(), what, answer);
  return answer;
}

Result<std::vector<ListedProduct>> Dtone::products(const std::string& country) {
  const std::string iso3 = alpha3_of(country);
  if (iso3.empty()) return refuse(Code::invalid_argument, "country_malformed", "country");
  std::vector<ListedProduct> products;
  for (std::int64_t page = 1; page <= kMaxPages; ++page) {
    const Answer answer =
        call("products", "GET",
             "/products?country_iso_code=" + iso3 + "&service_id=1&page=" + std::to_string(page) +
                 "&per_page=" + std::to_string(kRowsPerPage));
    if (!answer.is_ok() || !answer.body.is_array()) {
      return refuse(Code::unavailable, "supplier_unavailable");
    }
    for (const Json& row : answer.body) {
      dtone::append_product(row, country, config_.wallet, products);
    }
    if (static_cast<std::int64_t>(answer.body.size()) < kRowsPerPage) break;
  }
  return products;
}

std::string Dtone::body_of(const SubmitRequest& request, bool is_reserved) const {
  const bool is_range = request.sku.ends_with(dtone::kRangeMark);
  const std::string product = request.sku.substr(0, request.sku.size() - (is_range ? 1 : 0));
  Json body = {{"external_id", request.attempt_id.text},
               {"product_id", literal(product)},
               {"auto_confirm", !is_reserved}};
  if (!request.account_number.empty()) {
    body["credit_party_identifier"] = {{"mobile_number", request.account_number}};
  }
  if (!config_.callback_url.empty()) body["callback_url"] = config_.callback_url;
  if (is_range) {
    body["calculation_mode"] = "DESTINATION_AMOUNT";
    body["destination"] = {{"unit_type", "CURRENCY"},
                           {"unit", std::string(to_word(request.face.currency))},
                           {"amount", literal(decimal_text(request.face))}};
  }
  return dump_exact(body);
}

SupplyOutcome Dtone::submit(const SubmitRequest& request) {
  const std::string_view sku = request.sku;
  const bool is_range = sku.ends_with(dtone::kRangeMark);
  const bool has_account = is_e164(request.account_number) ||
                           (request.kind == ProductKind::pin && request.account_number.empty());
  if (!is_identifier(request.attempt_id.text) || request.attempt_id.text.size() > 40 ||
      !is_digits(sku.substr(0, sku.size() - (is_range ? 1 : 0))) || !has_account ||
      request.face.minor <= 0) {
    return outcome(SupplyState::rejected, "request_malformed");
  }
  const bool is_reserved = request.most_cost.minor > 0;
  if (request.may_leave && !request.may_leave()) return outcome(SupplyState::held, "too_late");
  const Answer answer =
      call("submit", "POST", "/async/transactions", body_of(request, is_reserved));
  if (answer.kind == Answer::Kind::not_sent) return outcome(SupplyState::held, answer.word);
  if (answer.kind == Answer::Kind::unclear) return outcome(SupplyState::unknown, answer.word);
  if (answer.is_ok()) {
    return is_reserved ? after_reservation(request, answer.body)
                       : transaction_in(answer.body, request.attempt_id);
  }
  SupplyOutcome refused = refusal_of(answer);
  if (refused.code != kUsed) return refused;
  // The first request may have arrived after all. That the list does not show it yet proves
  // nothing.
  SupplyOutcome earlier = find(request.attempt_id, "", nullptr);
  if (earlier.state != SupplyState::not_found) return earlier;
  return outcome(SupplyState::unknown, std::string(kUsed));
}

SupplyOutcome Dtone::after_reservation(const SubmitRequest& request,
                                       const Json& transaction) const {
  SupplyOutcome reserved = transaction_in(transaction, request.attempt_id);
  if (reserved.state != SupplyState::accepted || class_of(transaction) != kCreated) return reserved;
  const Json* product = member(transaction, "product");
  const auto said = product ? dtone::currency_value(*product, "destination") : std::nullopt;
  const Money gives = said.value_or(request.face);
  const bool is_other_face = !request.sku.ends_with(dtone::kRangeMark) &&
                             gives.currency == request.face.currency && gives != request.face;
  const bool is_too_dear = is_above(reserved.cost, request.most_cost);
  if (is_other_face || is_too_dear) {
    // What nobody confirms is never delivered, whatever becomes of the cancellation.
    (void)end_reservation(request.attempt_id, reserved.supplier_order_id, "cancel");
    SupplyOutcome refused =
        outcome(SupplyState::rejected, is_too_dear ? "cost_too_high" : "product_changed");
    refused.supplier_order_id = reserved.supplier_order_id;
    return refused;
  }
  if (request.may_leave && !request.may_leave()) {
    reserved.state = SupplyState::unknown;
    reserved.code = "too_late";
    return reserved;
  }
  return end_reservation(request.attempt_id, reserved.supplier_order_id, "confirm");
}

SupplyOutcome Dtone::end_reservation(const AttemptId& attempt, const std::string& order_id,
                                     std::string_view verb) const {
  const std::string target = verb == "confirm" ? "/async/transactions/" + order_id + "/confirm"
                                               : "/transactions/" + order_id + "/cancel";
  const Answer answer = call(verb, "POST", target, "{}");
  SupplyOutcome result = answer.is_ok() ? transaction_in(answer.body, attempt)
                                        : outcome(SupplyState::unknown, answer.word);
  if (answer.kind == Answer::Kind::refused) {
    result = refusal_of(answer);
    result.state = SupplyState::unknown;
  }
  if (result.supplier_order_id.empty()) result.supplier_order_id = order_id;
  return result;
}

SupplyOutcome Dtone::transaction_in(const Json& transaction, const AttemptId& attempt) const {
  const std::string id = literal_of(transaction, "id");
  const std::string group = class_of(transaction);
  if (!is_digits(id) || group.empty()) return outcome(SupplyState::unknown, "answer_malformed");
  if (text_or_empty(transaction, "external_id") != attempt.text) {
    return outcome(SupplyState::unknown, "answer_of_another_order");
  }
  const std::string message = text_or_empty(*member(transaction, "status"), "message");
  SupplyOutcome result =
      outcome(state_of(kClasses, group), is_code(message) ? message : "class_" + group);
  if (!is_identifier(result.code)) result.code = "status_unknown";
  if (group == kReversed && !result.code.starts_with("REVERSED")) result.code = "REVERSED";
  result.supplier_order_id = id;
  result.cost = dtone::wholesale_cost(transaction, config_.wallet);
  if (result.state != SupplyState::succeeded) return result;
  const Json* adjusted = member(transaction, "adjusted_values");
  const Json* product = member(transaction, "product");
  if (adjusted) result.delivered = dtone::currency_value(*adjusted, "destination");
  if (!result.delivered && product) {
    result.delivered = dtone::currency_value(*product, "destination");
  }
  read_pin(transaction, result);
  return result;
}

SupplyOutcome Dtone::find(const AttemptId& attempt, const std::string& supplier_order_id,
                          Json* transaction) const {
  const bool is_by_number = !supplier_order_id.empty();
  const Answer answer = call("query", "GET",
                             is_by_number ? "/transactions/" + supplier_order_id
                                          : "/transactions?external_id=" + attempt.text);
  // A 404 is unknown too: they gave us this number, so that a wrong route is the likelier reason.
  if (!answer.is_ok()) return outcome(SupplyState::unknown, answer.word);
  const Json* found = is_by_number ? &answer.body : nullptr;
  if (!is_by_number) {
    if (!answer.body.is_array()) return outcome(SupplyState::unknown, "answer_malformed");
    if (answer.body.empty()) {
      const bool is_none = answer.total.empty() || answer.total == "0";
      return is_none ? outcome(SupplyState::not_found, "")
                     : outcome(SupplyState::unknown, "answer_malformed");
    }
    // More than one row means that the filter was not applied.
    if (answer.body.size() > 1) return outcome(SupplyState::unknown, "answer_of_another_order");
    found = &answer.body.front();
  }
  SupplyOutcome result = transaction_in(*found, attempt);
  if (is_by_number && result.supplier_order_id != supplier_order_id &&
      result.code != "answer_malformed") {
    return outcome(SupplyState::unknown, "answer_of_another_order");
  }
  if (transaction != nullptr) *transaction = *found;
  return result;
}

SupplyOutcome Dtone::query(const AttemptId& attempt, const std::string& supplier_order_id) {
  if (!is_identifier(attempt.text) ||
      !(supplier_order_id.empty() || is_digits(supplier_order_id))) {
    return outcome(SupplyState::unknown, "request_malformed");
  }
  Json transaction;
  const SupplyOutcome found = find(attempt, supplier_order_id, &transaction);
  if (found.state != SupplyState::accepted || class_of(transaction) != kCreated) return found;
  const auto created = parse_time(text_or_empty(transaction, "creation_date"));
  if (!created || clock_.wall_ms() - *created < kReservationLifeMs) return found;
  // Reserved by a submission that ended before its second step: a confirmation that is still on its
  // way finds it cancelled, or was first and is what the answer shows.
  const SupplyOutcome ended = end_reservation(attempt, found.supplier_order_id, "cancel");
  return ended.state == SupplyState::unknown ? found : ended;
}

Result<Money> Dtone::balance() {
  const std::string unit(to_word(config_.wallet));
  const Answer answer = call("balance", "GET", "/balances?unit_type=CURRENCY&unit=" + unit);
  if (answer.is_ok() && answer.body.is_array()) {
    for (const Json& row : answer.body) {
      if (text_or_empty(row, "unit_type") != "CURRENCY" || text_or_empty(row, "unit") != unit) {
        continue;
      }
      const auto money = amount_in(row, "available", config_.wallet, Round::down);
      if (money) return *money;
    }
  }
  return refuse(Code::unavailable, "supplier_unavailable");
}

Result<LookedUp> Dtone::look_up(const std::string& account_number) {
  if (!is_e164(account_number)) {
    return refuse(Code::invalid_argument, "account_number_invalid", "account_number");
  }
  const Json body = {{"mobile_number", account_number}};
  const Answer answer = call("look_up", "POST", "/lookup/mobile-number", body.dump(), kLookUpMs);
  if (answer.kind == Answer::Kind::refused && refusal_of(answer).state == SupplyState::rejected) {
    return refuse(Code::rejected, "operator_unknown");
  }
  if (!answer.is_ok() || !answer.body.is_array()) {
    return refuse(Code::unavailable, "supplier_unavailable");
  }
  for (const Json& row : answer.body) {
    const Json* country = member(row, "country");
    if (!country || !is_true(row, "identified")) continue;
    LookedUp found{literal_of(row, "id"), text_or_empty(row, "name", kMaxListedNameBytes),
                   alpha2_of(text_or_empty(*country, "iso_code"))};
    if (is_digits(found.supplier_operator_id) && !found.country.empty()) return found;
  }
  return refuse(Code::rejected, "operator_unknown");
}

// One window of theirs; false when the answer cannot be trusted to be whole.
bool Dtone::append_day(std::int64_t from_ms, std::int64_t until_ms,
                       std::vector<StatementLine>& lines) const {
  for (std::int64_t page = 1; page <= kMaxPages && lines.size() < kMaxStatementLines; ++page) {
    const Answer answer =
        call("statement", "GET",
             "/transactions?from_date=" + query_text(time_text(from_ms)) +
                 "&to_date=" + query_text(time_text(until_ms)) + "&page=" + std::to_string(page) +
                 "&per_page=" + std::to_string(kRowsPerPage));
    if (!answer.is_ok() || !answer.body.is_array()) return false;
    for (const Json& row : answer.body) {
      const std::string external = text_or_empty(row, "external_id");
      const SupplyOutcome said = transaction_in(row, AttemptId(external));
      const auto at = parse_time(text_or_empty(row, "creation_date"));
      if (said.supplier_order_id.empty() || !at) return false;
      if (*at < from_ms || *at >= until_ms) continue;
      lines.push_back({external, said.supplier_order_id, said.state,
                       said.state == SupplyState::succeeded ? said.cost : std::nullopt, *at});
    }
    if (static_cast<std::int64_t>(answer.body.size()) < kRowsPerPage) return true;
  }
  return false;
}

Result<std::vector<StatementLine>> Dtone::statement(std::int64_t from_ms, std::int64_t until_ms) {
  if (from_ms < 0 || until_ms < from_ms || until_ms - from_ms > kMaxStatementMs) {
    return refuse(Code::invalid_argument, "period_malformed");
  }
  std::vector<StatementLine> lines;
  for (std::int64_t at = from_ms; at < until_ms; at += kStatementWindowMs) {
    if (!append_day(at, std::min(at + kStatementWindowMs, until_ms), lines)) {
      return refuse(Code::unavailable, "supplier_unavailable");
    }
  }
  return lines;
}

Result<AttemptId> Dtone::parse_callback(const CallbackRequest& request) const {
  if (config_.callback_token.empty() ||
      !base::constant_time_equal(request.token, config_.callback_token)) {
    return refuse(Code::forbidden, "signature_invalid");
  }
  const auto body = exact_json_in(request.body);
  const std::string external = body ? text_or_empty(*body, "external_id") : "";
  if (!is_identifier(external)) return refuse(Code::invalid_argument, "callback_malformed");
  return AttemptId(external);
}

}  // namespace

std::unique_ptr<Supplier> make_dtone(DtoneConfig config, base::Outbound& http,
                                     const base::Clock& clock) {
  return std::make_unique<Dtone>(std::move(config), http, clock);
}

}  // namespace topup::suppliers
