#include "server/payments/alipay.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "server/base/json.h"
#include "server/payments/alipay_bill.h"
#include "server/payments/alipay_calls.h"
#include "server/payments/alipay_fund_bill.h"
#include "server/payments/alipay_text.h"
#include "server/payments/wechat_bill.h"
#include "shared/check.h"
#include "shared/time_point.h"

namespace topup::payments {
namespace {

using base::Json;

constexpr std::size_t kMaxSubjectBytes = 128;  // of the 256 that are allowed
constexpr std::size_t kMaxReasonBytes = 120;
constexpr std::string_view kPath = "/gateway.do";
// No notification is delivered for longer than 25 hours; an older one is somebody's copy.
constexpr std::int64_t kOldestNoticeMs = 48LL * 3'600'000;
constexpr std::int64_t kFutureNoticeMs = 900'000;
// A day's bill is made in the morning after it.
constexpr std::int64_t kBillMadeMs = 9LL * 3'600'000;
constexpr std::int64_t kBillDeadlineMs = 30'000;  // its link does not live longer
// Refusals of the shop's standing at Alipay, which the next request will meet as well.
constexpr std::string_view kOwnTrouble[] = {"ACQ.ACCESS_FORBIDDEN", "ACQ.PARTNER_ERROR",
                                            "ACQ.SELLER_BEEN_BLOCKED"};

struct Word {
  std::string_view text;
  TradeState state;
};
constexpr Word kTradeStates[] = {
    {"WAIT_BUYER_PAY", TradeState::not_paid},
    {"TRADE_SUCCESS", TradeState::paid},
    {"TRADE_FINISHED", TradeState::paid},
    {"TRADE_CLOSED", TradeState::closed},
};

// A trade that was refunded in full ends as TRADE_CLOSED too; what was paid has a time of payment.
TradeState state_of(std::string_view word, bool was_paid) {
  for (const Word& known : kTradeStates) {
    if (known.text != word) continue;
    return known.state == TradeState::closed && was_paid ? TradeState::paid : known.state;
  }
  return TradeState::unknown;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string text_or(const Json& object, const char* key, std::string missing) {
  const auto text = base::text_in(object, key);
  return text ? *text : std::move(missing);
}

std::string mark_of(const std::string& openid) {
  return base::hex(base::sha256(openid)).substr(0, 16);
}

// ---- The channel.

using Answer = AlipayReply;
using Call = AlipayCall;
using Meaning = AlipayMeaning;

class Alipay final : public PayChannel {
 public:
  Alipay(AlipayConfig config, base::Outbound& outbound, base::Outbound& bills,
         const base::Clock& clock)
      : config_(std::move(config)), clock_(clock), bills_(bills), calls_(config_, outbound, clock) {
    check(!config_.app_id.empty() && !config_.seller_id.empty(), "alipay: app_id and seller_id");
    check(!config_.verify_keys.empty(), "alipay: no key to verify with");
    check(config_.app_cert_sn.empty() == config_.root_cert_sn.empty(),
          "alipay: both serials or neither");
  }

  std::string_view name() const override { return "alipay"; }
  bool offers(Scene scene) const override {
    return scene == Scene::h5 || (scene == Scene::jsapi && !config_.op_app_id.empty());
  }
  bool outlives_close(Scene scene) const override { return scene == Scene::h5; }
  bool calls_to_prepay(Scene scene) const override { return scene != Scene::h5; }
  bool blames_channel(const DefiniteFail& refusal) const override;
  NotifyAnswer notify_answer() const override { return {"text/plain", "success", "fail"}; }
  Outcome<PrepayTicket> prepay(const PrepayRequest& request) override;
  Outcome<Trade> query(const OutTradeNo& number) override;
  Outcome<Trade> close(const OutTradeNo& number) override;
  Outcome<RefundTrade> refund(const RefundRequest& request) override;
  Outcome<RefundTrade> query_refund(const OutRefundNo&) override {
    return Unknown{"out_trade_no_needed"};
  }
  Outcome<RefundTrade> query_refund_of(const OutTradeNo& trade, const OutRefundNo& refund,
                                       const std::string& payee) override;
  std::optional<PrepayTicket> resume(const PrepayRequest& request,
                                     const std::string& kept) override;
  Outcome<Bill> bill(std::string_view day) override;
  bool has_fund_bill() const override { return true; }
  Outcome<std::vector<FundLine>> fund_bill(std::string_view day) override;
  Result<Notification> parse_notify(const NotifyRequest& request) const override;

 private:
  using MaybeTrade = std::optional<Trade>;
  using MaybeRefund = std::optional<RefundTrade>;

  Json trade_fields(const PrepayRequest& request) const;
  Outcome<PrepayTicket> wap(const PrepayRequest& request) const;
  Outcome<PrepayTicket> create(const PrepayRequest& request);
  Outcome<MaybeTrade> fetch_trade(const OutTradeNo& number);
  Outcome<MaybeRefund> fetch_refund(const OutTradeNo& trade, const OutRefundNo& refund);
  template <class T>
  Outcome<T> fetch_bill(std::string_view type, std::string_view day,
                        Result<T> (*read)(std::string_view, const AlipayBillOf&));
  Result<Trade> trade_of(const AlipayParams& notice) const;

  const AlipayConfig config_;
  const base::Clock& clock_;
  base::Outbound& bills_;
  const AlipayCalls calls_;
};

bool Alipay::blames_channel(const DefiniteFail& refusal) const {
  const std::string& code = refusal.code();
  return code.starts_with("isv.") || code.starts_with("aop.") || is_alipay_gateway_refusal(code) ||
         std::find(std::begin(kOwnTrouble), std::end(kOwnTrouble), code) != std::end(kOwnTrouble);
}

Json Alipay::trade_fields(const PrepayRequest& request) const {
  std::string subject = alipay_clean_text(request.description, kMaxSubjectBytes);
  if (subject.empty()) subject = alipay_clean_text(config_.subject, kMaxSubjectBytes);
  Json fields = {{"out_trade_no", request.out_trade_no.text},
                 {"total_amount", decimal_text(request.amount)},
                 {"subject", subject}};
  if (request.expire_at_ms > 0) fields["time_expire"] = alipay_time(request.expire_at_ms);
  return fields;
}

Outcome<PrepayTicket> Alipay::wap(const PrepayRequest& request) const {
  Json fields = trade_fields(request);
  fields["product_code"] = "QUICK_WAP_WAY";
  AlipayParams params = calls_.public_params("alipay.trade.wap.pay");
  params.emplace_back("notify_url", config_.notify_url);
  if (!request.return_url.empty()) {
    fields["quit_url"] = request.return_url;
    params.emplace_back("return_url", request.return_url);
  }
  params.emplace_back("biz_content", dump(fields));
  alipay_sign(config_.private_key, params);
  PrepayTicket ticket;
  ticket.scene = Scene::h5;
  ticket.h5_url = config_.origin + std::string(kPath) + "?" + alipay_form(params);
  return ticket;
}

Outcome<PrepayTicket> Alipay::create(const PrepayRequest& request) {
  Json fields = trade_fields(request);
  fields["product_code"] = "JSAPI_PAY";
  fields["op_app_id"] = config_.op_app_id;
  fields["buyer_open_id"] = request.openid;
  const Answer answer = calls_.exchange(Call::create, fields);
  if (answer.meaning == Meaning::refused) return DefiniteFail(answer.why, answer.message);
  if (answer.meaning == Meaning::look) {
    const auto found = fetch_trade(request.out_trade_no);
    const auto* trade = std::get_if<MaybeTrade>(&found);
    const bool is_over = trade && *trade && (*trade)->state == TradeState::closed;
    if (is_over) return DefiniteFail(answer.why, answer.message);
    return Unknown{answer.why};
  }
  if (!answer.is_ok) return Unknown{answer.why};
  const std::string trade_no = text_or(answer.body, "trade_no", "");
  if (trade_no.empty() || text_or(answer.body, "out_trade_no", "") != request.out_trade_no.text)
    return Unknown{"answer_malformed"};
  PrepayTicket ticket;
  ticket.scene = Scene::jsapi;
  ticket.invoke = {{"tradeNO", trade_no}};
  ticket.kept = trade_no + " " + mark_of(request.openid);
  return ticket;
}

// The same trade for the same payer; another one needs a trade of their own.
std::optional<PrepayTicket> Alipay::resume(const PrepayRequest& request, const std::string& kept) {
  if (request.scene != Scene::jsapi) return PayChannel::resume(request, kept);
  const std::size_t end = kept.find(' ');
  if (end == std::string::npos || kept.substr(end + 1) != mark_of(request.openid))
    return std::nullopt;
  PrepayTicket ticket;
  ticket.scene = Scene::jsapi;
  ticket.invoke = {{"tradeNO", kept.substr(0, end)}};
  ticket.kept = kept;
  return ticket;
}

Outcome<PrepayTicket> Alipay::prepay(const PrepayRequest& request) {
  check(request.amount.currency == Currency::cny && request.amount.minor > 0,
        "alipay: not a positive CNY amount");
  check(!request.out_trade_no.empty(), "alipay: no out_trade_no");
  check(offers(request.scene), "alipay: a scene that is not offered");
  check(request.scene != Scene::jsapi || !request.openid.empty(), "alipay: jsapi wants an openid");
  return request.scene == Scene::h5 ? wap(request) : create(request);
}

Outcome<Alipay::MaybeTrade> Alipay::fetch_trade(const OutTradeNo& number) {
  const Answer answer = calls_.exchange(Call::query, {{"out_trade_no", number.text}});
  if (answer.meaning == Meaning::absent) return MaybeTrade();
  if (!answer.is_ok) return Unknown{answer.why};
  const bool was_paid = !text_or(answer.body, "send_pay_date", "").empty();
  Trade trade;
  trade.out_trade_no = OutTradeNo(text_or(answer.body, "out_trade_no", ""));
  if (trade.out_trade_no != number) return Unknown{"answer_of_another_order"};
  trade.state = state_of(text_or(answer.body, "trade_status", ""), was_paid);
  trade.transaction_id = TransactionId(text_or(answer.body, "trade_no", ""));
  trade.paid_at_ms = parse_alipay_time_ms(text_or(answer.body, "send_pay_date", ""));
  const auto amount = parse_alipay_amount(text_or(answer.body, "total_amount", ""));
  if (trade.state == TradeState::paid && (!amount || trade.transaction_id.empty()))
    return Unknown{"answer_malformed"};
  if (amount) trade.paid = amount->money;
  // The answer is signed for the application that asked, so that the account is its own.
  trade.payee_matches = amount && amount->holdable;
  return MaybeTrade(trade);
}

Outcome<Trade> Alipay::query(const OutTradeNo& number) {
  const auto found = fetch_trade(number);
  if (const auto* unknown = std::get_if<Unknown>(&found)) return *unknown;
  const auto* trade = std::get_if<MaybeTrade>(&found);
  if (trade && *trade) return **trade;
  Trade absent;
  absent.out_trade_no = number;
  absent.state = TradeState::not_paid;
  return absent;
}

// An absent trade counts as closed although its address can still be opened until it expires: see
// outlives_close(), for which the caller asks again afterwards.
Outcome<Trade> Alipay::close(const OutTradeNo& number) {
  const Answer answer = calls_.exchange(Call::close, {{"out_trade_no", number.text}});
  Trade closed;
  closed.out_trade_no = number;
  closed.state = TradeState::closed;
  if (answer.is_ok || answer.meaning == Meaning::absent) return closed;
  if (answer.meaning != Meaning::look) return Unknown{answer.why};
  const auto found = fetch_trade(number);
  const auto* trade = std::get_if<MaybeTrade>(&found);
  if (!trade || !*trade) return Unknown{answer.why};
  const bool is_final =
      (*trade)->state == TradeState::paid || (*trade)->state == TradeState::closed;
  return is_final ? Outcome<Trade>(**trade) : Unknown{answer.why};
}

// Nothing: Alipay has not made this refund, or not yet; it does not tell the two apart.
Outcome<Alipay::MaybeRefund> Alipay::fetch_refund(const OutTradeNo& trade,
                                                  const OutRefundNo& refund) {
  const Answer answer = calls_.exchange(
      Call::query_refund, {{"out_trade_no", trade.text}, {"out_request_no", refund.text}});
  if (answer.meaning == Meaning::absent) return MaybeRefund();
  if (!answer.is_ok) return Unknown{answer.why};
  if (text_or(answer.body, "refund_status", "") != "REFUND_SUCCESS") return MaybeRefund();
  const auto amount = parse_alipay_amount(text_or(answer.body, "refund_amount", ""));
  if (!amount || !amount->holdable) return Unknown{"answer_malformed"};
  if (text_or(answer.body, "out_request_no", "") != refund.text)
    return Unknown{"answer_of_another_refund"};
  return MaybeRefund({refund, trade, RefundState::succeeded, amount->money});
}

// A code of 10000 alone moves no money: fund_change says whether this call did, and a repeat says N
// although the first one did. Then only the refund's own record tells; without it the caller
// repeats with the same number, which Alipay takes for the same refund.
Outcome<RefundTrade> Alipay::refund(const RefundRequest& request) {
  check(request.amount.currency == Currency::cny && request.amount.minor > 0,
        "alipay: not a positive CNY refund");
  check(request.total.currency == Currency::cny && request.total.minor >= request.amount.minor,
        "alipay: a refund above the payment");
  Json fields = {{"out_trade_no", request.out_trade_no.text},
                 {"out_request_no", request.out_refund_no.text},
                 {"refund_amount", decimal_text(request.amount)}};
  const std::string reason = alipay_clean_text(request.reason, kMaxReasonBytes);
  if (!reason.empty()) fields["refund_reason"] = reason;
  const Answer answer = calls_.exchange(Call::refund, fields);
  if (answer.meaning == Meaning::refused) return DefiniteFail(answer.why, answer.message);
  if (!answer.is_ok && answer.meaning != Meaning::look) return Unknown{answer.why};
  const bool is_ours =
      answer.is_ok && text_or(answer.body, "out_trade_no", "") == request.out_trade_no.text;
  if (answer.is_ok && !is_ours) return Unknown{"answer_of_another_order"};
  if (is_ours && text_or(answer.body, "fund_change", "") == "Y") {
    return RefundTrade{request.out_refund_no, request.out_trade_no, RefundState::succeeded,
                       request.amount};
  }
  const auto found = fetch_refund(request.out_trade_no, request.out_refund_no);
  if (const auto* unknown = std::get_if<Unknown>(&found)) return *unknown;
  const auto* refund = std::get_if<MaybeRefund>(&found);
  if (refund && *refund) return **refund;
  if (answer.meaning == Meaning::look) return DefiniteFail(answer.why, answer.message);
  return Unknown{"not_refunded_yet"};
}

Outcome<RefundTrade> Alipay::query_refund_of(const OutTradeNo& trade, const OutRefundNo& refund,
                                             const std::string&) {
  const auto found = fetch_refund(trade, refund);
  if (const auto* unknown = std::get_if<Unknown>(&found)) return *unknown;
  const auto* known = std::get_if<MaybeRefund>(&found);
  if (known && *known) return **known;
  return Unknown{"not_refunded_yet"};
}

// The file comes unsigned and nothing says what its bytes are: that the signed link leads to the
// host we know, over a connection whose certificate was verified, is what makes it theirs.
template <class T>
Outcome<T> Alipay::fetch_bill(std::string_view type, std::string_view day,
                              Result<T> (*read)(std::string_view, const AlipayBillOf&)) {
  const Answer link = calls_.exchange(
      Call::bill, {{"bill_type", std::string(type)}, {"bill_date", std::string(day)}});
  if (link.meaning == Meaning::absent) {
    const std::int64_t begun = parse_alipay_time_ms(std::string(day) + " 00:00:00");
    const bool is_made = clock_.wall_ms() >= begun + kDayMs + kBillMadeMs;
    return is_made ? Outcome<T>(T{}) : Unknown{"bill_not_made_yet"};
  }
  if (!link.is_ok) return Unknown{link.why};
  const auto target = alipay_bill_target(
      base::text_in(link.body, "bill_download_url", 2048).value_or(""), config_.bill_origin);
  if (!target) return Unknown{std::string(target.error().reason)};
  base::OutboundRequest request;
  request.method = "GET";
  request.target = *target;
  request.deadline_ms = kBillDeadlineMs;
  request.most_answer_bytes = kMaxBillBytes;
  const base::OutboundReply file = bills_.call(request);
  if (file.kind != base::OutboundReply::Kind::answered || file.status != 200)
    return Unknown{file.failure.empty() ? "http_" + std::to_string(file.status) : file.failure};
  auto held = read(file.body, {config_.seller_id, day});
  if (held) return std::move(*held);
  return DefiniteFail(std::string(held.error().reason), std::string(held.error().detail.view()));
}

Outcome<Bill> Alipay::bill(std::string_view day) {
  return fetch_bill<Bill>("trade", day, read_alipay_bill);
}

Outcome<std::vector<FundLine>> Alipay::fund_bill(std::string_view day) {
  return fetch_bill<std::vector<FundLine>>("signcustomer", day, read_alipay_fund_bill);
}

// Refunds send TRADE_SUCCESS again, with gmt_refund: the same payment, heard once more.
Result<Trade> Alipay::trade_of(const AlipayParams& notice) const {
  const auto malformed = [] { return refuse(Code::invalid_argument, "notify_malformed"); };
  const auto amount = parse_alipay_amount(alipay_value(notice, "total_amount"));
  Trade trade;
  trade.out_trade_no = OutTradeNo(alipay_value(notice, "out_trade_no"));
  trade.transaction_id = TransactionId(alipay_value(notice, "trade_no"));
  trade.paid_at_ms = parse_alipay_time_ms(alipay_value(notice, "gmt_payment"));
  trade.state = state_of(alipay_value(notice, "trade_status"), trade.paid_at_ms > 0);
  if (trade.out_trade_no.empty() || trade.transaction_id.empty() || !amount ||
      trade.state == TradeState::unknown) {
    return malformed();
  }
  trade.paid = amount->money;
  trade.payee_matches = amount->holdable && alipay_value(notice, "app_id") == config_.app_id &&
                        alipay_value(notice, "seller_id") == config_.seller_id;
  return trade;
}

Result<Notification> Alipay::parse_notify(const NotifyRequest& request) const {
  const auto malformed = [] { return refuse(Code::invalid_argument, "notify_malformed"); };
  const auto params = alipay_form_in(request.body);
  if (!params) return malformed();
  const AlipaySignature verdict = check_alipay_notice(config_.verify_keys, *params);
  if (verdict != AlipaySignature::valid) return refuse(Code::forbidden, to_word(verdict));
  std::string charset = alipay_value(*params, "charset");
  std::transform(charset.begin(), charset.end(), charset.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const std::string id = alipay_value(*params, "notify_id");
  if (alipay_value(*params, "notify_type") != "trade_status_sync" || charset != "utf-8" ||
      id.empty() || id.size() > 128) {
    return malformed();
  }
  const std::int64_t at_ms = parse_alipay_time_ms(alipay_value(*params, "notify_time"));
  const std::int64_t age_ms = clock_.wall_ms() - at_ms;
  if (at_ms == 0) return malformed();
  if (age_ms > kOldestNoticeMs || age_ms < -kFutureNoticeMs)
    return refuse(Code::forbidden, "timestamp_expired");
  const auto trade = trade_of(*params);
  if (!trade) return tl::unexpected<Error>(trade.error());
  return Notification{id, *trade};
}

std::string wrapped_pem(std::string_view text, std::string_view label) {
  std::string pem = "-----BEGIN " + std::string(label) + "-----\n";
  std::size_t column = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r' || c == ' ') continue;
    pem.push_back(c);
    if (++column % 64 == 0) pem.push_back('\n');
  }
  return pem + "\n-----END " + std::string(label) + "-----\n";
}

bool is_pem(std::string_view text) { return text.find("-----BEGIN") != std::string_view::npos; }

}  // namespace

Result<base::RsaKey> alipay_private_key(std::string_view text) {
  if (is_pem(text)) return base::RsaKey::from_private_pem(text);
  auto key = base::RsaKey::from_private_pem(wrapped_pem(text, "PRIVATE KEY"));
  return key ? key : base::RsaKey::from_private_pem(wrapped_pem(text, "RSA PRIVATE KEY"));
}

Result<base::RsaKey> alipay_public_key(std::string_view text) {
  return base::RsaKey::from_public_pem(is_pem(text) ? std::string(text)
                                                    : wrapped_pem(text, "PUBLIC KEY"));
}

std::unique_ptr<PayChannel> make_alipay(AlipayConfig config, base::Outbound& outbound,
                                        const base::Clock& clock, base::Outbound* bills) {
  if (config.bill_origin.empty()) config.bill_origin = config.origin;
  return std::make_unique<Alipay>(std::move(config), outbound, bills == nullptr ? outbound : *bills,
                                  clock);
}

}  // namespace topup::payments
