// Opening and closing what a person must look at, in the transaction of what caused or ended it.
// Money in suspense enters and leaves its work item in the same transaction as its journal, so that
// the suspense account is the sum of the open items at each moment. Thread-safe.
#pragma once

#include <string_view>

#include "server/orders/order_env.h"
#include "server/orders/work_item_store.h"
#include "shared/money.h"

namespace topup::orders {

// A person must look; once per (kind, subject) while it is open. `held`: the money in suspense that
// it stands for, negative where money went that nobody explained.
void open_work_item(const OrderEnv& env, storage::Tx& tx, std::string_view kind,
                    std::string_view subject, const OrderId& order, std::string_view detail,
                    Money held = {});
// What it waited for has happened. False when there is no such open item.
bool close_work_item(const OrderEnv& env, storage::Tx& tx, std::string_view kind,
                     std::string_view subject, std::string_view by, std::string_view resolution);
// It has waited longer than the shop answers in: a buyer's wish for a refund.
bool is_urgent(const OrderEnv& env, const WorkItem& item);
// All open ones of the order that hold no money and of which `stays(item)` is not true.
template <class Stays>
void close_work_items_of(const OrderEnv& env, storage::Tx& tx, const OrderId& order,
                         std::string_view by, std::string_view resolution, const Stays& stays) {
  for (const WorkItem& item : work_item_store::of_order(tx, order)) {
    if (item.state != work_item_state::kOpen || item.held.minor != 0 || stays(item)) continue;
    close_work_item(env, tx, item.kind, item.subject, by, resolution);
  }
}

}  // namespace topup::orders
