// What a person does about a delivery that does not come by itself: sends an order that nobody took
// on to another supplier, takes an outcome that nobody knows into their own hands, and vouches for
// what became of it. The core's tables decide in which state (shared/order_actions.h): unknown is
// not failed, so that an order leaves for another supplier only from "paid". What is marked is
// booked, refunded and told as if the supplier had said so, and the attempt is over: what the
// supplier says afterwards is shown as a contradiction. Also: what buyers were not told is queued
// again, and what waits about an order is taken. Everything happens in the caller's transaction.
// Errors: not_found/order_not_found; conflict/deed_not_allowed_in_state, supplier_cannot_take,
// refund_exists, order_changed, nothing_to_resend, nothing_to_claim, work_item_taken;
// rejected/too_many_suppliers, too_many_resends.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/orders/order_env.h"
#include "server/orders/order_store.h"
#include "shared/order_actions.h"
#include "shared/result.h"

namespace topup::orders {

inline constexpr std::int64_t kMostTries = 12;  // of one message, those by the shop itself included

struct Said {  // by whom, of which order, and why
  OrderId order;
  std::string actor, reason;
};
struct Taker {
  std::string supplier;
  Money cost;  // 0: not known
};

// Who could take the order now, the best first; nobody while it is not "paid".
std::vector<Taker> takers_of(const OrderEnv& env, storage::Reader& reader, const Order& order);
Result<bool> switch_supplier(const OrderEnv& env, storage::Tx& tx, const Said& said,
                             std::string_view supplier);
// The queries go on: a clear answer still settles it before anybody else does.
Result<bool> hand_over(const OrderEnv& env, storage::Tx& tx, const Said& said);
// `deed`: mark_delivered or mark_failed. The order as it is, when it may be marked so now.
Result<Order> may_mark(storage::Reader& reader, const OrderId& id, topup::Action deed);
Result<bool> mark(const OrderEnv& env, storage::Tx& tx, const Said& said, topup::Action deed);

bool has_failed_message(storage::Reader& reader, const OrderId& id);
// Messages and shipping reports that were given up are tried once more, each way anew. How many.
Result<int> resend(const OrderEnv& env, storage::Tx& tx, const OrderId& id);

bool has_unclaimed(storage::Reader& reader, const OrderId& id);
// Every open item of the order that nobody has. How many.
Result<int> claim_items(const OrderEnv& env, storage::Tx& tx, const OrderId& id,
                        const StaffId& owner, const TraceId& trace);

}  // namespace topup::orders
