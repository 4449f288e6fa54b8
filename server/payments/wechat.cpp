#include "server/payments/wechat.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "server/base/json.h"
#include "server/base/log.h"
#include "server/payments/wechat_sign.h"
#include "server/payments/wechat_text.h"
#include "shared/check.h"

namespace topup::payments {
namespace {

using base::Json;

constexpr std::int64_t kCallDeadlineMs = 10'000;
constexpr std::size_t kMaxDescriptionBytes = 127;
constexpr std::size_t kMaxReasonBytes = 80;
constexpr std::size_t kMaxMessageBytes = 200;
constexpr std::size_t kMaxCiphertextBytes = 48 * 1024;
constexpr std::size_t kMaxCodeBytes = 64;
constexpr std::string_view kPublicKeyPrefix = "PUB_KEY_ID_";
constexpr std::string_view kOrderPath = "/v3/pay/transactions/out-trade-no/";
constexpr std::string_view kRefundPath = "/v3/refund/domestic/refunds";

// ---- What a refusal means. A pair that is not listed means nothing: the outcome is Unknown.

enum class Call : std::uint8_t { prepay, query, close, refund, query_refund };
enum class Meaning : std::uint8_t {
  unknown,
  refused,  // read, understood and not done
  absent,   // they have no such number
  look,     // the number is taken or finished: only its own record says how
};
struct Rule {
  Call call;
  int status;
  std::string_view code;
  Meaning meaning;
};

// A refused query says nothing about what was asked after, so that query has no row with `refused`.
// INVALID_REQUEST is what a repeat with other parameters gets as well, while the first one stands:
// hence `look`. Not-exist has two names and ORDER_PAID two, because the documentation's own lists
// disagree.
constexpr Rule kRules[] = {
    {Call::prepay, 400, "PARAM_ERROR", Meaning::refused},
    {Call::prepay, 400, "APPID_MCHID_NOT_MATCH", Meaning::refused},
    {Call::prepay, 400, "MCH_NOT_EXISTS", Meaning::refused},
    {Call::prepay, 404, "MCH_NOT_EXISTS", Meaning::refused},
    {Call::prepay, 404, "RESOURCE_NOT_EXISTS", Meaning::refused},
    {Call::prepay, 401, "SIGN_ERROR", Meaning::refused},
    {Call::prepay, 403, "NO_AUTH", Meaning::refused},
    {Call::prepay, 403, "ACCOUNT_ERROR", Meaning::refused},
    {Call::prepay, 403, "RULE_LIMIT", Meaning::refused},
    {Call::prepay, 403, "REQUEST_BLOCKED", Meaning::refused},
    {Call::prepay, 400, "INVALID_REQUEST", Meaning::look},
    {Call::prepay, 403, "OUT_TRADE_NO_USED", Meaning::look},
    {Call::prepay, 400, "ORDER_PAID", Meaning::look},
    {Call::prepay, 400, "ORDER_CLOSED", Meaning::look},
    {Call::query, 404, "ORDER_NOT_EXIST", Meaning::absent},
    {Call::query, 404, "RESOURCE_NOT_EXISTS", Meaning::absent},
    {Call::close, 404, "ORDER_NOT_EXIST", Meaning::absent},
    {Call::close, 404, "RESOURCE_NOT_EXISTS", Meaning::absent},
    {Call::close, 400, "ORDER_PAID", Meaning::look},
    {Call::close, 400, "ORDER_CLOSED", Meaning::look},
    {Call::close, 400, "INVALID_REQUEST", Meaning::look},
    {Call::close, 403, "OUT_TRADE_NO_USED", Meaning::look},
    {Call::close, 403, "TRADE_ERROR", Meaning::look},
    {Call::close, 403, "RULE_LIMIT", Meaning::look},
    {Call::refund, 400, "PARAM_ERROR", Meaning::refused},
    {Call::refund, 400, "APPID_MCHID_NOT_MATCH", Meaning::refused},
    {Call::refund, 400, "MCH_NOT_EXISTS", Meaning::refused},
    {Call::refund, 404, "MCH_NOT_EXISTS", Meaning::refused},
    {Call::refund, 404, "RESOURCE_NOT_EXISTS", Meaning::refused},
    {Call::refund, 401, "SIGN_ERROR", Meaning::refused},
    {Call::refund, 403, "NO_AUTH", Meaning::refused},
    {Call::refund, 403, "NOT_ENOUGH", Meaning::refused},
    {Call::refund, 403, "USER_ACCOUNT_ABNORMAL", Meaning::refused},
    {Call::refund, 400, "INVALID_REQUEST", Meaning::look},
    {Call::query_refund, 404, "RESOURCE_NOT_EXISTS", Meaning::absent},
};

Meaning meaning_of(Call call, int status, std::string_view code) {
  for (const Rule& rule : kRules)
    if (rule.call == call && rule.status == status && rule.code == code) return rule.meaning;
  return Meaning::unknown;
}

// Where a false refusal would cost money, an unsigned one is not believed.
bool wants_signed_refusal(Call call) { return call == Call::refund || call == Call::query_refund; }

std::string_view to_word(Call call) {
  constexpr std::string_view kWords[] = {"prepay", "query", "close", "refund", "query_refund"};
  return kWords[static_cast<std::size_t>(call)];
}

template <class State>
struct Word {
  std::string_view text;
  State state;
};
// REFUND follows any refund, a partial one included: the payment itself was made.
constexpr Word<TradeState> kTradeStates[] = {
    {"SUCCESS", TradeState::paid},    {"REFUND", TradeState::paid},
    {"NOTPAY", TradeState::not_paid}, {"USERPAYING", TradeState::not_paid},
    {"CLOSED", TradeState::closed},   {"REVOKED", TradeState::closed},
};
constexpr Word<RefundState> kRefundStates[] = {
    {"PROCESSING", RefundState::processing},
    {"SUCCESS", RefundState::succeeded},
    {"CLOSED", RefundState::closed},
    {"ABNORMAL", RefundState::abnormal},
};

template <class State, std::size_t kCount>
std::optional<State> state_of(const Word<State> (&words)[kCount], std::string_view text) {
  for (const auto& word : words)
    if (word.text == text) return word.state;
  return std::nullopt;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string http_word(int status) { return "http_" + std::to_string(status); }

bool is_code(std::string_view code) {
  return !code.empty() && std::all_of(code.begin(), code.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// ---- Reading what they say about an order or a refund. nullopt: not the documented shape.

std::string text_or(const Json& object, const char* key, std::string missing) {
  const auto text = base::text_in(object, key);
  return text ? *text : std::move(missing);
}

struct ReadAmount {
  Money money;
  bool holdable = true;  // false: a currency or a size that Money cannot hold
};

std::optional<ReadAmount> amount_in(const Json& object, const char* member) {
  const auto amount = base::object_in(object, "amount");
  if (!amount) return std::nullopt;
  const auto currency = parse_currency(text_or(**amount, "currency", "CNY"));
  const auto minor = base::integer_in(**amount, member, -kMaxMinor, kMaxMinor);
  if (!minor && minor.error().reason != "out_of_range") return std::nullopt;
  return ReadAmount{{minor ? *minor : 0, currency.value_or(Currency::cny)}, minor && currency};
}

std::optional<Trade> trade_in(const Json& object, const WechatConfig& config) {
  Trade trade;
  trade.out_trade_no = OutTradeNo(text_or(object, "out_trade_no", ""));
  trade.state =
      state_of(kTradeStates, text_or(object, "trade_state", "")).value_or(TradeState::unknown);
  trade.transaction_id = TransactionId(text_or(object, "transaction_id", ""));
  trade.paid_at_ms = parse_wechat_time_ms(text_or(object, "success_time", ""));
  trade.payee_matches =
      text_or(object, "mchid", "") == config.mchid && text_or(object, "appid", "") == config.appid;
  const bool is_paid = trade.state == TradeState::paid;
  const auto amount = amount_in(object, "total");
  if (trade.out_trade_no.empty() || (is_paid && (!amount || trade.transaction_id.empty())))
    return std::nullopt;
  if (amount) trade.paid = amount->money;
  if (amount && !amount->holdable) trade.payee_matches = false;
  return trade;
}

// The state's key is `status` in answers and `refund_status` in notifications.
std::optional<RefundTrade> refund_in(const Json& object, const char* status_key) {
  const auto state = state_of(kRefundStates, text_or(object, status_key, ""));
  const auto amount = amount_in(object, "refund");
  RefundTrade refund;
  refund.out_refund_no = OutRefundNo(text_or(object, "out_refund_no", ""));
  refund.out_trade_no = OutTradeNo(text_or(object, "out_trade_no", ""));
  if (!state || !amount || !amount->holdable || refund.out_refund_no.empty()) return std::nullopt;
  refund.state = *state;
  refund.amount = amount->money;
  return refund;
}

// ---- The channel.

struct Answer {
  bool is_ok = false;  // 200 or 204, and signed by WeChat
  Json body;           // of an ok answer
  Meaning meaning = Meaning::unknown;
  std::string why;      // of any other: their code, or our word
  std::string message;  // theirs, cleaned
};

class Wechat final : public PayChannel {
 public:
  Wechat(WechatConfig config, base::Outbound& outbound, const base::Clock& clock,
         base::Random& random)
      : config_(std::move(config)), outbound_(outbound), clock_(clock), random_(random) {
    check(!config_.mchid.empty() && !config_.appid.empty(), "wechat: mchid and appid are needed");
    check(config_.apiv3_key.size() == 32, "wechat: apiv3_key is not 32 bytes");
    check(!config_.verify_keys.empty(), "wechat: no key to verify answers with");
  }

  std::string_view name() const override { return "wechat"; }
  Outcome<PrepayTicket> prepay(const PrepayRequest& request) override;
  Outcome<Trade> query(const OutTradeNo& number) override;
  Outcome<Trade> close(const OutTradeNo& number) override;
  Outcome<RefundTrade> refund(const RefundRequest& request) override;
  Outcome<RefundTrade> query_refund(const OutRefundNo& number) override;
  Result<Notification> parse_notify(const NotifyRequest& request) const override;

 private:
  using MaybeTrade = std::optional<Trade>;         // nullopt: they have no such order
  using MaybeRefund = std::optional<RefundTrade>;  // nullopt: they have no such refund
  Outcome<MaybeTrade> fetch_trade(const OutTradeNo& number);
  Outcome<MaybeRefund> fetch_refund(const OutRefundNo& number);

  Answer exchange(Call call, std::string_view method, std::string target, std::string body);
  base::OutboundRequest signed_request(std::string_view method, std::string target,
                                       std::string body);
  Answer read(Call call, const base::OutboundReply& reply) const;
  Answer read_refusal(Call call, const base::OutboundReply& reply, WechatSignature verdict) const;

  Json prepay_body(const PrepayRequest& request) const;
  Outcome<PrepayTicket> ticket_in(const PrepayRequest& request, const Json& body);
  Outcome<PrepayTicket> settle_prepay(const PrepayRequest& request, const Answer& refusal);
  Result<Json> opened_resource(const Json& envelope) const;
  std::string now_seconds() const { return std::to_string(clock_.wall_ms() / 1000); }

  WechatConfig config_;
  base::Outbound& outbound_;
  const base::Clock& clock_;
  base::Random& random_;
};

base::OutboundRequest Wechat::signed_request(std::string_view method, std::string target,
                                             std::string body) {
  const std::string timestamp = now_seconds();
  const std::string nonce = base::new_nonce(random_);
  const WechatSigned parts{method, target, timestamp, nonce, body};
  base::OutboundRequest request;
  request.headers = {
      {"Authorization",
       wechat_authorization(config_.private_key, config_.mchid, config_.serial_no, parts)},
      {"Accept", "application/json"},
      {"User-Agent", "topup-server"},
  };
  if (method == "POST") request.headers.emplace_back("Content-Type", "application/json");
  // Asks a merchant on its way from certificates to the public key to be answered with the latter.
  const auto public_key =
      std::find_if(config_.verify_keys.begin(), config_.verify_keys.end(), [](const auto& key) {
        return key.first.compare(0, kPublicKeyPrefix.size(), kPublicKeyPrefix) == 0;
      });
  if (public_key != config_.verify_keys.end())
    request.headers.emplace_back("Wechatpay-Serial", public_key->first);
  request.method = std::string(method);
  request.target = std::move(target);
  request.body = std::move(body);
  request.deadline_ms = kCallDeadlineMs;
  return request;
}

Answer Wechat::read_refusal(Call call, const base::OutboundReply& reply,
                            WechatSignature verdict) const {
  Answer answer;
  answer.why = http_word(reply.status);
  const auto body = base::json_in(reply.body, base::kMaxPartyJsonBytes);
  if (!body || !body->is_object()) return answer;
  const auto code = base::text_in(*body, "code", kMaxCodeBytes);
  if (!code || !is_code(*code)) return answer;
  const bool is_signed = verdict == WechatSignature::valid;
  const bool is_believed =
      is_signed || (verdict == WechatSignature::absent && !wants_signed_refusal(call));
  answer.why = is_believed ? *code : std::string(to_word(verdict));
  if (is_believed) answer.meaning = meaning_of(call, reply.status, *code);
  const auto message = base::text_in(*body, "message", base::kMaxPartyJsonBytes);
  if (message) answer.message = wechat_clean_text(*message, kMaxMessageBytes);
  return answer;
}

Answer Wechat::read(Call call, const base::OutboundReply& reply) const {
  using Kind = base::OutboundReply::Kind;
  Answer answer;
  if (reply.kind != Kind::answered) {
    answer.why = reply.kind == Kind::not_sent ? "not_sent" : reply.failure;
    if (answer.why.empty()) answer.why = "no_answer";
    return answer;
  }
  const auto verdict =
      check_wechat_signature(config_.verify_keys, clock_.wall_ms(), reply.headers, reply.body);
  if (reply.status >= 400 && reply.status < 500) return read_refusal(call, reply, verdict);
  answer.why = http_word(reply.status);
  if (reply.status != 200 && reply.status != 204) return answer;
  if (verdict != WechatSignature::valid) {
    answer.why = to_word(verdict);
    return answer;
  }
  if (reply.status == 200) {
    auto body = base::json_in(reply.body, base::kMaxPartyJsonBytes);
    answer.why = "answer_malformed";
    if (!body || !body->is_object()) return answer;
    answer.body = std::move(*body);
  }
  answer.is_ok = true;
  answer.why.clear();
  return answer;
}

Answer Wechat::exchange(Call call, std::string_view method, std::string target, std::string body) {
  const auto reply = outbound_.call(signed_request(method, std::move(target), std::move(body)));
  Answer answer = read(call, reply);
  if (answer.is_ok) return answer;
  const auto level = answer.meaning == Meaning::absent ? base::Level::info : base::Level::warn;
  base::log(level, "wechat_call_failed",
            {{"call", to_word(call)},
             {"status", reply.status},
             {"why", answer.why},
             {"request_id", reply.header("Request-ID").substr(0, kMaxCodeBytes)}});
  return answer;
}

Json Wechat::prepay_body(const PrepayRequest& request) const {
  std::string description = wechat_clean_text(request.description, kMaxDescriptionBytes);
  if (description.empty()) description = wechat_clean_text(config_.app_name, kMaxDescriptionBytes);
  Json body = {
      {"appid", config_.appid},
      {"mchid", config_.mchid},
      {"description", description},
      {"out_trade_no", request.out_trade_no.text},
      {"notify_url", config_.notify_url},
      {"amount", {{"total", request.amount.minor}, {"currency", "CNY"}}},
  };
  if (request.expire_at_ms > 0) body["time_expire"] = wechat_time(request.expire_at_ms);
  if (request.scene == Scene::jsapi) {
    body["payer"] = {{"openid", request.openid}};
  } else {
    body["scene_info"] = {
        {"payer_client_ip", request.client_address},
        {"h5_info",
         {{"type", "Wap"}, {"app_name", config_.app_name}, {"app_url", config_.app_url}}},
    };
  }
  return body;
}

Outcome<PrepayTicket> Wechat::ticket_in(const PrepayRequest& request, const Json& body) {
  PrepayTicket ticket;
  ticket.scene = request.scene;
  if (request.scene == Scene::h5) {
    ticket.h5_url = base::text_in(body, "h5_url", 2048).value_or("");
    if (ticket.h5_url.empty()) return Unknown{"answer_malformed"};
    if (!request.return_url.empty())
      ticket.h5_url += "&redirect_url=" + percent_encode(request.return_url);
    return ticket;
  }
  const auto prepay_id = base::text_in(body, "prepay_id", 128);
  if (!prepay_id || prepay_id->empty()) return Unknown{"answer_malformed"};
  const std::string timestamp = now_seconds();
  const std::string nonce = base::new_nonce(random_);
  const std::string package = "prepay_id=" + *prepay_id;
  const std::string signed_text = wechat_pay_sign_text(config_.appid, timestamp, nonce, package);
  ticket.invoke = {{"appId", config_.appid},
                   {"timeStamp", timestamp},
                   {"nonceStr", nonce},
                   {"package", package},
                   {"signType", "RSA"},
                   {"paySign", base::sign_sha256_rsa(config_.private_key, signed_text)}};
  return ticket;
}

// A number that is taken may still be paid: only a closed or an absent order makes the refusal
// definite.
Outcome<PrepayTicket> Wechat::settle_prepay(const PrepayRequest& request, const Answer& refusal) {
  const auto found = fetch_trade(request.out_trade_no);
  const auto* trade = std::get_if<MaybeTrade>(&found);
  if (!trade) return Unknown{refusal.why};
  const DefiniteFail definite(refusal.why, refusal.message);
  if (!*trade)
    return refusal.why == "INVALID_REQUEST" ? Outcome<PrepayTicket>(definite)
                                            : Unknown{refusal.why};
  if ((*trade)->state == TradeState::closed) return definite;
  return Unknown{(*trade)->state == TradeState::paid ? "ORDER_PAID" : refusal.why};
}

Outcome<PrepayTicket> Wechat::prepay(const PrepayRequest& request) {
  check(request.amount.currency == Currency::cny && request.amount.minor > 0,
        "wechat: not a positive CNY amount");
  check(!request.out_trade_no.empty(), "wechat: no out_trade_no");
  check(request.scene != Scene::jsapi || !request.openid.empty(), "wechat: jsapi wants an openid");
  const std::string target =
      request.scene == Scene::jsapi ? "/v3/pay/transactions/jsapi" : "/v3/pay/transactions/h5";
  const Answer answer = exchange(Call::prepay, "POST", target, dump(prepay_body(request)));
  if (answer.is_ok) return ticket_in(request, answer.body);
  if (answer.meaning == Meaning::refused) return DefiniteFail(answer.why, answer.message);
  if (answer.meaning == Meaning::look) return settle_prepay(request, answer);
  return Unknown{answer.why};
}

Outcome<Wechat::MaybeTrade> Wechat::fetch_trade(const OutTradeNo& number) {
  const std::string target = std::string(kOrderPath) + percent_encode(number.text) +
                             "?mchid=" + percent_encode(config_.mchid);
  const Answer answer = exchange(Call::query, "GET", target, "");
  if (answer.meaning == Meaning::absent) return MaybeTrade();
  if (!answer.is_ok) return Unknown{answer.why};
  auto trade = trade_in(answer.body, config_);
  if (!trade) return Unknown{"answer_malformed"};
  if (trade->out_trade_no != number) return Unknown{"answer_of_another_order"};
  return trade;
}

Outcome<Trade> Wechat::query(const OutTradeNo& number) {
  const auto found = fetch_trade(number);
  if (const auto* unknown = std::get_if<Unknown>(&found)) return *unknown;
  const auto* trade = std::get_if<MaybeTrade>(&found);
  if (trade && *trade) return **trade;
  Trade absent;
  absent.out_trade_no = number;
  absent.state = TradeState::not_paid;
  return absent;
}

Outcome<Trade> Wechat::close(const OutTradeNo& number) {
  const std::string target = std::string(kOrderPath) + percent_encode(number.text) + "/close";
  const Answer answer = exchange(Call::close, "POST", target, dump({{"mchid", config_.mchid}}));
  Trade closed;
  closed.out_trade_no = number;
  closed.state = TradeState::closed;
  if (answer.is_ok || answer.meaning == Meaning::absent)
    return closed;  // nothing there: nothing can be paid
  if (answer.meaning != Meaning::look) return Unknown{answer.why};
  const auto found = fetch_trade(number);
  const auto* trade = std::get_if<MaybeTrade>(&found);
  if (!trade || !*trade) return Unknown{answer.why};
  const bool is_final =
      (*trade)->state == TradeState::paid || (*trade)->state == TradeState::closed;
  return is_final ? Outcome<Trade>(**trade) : Unknown{answer.why};
}

Outcome<Wechat::MaybeRefund> Wechat::fetch_refund(const OutRefundNo& number) {
  const Answer answer = exchange(Call::query_refund, "GET",
                                 std::string(kRefundPath) + "/" + percent_encode(number.text), "");
  if (answer.meaning == Meaning::absent) return MaybeRefund();
  if (!answer.is_ok) return Unknown{answer.why};
  auto refund = refund_in(answer.body, "status");
  if (!refund) return Unknown{"answer_malformed"};
  if (refund->out_refund_no != number) return Unknown{"answer_of_another_refund"};
  return refund;
}

Outcome<RefundTrade> Wechat::refund(const RefundRequest& request) {
  check(request.amount.currency == Currency::cny && request.amount.minor > 0,
        "wechat: not a positive CNY refund");
  check(request.total.currency == Currency::cny && request.total.minor >= request.amount.minor,
        "wechat: a refund above the payment");
  Json body = {
      {"out_trade_no", request.out_trade_no.text},
      {"out_refund_no", request.out_refund_no.text},
      {"notify_url", config_.notify_url},
      {"amount",
       {{"refund", request.amount.minor}, {"total", request.total.minor}, {"currency", "CNY"}}},
  };
  const std::string reason = wechat_clean_text(request.reason, kMaxReasonBytes);
  if (!reason.empty()) body["reason"] = reason;
  const Answer answer = exchange(Call::refund, "POST", std::string(kRefundPath), dump(body));
  if (answer.meaning == Meaning::refused) return DefiniteFail(answer.why, answer.message);
  if (answer.meaning == Meaning::look) {
    const auto found = fetch_refund(request.out_refund_no);
    const auto* refund = std::get_if<MaybeRefund>(&found);
    if (!refund) return Unknown{answer.why};
    return *refund ? Outcome<RefundTrade>(**refund) : DefiniteFail(answer.why, answer.message);
  }
  if (!answer.is_ok) return Unknown{answer.why};
  auto refund = refund_in(answer.body, "status");
  if (!refund) return Unknown{"answer_malformed"};
  if (refund->out_refund_no != request.out_refund_no) return Unknown{"answer_of_another_refund"};
  return *refund;
}

Outcome<RefundTrade> Wechat::query_refund(const OutRefundNo& number) {
  const auto found = fetch_refund(number);
  if (const auto* unknown = std::get_if<Unknown>(&found)) return *unknown;
  const auto* refund = std::get_if<MaybeRefund>(&found);
  if (refund && *refund) return **refund;
  return DefiniteFail("RESOURCE_NOT_EXISTS", "The channel has no refund of this number.");
}

Result<Json> Wechat::opened_resource(const Json& envelope) const {
  const auto malformed = [] { return refuse(Code::invalid_argument, "notify_malformed"); };
  const auto resource = base::object_in(envelope, "resource");
  if (!resource || text_or(**resource, "algorithm", "") != "AEAD_AES_256_GCM") return malformed();
  const auto ciphertext = base::text_in(**resource, "ciphertext", kMaxCiphertextBytes);
  if (!ciphertext) return malformed();
  const auto sealed = base::from_base64(*ciphertext);
  const std::string nonce = text_or(**resource, "nonce", "");
  if (!sealed || nonce.size() != 12) return malformed();
  const std::string aad = text_or(**resource, "associated_data", "");
  const auto plain = base::open_aes_gcm(config_.apiv3_key, nonce, aad, *sealed);
  if (!plain) return malformed();
  auto json = base::json_in(*plain);
  if (!json || !json->is_object()) return malformed();
  return std::move(*json);
}

Result<Notification> Wechat::parse_notify(const NotifyRequest& request) const {
  const auto malformed = [] { return refuse(Code::invalid_argument, "notify_malformed"); };
  const auto verdict =
      check_wechat_signature(config_.verify_keys, clock_.wall_ms(), request.headers, request.body);
  if (verdict != WechatSignature::valid) return refuse(Code::forbidden, to_word(verdict));
  const auto envelope = base::json_in(request.body);
  if (!envelope || !envelope->is_object()) return malformed();
  const auto id = base::text_in(*envelope, "id", kMaxCodeBytes);
  const auto resource = opened_resource(*envelope);
  if (!id || id->empty() || !resource) return malformed();

  const std::string event = text_or(*envelope, "event_type", "");
  if (event == "TRANSACTION.SUCCESS") {
    const auto trade = trade_in(*resource, config_);
    if (!trade) return malformed();
    return Notification{*id, *trade};
  }
  if (event != "REFUND.SUCCESS" && event != "REFUND.CLOSED" && event != "REFUND.ABNORMAL")
    return malformed();
  const auto refund = refund_in(*resource, "refund_status");
  if (!refund || text_or(*resource, "mchid", "") != config_.mchid) return malformed();
  return Notification{*id, *refund};
}

}  // namespace

std::unique_ptr<PayChannel> make_wechat(WechatConfig config, base::Outbound& outbound,
                                        const base::Clock& clock, base::Random& random) {
  return std::make_unique<Wechat>(std::move(config), outbound, clock, random);
}

}  // namespace topup::payments
