// The one place where an order changes state: asks the table, then writes state, event, audit row,
// postings, jobs and work items in the caller's transaction, so that they commit together or not at
// all. A hint to waiting pages leaves after commit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/ledger/posting.h"
#include "server/orders/order_env.h"
#include "server/orders/order_store.h"
#include "server/orders/work_items.h"
#include "server/payments/payment_store.h"
#include "server/suppliers/supplier_store.h"
#include "shared/result.h"

namespace topup::orders {

// The stored reason of a refund of a part: its end is a partial_refund_… event of the order.
inline constexpr std::string_view kPartialRefund = "partial_refund";

struct Cause {
  std::string actor;   // as in audit::Entry; owned, because causes are often built from temporaries
  std::string reason;  // a stable word or a party's own code; "" when the event says it all
  const payments::Attempt* payment = nullptr;        // for payment events, with paid_minor filled
  const suppliers::SupplyAttempt* supply = nullptr;  // for supplier events
  const payments::Refund* refund = nullptr;          // for refund events
  std::optional<Money> amount = {};  // for a refund that a person ordered: how much; else all of it
  std::string to_supplier = {};      // the order goes to this one, who can take it; "": to the best
};

// Errors: conflict/event_not_allowed when the table has no such step (nothing is written),
// conflict/order_changed.
Result<State> apply(const OrderEnv& env, storage::Tx& tx, Order& order, Event event,
                    const Cause& cause);

// A refund of a paid attempt and the job that carries it out. Its number follows from the
// attempt's: a second one with the same `number_end` is refused by the database, and so is more
// than was paid. `ordered`: by whom, and the refused refund whose place it takes.
void request_refund(const OrderEnv& env, storage::Tx& tx, const payments::Attempt& attempt,
                    Money amount, std::string_view reason, std::string_view number_end = {},
                    const Cause* ordered = nullptr);
// How a refund that has reached the buyer is booked: through the channel, or by hand.
ledger::Journal refund_journal(const payments::Refund& refund, const payments::Attempt& attempt);
// Where money that a channel holds for us stands in the books.
ledger::Clearing clearing_of(const payments::Attempt& attempt);

}  // namespace topup::orders
