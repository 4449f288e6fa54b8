// The payment-channel port. A channel is one file behind this interface (wechat.cpp); nothing else
// knows its fields. Every call that reaches outside ends Ok | DefiniteFail | Unknown. Only a
// DefiniteFail value can start a refund or end an attempt; a time-out, a 5xx or an unverifiable
// answer is Unknown, never a failure. All calls block up to their deadline, are thread-safe, never
// run inside a transaction, and are safe to repeat with the same number.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "shared/ids.h"
#include "shared/money.h"
#include "shared/result.h"

namespace topup::payments {

class DefiniteFail {  // made only by an adapter that read an explicit refusal, verified
 public:
  DefiniteFail(std::string code, std::string message)
      : code_(std::move(code)), message_(std::move(message)) {}
  const std::string& code() const { return code_; }  // the channel's own word, e.g. NOT_ENOUGH
  const std::string& message() const {
    return message_;
  }  // for the log and the console, not for buyers

 private:
  std::string code_, message_;
};
struct Unknown {
  std::string why;  // deadline, connection_lost, http_502, signature_invalid …
};
template <class T>
using Outcome = std::variant<T, DefiniteFail, Unknown>;

enum class Scene : std::uint8_t {
  h5,     // a page of the channel that the buyer's browser is sent to (WeChat H5, Alipay wap)
  jsapi,  // paid inside the channel's own app: official-account pages and mini-programs
  native  // a code that a phone scans from a desktop page
};

struct PrepayRequest {
  OutTradeNo out_trade_no;
  Money amount;
  std::string description;  // shown on the bill, at most 127 bytes of 1-3 byte UTF-8
  std::int64_t expire_at_ms = 0;
  Scene scene = Scene::h5;
  std::string openid;          // jsapi only
  std::string appid;           // jsapi only: whose openid that is; "" for the channel's own
  std::string client_address;  // h5 only
  std::string return_url;      // h5 only: where the sheet leads back; "" for none
  std::string payee = {};      // whose money it becomes, as the channel names that merchant (WeChat
                               // sub_mchid); "" for the shop's own account
};
struct PrepayTicket {
  Scene scene = Scene::h5;
  std::string h5_url;  // h5
  std::vector<std::pair<std::string, std::string>>
      invoke;  // jsapi: appId timeStamp nonceStr package signType paySign; Alipay: tradeNO
  std::string code_url = {};  // native: what the code says
  std::string kept = {};      // what resume() makes a ticket of again; "" for the address above
};

enum class TradeState : std::uint8_t { unknown, not_paid, paid, closed };
struct Trade {
  OutTradeNo out_trade_no;
  TradeState state = TradeState::unknown;
  TransactionId transaction_id;
  Money paid;                  // amount.total, compared by the order service with what is owed
  bool payee_matches = false;  // mchid and appid are ours
  std::int64_t paid_at_ms = 0;
  std::string payee = {};  // as in PrepayRequest; compared with the attempt's
};

struct RefundRequest {
  OutRefundNo out_refund_no;
  OutTradeNo out_trade_no;
  Money amount, total;
  std::string reason;
  std::string payee = {};  // of the payment
};
enum class RefundState : std::uint8_t { processing, succeeded, closed, abnormal };
struct RefundTrade {
  OutRefundNo out_refund_no;
  OutTradeNo out_trade_no;
  RefundState state = RefundState::processing;
  Money amount;
  std::string payee = {};
};

// A bill of one business day in the channel's own time zone (Asia/Shanghai), read by the adapter.
// Amounts are positive; what kind says which way they go.
enum class BillKind : std::uint8_t { payment, refund };
struct BillLine {
  BillKind kind = BillKind::payment;
  OutTradeNo out_trade_no;
  TransactionId transaction_id;
  OutRefundNo out_refund_no;  // of a refund
  Money amount;
  Money fee;  // what the channel kept of a payment, or gave back with a refund; signed
  std::string payee = {};
  std::string state = {};  // the channel's own word: SUCCESS, REFUND, PROCESSING …
  std::int64_t at_ms = 0;
};
struct Bill {
  std::vector<BillLine> lines;
  std::int64_t payments = 0, refunds = 0;  // as the bill itself sums them up; equal to the lines
  Money paid, refunded, fees;
};

// One movement of the account that the channel keeps for the shop, as its fund-flow bill of a
// business day lists it: there each fee is a movement of its own.
enum class FundKind : std::uint8_t { payment, refund, fee, withdrawal, other };
struct FundLine {
  FundKind kind = FundKind::other;
  std::string flow_no;      // theirs, of the movement
  std::string business_no;  // theirs, of what is behind it: of a payment its transaction_id
  std::string number;       // ours of that, as they keep it; "" when they do not say
  std::string word;         // their word for the kind
  Money amount;             // into the account positive, out of it negative
  Money balance;            // of the account, after it
  std::int64_t at_ms = 0;
};

struct NotifyRequest {
  std::vector<std::pair<std::string, std::string>> headers;  // names lower case
  std::string body;                                          // raw bytes as received
};
struct Notification {
  std::string notify_id;  // the channel's id, the same on each resend
  std::variant<Trade, RefundTrade> what;
};
// What the channel wants to read from whom it notifies.
struct NotifyAnswer {
  std::string_view content_type = "application/json";
  std::string_view heard = R"({"code":"SUCCESS"})";
  std::string_view refused = {};  // "" for the shop's own problem document
};

class PayChannel {
 public:
  virtual ~PayChannel() = default;
  virtual std::string_view name() const = 0;  // "wechat": stored
  virtual Outcome<PrepayTicket> prepay(const PrepayRequest&) = 0;
  virtual Outcome<Trade> query(
      const OutTradeNo&) = 0;  // order absent at the channel: a Trade with not_paid
  virtual Outcome<Trade> close(const OutTradeNo&) = 0;  // closed, or paid when payment won the race
  virtual Outcome<RefundTrade> refund(const RefundRequest&) = 0;
  virtual Outcome<RefundTrade> query_refund(const OutRefundNo&) = 0;
  // The same for a payment that became somebody else's money: `payee` as it was paid to.
  virtual Outcome<Trade> query_of(const OutTradeNo& number, const std::string& payee) {
    (void)payee;
    return query(number);
  }
  virtual Outcome<Trade> close_of(const OutTradeNo& number, const std::string& payee) {
    (void)payee;
    return close(number);
  }
  // As query_refund, for channels that find a refund only through its payment, or its payee.
  virtual Outcome<RefundTrade> query_refund_of(const OutTradeNo& payment, const OutRefundNo& refund,
                                               const std::string& payee) {
    (void)payment;
    (void)payee;
    return query_refund(refund);
  }
  // Whose money a payment for a product of this operator becomes; "" for the shop's own account.
  virtual std::string payee_of(std::string_view operator_id) const {
    (void)operator_id;
    return {};
  }
  // A ticket that was given out before, from what was kept of it, without a call; nullopt when the
  // channel has to be asked anew, as for another payer.
  virtual std::optional<PrepayTicket> resume(const PrepayRequest& request,
                                             const std::string& kept) {
    PrepayTicket ticket;
    ticket.scene = request.scene;
    if (request.scene == Scene::h5) ticket.h5_url = kept;
    if (request.scene == Scene::native) ticket.code_url = kept;
    return request.scene == Scene::jsapi ? std::nullopt : std::optional(ticket);
  }
  virtual bool offers(Scene scene) const { return scene != Scene::native; }
  // Whether a sheet of this scene can be paid after a close, until its time to pay is over, because
  // the channel knew nothing of it yet: whoever closes asks once more afterwards.
  virtual bool outlives_close(Scene) const { return false; }
  // Whether prepay() of this scene asks the channel; else its outcome says nothing of its health.
  virtual bool calls_to_prepay(Scene) const { return true; }
  // Whether such a refusal is about the shop's standing at the channel (a key, a contract, a
  // permission), so that the next request will meet it too.
  virtual bool blames_channel(const DefiniteFail&) const { return false; }
  // The bill of `day` (yyyy-mm-dd). A day without trade is an empty bill. Unknown: not made yet, or
  // not to be had now. DefiniteFail/bill_malformed: what came does not add up; nothing of it is
  // used. DefiniteFail/not_offered: this channel has none.
  virtual Outcome<Bill> bill(std::string_view day) {
    return DefiniteFail{"not_offered", std::string(day)};
  }
  // Whether the channel lists the movements of the shop's own account there, and those of `day`, in
  // its order: outcomes as of bill(). Merchants below the shop's have accounts of their own, which
  // are not in it.
  virtual bool has_fund_bill() const { return false; }
  virtual Outcome<std::vector<FundLine>> fund_bill(std::string_view day) {
    return DefiniteFail{"not_offered", std::string(day)};
  }
  // forbidden/signature_invalid, forbidden/signature_probe, forbidden/timestamp_expired,
  // forbidden/serial_unknown, forbidden/sign_type_refused, invalid_argument/notify_malformed.
  // Nothing is written; the caller logs one line.
  virtual Result<Notification> parse_notify(const NotifyRequest&) const = 0;
  virtual NotifyAnswer notify_answer() const { return {}; }
};

}  // namespace topup::payments
