#include "server/payments/wechat.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "server/base/json.h"
#include "server/base/log.h"
#include "server/payments/wechat_bill.h"
#include "server/payments/wechat_calls.h"
#include "server/payments/wechat_reading.h"
#include "server/payments/wechat_text.h"
#include "shared/check.h"

namespace topup::payments {
namespace {

using base::Json;
using Answer = WechatAnswer;
using Call = WechatCall;
using Meaning = WechatMeaning;

constexpr std::size_t kMaxDescriptionBytes = 127;
constexpr std::size_t kMaxReasonBytes = 80;
constexpr std::size_t kMaxCiphertextBytes = 48 * 1024;
constexpr std::size_t kMaxIdBytes = 64;
constexpr std::size_t kNonceBytes = 12;
constexpr std::string_view kDirectPath = "/v3/pay/transactions/";
constexpr std::string_view kPartnerPath = "/v3/pay/partner/transactions/";
constexpr std::string_view kRefundPath = "/v3/refund/domestic/refunds";
constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kWarnDays[] = {1, 7, 30};

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string pay_path(const std::string& payee) {
  return std::string(payee.empty() ? kDirectPath : kPartnerPath);
}

std::string_view path_of(Scene scene) {
  switch (scene) {
    case Scene::jsapi:
      return "jsapi";
    case Scene::native:
      return "native";
    case Scene::h5:
      break;
  }
  return "h5";
}

const std::string& appid_of(const WechatConfig& config, const PrepayRequest& request) {
  return request.appid.empty() ? config.appid : request.appid;
}

// A ticket is kept with what it holds for: the merchant key that signs it and the one who pays.
std::string kept_lead(const WechatConfig& config, const PrepayRequest& request) {
  const std::string payer = appid_of(config, request) + "\n" + request.openid;
  return config.serial_no + ":" + base::hex(base::sha256(payer)).substr(0, 16) + ":";
}

// Refusals of the merchant's own standing, which the next request will meet as well.
bool is_own_trouble(std::string_view code) {
  return code == "SIGN_ERROR" || code == "NO_AUTH" || code == "ACCOUNT_ERROR" ||
         code == "MCH_NOT_EXISTS" || code == "APPID_MCHID_NOT_MATCH";
}

class Wechat final : public WechatChannel {
 public:
  Wechat(WechatConfig config, base::Outbound& outbound, const base::Clock& clock,
         base::Random& random)
      : calls_(std::move(config), outbound, clock, random), clock_(clock), random_(random) {}

  std::string_view name() const override { return "wechat"; }
  bool blames_channel(const DefiniteFail& refusal) const override {
    return is_own_trouble(refusal.code());
  }
  bool offers(Scene) const override { return true; }
  Outcome<PrepayTicket> prepay(const PrepayRequest& request) override;
  std::optional<PrepayTicket> resume(const PrepayRequest& request,
                                     const std::string& kept) override;
  Outcome<Trade> query(const OutTradeNo& number) override {
    return query_of(number, calls_.config()->default_payee);
  }
  Outcome<Trade> close(const OutTradeNo& number) override {
    return close_of(number, calls_.config()->default_payee);
  }
  Outcome<RefundTrade> query_refund(const OutRefundNo& number) override {
    return query_refund_of({}, number, calls_.config()->default_payee);
  }
  Outcome<Trade> query_of(const OutTradeNo& number, const std::string& payee) override;
  Outcome<Trade> close_of(const OutTradeNo& number, const std::string& payee) override;
  Outcome<RefundTrade> refund(const RefundRequest& request) override;
  Outcome<Bill> bill(std::string_view day) override;
  bool has_fund_bill() const override { return true; }
  Outcome<std::vector<FundLine>> fund_bill(std::string_view day) override;
  Outcome<RefundTrade> query_refund_of(const OutTradeNo& payment, const OutRefundNo& number,
                                       const std::string& payee) override;
  std::string payee_of(std::string_view operator_id) const override;
  Result<Notification> parse_notify(const NotifyRequest& request) const override;

  Result<bool> adopt(WechatConfig config) override { return calls_.adopt(std::move(config)); }
  void tend_keys() override;
  std::vector<WechatKeyFact> keys() const override;

