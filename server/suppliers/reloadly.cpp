#include "server/suppliers/reloadly.h"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "server/base/crypto.h"
#include "server/base/json.h"
#include "server/base/log.h"
#include "server/suppliers/reloadly_json.h"

namespace topup::suppliers {
namespace {

using base::Json;

constexpr std::int64_t kCallDeadlineMs = 15'000;
constexpr std::int64_t kTokenMarginMs = 60'000;
constexpr std::int64_t kMaxTokenLifeS = 366LL * 24 * 3600;
constexpr std::int64_t kTokenPauseMs =
    2'000;  // after a failed fetch, callers fail at once this long
constexpr std::int64_t kCallbackWindowMs = 300'000;
constexpr std::int64_t kLeastMillisecondStamp =
    100'000'000'000;  // a smaller timestamp is in seconds
constexpr std::size_t kMaxTokenBytes = 8 * 1024;
constexpr std::size_t kMaxIdBytes = 64;
constexpr std::size_t kMaxNameBytes = 200;
constexpr std::size_t kMaxProducts = 5'000;  // of one country
constexpr std::string_view kMediaType = "application/com.reloadly.topups-v1+json";
constexpr std::string_view kAlreadyUsed = "CUSTOM_IDENTIFIER_ALREADY_USED";

// ---- What a 4xx code means for an attempt. A code that is not listed means unknown.

template <class State>
struct Word {
  std::string_view text;
  State state;
};

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

template <class State, std::size_t kCount>
State state_of(const Word<State> (&words)[kCount], std::string_view text) {
  for (const auto& word : words) {
    if (word.text == text) return word.state;
  }
  return State::unknown;
}

// ---- Small readers.

bool is_digits(std::string_view text) {
  return !text.empty() && text.size() <= 20 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

bool is_identifier(std::string_view text) {  // plain in a query string and in JSON
  return !text.empty() && text.size() <= kMaxIdBytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

bool is_country(std::string_view text) {
  return text.size() == 2 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_code(std::string_view text) {
  return is_identifier(text) &&
         std::none_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

bool is_token(std::string_view text) {  // fit for a header line
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

std::string text_or_empty(const Json& object, const char* key) {
  return base::text_in(object, key).value_or("");
}

std::string literal_of(const Json& object, const char* key) {
  return object.is_object() && object.contains(key) ? literal_text(object[key]) : std::string();
}

bool is_true(const Json& object, const char* key) {
  return base::bool_in(object, key).value_or(false);
}

const Json* member(const Json& object, const char* key) {
  const auto found = base::object_in(object, key);
  return found ? *found : nullptr;
}

SupplyOutcome outcome(SupplyState state, std::string code) {
  SupplyOutcome result;
  result.state = state;
  result.code = std::move(code);
  return result;
}

std::string find_header(const CallbackRequest& request, std::string_view name) {
  std::string found;
  int count = 0;
  for (const auto& [key, value] : request.headers) {
    if (key != name) continue;
    found = value;
    ++count;
  }
  return count == 1 ? found : std::string();
}

std::optional<std::int64_t> parse_stamp_ms(const std::string& text) {
  if (text.size() > 15 || !is_digits(text)) return std::nullopt;
  std::int64_t stamp = 0;
  std::from_chars(text.data(), text.data() + text.size(), stamp);
  return stamp > kLeastMillisecondStamp ? stamp : stamp * 1000;
}

// ---- Reading the catalogue.

bool is_listed(const Json& row) {
  if (!row.is_object() || is_true(row, "bundle") || is_true(row, "data") || is_true(row, "pin")) {
    return false;
  }
  const std::string status = text_or_empty(row, "status");
  return text_or_empty(row, "denominationType") == "FIXED" &&
         is_true(row, "supportsLocalAmounts") && (status.empty() || status == "ACTIVE");
}

void append_products(const Json& row, const std::string& country,
                     std::vector<ListedProduct>& products) {
  if (!is_listed(row)) return;
  std::string id = literal_of(row, "operatorId");
  if (id.empty()) id = literal_of(row, "id");
  const auto currency = parse_currency(text_or_empty(row, "destinationCurrencyCode"));
  const auto name = base::text_in(row, "name", kMaxNameBytes);
  const auto amounts = row.find("localFixedAmounts");
  if (!is_digits(id) || !currency || !name || amounts == row.end() || !amounts->is_array()) return;
  const auto first = static_cast<std::ptrdiff_t>(products.size());
  for (const Json& literal : *amounts) {
    const auto face = exact_amount(literal, *currency);
    if (!face || face->minor <= 0 || products.size() >= kMaxProducts) continue;
    const bool is_listed_already = std::any_of(products.begin() + first, products.end(),
                                               [&](const auto& p) { return p.face == *face; });
    if (!is_listed_already) products.push_back({id, *name, country, *face});
  }
}

// ---- The supplier.

struct Answer {
  enum class Kind : std::uint8_t { ok, refused, not_sent, unclear };
  Kind kind = Kind::unclear;
  int status = 0;
  Json body;         // of an ok answer
  std::string word;  // of any other: their errorCode, or ours: http_502, deadline …
};

Answer read(const base::OutboundReply& reply) {
  using Kind = base::OutboundReply::Kind;
  Answer answer;
  if (reply.kind == Kind::not_sent) {
    answer.kind = Answer::Kind::not_sent;
    answer.word = "not_sent";
    return answer;
  }
  if (reply.kind == Kind::no_answer) {
    answer.word = reply.failure.empty() ? "no_answer" : reply.failure;
    return answer;
  }
  answer.status = reply.status;
  answer.word = "http_" + std::to_string(reply.status);
  auto body = reloadly_json_in(reply.body);
  if (reply.status >= 400 && reply.status < 500) {
    answer.kind = Answer::Kind::refused;
    const std::string code = body ? text_or_empty(*body, "errorCode") : "";
    if (is_code(code)) answer.word = code;
  } else if (reply.status >= 200 && reply.status < 300) {
    answer.word = body ? "" : "answer_malformed";
    if (body) answer.kind = Answer::Kind::ok;
    if (body) answer.body = std::move(*body);
  }
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
  Result<AttemptId> parse_callback(const CallbackRequest& request) const override;

 private:
  std::optional<std::string> fetch_token(const std::string& refused_token);
  Answer call_once(const std::string& token, const base::OutboundRequest& call);
  Answer call(std::string_view what, std::string_view method, std::string target, std::string body);
  SupplyOutcome query_status(const AttemptId& attempt, const std::string& supplier_order_id);
  SupplyOutcome query_report(const AttemptId& attempt);
  SupplyOutcome transaction_in(const Json& transaction, std::string_view status) const;

  ReloadlyConfig config_;
  base::Outbound& auth_;
  base::Outbound& airtime_;
  const base::Clock& clock_;
  std::mutex token_mutex_;  // held over the fetch, so that many callers make one
  std::string token_;
  std::int64_t token_ends_mono_ms_ = 0;
  std::int64_t token_pause_until_mono_ms_ = 0;
};

std::optional<std::string> Reloadly::fetch_token(const std::string& refused_token) {
  const std::lock_guard lock(token_mutex_);
  const std::int64_t now = clock_.mono_ms();
  if (!token_.empty() && token_ != refused_token && now < token_ends_mono_ms_) return token_;
  token_.clear();
  if (now < token_pause_until_mono_ms_) return std::nullopt;
  base::OutboundRequest request;
  request.method = "POST";
  request.target = "/oauth/token";
  request.headers = {{"Accept", "application/json"}, {"Content-Type", "application/json"}};
  request.deadline_ms = kCallDeadlineMs;
  const Json body = {{"client_id", config_.client_id},
                     {"client_secret", config_.client_secret},
                     {"grant_type", "client_credentials"},
                     {"audience", config_.audience}};
  request.body = body.dump();
  const Answer answer = read(auth_.call(request));
  const auto token = base::text_in(answer.body, "access_token", kMaxTokenBytes);
  const auto life_s = base::integer_in(answer.body, "expires_in", 1, kMaxTokenLifeS);
  if (answer.kind != Answer::Kind::ok || !token || !is_token(*token) || !life_s) {
    token_pause_until_mono_ms_ = clock_.mono_ms() + kTokenPauseMs;
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
  request.deadline_ms = kCallDeadlineMs;
  return read(airtime_.call(request));
}

Answer Reloadly::call(std::string_view what, std::string_view method, std::string target,
                      std::string body) {
  base::OutboundRequest request;
  request.method = std::string(method);
  request.target = std::move(target);
  request.body = std::move(body);
  Answer answer;
  answer.kind = Answer::Kind::not_sent;
  answer.word = "token_unavailable";
  auto token = fetch_token("");
  if (token) answer = call_once(*token, request);
  if (is_stale_token(answer)) {
    // A 401 is raised before anything is processed, so that even a submission may be repeated.
    token = fetch_token(*token);
    if (token) answer = call_once(*token, request);
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
               "?includeBundles=false&includeData=false&includePin=false&suggestedAmounts=false",
           "");
  if (answer.kind != Answer::Kind::ok || !answer.body.is_array()) {
    return refuse(Code::unavailable, "supplier_unavailable");
  }
  std::vector<ListedProduct> products;
  for (const Json& row : answer.body) append_products(row, country, products);
  return products;
}

SupplyOutcome Reloadly::submit(const SubmitRequest& request) {
  const std::string_view number = request.account_number;
  if (!is_identifier(request.attempt_id.text) || !is_digits(request.supplier_operator_id) ||
      !is_country(request.country) || number.substr(0, 1) != "+" || !is_digits(number.substr(1)) ||
      request.face.minor <= 0) {
    return outcome(SupplyState::rejected, "request_malformed");
  }
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
  const Answer answer = call("submit", "POST", "/topups-async", body);
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
