// From paid to delivered. The attempt is marked "sent" and committed before the first byte leaves;
// from then on only a query decides, and the same id is the only one ever used. A callback is a
// hint that brings the query forward. Thread-safe; every run_* may be repeated at any point after a
// crash.
#pragma once

#include <string_view>

#include "server/jobs/outbox.h"
#include "server/orders/order_env.h"
#include "server/orders/order_store.h"
#include "server/suppliers/supplier.h"
#include "server/suppliers/supplier_store.h"

namespace topup::orders {

class SupplyFlow {
 public:
  explicit SupplyFlow(const OrderEnv& env) : env_(env) {}

  void run_submit(const jobs::Job& job) const;  // job_kind::kSubmit
  void run_query(const jobs::Job& job) const;   // job_kind::kSupplierQuery
  // False when no query is waiting for this attempt (it is over, or unknown to us).
  bool on_hint(const AttemptId& attempt) const;

 private:
  bool mark_sent(const jobs::Job& job, suppliers::SupplyAttempt& attempt, Order& order) const;
  suppliers::SupplyOutcome call_submit(const suppliers::SupplyAttempt& attempt,
                                       const Order& order) const;
  Result<bool> settle(storage::Tx& tx, const jobs::Job& job, suppliers::SupplyAttempt attempt,
                      const suppliers::SupplyOutcome& outcome) const;
  Result<bool> after_the_end(storage::Tx& tx, const jobs::Job& job,
                             const suppliers::SupplyAttempt& stored,
                             const suppliers::SupplyOutcome& outcome) const;
  Result<bool> move(storage::Tx& tx, Order& order, Event event,
                    const suppliers::SupplyAttempt& attempt) const;
  Result<bool> hold(storage::Tx& tx, const jobs::Job& job, Order& order,
                    suppliers::SupplyAttempt& attempt) const;
  Result<bool> keep_asking(storage::Tx& tx, const jobs::Job& job, Order& order,
                           const suppliers::SupplyAttempt& attempt) const;
  const OrderEnv& env_;
};

}  // namespace topup::orders
