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
  h5,
  jsapi
};  // jsapi: official-account pages and the mini-program

struct PrepayRequest {
  OutTradeNo out_trade_no;
  Money amount;
  std::string description;  // shown on the bill, at most 127 bytes of 1-3 byte UTF-8
  std::int64_t expire_at_ms = 0;
  Scene scene = Scene::h5;
  std::string openid;          // jsapi only
  std::string client_address;  // h5 only
  std::string return_url;      // h5 only: where the sheet leads back; "" for none
};
struct PrepayTicket {
  Scene scene = Scene::h5;
  std::string h5_url;  // h5
  std::vector<std::pair<std::string, std::string>>
      invoke;  // jsapi: appId timeStamp nonceStr package signType paySign
};

enum class TradeState : std::uint8_t { unknown, not_paid, paid, closed };
struct Trade {
  OutTradeNo out_trade_no;
  TradeState state = TradeState::unknown;
  TransactionId transaction_id;
  Money paid;                  // amount.total, compared by the order service with what is owed
  bool payee_matches = false;  // mchid and appid are ours
  std::int64_t paid_at_ms = 0;
};

struct RefundRequest {
  OutRefundNo out_refund_no;
  OutTradeNo out_trade_no;
  Money amount, total;
  std::string reason;
};
enum class RefundState : std::uint8_t { processing, succeeded, closed, abnormal };
struct RefundTrade {
  OutRefundNo out_refund_no;
  OutTradeNo out_trade_no;
  RefundState state = RefundState::processing;
  Money amount;
};

struct NotifyRequest {
  std::vector<std::pair<std::string, std::string>> headers;  // names lower case
  std::string body;                                          // raw bytes as received
};
struct Notification {
  std::string notify_id;  // the channel's id, the same on each resend
  std::variant<Trade, RefundTrade> what;
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
  // forbidden/signature_invalid, forbidden/signature_probe, forbidden/timestamp_expired,
  // forbidden/serial_unknown, invalid_argument/notify_malformed. Nothing is written; the caller
  // logs one line.
  virtual Result<Notification> parse_notify(const NotifyRequest&) const = 0;
};

}  // namespace topup::payments
