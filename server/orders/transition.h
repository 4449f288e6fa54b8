// The one place where an order changes state: asks the table, then writes state, event, audit row,
// postings, jobs and work items in the caller's transaction, so that they commit together or not at
// all. A hint to waiting pages leaves after commit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/orders/order_env.h"
#include "server/orders/order_store.h"
#include "server/payments/payment_store.h"
#include "server/suppliers/supplier_store.h"
#include "shared/result.h"

namespace topup::orders {

struct Cause {
  std::string actor;   // as in audit::Entry; owned, because causes are often built from temporaries
  std::string reason;  // a stable word or a party's own code; "" when the event says it all
  const payments::Attempt* payment = nullptr;        // for payment events, with paid_minor filled
  const suppliers::SupplyAttempt* supply = nullptr;  // for supplier events
  const payments::Refund* refund = nullptr;          // for refund events
};

// Errors: conflict/event_not_allowed when the table has no such step (nothing is written),
// conflict/order_changed.
Result<State> apply(const OrderEnv& env, storage::Tx& tx, Order& order, Event event,
                    const Cause& cause);

// A person must look; once per (kind, subject).
void open_work_item(const OrderEnv& env, storage::Tx& tx, std::string_view kind,
                    std::string_view subject, const OrderId& order, std::string_view detail);

// A refund of a paid attempt and the job that carries it out.
void request_refund(const OrderEnv& env, storage::Tx& tx, const payments::Attempt& attempt,
                    Money amount, std::string_view reason);

}  // namespace topup::orders
