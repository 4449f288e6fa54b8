#include "server/suppliers/reloadly.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "server/base/crypto.h"
#include "server/base/json.h"
#include "server/base/log.h"
#include "server/suppliers/exact_json.h"
#include "server/suppliers/reading.h"
#include "server/suppliers/reloadly_catalogue.h"
#include "server/suppliers/reloadly_statement.h"
#include "shared/phone.h"

namespace topup::suppliers {
namespace {

using base::Json;

constexpr std::int64_t kStatementPage = 100;
constexpr std::int64_t kMaxStatementPages = 200;
constexpr std::int64_t kTokenMarginMs = 60'000;
constexpr std::int64_t kMaxTokenLifeS = 366LL * 24 * 3600;
constexpr std::int64_t kTokenPauseMs =
    2'000;  // after a failed fetch, callers fail at once this long
constexpr std::int64_t kLookUpTokenMs = 500;  // of a look-up, for its turn and for the token each
constexpr std::int64_t kCallbackWindowMs = 300'000;
constexpr std::int64_t kLeastMillisecondStamp =
    100'000'000'000;  // a smaller timestamp is in seconds
constexpr std::size_t kMaxTokenBytes = 8 * 1024;
constexpr std::string_view kMediaType = "application/com.reloadly.topups-v1+json";
constexpr std::string_view kAlreadyUsed = "CUSTOM_IDENTIFIER_ALREADY_USED";

// ---- What a 4xx code means for an attempt. A code that is not listed means unknown.

constexpr Word<SupplyState> kRefusals[] = {
    // The number or the amount is wrong for the operator: final.
    {"INVALID_RECIPIENT_PHONE", SupplyState::rejected},
    {"INVALID_SENDER_PHONE", SupplyState::rejected},
    {"INVALID_PHONE_NUMBER", SupplyState::rejected},
    {"INVALID_AMOUNT_FOR_RECIPIENT_PHONE", SupplyState::rejected},
    {"PHONE_BANNED_BY_OPERATOR", SupplyState::rejected},
    {"RECIPIENT_PHONE_INACTIVE", SupplyState::rejected},
    {"RECIPIENT_REACHED_MAX_TOPUP_NUMBER", SupplyState::rejected},
    // Our catalogue is stale: nothing was sent, and nothing will be.
    {"INVALID_AMOUNT_FOR_OPERATOR", SupplyState::rejected},
    {"INVALID_AMOUNT", SupplyState::rejected},
    {"OPERATOR_NOT_FOUND", SupplyState::rejected},
    {"OPERATOR_UNAVAILABLE_OR_CURRENTLY_INACTIVE", SupplyState::rejected},
    {"OPERATOR_NOT_IN_SERVICE", SupplyState::rejected},
    {"COUNTRY_NOT_SUPPORTED", SupplyState::rejected},
    {"COULD_NOT_AUTO_DETECT_OPERATOR", SupplyState::rejected},
    {"FX_RATE_NOT_AVAILABLE", SupplyState::rejected},
    // The operator said no: final.
    {"TOPUP_TRANSACTION_FAILED", SupplyState::rejected},
    {"TRANSACTION_FAILED_ON_OPERATOR", SupplyState::rejected},
    {"TRANSACTION_REJECTED_BY_OPERATOR", SupplyState::rejected},
    {"TRANSACTION_REFUSED_BY_OPERATOR", SupplyState::rejected},
    // Our account with them, not the order.
    {"INSUFFICIENT_BALANCE", SupplyState::held},
    {"MAX_DAILY_TRANSACTION_AMOUNT_REACHED", SupplyState::held},
    {"MAX_DAILY_TRANSACTION_COUNT_REACHED", SupplyState::held},
    {"INACTIVE_ACCOUNT", SupplyState::held},
    {"ACCOUNT_NOT_FOUND", SupplyState::held},
    {"INVALID_TOKEN", SupplyState::held},
    {"TOKEN_EXPIRED", SupplyState::held},
    // Refused for the moment, before anything went to the operator.
    {"TRANSACTION_CANNOT_BE_PROCESSED_AT_THE_MOMENT", SupplyState::held},
    {"PHONE_RECENTLY_RECHARGED", SupplyState::held},
    {"RECIPIENT_HAS_PENDING_TRANSACTION", SupplyState::held},
    {"CONNECTION_TO_OPERATOR_TEMPORARILY_DOWN", SupplyState::held},
    // Between them and the operator: whether it went out is not said. Listed to show it was
    // decided.
    {"PROVIDER_INTERNAL_ERROR", SupplyState::unknown},
    {"REQUEST_FAILED_ON_PROVIDER", SupplyState::unknown},
    {"CONNECTION_TO_OPERATOR_FAILED", SupplyState::unknown},
    {"REQUEST_PROCESSING_FAILED", SupplyState::unknown},
    {"UNMAPPED_PROVIDER_ERROR_CODE", SupplyState::unknown},
};

constexpr Word<SupplyState> kStatuses[] = {
    {"SUCCESSFUL", SupplyState::succeeded},
    {"PROCESSING", SupplyState::accepted},
    {"REFUNDED", SupplyState::rejected},  // failed at the operator and already back on our wallet
    {"FAILED", SupplyState::rejected},
};

// ---- Small readers.

bool is_token(std::string_view text) {  // fit for a header line
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

std::optional<std::int64_t> parse_stamp_ms(const std::string& text) {
  if (text.size() > 15 || !is_digits(text)) return std::nullopt;
  std::int64_t stamp = 0;
  std::from_chars(text.data(), text.data() + text.size(), stamp);
  return stamp > kLeastMillisecondStamp ? stamp : stamp * 1000;
}

// ---- The supplier.

Answer read(const base::OutboundReply& reply) {
  Answer answer = read_answer(reply);
  if (answer.kind != Answer::Kind::refused) return answer;
  const std::string code = text_or_empty(answer.body, "errorCode");
  if (is_code(code)) answer.word = code;
  return answer;
}

bool is_stale_token(const Answer& answer) {
  return answer.kind == Answer::Kind::refused && answer.status == 401 &&
         (answer.word == "TOKEN_EXPIRED" || answer.word == "INVALID_TOKEN");
}

class Reloadly final : public Supplier {
 public:
  Reloadly(ReloadlyConfig config, base::Outbound& auth, base::Outbound& airtime,
           const base::Clock& clock)
      : config_(std::move(config)), auth_(auth), airtime_(airtime), clock_(clock) {}

  std::string_view name() const override { return "reloadly"; }
  Result<std::vector<ListedProduct>> products(const std::string& country) override;
  SupplyOutcome submit(const SubmitRequest& request) override;
  SupplyOutcome query(const AttemptId& attempt, const std::string& supplier_order_id) override;
  Result<Money> balance() override;
  Result<LookedUp> look_up(const std::string& account_number) override;
  Result<std::vector<StatementLine>> statement(std::int64_t from_ms,
                                               std::int64_t until_ms) override;
  Result<AttemptId> parse_callback(const CallbackRequest& request) const override;

 private:
  std::optional<std::string> fetch_token(const std::string& refused_token,
                                         std::int64_t within_ms = kCallDeadlineMs);
  Answer call_once(const std::string& token, const base::OutboundRequest& call);
  Answer call(std::string_view what, std::string_view method, std::string target, std::string body,
              const std::function<bool()>& may_leave = {});
  std::optional<SupplyOutcome> too_dear(const SubmitRequest& request);
  SupplyOutcome query_status(const AttemptId& attempt, const std::string& supplier_order_id);
  SupplyOutcome query_report(const AttemptId& attempt);
  SupplyOutcome transaction_in(const Json& transaction, std::string_view status) const;

  ReloadlyConfig config_;
  base::Outbound& auth_;
  base::Outbound& airtime_;
  const base::Clock& clock_;
  std::timed_mutex token_mutex_;  // held over the fetch, so that many callers make one
  std::string token_;
  std::int64_t token_ends_mono_ms_ = 0;
  std::int64_t token_pause_until_mono_ms_ = 0;
};

std::optional<std::string> Reloadly::fetch_token(const std::string& refused_token,
                                                 std::int64_t within_ms) {
  std::unique_lock lock(token_mutex_, std::defer_lock);
  if (within_ms >= kCallDeadlineMs) {
    lock.lock();
  } else if (!lock.try_lock_for(std::chrono::milliseconds(within_ms))) {
    return std::nullopt;
  }
  const std::int64_t now = clock_.mono_ms();
  if (!token_.empty() && token_ != refused_token && now < token_ends_mono_ms_) return token_;
  token_.clear();
  if (now < token_pause_until_mono_ms_) return std::nullopt;
  base::OutboundRequest request;
  request.method = "POST";
  request.target = "/oauth/token";
  request.headers = {{"Accept", "application/json"}, {"Content-Type", "application/json"}};
  request.deadline_ms = within_ms;
  const Json body = {{"client_id", config_.client_id},
                     {"client_secret", config_.client_secret},
                     {"grant_type", "client_credentials"},
                     {"audience", config_.audience}};
  request.body = body.dump();
  const Answer answer = read(auth_.call(request));
  const auto token = base::text_in(answer.body, "access_token", kMaxTokenBytes);
  const auto life_s = base::integer_in(answer.body, "expires_in", 1, kMaxTokenLifeS);
  if (answer.kind != Answer::Kind::ok || !token || !is_token(*token) || !life_s) {
    // Who had little time tells nothing about what the next one may wait for.
    if (within_ms >= kCallDeadlineMs) token_pause_until_mono_ms_ = clock_.mono_ms() + kTokenPauseMs;
    base::log(base::Level::error, "reloadly_token_failed",
              {{"status", answer.status}, {"why", answer.word}});
    return std::nullopt;
  }
  const std::int64_t life_ms = *life_s * 1000;
  token_ends_mono_ms_ = now + life_ms - std::min(kTokenMarginMs, life_ms / 2);
  token_ = *token;
  return token_;
}

Answer Reloadly::call_once(const std::string& token, const base::OutboundRequest& call) {
  base::OutboundRequest request = call;
  request.headers = {{"Accept", std::string(kMediaType)}, {"Authorization", "Bearer " + token}};
  if (!request.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  return read(airtime_.call(request));
}

Answer Reloadly::call(std::string_view what, std::string_view method, std::string target,
                      std::string body, const std::function<bool()>& may_leave) {
  base::OutboundRequest request;
  request.method = std::string(method);
  request.target = std::move(target);
  request.body = std::move(body);
  request.deadline_ms = kCallDeadlineMs;
  Answer answer;
  answer.kind = Answer::Kind::not_sent;
  answer.word = "token_unavailable";
  const auto send = [&](const std::string& token) {
    if (!may_leave || may_leave()) return call_once(token, request);
    Answer stayed;
    stayed.kind = Answer::Kind::not_sent;
    stayed.word = "too_late";
    return stayed;
  };
  auto token = fetch_token("");
  if (token) answer = send(*token);
  if (is_stale_token(answer)) {
    // A 401 is raised before anything is processed, so that even a submission may be repeated.
    token = fetch_token(*token);
    if (token) answer = send(*token);
  }
  if (answer.kind != Answer::Kind::ok) {
    base::log(base::Level::warn, "reloadly_call_failed",
              {{"call", what}, {"status", answer.status}, {"why", answer.word}});
  }
  return answer;
}

Result<std::vector<ListedProduct>> Reloadly::products(const std::string& country) {
  if (!is_country(country)) return refuse(Code::invalid_argument, "country_malformed", "country");
  const Answer answer =
      call("products", "GET",
           "/operators/countries/" + country +
               "?includeBundles=true&includeData=true&includePin=true&suggestedAmounts=false",
           "");
  if (answer.kind != Answer::Kind::ok || !answer.body.is_array()) {
    return refuse(Code::unavailable, "supplier_unavailable");
  }
  std::vector<ListedProduct> products;
  for (const Json& row : answer.body) {
    reloadly::append_products(row, country, config_.wallet, products);
  }
  return products;
}

SupplyOutcome Reloadly::submit(const SubmitRequest& request) {
  const std::string_view number = request.account_number;
  if (!is_identifier(request.attempt_id.text) || !is_digits(request.supplier_operator_id) ||
      !is_country(request.country) || number.substr(0, 1) != "+" || !is_digits(number.substr(1)) ||
      request.face.minor <= 0) {
    return outcome(SupplyState::rejected, "request_malformed");
  }
  if (auto refused = too_dear(request)) return *refused;
  const Json rest = {
      {"customIdentifier", request.attempt_id.text},
      {"recipientPhone", {{"countryCode", request.country}, {"number", number.substr(1)}}},
      {"useLocalAmount", true},
  };
  // The two numbers are written as text, because a JSON library would write the amount from a
  // double.
  const std::string body = "{\"operatorId\":" + request.supplier_operator_id +
                           ",\"amount\":" + decimal_text(request.face) + "," +
                           rest.dump().substr(1);
  const Answer answer = call("submit", "POST", "/topups-async", body, request.may_leave);
  if (answer.kind == Answer::Kind::ok) {
    const std::string order_id = literal_of(answer.body, "transactionId");
    if (!is_digits(order_id)) return outcome(SupplyState::unknown, "answer_malformed");
    SupplyOutcome accepted = outcome(SupplyState::accepted, "");
    accepted.supplier_order_id = order_id;
    return accepted;
  }
  if (answer.kind == Answer::Kind::not_sent) return outcome(SupplyState::held, answer.word);
  if (answer.kind != Answer::Kind::refused) return outcome(SupplyState::unknown, answer.word);
  if (answer.status == 429) return outcome(SupplyState::held, answer.word);
  if (answer.word != kAlreadyUsed) return outcome(state_of(kRefusals, answer.word), answer.word);
  // Most of these were in fact delivered. That the report does not show it yet proves nothing.
  SupplyOutcome earlier = query_report(request.attempt_id);
  if (earlier.state == SupplyState::not_found) {
    return outcome(SupplyState::unknown, std::string(kAlreadyUsed));
  }
  return earlier;
}

SupplyOutcome Reloadly::transaction_in(const Json& transaction, std::string_view status) const {
  SupplyOutcome result = outcome(state_of(kStatuses, status), std::string(status));
  if (!is_code(status)) result.code = "status_unknown";
  result.supplier_order_id = literal_of(transaction, "transactionId");
  if (result.state != SupplyState::succeeded) return result;
  if (const Json* pin = member(transaction, "pinDetail")) {
    const std::string code = text_or_empty(*pin, "code", kMaxPinBytes);
    if (is_plain_line(code)) {
      result.pins.push_back({code, text_or_empty(*pin, "serial", kMaxPinBytes)});
    }
  }
  const Json* wallet = member(transaction, "balanceInfo");
  if (wallet && text_or_empty(*wallet, "currencyCode") == to_word(config_.wallet)) {
    result.cost = amount_in(*wallet, "cost", config_.wallet, Round::half_up);
  }
  const auto currency = parse_currency(text_or_empty(transaction, "deliveredAmountCurrencyCode"));
  if (currency)
    result.delivered = amount_in(transaction, "deliveredAmount", *currency, Round::down);
  return result;
}

SupplyOutcome Reloadly::query_status(const AttemptId& attempt,
                                     const std::string& supplier_order_id) {
  const Answer answer = call("query", "GET", "/topups/" + supplier_order_id + "/status", "");
  // A 404 here is unknown too: they gave us this number, so that a wrong route is the likelier
  // reason.
  if (answer.kind != Answer::Kind::ok || !answer.body.is_object()) {
    return outcome(SupplyState::unknown, answer.word);
  }
  // After an automatic refund the transaction can be null: then the status stands alone.
  const Json* transaction = member(answer.body, "transaction");
  SupplyOutcome result = transaction_in(transaction ? *transaction : Json::object(),
                                        text_or_empty(answer.body, "status"));
  const std::string identifier = transaction ? text_or_empty(*transaction, "customIdentifier") : "";
  const bool is_ours = identifier.empty() || identifier == attempt.text;
  const bool is_same =
      result.supplier_order_id.empty() || result.supplier_order_id == supplier_order_id;
  if (!is_ours || !is_same) return outcome(SupplyState::unknown, "answer_of_another_order");
  result.supplier_order_id = supplier_order_id;
  return result;
}

SupplyOutcome Reloadly::query_report(const AttemptId& attempt) {
  const Answer answer =
      call("query", "GET", "/topups/reports/transactions?customIdentifier=" + attempt.text, "");
  if (answer.kind != Answer::Kind::ok) return outcome(SupplyState::unknown, answer.word);
  const auto content = answer.body.is_object() ? answer.body.find("content") : answer.body.end();
  if (content == answer.body.end() || !content->is_array()) {
    return outcome(SupplyState::unknown, "answer_malformed");
  }
  const Json* found = nullptr;
  for (const Json& row : *content) {
    // A row of another identifier means that the filter was not applied, so that absence says
    // nothing.
    if (found || text_or_empty(row, "customIdentifier") != attempt.text) {
      return outcome(SupplyState::unknown, "answer_of_another_order");
    }
    found = &row;
  }
  if (found) return transaction_in(*found, text_or_empty(*found, "status"));
  const bool is_empty = base::integer_in(answer.body, "totalElements", 0, 0).has_value() ||
                        !answer.body.contains("totalElements");
  return is_empty ? outcome(SupplyState::not_found, "")
                  : outcome(SupplyState::unknown, "answer_malformed");
}

SupplyOutcome Reloadly::query(const AttemptId& attempt, const std::string& supplier_order_id) {
  if (!is_identifier(attempt.text)) return outcome(SupplyState::unknown, "request_malformed");
  if (!supplier_order_id.empty()) {
    if (!is_digits(supplier_order_id)) return outcome(SupplyState::unknown, "request_malformed");
    return query_status(attempt, supplier_order_id);
  }
  SupplyOutcome reported = query_report(attempt);
  if (reported.state != SupplyState::succeeded || reported.cost ||
      !is_digits(reported.supplier_order_id)) {
    return reported;
  }
  // Reports leave out what a top-up cost; its status tells. Without that answer success stands.
  SupplyOutcome full = query_status(attempt, reported.supplier_order_id);
  return full.state == SupplyState::succeeded ? full : reported;
}

Result<Money> Reloadly::balance() {
  const Answer answer = call("balance", "GET", "/accounts/balance", "");
  const auto currency = parse_currency(text_or_empty(answer.body, "currencyCode"));
  if (answer.kind != Answer::Kind::ok || currency != config_.wallet) {
    return refuse(Code::unavailable, "supplier_unavailable");
  }
  const auto money = amount_in(answer.body, "balance", config_.wallet, Round::down);
  if (!money) return refuse(Code::unavailable, "supplier_unavailable");
  return *money;
}

// What the order will take, asked before it is placed: whatever is unclear here only holds it.
std::optional<SupplyOutcome> Reloadly::too_dear(const SubmitRequest& request) {
  if (request.most_cost.minor <= 0) return {};
  const Answer answer = call("quote", "GET", "/operators/" + request.supplier_operator_id, "");
  if (answer.kind != Answer::Kind::ok) return outcome(SupplyState::held, "not_sent");
  const auto cost = reloadly::cost_of(answer.body, request.face, config_.wallet);
  if (!cost) return outcome(SupplyState::rejected, "product_changed");
  if (is_above(cost, request.most_cost)) return outcome(SupplyState::rejected, "cost_too_high");
  return {};
}

Result<LookedUp> Reloadly::look_up(const std::string& account_number) {
  const PhoneCheck number = check_phone(account_number, "");
  if (!is_e164(account_number) || number.country.empty()) {
    return refuse(Code::invalid_argument, "account_number_invalid", "account_number");
  }
  const std::string country(number.country);
  const auto unavailable = [] { return refuse(Code::unavailable, "supplier_unavailable"); };
  const auto token = fetch_token("", kLookUpTokenMs);
  if (!token) return unavailable();
  base::OutboundRequest request;
  request.method = "GET";
  request.target =
      "/operators/auto-detect/phone/" + account_number.substr(1) + "/countries/" + country;
  request.deadline_ms = kLookUpMs - 2 * kLookUpTokenMs;
  const Answer answer = call_once(*token, request);
  if (answer.kind != Answer::Kind::ok) {
    base::log(base::Level::warn, "reloadly_call_failed",
              {{"call", "look_up"}, {"status", answer.status}, {"why", answer.word}});
  }
  if (answer.kind == Answer::Kind::refused &&
      state_of(kRefusals, answer.word) == SupplyState::rejected) {
    return refuse(Code::rejected, "operator_unknown");
  }
  LookedUp found{literal_of(answer.body, "operatorId"),
                 text_or_empty(answer.body, "name", kMaxListedNameBytes), country};
  if (found.supplier_operator_id.empty())
    found.supplier_operator_id = literal_of(answer.body, "id");
  if (answer.kind != Answer::Kind::ok || !is_digits(found.supplier_operator_id)) {
    return unavailable();
  }
  return found;
}

Result<std::vector<StatementLine>> Reloadly::statement(std::int64_t from_ms,
                                                       std::int64_t until_ms) {
  const auto unavailable = [] { return refuse(Code::unavailable, "supplier_unavailable"); };
  std::vector<StatementLine> lines;
  for (std::int64_t page = 1; page <= kMaxStatementPages; ++page) {
    const Answer answer = call(
        "statement", "GET", reloadly_statement_target(from_ms, until_ms, page, kStatementPage), "");
    const auto content = answer.body.is_object() ? answer.body.find("content") : answer.body.end();
    if (answer.kind != Answer::Kind::ok || content == answer.body.end() || !content->is_array())
      return unavailable();
    for (const Json& row : *content) {
      const auto line = reloadly_statement_line(row, config_.wallet);
      if (!line) return unavailable();
      if (line->at_ms >= from_ms && line->at_ms < until_ms) lines.push_back(*line);
    }
    if (static_cast<std::int64_t>(content->size()) < kStatementPage) return lines;
  }
  return unavailable();  // more than is read at once: half a statement is none
}

Result<AttemptId> Reloadly::parse_callback(const CallbackRequest& request) const {
  const auto malformed = [] { return refuse(Code::invalid_argument, "callback_malformed"); };
  const std::string stamp = find_header(request, "x-reloadly-request-timestamp");
  const std::string signature = find_header(request, "x-reloadly-signature");
  const std::string expected =
      base::hex(base::hmac_sha256(config_.webhook_secret, request.body + ":" + stamp));
  if (config_.webhook_secret.empty() || !base::constant_time_equal(signature, expected)) {
    return refuse(Code::forbidden, "signature_invalid");
  }
  const auto stamp_ms = parse_stamp_ms(stamp);
  if (!stamp_ms) return malformed();
  const std::int64_t age_ms = clock_.wall_ms() - *stamp_ms;
  if (age_ms >= kCallbackWindowMs || age_ms <= -kCallbackWindowMs) {
    return refuse(Code::forbidden, "timestamp_expired");
  }
  const auto body = base::json_in(request.body);
  if (!body || text_or_empty(*body, "type") != "airtime_transaction.status") return malformed();
  const Json* data = member(*body, "data");
  if (!data) return malformed();
  const Json* nested = member(*data, "transaction");
  const std::string identifier = text_or_empty(nested ? *nested : *data, "customIdentifier");
  if (!is_identifier(identifier)) return malformed();
  return AttemptId(identifier);
}

}  // namespace

std::unique_ptr<Supplier> make_reloadly(ReloadlyConfig config, base::Outbound& auth,
                                        base::Outbound& airtime, const base::Clock& clock) {
  return std::make_unique<Reloadly>(std::move(config), auth, airtime, clock);
}

}  // namespace topup::suppliers
