// From "pay" to certain money. Starting is safe to repeat; whatever the channel says, by
// notification or by query, passes through on_trade(), which changes an order once however often
// and in whatever order it is heard: a wrong sum goes to suspense and a person, a second or late
// payment is given back, money without an order is kept visible. Errors: order_not_found,
// order_not_payable, order_not_cancellable, too_many_attempts, channel_unknown, channel_unavailable
// (nothing is known to have failed: repeat), channel_refused, order_already_paid. Thread-safe.
#pragma once

#include <string>

#include "server/jobs/outbox.h"
#include "server/orders/order_env.h"
#include "server/orders/order_service.h"
#include "server/payments/channel.h"
#include "server/payments/payment_store.h"

namespace topup::orders {

struct StartPayment {
  UserId user;
  OrderId order;
  std::string channel;
  payments::Scene scene = payments::Scene::h5;
  std::string openid;          // jsapi only
  std::string client_address;  // h5 only
  std::string return_path;     // starts with '/', checked by the caller
};
struct StartedPayment {
  OutTradeNo out_trade_no;
  payments::PrepayTicket ticket;
  std::int64_t expires_at_ms = 0;
};

class PaymentFlow {
 public:
  explicit PaymentFlow(const OrderEnv& env) : env_(env) {}

  Result<StartedPayment> start(const StartPayment& request) const;
  // Asks the channel about every open attempt now. The order as it is afterwards.
  Result<bool> confirm(const UserId& user, const OrderId& id) const;
  Result<bool> cancel(const UserId& user, const OrderId& id, std::string_view actor) const;
  // A verified notification: recorded and acted on in one transaction. True when it changed
  // something; a repeat is false, and both are answered as heard.
  Result<bool> on_notification(std::string_view channel,
                               const payments::Notification& notification) const;

  void run_query(const jobs::Job& job) const;   // job_kind::kPaymentQuery
  void run_expire(const jobs::Job& job) const;  // job_kind::kExpire

 private:
  Result<bool> on_trade(storage::Tx& tx, std::string_view channel,
                        const payments::Trade& trade) const;
  void on_paid(storage::Tx& tx, payments::Attempt attempt, const payments::Trade& trade) const;
  void on_paid_in_vain(storage::Tx& tx, const Order& order, const payments::Attempt& attempt) const;
  Result<payments::Attempt> open_attempt(const StartPayment& request,
                                         payments::Attempt* reusable) const;
  // Asks, and settles what the answer settles. True when the attempt is no longer open.
  Result<bool> ask(const payments::Attempt& attempt) const;
  Result<bool> close_at_channel(const payments::Attempt& attempt) const;
  Result<bool> end_unpaid(const OrderId& id, Event event, std::string_view actor) const;
  const OrderEnv& env_;
};

}  // namespace topup::orders
