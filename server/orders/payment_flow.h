// From "pay" to certain money. Starting is safe to repeat; whatever the channel says, by
// notification or by query, passes through on_trade(), which changes an order once however often
// and in whatever order it is heard: a wrong sum goes to suspense and a person, a second or late
// payment is given back, money without an order is kept visible. Errors: order_not_found,
// order_not_payable, order_not_cancellable, too_many_attempts, channel_unknown, scene_not_offered,
// channel_unavailable (nothing is known to have failed: repeat), channel_refused,
// order_already_paid, not_sold_on_ios, those of risk::may_buy(). Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

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
  std::string openid;             // jsapi only
  std::string client_address;     // h5 only
  std::string return_path;        // starts with '/', checked by the caller
  std::string appid = {};         // jsapi only: whose openid that is; "" for the channel's own
  bool on_ios = false;            // mini_program only: the phone says so
  std::string scene_word = "h5";  // as the buyer named it, stored: h5, jsapi, mini_program, native
  std::string device_code = {};   // for risk::may_buy()
};
struct StartedPayment {
  OutTradeNo out_trade_no;
  payments::PrepayTicket ticket;
  std::int64_t expires_at_ms = 0;
};

// `started` holds the refusals of start(): the order stands whatever became of its payment.
struct CheckedOut {
  OrderView placed;
  Result<StartedPayment> started;
};

class PaymentFlow {
 public:
  explicit PaymentFlow(const OrderEnv& env) : env_(env) {}

  Result<StartedPayment> start(const StartPayment& request) const;
  // Places an order and starts its payment: order, attempt, timeline, audit and jobs in one commit,
  // then the channel. A repeat of the key gives the same order and, while its sheet is good, the
  // same out_trade_no, also when the process died in between. Errors, and `current` and `earlier`,
  // as OrderService::place(). `wanted.order` is not read.
  Result<CheckedOut> check_out(const OrderService& orders, const PlaceRequest& place,
                               StartPayment wanted, PricedQuote* current, Order* earlier) const;
  // Asks the channel about every open attempt now. The order as it is afterwards.
  Result<bool> confirm(const UserId& user, const OrderId& id) const;
  Result<bool> cancel(const UserId& user, const OrderId& id, std::string_view actor) const;
  // A verified notification: recorded and acted on in one transaction. True when it changed
  // something; a repeat is false, and both are answered as heard.
  Result<bool> on_notification(std::string_view channel,
                               const payments::Notification& notification) const;

  void run_query(const jobs::Job& job) const;   // job_kind::kPaymentQuery
  void run_expire(const jobs::Job& job) const;  // job_kind::kExpire
  // job_kind::kCloseSheet: closes at the channel what may have become payable there after its order
  // was given up, until the channel answers.
  void run_close(const jobs::Job& job) const;

 private:
  Result<bool> on_trade(storage::Tx& tx, std::string_view channel,
                        const payments::Trade& trade) const;
  void on_paid(storage::Tx& tx, payments::Attempt attempt, const payments::Trade& trade) const;
  void on_paid_in_vain(storage::Tx& tx, Order& order, const payments::Attempt& attempt) const;
  Result<bool> on_refund(storage::Tx& tx, std::string_view channel,
                         const payments::RefundTrade& said) const;
  payments::PrepayRequest prepay_of(const StartPayment& request,
                                    const payments::Attempt& attempt) const;
  Result<payments::Attempt> open_attempt(const StartPayment& request,
                                         const payments::PayChannel& channel,
                                         payments::Attempt* reusable) const;
  bool has_all_attempts(const std::vector<payments::Attempt>& attempts) const;
  Result<payments::Attempt> add_attempt(storage::Tx& tx, Order& order, const StartPayment& request,
                                        const payments::PayChannel& channel,
                                        const std::vector<payments::Attempt>& earlier) const;
  Result<payments::PayChannel*> channel_for(const StartPayment& request) const;
  std::optional<Result<StartedPayment>> give_again(const StartPayment& request,
                                                   payments::PayChannel& channel,
                                                   const payments::Attempt& earlier) const;
  Result<StartedPayment> ask_for_sheet(const StartPayment& request, payments::PayChannel& channel,
                                       const payments::Attempt& attempt) const;
  Result<StartedPayment> hand_out(const StartPayment& request, const payments::Attempt& attempt,
                                  const payments::PrepayTicket& ticket) const;
  void give_up_ticket(const payments::Attempt& attempt) const;
  bool is_kept_off_ios(const Order& order) const;
  Result<bool> may_begin(storage::Reader& reader, const StartPayment& request,
                         const Order& order) const;
  // Asks, and settles what the answer settles. True when the attempt is no longer open.
  Result<bool> ask(const payments::Attempt& attempt) const;
  Result<bool> close_at_channel(const payments::Attempt& attempt) const;
  Result<bool> end_unpaid(const OrderId& id, Event event, std::string_view actor) const;
  bool may_still_be_paid(const payments::Attempt& attempt) const;
  void last_look(const jobs::Job& job, const payments::Attempt& attempt,
                 std::int64_t pay_by_ms) const;
  const OrderEnv& env_;
};

}  // namespace topup::orders
