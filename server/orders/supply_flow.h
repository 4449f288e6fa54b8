// From paid to delivered. The attempt is marked "sent" and committed before the first byte leaves;
// from then on only a query decides, and the same id is the only one ever used. A callback is a
// hint that brings the query forward. A definite refusal may lead to an attempt with another
// supplier under a new id; nothing else does (threat O-02). What nobody can take on waits for the
// promised time, then the money goes back (feature X14). Thread-safe; every run_* may be repeated
// at any point after a crash.
#pragma once

#include <cstdint>
#include <string>
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

  void run_submit(const jobs::Job& job) const;   // job_kind::kSubmit
  void run_query(const jobs::Job& job) const;    // job_kind::kSupplierQuery
  void run_wait(const jobs::Job& job) const;     // job_kind::kSupplyWait
  void run_recheck(const jobs::Job& job) const;  // job_kind::kSupplierRecheck
  // False when no query is waiting for this attempt (it is over, or unknown to us). One that is
  // delivered is looked at again all the same: a supplier may take a delivery back.
  bool on_hint(const AttemptId& attempt) const;

 private:
  struct Call {  // one exchange with a supplier
    std::string operation, request;
    suppliers::SupplyOutcome outcome;
    std::int64_t latency_ms = 0;
    bool was_made = false;
  };
  enum class Mark : std::uint8_t { sent, lost_race, stays, over };
  Mark mark_sent(const jobs::Job& job, suppliers::SupplyAttempt& attempt, Order& order) const;
  Result<bool> may_submit(storage::Tx& tx, const jobs::Job& job,
                          const suppliers::SupplyAttempt& attempt, Order& order, Mark* mark) const;
  Call call_submit(const jobs::Job& job, const suppliers::SupplyAttempt& attempt,
                   const Order& order) const;
  Call call_query(suppliers::Supplier& supplier, const suppliers::SupplyAttempt& attempt) const;
  // Settles in one transaction with the record of the exchange, which is kept in any case.
  void conclude(const jobs::Job& job, const suppliers::SupplyAttempt& attempt, const Call& call,
                bool is_query) const;
  Result<bool> settle(storage::Tx& tx, const jobs::Job& job, suppliers::SupplyAttempt attempt,
                      const suppliers::SupplyOutcome& outcome) const;
  void keep_pins(storage::Tx& tx, const suppliers::SupplyAttempt& attempt,
                 const suppliers::SupplyOutcome& outcome) const;
  Result<bool> refused(storage::Tx& tx, const jobs::Job& job, Order& order,
                       const suppliers::SupplyAttempt& attempt, bool may_switch) const;
  Result<bool> after_the_end(storage::Tx& tx, const jobs::Job& job,
                             const suppliers::SupplyAttempt& stored,
                             const suppliers::SupplyOutcome& outcome) const;
  Result<bool> taken_back(storage::Tx& tx, const jobs::Job& job, suppliers::SupplyAttempt stored,
                          const suppliers::SupplyOutcome& outcome) const;
  Result<bool> move(storage::Tx& tx, Order& order, Event event,
                    const suppliers::SupplyAttempt& attempt) const;
  Result<bool> hold(storage::Tx& tx, const jobs::Job& job, Order& order,
                    suppliers::SupplyAttempt& attempt) const;
  Result<bool> break_promise(storage::Tx& tx, const jobs::Job& job, Order& order,
                             suppliers::SupplyAttempt attempt) const;
  Result<bool> keep_asking(storage::Tx& tx, const jobs::Job& job, Order& order,
                           const suppliers::SupplyAttempt& attempt) const;
  const OrderEnv& env_;
};

}  // namespace topup::orders
