// Giving money back through the channel it came by, once. A refund has one out_refund_no for ever:
// a lost answer is followed by the same number again or by a query, never by a new one. What the
// channel will not do by itself ends with a person.
#pragma once

#include <string_view>

#include "server/jobs/outbox.h"
#include "server/orders/order_env.h"
#include "server/payments/channel.h"
#include "server/payments/payment_store.h"
#include "shared/result.h"

namespace topup::orders {

// What the channel says of a refund, by notification, answer or query. True when something changed;
// a repeat is false.
Result<bool> settle_refund(const OrderEnv& env, storage::Tx& tx, const payments::RefundTrade& said,
                           std::string_view actor);

// Books a refund whose money has left after the channel had refused it, through the channel or by
// hand, as its state says; the order follows where it waited for that.
Result<bool> book_after_refusal(const OrderEnv& env, storage::Tx& tx,
                                const payments::Refund& refund, const payments::Attempt& attempt,
                                std::string_view actor);

class RefundFlow {
 public:
  explicit RefundFlow(const OrderEnv& env) : env_(env) {}
  void run(const jobs::Job& job) const;  // job_kind::kRefund
  // Asks the channel now, whatever the state: a lost notification, or one that a person sent on at
  // the channel. True when something changed. Errors: refund_not_found, channel_unavailable.
  Result<bool> ask(const OutRefundNo& out_refund_no) const;

 private:
  Result<bool> after_refusal(storage::Tx& tx, const jobs::Job& job, const payments::Refund& asked,
                             const payments::Attempt& attempt, const std::string& code) const;
  const OrderEnv& env_;
};

}  // namespace topup::orders
