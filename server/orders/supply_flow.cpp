#include "server/orders/supply_flow.h"

#include <algorithm>
#include <array>
#include <utility>

#include "server/base/log.h"
#include "server/orders/transition.h"
#include "shared/check.h"

namespace topup::orders {
namespace {

namespace supply_state = suppliers::supply_state;
using suppliers::SupplyOutcome;
using suppliers::SupplyState;
namespace supplier_store = suppliers::supplier_store;

// After the first look, queries grow rarer; from then on one every two minutes.
constexpr std::array<std::int64_t, 6> kQueryGapMs = {3'000, 5'000, 10'000, 30'000, 60'000, 120'000};
constexpr std::array<std::int64_t, 6> kHoldGapMs = {2'000, 5'000, 15'000, 30'000, 60'000, 120'000};

std::int64_t gap_ms(const std::array<std::int64_t, 6>& gaps, std::int64_t count) {
  return gaps[static_cast<std::size_t>(
      std::min<std::int64_t>(count, static_cast<std::int64_t>(gaps.size()) - 1))];
}

bool is_over(const suppliers::SupplyAttempt& attempt) {
  return attempt.state == supply_state::kSucceeded || attempt.state == supply_state::kRejected;
}

void take_over(suppliers::SupplyAttempt& attempt, const SupplyOutcome& outcome, std::int64_t now) {
  if (!outcome.supplier_order_id.empty()) attempt.supplier_order_id = outcome.supplier_order_id;
  if (!outcome.code.empty()) attempt.code = outcome.code;
  if (outcome.cost) attempt.cost = outcome.cost;
  attempt.updated_at_ms = now;
}

}  // namespace

void SupplyFlow::run_submit(const jobs::Job& job) const {
  std::optional<suppliers::SupplyAttempt> attempt;
  std::optional<Order> order;
  env_.db.read([&](storage::Reader& reader) {
    attempt = supplier_store::find(reader, AttemptId(job.subject));
    if (attempt) order = order_store::find(reader, attempt->order);
  });
  if (!attempt || !order || is_over(*attempt)) {
    (void)storage::with_tx(env_.db, [&](storage::Tx& tx) { return jobs::outbox::finish(tx, job); });
    return;
  }
  SupplyOutcome outcome;
  if (mark_sent(job, *attempt, *order)) {
    outcome = call_submit(*attempt, *order);
  } else if (order->state == State::paid) {
    return;  // lost a race for the row: the job comes back
  } else if (order->state != State::submitting) {
    (void)storage::with_tx(env_.db, [&](storage::Tx& tx) { return jobs::outbox::finish(tx, job); });
    return;
  }
  // Marked in an earlier life of this process: whether the request left is not known, so it is
  // asked about, never sent again.
  (void)storage::with_tx(env_.db,
                         [&](storage::Tx& tx) { return settle(tx, job, *attempt, outcome); });
}

bool SupplyFlow::mark_sent(const jobs::Job& job, suppliers::SupplyAttempt& attempt,
                           Order& order) const {
  if (order.state != State::paid) return false;
  const auto marked = storage::with_tx(env_.db, [&](storage::Tx& tx) -> Result<bool> {
    Order now = *order_store::find(tx, order.id);
    const auto moved =
        apply(env_, tx, now, Event::submit, {"job:" + job.kind, "", nullptr, &attempt});
    if (!moved) return tl::unexpected<Error>(moved.error());
    attempt.state = supply_state::kSent;
    attempt.updated_at_ms = env_.clock.wall_ms();
    supplier_store::save(tx, attempt);
    order = now;
    return true;
  });
  return marked.has_value();
}

SupplyOutcome SupplyFlow::call_submit(const suppliers::SupplyAttempt& attempt,
                                      const Order& order) const {
  suppliers::Supplier* supplier = env_.suppliers.find(attempt.supplier);
  const Result<std::string> account =
      env_.pii.open("orders", "account_sealed", order.id.text, order.account_sealed);
  SupplyOutcome held;
  held.state = SupplyState::held;  // nothing has left us
  if (supplier == nullptr || !account) {
    held.code = supplier == nullptr ? "supplier_not_configured" : "account_unreadable";
    return held;
  }
  return supplier->submit(
      {attempt.id, attempt.supplier_operator_id, attempt.country, *account, order.face});
}

void SupplyFlow::run_query(const jobs::Job& job) const {
  std::optional<suppliers::SupplyAttempt> attempt;
  env_.db.read([&](storage::Reader& reader) {
    attempt = supplier_store::find(reader, AttemptId(job.subject));
  });
  suppliers::Supplier* supplier = attempt ? env_.suppliers.find(attempt->supplier) : nullptr;
  SupplyOutcome outcome;
  const bool over = !attempt || is_over(*attempt);
  if (!over && supplier != nullptr)
    outcome = supplier->query(attempt->id, attempt->supplier_order_id);
  (void)storage::with_tx(env_.db, [&](storage::Tx& tx) -> Result<bool> {
    if (over) return jobs::outbox::finish(tx, job);
    auto fresh = supplier_store::find(tx, attempt->id);
    check(fresh.has_value(), "attempts are never deleted");
    ++fresh->queries;
    return settle(tx, job, std::move(*fresh), outcome);
  });
}

// The one place where what a supplier says becomes an event of the order; the job is settled in the
// same transaction.
Result<bool> SupplyFlow::settle(storage::Tx& tx, const jobs::Job& job,
                                suppliers::SupplyAttempt attempt,
                                const SupplyOutcome& outcome) const {
  auto order = order_store::find(tx, attempt.order);
  check(order.has_value(), "an attempt has an order");
  const auto stored = supplier_store::find(tx, attempt.id);
  check(stored.has_value(), "attempts are never deleted");
  if (is_over(*stored)) return after_the_end(tx, job, *stored, outcome);
  const std::int64_t now = env_.clock.wall_ms();
  take_over(attempt, outcome, now);
  Result<bool> moved = true;
  switch (outcome.state) {
    case SupplyState::succeeded:
      attempt.state = supply_state::kSucceeded;
      supplier_store::save(tx, attempt);
      moved = move(tx, *order, Event::supplier_succeeded, attempt);
      return moved ? jobs::outbox::finish(tx, job) : moved;
    case SupplyState::rejected:
      attempt.state = supply_state::kRejected;
      supplier_store::save(tx, attempt);
      moved = move(tx, *order, Event::supplier_rejected, attempt);
      return moved ? jobs::outbox::finish(tx, job) : moved;
    case SupplyState::held:
      return hold(tx, job, *order, attempt);
    case SupplyState::accepted:
      attempt.state = supply_state::kAccepted;
      moved = move(tx, *order, Event::supplier_accepted, attempt);
      break;
    case SupplyState::not_found:
      ++attempt.not_found_count;
      if (attempt.not_found_count >= env_.settings.not_found_needed) {
        attempt.state = supply_state::kRejected;
        attempt.code = "NOT_FOUND";
        supplier_store::save(tx, attempt);
        moved = move(tx, *order, Event::supplier_rejected, attempt);
        return moved ? jobs::outbox::finish(tx, job) : moved;
      }
      [[fallthrough]];
    case SupplyState::unknown:
      attempt.state = attempt.state == supply_state::kAccepted ? supply_state::kAccepted
                                                               : supply_state::kUnknown;
      moved = move(tx, *order, Event::supplier_unknown, attempt);
      break;
  }
  if (!moved) return moved;
  supplier_store::save(tx, attempt);
  return keep_asking(tx, job, *order, attempt);
}

// A final answer stays (threat O-05): another one changes nothing, and one that contradicts it is
// shown to a person.
Result<bool> SupplyFlow::after_the_end(storage::Tx& tx, const jobs::Job& job,
                                       const suppliers::SupplyAttempt& stored,
                                       const SupplyOutcome& outcome) const {
  const bool contradicts =
      (stored.state == supply_state::kSucceeded && outcome.state == SupplyState::rejected) ||
      (stored.state == supply_state::kRejected && outcome.state == SupplyState::succeeded);
  if (contradicts)
    open_work_item(env_, tx, "supplier_contradiction", stored.id.text, stored.order, outcome.code);
  return jobs::outbox::finish(tx, job);
}

// Events that the table does not list in this state change nothing: the answer was heard before.
Result<bool> SupplyFlow::move(storage::Tx& tx, Order& order, Event event,
                              const suppliers::SupplyAttempt& attempt) const {
  if (!next(order.state, event)) return true;
  const auto moved =
      apply(env_, tx, order, event, {attempt.supplier, attempt.code, nullptr, &attempt});
  if (!moved) return tl::unexpected<Error>(moved.error());
  return true;
}

// Nothing was taken on: back to paid, and the same id is submitted again later. A query that hears
// "held" only waits.
Result<bool> SupplyFlow::hold(storage::Tx& tx, const jobs::Job& job, Order& order,
                              suppliers::SupplyAttempt& attempt) const {
  if (order.state != State::submitting) {
    supplier_store::save(tx, attempt);
    return keep_asking(tx, job, order, attempt);
  }
  const std::int64_t holds = ++attempt.queries;
  attempt.state = supply_state::kCreated;
  supplier_store::save(tx, attempt);
  const Result<bool> moved = move(tx, order, Event::supplier_held, attempt);
  if (!moved) return moved;
  base::log(base::Level::warn, "supplier_held",
            {{"order_id", order.id.text},
             {"supplier", attempt.supplier},
             {"code", attempt.code},
             {"holds", holds}});
  if (holds >= env_.settings.max_supplier_holds) {
    const Result<bool> given_up = move(tx, order, Event::give_up, attempt);
    return given_up ? jobs::outbox::finish(tx, job) : given_up;
  }
  return jobs::outbox::reschedule(tx, job, env_.clock.wall_ms() + gap_ms(kHoldGapMs, holds - 1),
                                  attempt.code);
}

Result<bool> SupplyFlow::keep_asking(storage::Tx& tx, const jobs::Job& job, Order& order,
                                     const suppliers::SupplyAttempt& attempt) const {
  if (job.kind == job_kind::kSubmit)
    return jobs::outbox::finish(tx, job);  // the step enqueued the query
  if (attempt.queries >= env_.settings.max_supplier_queries) {
    const Result<bool> given_up = move(tx, order, Event::give_up, attempt);
    return given_up ? jobs::outbox::finish(tx, job) : given_up;
  }
  std::int64_t gap = gap_ms(kQueryGapMs, attempt.queries);
  if (attempt.not_found_count > 0) gap = std::max(gap, env_.settings.not_found_gap_ms);
  return jobs::outbox::reschedule(tx, job, env_.clock.wall_ms() + gap, attempt.code);
}

// Queries that hear "not found" keep their distance whatever hints arrive, because their number is
// what counts (threat O-03).
bool SupplyFlow::on_hint(const AttemptId& attempt) const {
  bool moved = false;
  env_.db.write([&](storage::Tx& tx) {
    const auto known = supplier_store::find(tx, attempt);
    if (!known || known->not_found_count > 0) return false;
    moved = jobs::outbox::bring_forward(tx, job_kind::kSupplierQuery, attempt.text,
                                        env_.clock.wall_ms());
    if (moved) tx.after_commit(env_.wake_jobs);
    return moved;
  });
  return moved;
}

}  // namespace topup::orders