 private:
  using MaybeTrade = std::optional<Trade>;         // nullopt: they have no such order
  using MaybeRefund = std::optional<RefundTrade>;  // nullopt: they have no such refund
  // The bytes of a bill; nullopt: they have none of that day.
  Outcome<std::optional<std::string>> fetch_bill(const std::string& target);
  Outcome<MaybeTrade> fetch_trade(const OutTradeNo& number, const std::string& payee);
  Outcome<MaybeRefund> fetch_refund(const OutRefundNo& number, const std::string& payee);
  Outcome<PrepayTicket> ticket_in(const WechatConfig& config, const PrepayRequest& request,
                                  const Json& body);
  PrepayTicket invocation(const WechatConfig& config, const PrepayRequest& request,
                          const std::string& prepay_id);
  Outcome<PrepayTicket> settle_prepay(const PrepayRequest& request, const Answer& refusal);
  Result<Json> opened_resource(const Json& envelope) const;
  void warn_of_end(const WechatKeyFact& fact);

  WechatCalls calls_;
  const base::Clock& clock_;
  base::Random& random_;
  std::mutex warned_mutex_;
  std::map<std::string, std::int64_t> warned_days_;  // by serial: the last threshold spoken of
};

Json merchant_fields(const WechatConfig& config, const std::string& payee) {
  if (payee.empty()) return {{"mchid", config.mchid}};
  return {{"sp_mchid", config.mchid}, {"sub_mchid", payee}};
}

std::string merchant_query(const WechatConfig& config, const std::string& payee) {
  const std::string own = percent_encode(config.mchid);
  return payee.empty() ? "?mchid=" + own
                       : "?sp_mchid=" + own + "&sub_mchid=" + percent_encode(payee);
}

Json prepay_body(const WechatConfig& config, const PrepayRequest& request) {
  std::string description = wechat_clean_text(request.description, kMaxDescriptionBytes);
  if (description.empty()) description = wechat_clean_text(config.app_name, kMaxDescriptionBytes);
  const bool by_partner = !request.payee.empty();
  Json body = merchant_fields(config, request.payee);
  body[by_partner ? "sp_appid" : "appid"] = appid_of(config, request);
  body["description"] = description;
  body["out_trade_no"] = request.out_trade_no.text;
  body["notify_url"] = config.notify_url;
  body["amount"] = {{"total", request.amount.minor}, {"currency", "CNY"}};
  if (request.expire_at_ms > 0) body["time_expire"] = wechat_time(request.expire_at_ms);
  if (request.scene == Scene::jsapi) {
    body["payer"] = {{by_partner ? "sp_openid" : "openid", request.openid}};
  } else if (request.scene == Scene::h5) {
    body["scene_info"] = {
        {"payer_client_ip", request.client_address},
        {"h5_info", {{"type", "Wap"}, {"app_name", config.app_name}, {"app_url", config.app_url}}},
    };
  }
  return body;
}

PrepayTicket Wechat::invocation(const WechatConfig& config, const PrepayRequest& request,
                                const std::string& prepay_id) {
  const std::string timestamp = std::to_string(clock_.wall_ms() / 1000);
  const std::string nonce = base::new_nonce(random_);
  const std::string package = "prepay_id=" + prepay_id;
  const std::string& appid = appid_of(config, request);
  const std::string signed_text = wechat_pay_sign_text(appid, timestamp, nonce, package);
  PrepayTicket ticket;
  ticket.scene = Scene::jsapi;
  ticket.invoke = {
      {"appId", appid},    {"timeStamp", timestamp},
      {"nonceStr", nonce}, {"package", package},
      {"signType", "RSA"}, {"paySign", base::sign_sha256_rsa(config.private_key, signed_text)}};
  ticket.kept = kept_lead(config, request) + prepay_id;
  return ticket;
}

Outcome<PrepayTicket> Wechat::ticket_in(const WechatConfig& config, const PrepayRequest& request,
                                        const Json& body) {
  PrepayTicket ticket;
  ticket.scene = request.scene;
  if (request.scene == Scene::jsapi) {
    const std::string prepay_id = base::text_in(body, "prepay_id", 128).value_or("");
    if (prepay_id.empty()) return Unknown{"answer_malformed"};
    return invocation(config, request, prepay_id);
  }
  const bool is_native = request.scene == Scene::native;
  std::string address = base::text_in(body, is_native ? "code_url" : "h5_url", 2048).value_or("");
  if (address.empty()) return Unknown{"answer_malformed"};
  if (is_native) {
    ticket.code_url = std::move(address);
    return ticket;
  }
  ticket.h5_url = std::move(address);
  if (!request.return_url.empty())
    ticket.h5_url += "&redirect_url=" + percent_encode(request.return_url);
  return ticket;
}

std::optional<PrepayTicket> Wechat::resume(const PrepayRequest& request, const std::string& kept) {
  if (request.scene != Scene::jsapi) return PayChannel::resume(request, kept);
  const auto config = calls_.config();
  const std::string lead = kept_lead(*config, request);
  if (!kept.starts_with(lead) || kept.size() == lead.size()) return {};
  return invocation(*config, request, kept.substr(lead.size()));
}

// A number that is taken may still be paid: only a closed or an absent order makes the refusal
// definite.
Outcome<PrepayTicket> Wechat::settle_prepay(const PrepayRequest& request, const Answer& refusal) {
  const auto found = fetch_trade(request.out_trade_no, request.payee);
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
  const auto config = calls_.config();
  check(request.amount.currency == Currency::cny && request.amount.minor > 0,
        "wechat: not a positive CNY amount");
  check(!request.out_trade_no.empty(), "wechat: no out_trade_no");
  check(is_own_appid(*config, appid_of(*config, request)), "wechat: an appid of somebody else");
  check(request.scene != Scene::jsapi || !request.openid.empty(), "wechat: jsapi wants an openid");
  const std::string target = pay_path(request.payee) + std::string(path_of(request.scene));
  const Answer answer =
      calls_.exchange(Call::prepay, "POST", target, dump(prepay_body(*config, request)));
  if (answer.is_ok) return ticket_in(*config, request, answer.body);
  if (answer.meaning == Meaning::refused) return DefiniteFail(answer.why, answer.message);
  if (answer.meaning == Meaning::look) return settle_prepay(request, answer);
  return Unknown{answer.why};
}

Outcome<Wechat::MaybeTrade> Wechat::fetch_trade(const OutTradeNo& number,
                                                const std::string& payee) {
  const auto config = calls_.config();
  const std::string target = pay_path(payee) + "out-trade-no/" + percent_encode(number.text) +
                             merchant_query(*config, payee);
  const Answer answer = calls_.exchange(Call::query, "GET", target, "");
  if (answer.meaning == Meaning::absent && !answer.is_ok) return MaybeTrade();
  if (!answer.is_ok) return Unknown{answer.why};
  auto trade = wechat_trade_in(answer.body, *config);
  if (!trade) return Unknown{"answer_malformed"};
  if (trade->out_trade_no != number) return Unknown{"answer_of_another_order"};
  return trade;
}

Outcome<Trade> Wechat::query_of(const OutTradeNo& number, const std::string& payee) {
  const auto found = fetch_trade(number, payee);
  if (const auto* unknown = std::get_if<Unknown>(&found)) return *unknown;
  const auto* trade = std::get_if<MaybeTrade>(&found);
  if (trade && *trade) return **trade;
  Trade absent;
  absent.out_trade_no = number;
  absent.state = TradeState::not_paid;
  return absent;
}

Outcome<Trade> Wechat::close_of(const OutTradeNo& number, const std::string& payee) {
  const std::string target =
      pay_path(payee) + "out-trade-no/" + percent_encode(number.text) + "/close";
  const Answer answer =
      calls_.exchange(Call::close, "POST", target, dump(merchant_fields(*calls_.config(), payee)));
  Trade closed;
  closed.out_trade_no = number;
  closed.state = TradeState::closed;
  if (answer.is_ok || answer.meaning == Meaning::absent)
    return closed;  // nothing there: nothing can be paid
  if (answer.meaning != Meaning::look) return Unknown{answer.why};
  const auto found = fetch_trade(number, payee);
  const auto* trade = std::get_if<MaybeTrade>(&found);
  if (!trade || !*trade) return Unknown{answer.why};
  const bool is_final =
      (*trade)->state == TradeState::paid || (*trade)->state == TradeState::closed;
  return is_final ? Outcome<Trade>(**trade) : Unknown{answer.why};
}

Outcome<Wechat::MaybeRefund> Wechat::fetch_refund(const OutRefundNo& number,
                                                  const std::string& payee) {
  const std::string target = std::string(kRefundPath) + "/" + percent_encode(number.text) +
                             (payee.empty() ? "" : "?sub_mchid=" + percent_encode(payee));
  const Answer answer = calls_.exchange(Call::query_refund, "GET", target, "");
  if (answer.meaning == Meaning::absent && !answer.is_ok) return MaybeRefund();
  if (!answer.is_ok) return Unknown{answer.why};
  auto refund = wechat_refund_in(answer.body, "status");
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
      {"notify_url", calls_.config()->notify_url},
      {"amount",
       {{"refund", request.amount.minor}, {"total", request.total.minor}, {"currency", "CNY"}}},
  };
  if (!request.payee.empty()) body["sub_mchid"] = request.payee;
  const std::string reason = wechat_clean_text(request.reason, kMaxReasonBytes);
  if (!reason.empty()) body["reason"] = reason;
  const Answer answer = calls_.exchange(Call::refund, "POST", std::string(kRefundPath), dump(body));
  if (answer.meaning == Meaning::refused) return DefiniteFail(answer.why, answer.message);
  if (answer.meaning == Meaning::look) {
    const auto found = fetch_refund(request.out_refund_no, request.payee);
    const auto* refund = std::get_if<MaybeRefund>(&found);
    if (!refund) return Unknown{answer.why};
    return *refund ? Outcome<RefundTrade>(**refund) : DefiniteFail(answer.why, answer.message);
  }
  if (!answer.is_ok) return Unknown{answer.why};
  auto refund = wechat_refund_in(answer.body, "status");
  if (!refund) return Unknown{"answer_malformed"};
  if (refund->out_refund_no != request.out_refund_no) return Unknown{"answer_of_another_refund"};
  return *refund;
}

Outcome<RefundTrade> Wechat::query_refund_of(const OutTradeNo&, const OutRefundNo& number,
                                             const std::string& payee) {
  const auto found = fetch_refund(number, payee);
  if (const auto* unknown = std::get_if<Unknown>(&found)) return *unknown;
  const auto* refund = std::get_if<MaybeRefund>(&found);
  if (refund && *refund) return **refund;
  return DefiniteFail("RESOURCE_NOT_EXISTS", "The channel has no refund of this number.");
}

// The file itself comes unsigned: what the signed answer says of its bytes is what makes it theirs.
Outcome<std::optional<std::string>> Wechat::fetch_bill(const std::string& target) {
  const Answer link = calls_.exchange(Call::bill, "GET", target, "");
  if (link.meaning == Meaning::absent) return std::optional<std::string>();
  if (!link.is_ok) return Unknown{link.why};
  const auto at = bill_file_target(base::text_in(link.body, "download_url", 2048).value_or(""));
  if (!at || text_or(link.body, "hash_type", "") != "SHA1") return Unknown{"answer_malformed"};
  base::OutboundReply file = calls_.fetch_unsigned(*at, kMaxBillBytes);
  if (file.kind != base::OutboundReply::Kind::answered || file.status != 200)
    return Unknown{file.failure.empty() ? "http_" + std::to_string(file.status) : file.failure};
  if (base::hex(base::sha1(file.body)) != text_or(link.body, "hash_value", ""))
    return Unknown{"bill_hash_differs"};
  return std::optional(std::move(file.body));
}

// What a bill's text holds, or why there is nothing of it to use.
template <class T, class Read>
Outcome<T> read_bill(const Outcome<std::optional<std::string>>& fetched, Read read) {
  if (const auto* unknown = std::get_if<Unknown>(&fetched)) return *unknown;
  if (const auto* refused = std::get_if<DefiniteFail>(&fetched)) return *refused;
  const auto& text = std::get<std::optional<std::string>>(fetched);
  if (!text) return T{};
  auto held = read(*text);
  if (held) return std::move(*held);
  return DefiniteFail(std::string(held.error().reason), std::string(held.error().detail.view()));
}

Outcome<Bill> Wechat::bill(std::string_view day) {
  const auto fetched =
      fetch_bill("/v3/bill/tradebill?bill_date=" + percent_encode(day) + "&bill_type=ALL");
  return read_bill<Bill>(fetched, [this](const std::string& text) {
    return read_wechat_bill(text, calls_.config()->mchid);
  });
}

Outcome<std::vector<FundLine>> Wechat::fund_bill(std::string_view day) {
  const auto fetched =
      fetch_bill("/v3/bill/fundflowbill?bill_date=" + percent_encode(day) + "&account_type=BASIC");
  return read_bill<std::vector<FundLine>>(
      fetched, [](const std::string& text) { return read_wechat_fund_bill(text); });
}

std::string Wechat::payee_of(std::string_view operator_id) const {
  const auto config = calls_.config();
  for (const auto& [name, payee] : config->payees) {
    if (name == operator_id) return payee;
  }
  return config->default_payee;
}

Result<Json> Wechat::opened_resource(const Json& envelope) const {
  const auto malformed = [] { return refuse(Code::invalid_argument, "notify_malformed"); };
  const auto resource = base::object_in(envelope, "resource");
  if (!resource || text_or(**resource, "algorithm", "") != "AEAD_AES_256_GCM") return malformed();
  const auto ciphertext = base::text_in(**resource, "ciphertext", kMaxCiphertextBytes);
  if (!ciphertext) return malformed();
  const auto sealed = base::from_base64(*ciphertext);
  const std::string nonce = text_or(**resource, "nonce", "");
  if (!sealed || nonce.size() != kNonceBytes) return malformed();
  const auto plain = calls_.open(nonce, text_or(**resource, "associated_data", ""), *sealed);
  if (!plain) return malformed();
  auto json = base::json_in(*plain);
  if (!json || !json->is_object()) return malformed();
  return std::move(*json);
}

Result<Notification> Wechat::parse_notify(const NotifyRequest& request) const {
  const auto malformed = [] { return refuse(Code::invalid_argument, "notify_malformed"); };
  const auto verdict = calls_.check(request.headers, request.body, false);
  if (verdict != WechatSignature::valid) return refuse(Code::forbidden, to_word(verdict));
  const auto envelope = base::json_in(request.body);
  if (!envelope || !envelope->is_object()) return malformed();
  const auto id = base::text_in(*envelope, "id", kMaxIdBytes);
  const auto resource = opened_resource(*envelope);
  if (!id || id->empty() || !resource) return malformed();

  const auto config = calls_.config();
  const std::string event = text_or(*envelope, "event_type", "");
  if (event == "TRANSACTION.SUCCESS") {
    const auto trade = wechat_trade_in(*resource, *config);
    if (!trade) return malformed();
    return Notification{*id, *trade};
  }
  if (event != "REFUND.SUCCESS" && event != "REFUND.CLOSED" && event != "REFUND.ABNORMAL")
    return malformed();
  const auto refund = wechat_refund_in(*resource, "refund_status");
  if (!refund || !is_own_refund(*resource, *config)) return malformed();
  return Notification{*id, *refund};
}

std::vector<WechatKeyFact> Wechat::keys() const {
  std::vector<WechatKeyFact> facts = calls_.keys().facts();
  const auto config = calls_.config();
  facts.push_back({config->serial_no, "merchant_certificate", config->certificate_until_ms});
  return facts;
}

void Wechat::tend_keys() {
  const WechatKeyring& ring = calls_.keys();
  if (ring.has_certificates() || ring.public_key_id().empty()) (void)calls_.refresh_certificates();
  const std::vector<WechatKeyFact> facts = keys();
  std::int64_t newest_ms = 0;
  for (const WechatKeyFact& fact : facts) {
    if (fact.kind == "platform_certificate") newest_ms = std::max(newest_ms, fact.until_ms);
  }
  for (const WechatKeyFact& fact : facts) {
    // An old platform certificate may end once its successor is here.
    const bool is_succeeded = fact.kind == "platform_certificate" && fact.until_ms < newest_ms;
    if (fact.until_ms > 0 && !is_succeeded) warn_of_end(fact);
  }
}

void Wechat::warn_of_end(const WechatKeyFact& fact) {
  const std::int64_t left_ms = fact.until_ms - clock_.wall_ms();
  const auto* const days =
      std::find_if(std::begin(kWarnDays), std::end(kWarnDays),
                   [left_ms](std::int64_t limit) { return left_ms <= limit * kDayMs; });
  if (days == std::end(kWarnDays)) return;
  {
    const std::lock_guard lock(warned_mutex_);
    std::int64_t& last = warned_days_[fact.serial];
    if (last == *days) return;
    last = *days;
  }
  base::log(*days == 30 ? base::Level::warn : base::Level::error, "wechat_key_ends",
            {{"kind", fact.kind},
             {"serial", fact.serial},
             {"within_days", *days},
             {"days_left", std::max<std::int64_t>(0, left_ms / kDayMs)}});
}

}  // namespace

std::unique_ptr<WechatChannel> make_wechat(WechatConfig config, base::Outbound& outbound,
                                           const base::Clock& clock, base::Random& random) {
  return std::make_unique<Wechat>(std::move(config), outbound, clock, random);
}

}  // namespace topup::payments
