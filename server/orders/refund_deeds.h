// What people do about refunds, each inside the caller's transaction: a buyer asks, or takes back
// what no supplier has; staff order the whole or a part, send a refused one anew under another
// number, or pay it out by another way. What may go back is asked of shared/refund_flow.h, from
// rows of the same transaction, and the database refuses more than was paid whatever was asked.
// Errors: order_not_found, refund_not_found, refund_not_allowed, refund_not_at_once,
// refund_asked_often (kMaxRefundWishes), wish_not_open, too_many_refunds, refund_not_refused,
// refund_not_closed (its money may still arrive), and those of may_refund().
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/orders/order_env.h"
#include "server/orders/order_store.h"
#include "server/orders/refund_wish_store.h"
#include "server/payments/payment_store.h"
#include "shared/refund_flow.h"
#include "shared/result.h"

namespace topup::orders {

inline constexpr std::size_t kMaxRefundsEach = 50;  // of one payment; more a channel refuses

// A buyer's wish. Of what no supplier has, all goes back at once; otherwise it moves nothing, and
// somebody must answer. False when it was asked before and waits still, or when this buyer has
// taken the money back already: the same again moves nothing more. `only_at_once`: the buyer wants
// the money back without asking anybody; refused with refund_not_at_once when the order has been
// sent meanwhile. Of this and the mark before a supplier is called exactly one is committed: each
// asks for the state in its own transaction (threat O-09).
Result<bool> ask_for_refund(const OrderEnv& env, storage::Tx& tx, const UserId& user,
                            const OrderId& id, std::string_view reason, bool only_at_once = false);
// Whether it may be asked for, and whether the money goes back at once, for the page.
bool may_ask_for_refund(const Order& order);
// The state says that no supplier has it, and so does every one of its attempts.
bool may_take_back(storage::Reader& reader, const Order& order);

// Staff say no: the work item is closed with `note`, which stays in the house, and the buyer is
// told the answer.
Result<bool> decline_wish(const OrderEnv& env, storage::Tx& tx, const OrderId& id,
                          const RefundAnswer& said, const std::string& actor,
                          const std::string& note);

struct Refundable {
  payments::Attempt payment;
  std::vector<RefundShare> shares;
  Money paid, left;
};
// Of the payment that is the order's own; nothing when there is none.
std::optional<Refundable> refundable_of(storage::Reader& reader, const OrderId& id);

struct RefundOrder {
  OrderId order;
  std::optional<Money> amount;  // all that is left when there is none
  std::string actor;            // "staff:<id>"
  std::string reason;
  std::optional<RefundAnswer> answer = {};  // what the buyer who wished for it is told
};
struct PlannedRefund {
  Order order;
  Event event;
  Money amount;
  bool was_delivered;  // it is booked as a loss
};
// Decides without doing.
Result<PlannedRefund> plan_refund(storage::Reader& reader, const RefundOrder& wanted);
Result<bool> order_refund(const OrderEnv& env, storage::Tx& tx, const RefundOrder& wanted);

// A refused refund, of whichever payment.
struct RefusedRefund {
  payments::Refund refund;
  payments::Attempt payment;
  Order order;
};
Result<RefusedRefund> find_refused(storage::Reader& reader, const OutRefundNo& out_refund_no);
// The refused one certainly stays (its code is CLOSED, its amount is free): a new number takes its
// place, in one transaction.
Result<bool> reissue_refund(const OrderEnv& env, storage::Tx& tx, const OutRefundNo& out_refund_no,
                            const std::string& actor, const std::string& reason);
// `proof`: what shows that the buyer has the money.
Result<bool> refund_by_hand(const OrderEnv& env, storage::Tx& tx, const OutRefundNo& out_refund_no,
                            const std::string& actor, const std::string& proof);
// One that waits is tried now. False when it does not wait.
bool hurry_refund(const OrderEnv& env, storage::Tx& tx, const OutRefundNo& out_refund_no,
                  std::string_view actor);

// ---- money in suspense, by its work item. Errors: work_item_not_found, work_item_settled,
// work_item_holds_nothing, work_item_waits_for_order (the order in review decides it).

// It goes back to whoever paid it.
Result<bool> give_back_unexplained(const OrderEnv& env, storage::Tx& tx,
                                   const std::string& work_item_id, const std::string& actor,
                                   const std::string& reason);
// A person knows what it is: it goes to that account of the chart.
Result<bool> explain_suspense(const OrderEnv& env, storage::Tx& tx, const std::string& work_item_id,
                              const std::string& account, const std::string& actor,
                              const std::string& reason);

}  // namespace topup::orders
