#include "server/orders/supply_flow.h"

#include <algorithm>
#include <array>
#include <utility>

#include "server/base/json.h"
#include "server/base/log.h"
#include "server/orders/supply_choice.h"
#include "server/orders/transition.h"
#include "server/suppliers/exchange_store.h"
#include "server/suppliers/pin_stock.h"
#include "server/suppliers/pin_store.h"
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

constexpr std::int64_t kLongestWaitMs = 120'000;

bool is_over(const suppliers::SupplyAttempt& attempt) {
  return attempt.state == supply_state::kSucceeded || attempt.state == supply_state::kRejected ||
         attempt.state == supply_state::kReversed;
}

// The request did not leave us, so that its reference is still unused there.
bool stayed_here(std::string_view code) {
  for (const std::string_view word : {"not_sent", "too_late", "token_unavailable",
                                      "supplier_not_configured", "account_unreadable"}) {
    if (code == word) return true;
  }
  return false;
}

base::Json shown(const SupplyOutcome& outcome) {
  base::Json out = {{"state", suppliers::to_word(outcome.state)}};
  if (!outcome.supplier_order_id.empty()) out["supplier_order_id"] = outcome.supplier_order_id;
  if (outcome.cost) out["cost"] = base::money_out(*outcome.cost);
  if (outcome.delivered) out["delivered"] = base::money_out(*outcome.delivered);
  if (!outcome.pins.empty()) out["pins"] = outcome.pins.size();
  return out;
}

// A line that is shut now; one whose trial is due lets this order through as the trial.
bool is_shut(const Way& way, const suppliers::SupplyAttempt& attempt, std::int64_t now) {
  if (way.product.supplier != attempt.supplier) return false;
  using suppliers::LineState;
  const auto blocks = [now](LineState state, std::int64_t reopen_at_ms) {
    return state == LineState::off || (state != LineState::open && now < reopen_at_ms);
  };
  return blocks(way.supplier_state, way.supplier_reopen_at_ms) ||
         blocks(way.operator_state, way.operator_reopen_at_ms);
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
  const auto finish = [&] {
    (void)storage::with_tx(env_.db, [&](storage::Tx& tx) { return jobs::outbox::finish(tx, job); });
  };
  if (!attempt || !order || is_over(*attempt)) return finish();
  // Marked in an earlier life of this process: whether the request left is not known, so it is
  // asked about, never sent again.
  Call call;
  switch (mark_sent(job, *attempt, *order)) {
    case Mark::sent:
      call = call_submit(job, *attempt, *order);
      break;
    case Mark::over:
      if (order->state != State::submitting) return finish();
      break;
    case Mark::lost_race:  // the job comes back
    case Mark::stays:
      return;
  }
  conclude(job, *attempt, call, false);
}

SupplyFlow::Mark SupplyFlow::mark_sent(const jobs::Job& job, suppliers::SupplyAttempt& attempt,
                                       Order& order) const {
  if (order.state != State::paid) return Mark::over;
  suppliers::SupplyAttempt sent = attempt;
  sent.state = supply_state::kSent;
  sent.updated_at_ms = env_.clock.wall_ms();
  Mark mark = Mark::lost_race;
  const auto marked = storage::with_tx(env_.db, [&](storage::Tx& tx) -> Result<Order> {
    mark = Mark::lost_race;
    if (const auto mine = jobs::outbox::hold(tx, job); !mine)
      return tl::unexpected<Error>(mine.error());
    Order now = *order_store::find(tx, order.id);
    const auto may = may_submit(tx, job, attempt, now, &mark);
    if (!may) return tl::unexpected<Error>(may.error());
    if (!*may) return now;
    const auto moved =
        apply(env_, tx, now, Event::submit, {"job:" + job.kind, "", nullptr, &attempt});
    if (!moved) return tl::unexpected<Error>(moved.error());
    supplier_store::save(tx, sent);
    mark = Mark::sent;
    return now;
  });
  if (!marked) return Mark::lost_race;
  if (mark != Mark::sent) return mark;
  attempt = std::move(sent);
  order = *marked;
  return mark;
}

// What was held goes again only within the promised time and while its line is not shut; otherwise
// the job is settled here.
Result<bool> SupplyFlow::may_submit(storage::Tx& tx, const jobs::Job& job,
                                    const suppliers::SupplyAttempt& attempt, Order& order,
                                    Mark* mark) const {
  const auto settled = [mark](const Result<bool>& done) -> Result<bool> {
    if (!done) return done;
    *mark = Mark::stays;
    return false;
  };
  const auto fresh = supplier_store::find(tx, attempt.id);
  check(fresh.has_value(), "attempts are never deleted");
  if (is_over(*fresh)) return settled(jobs::outbox::finish(tx, job));  // another took its place
  if (attempt.queries == 0 || order.state != State::paid) return true;
  const std::int64_t now = env_.clock.wall_ms();
  if (now >= promised_until_ms(env_, tx, order))
    return settled(break_promise(tx, job, order, attempt));
  for (const Way& way : supply_choice_store::ways_of(tx, order.product)) {
    if (!is_shut(way, attempt, now)) continue;
    return settled(
        jobs::outbox::reschedule(tx, job, now + gap_ms(kHoldGapMs, attempt.queries), "line_down"));
  }
  return true;
}

SupplyFlow::Call SupplyFlow::call_submit(const jobs::Job& job,
                                         const suppliers::SupplyAttempt& attempt,
                                         const Order& order) const {
  suppliers::Supplier* supplier = env_.suppliers.find(attempt.supplier);
  const Result<std::string> account =
      env_.pii.open("orders", "account_sealed", order.id.text, order.account_sealed);
  Call call;
  call.operation = "submit";
  call.was_made = true;
  base::Json request = {{"operator", attempt.supplier_operator_id},
                        {"country", attempt.country},
                        {"kind", to_word(attempt.kind)},
                        {"account", order.account_masked},
                        {"face", base::money_out(order.face)}};
  if (!attempt.sku.empty()) request["sku"] = attempt.sku;
  if (attempt.most_cost.minor > 0) request["most_cost"] = base::money_out(attempt.most_cost);
  call.request = request.dump();
  if (supplier == nullptr || !account) {
    call.outcome.state = SupplyState::held;  // nothing has left us
    call.outcome.code = supplier == nullptr ? "supplier_not_configured" : "account_unreadable";
    return call;
  }
  // Whoever stood still since the mark finds the order in other hands, which ask the supplier and
  // may hear that it knows nothing: what left now would come on top (threat O-06).
  const std::int64_t began = env_.clock.mono_ms();
  call.outcome =
      supplier->submit({attempt.id, attempt.supplier_operator_id, attempt.country, *account,
                        order.face, [&] { return jobs::still_mine(env_.db, env_.clock, job); },
                        attempt.kind, attempt.sku, attempt.most_cost});
  call.latency_ms = env_.clock.mono_ms() - began;
  // A supplier that does not know its own references again would deliver a second time (threat
  // O-04): what may have left is asked about.
  if (call.outcome.state == SupplyState::held && !supplier->deduplicates() &&
      !stayed_here(call.outcome.code)) {
    call.outcome.state = SupplyState::unknown;
  }
  return call;
}

SupplyFlow::Call SupplyFlow::call_query(suppliers::Supplier& supplier,
                                        const suppliers::SupplyAttempt& attempt) const {
  Call call;
  call.operation = "query";
  call.was_made = true;
  call.request = base::Json{{"supplier_order_id", attempt.supplier_order_id}}.dump();
  const std::int64_t began = env_.clock.mono_ms();
  call.outcome = supplier.query(attempt.id, attempt.supplier_order_id);
  call.latency_ms = env_.clock.mono_ms() - began;
  return call;
}

void SupplyFlow::run_query(const jobs::Job& job) const {
  std::optional<suppliers::SupplyAttempt> attempt;
  env_.db.read([&](storage::Reader& reader) {
    attempt = supplier_store::find(reader, AttemptId(job.subject));
  });
  if (!attempt || is_over(*attempt)) {
    (void)storage::with_tx(env_.db, [&](storage::Tx& tx) { return jobs::outbox::finish(tx, job); });
    return;
  }
  suppliers::Supplier* supplier = env_.suppliers.find(attempt->supplier);
  conclude(job, *attempt, supplier == nullptr ? Call() : call_query(*supplier, *attempt), true);
}

void SupplyFlow::conclude(const jobs::Job& job, const suppliers::SupplyAttempt& attempt,
                          const Call& call, bool is_query) const {
  suppliers::Exchange exchange;
  exchange.at_ms = env_.clock.wall_ms();
  exchange.id = base::new_id(env_.random, exchange.at_ms);
  exchange.order = attempt.order;
  exchange.attempt = attempt.id;
  exchange.supplier = attempt.supplier;
  exchange.operation = call.operation;
  exchange.request = call.request;
  exchange.response = shown(call.outcome).dump();
  exchange.code = call.outcome.code;
  exchange.outcome = suppliers::to_word(call.outcome.state);
  exchange.latency_ms = call.latency_ms;
  exchange.trace = base::TraceScope::current();
  const auto settled = storage::with_tx(env_.db, [&](storage::Tx& tx) -> Result<bool> {
    if (call.was_made) suppliers::exchange_store::insert(tx, exchange);
    // What was held goes through: what a low balance took off the shelf may come back.
    if (!is_query && attempt.queries > 0 && call.outcome.state != SupplyState::held) {
      (void)jobs::outbox::bring_forward(tx, job_kind::kSupplierBalance, attempt.supplier,
                                        exchange.at_ms);
    }
    if (!is_query) return settle(tx, job, attempt, call.outcome);
    auto fresh = supplier_store::find(tx, attempt.id);
    check(fresh.has_value(), "attempts are never deleted");
    ++fresh->queries;
    return settle(tx, job, std::move(*fresh), call.outcome);
  });
  if (!call.was_made) return;
  if (!settled) {  // settled by another meanwhile; what was heard stays known
    env_.db.write([&](storage::Tx& tx) {
      suppliers::exchange_store::insert(tx, exchange);
      return true;
    });
  }
  if (env_.health != nullptr) env_.health->note(attempt, call.outcome, !is_query);
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
      keep_pins(tx, attempt, outcome);
      moved = move(tx, *order, supplier_event(Outcome::done), attempt);
      return moved ? jobs::outbox::finish(tx, job) : moved;
    case SupplyState::rejected:
      attempt.state = supply_state::kRejected;
      supplier_store::save(tx, attempt);
      return refused(tx, job, *order, attempt, true);
    case SupplyState::held:
      return hold(tx, job, *order, attempt);
    case SupplyState::accepted:
      attempt.state = supply_state::kAccepted;
      moved = move(tx, *order, supplier_event(Outcome::accepted), attempt);
      break;
    case SupplyState::not_found:
      ++attempt.not_found_count;
      if (attempt.not_found_count >= env_.settings.not_found_needed) {
        attempt.state = supply_state::kRejected;
        attempt.code = "NOT_FOUND";
        supplier_store::save(tx, attempt);
        return refused(tx, job, *order, attempt, false);
      }
      [[fallthrough]];
    case SupplyState::unknown:
      attempt.state = attempt.state == supply_state::kAccepted ? supply_state::kAccepted
                                                               : supply_state::kUnknown;
      moved = move(tx, *order, supplier_event(Outcome::unknown), attempt);
      break;
  }
  if (!moved) return moved;
  supplier_store::save(tx, attempt);
  return keep_asking(tx, job, *order, attempt);
}

// What a supplier's answer brought is sealed before anybody is told that it is there.
void SupplyFlow::keep_pins(storage::Tx& tx, const suppliers::SupplyAttempt& attempt,
                           const SupplyOutcome& outcome) const {
  if (attempt.kind != ProductKind::pin || attempt.supplier == suppliers::kStock) return;
  if (outcome.pins.empty()) {
    open_work_item(env_, tx, "pin_missing", attempt.id.text, attempt.order,
                   attempt.supplier + " delivered without a code");
  }
  int number = 0;
  for (const suppliers::Pin& pin : outcome.pins) {
    const std::string id = attempt.id.text + "-" + std::to_string(++number);
    const bool is_new =
        suppliers::pin_store::add(tx, env_.pii,
                                  {id, pin, attempt.sku, attempt.supplier,
                                   "supplier:" + attempt.supplier, attempt.order, attempt.id},
                                  env_.clock.wall_ms());
    if (!is_new)
      open_work_item(env_, tx, "pin_known", id, attempt.order, "this code was delivered before");
  }
}

// Definite: another supplier gets the order if one can take it now, else the buyer gets the money.
// What was concluded from many "not found" is never delivered by somebody else as well (O-03).
Result<bool> SupplyFlow::refused(storage::Tx& tx, const jobs::Job& job, Order& order,
                                 const suppliers::SupplyAttempt& attempt, bool may_switch) const {
  const bool is_switched = may_switch && next(order.state, Event::supplier_switched) &&
                           attempt.attempt_no < env_.settings.max_supplier_attempts &&
                           choose(env_, tx, order).chosen() != nullptr;
  const Event event =
      is_switched ? Event::supplier_switched : supplier_event(Outcome::definite_fail);
  const Result<bool> moved = move(tx, order, event, attempt);
  return moved ? jobs::outbox::finish(tx, job) : moved;
}

// A final answer stays (threat O-05): another one changes nothing, and one that contradicts it is
// shown to a person.
Result<bool> SupplyFlow::after_the_end(storage::Tx& tx, const jobs::Job& job,
                                       const suppliers::SupplyAttempt& stored,
                                       const SupplyOutcome& outcome) const {
  if (stored.state == supply_state::kSucceeded && outcome.state == SupplyState::rejected &&
      std::string_view(outcome.code).starts_with("REVERSED")) {
    return taken_back(tx, job, stored, outcome);
  }
  const bool contradicts =
      (stored.state == supply_state::kSucceeded && outcome.state == SupplyState::rejected) ||
      (stored.state == supply_state::kRejected && outcome.state == SupplyState::succeeded);
  if (contradicts)
    open_work_item(env_, tx, "supplier_contradiction", stored.id.text, stored.order, outcome.code);
  return jobs::outbox::finish(tx, job);
}

Result<bool> SupplyFlow::taken_back(storage::Tx& tx, const jobs::Job& job,
                                    suppliers::SupplyAttempt stored,
                                    const SupplyOutcome& outcome) const {
  auto order = order_store::find(tx, stored.order);
  check(order.has_value(), "an attempt has an order");
  stored.state = supply_state::kReversed;
  stored.code = outcome.code;
  stored.updated_at_ms = env_.clock.wall_ms();
  supplier_store::save(tx, stored);
  if (!next(order->state, Event::supplier_reversed)) {
    open_work_item(env_, tx, "supplier_contradiction", stored.id.text, stored.order, outcome.code);
    return jobs::outbox::finish(tx, job);
  }
  const Result<bool> moved = move(tx, *order, Event::supplier_reversed, stored);
  return moved ? jobs::outbox::finish(tx, job) : moved;
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
  const std::int64_t now = env_.clock.wall_ms();
  if (now >= promised_until_ms(env_, tx, order)) return break_promise(tx, job, order, attempt);
  if (holds == env_.settings.max_supplier_holds) {
    open_work_item(env_, tx, "supplier_line_down", attempt.id.text, order.id,
                   attempt.supplier + ": " + attempt.code);
  }
  // Perhaps it is the balance there: it is looked at before its time.
  (void)jobs::outbox::bring_forward(tx, job_kind::kSupplierBalance, attempt.supplier, now);
  return jobs::outbox::reschedule(tx, job, now + gap_ms(kHoldGapMs, holds - 1), attempt.code);
}

// The promised time is over and nobody has taken anything on: the attempt can never be sent again,
// and the buyer gets the money.
Result<bool> SupplyFlow::break_promise(storage::Tx& tx, const jobs::Job& job, Order& order,
                                       suppliers::SupplyAttempt attempt) const {
  attempt.state = supply_state::kRejected;
  attempt.code = "hold_expired";
  attempt.updated_at_ms = env_.clock.wall_ms();
  supplier_store::save(tx, attempt);
  const Result<bool> moved = move(tx, order, Event::hold_expired, attempt);
  return moved ? jobs::outbox::finish(tx, job) : moved;
}

void SupplyFlow::run_wait(const jobs::Job& job) const {
  (void)storage::with_tx(env_.db, [&](storage::Tx& tx) -> Result<bool> {
    auto order = order_store::find(tx, OrderId(job.subject));
    if (!order || order->state != State::paid) return jobs::outbox::finish(tx, job);
    const auto attempts = supplier_store::attempts_of(tx, order->id);
    if (!attempts.empty() && !is_over(attempts.back())) return jobs::outbox::finish(tx, job);
    const Choice choice = choose(env_, tx, *order);
    if (choice.chosen() != nullptr) {
      start_attempt(env_, tx, *order, choice);
      return jobs::outbox::finish(tx, job);
    }
    const std::int64_t now = env_.clock.wall_ms();
    const std::int64_t until = promised_until_ms(env_, tx, *order);
    if (now >= until) {
      const auto moved =
          apply(env_, tx, *order, Event::hold_expired, {"job:" + job.kind, choice_words(choice)});
      if (!moved) return tl::unexpected<Error>(moved.error());
      return jobs::outbox::finish(tx, job);
    }
    const std::int64_t waited = env_.settings.hold_promise_ms - (until - now);
    const std::int64_t gap = std::clamp(waited / 4, kHoldGapMs.front(), kLongestWaitMs);
    return jobs::outbox::reschedule(tx, job, std::min(now + gap, until), choice_words(choice));
  });
}

// A delivery that the supplier itself says it has taken back is undone in the books and shown to a
// person (feature X10); any other refusal after the end is a contradiction.
void SupplyFlow::run_recheck(const jobs::Job& job) const {
  std::optional<suppliers::SupplyAttempt> attempt;
  env_.db.read([&](storage::Reader& reader) {
    attempt = supplier_store::find(reader, AttemptId(job.subject));
  });
  suppliers::Supplier* supplier = attempt ? env_.suppliers.find(attempt->supplier) : nullptr;
  if (supplier == nullptr || attempt->state != supply_state::kSucceeded) {
    (void)storage::with_tx(env_.db, [&](storage::Tx& tx) { return jobs::outbox::finish(tx, job); });
    return;
  }
  conclude(job, *attempt, call_query(*supplier, *attempt), true);
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
    moved = false;
    const auto known = supplier_store::find(tx, attempt);
    if (!known) return false;
    const std::int64_t now = env_.clock.wall_ms();
    if (known->state == supply_state::kSucceeded) {
      jobs::outbox::enqueue(tx, job_kind::kSupplierRecheck, attempt.text, now, now,
                            base::TraceScope::current());
      tx.after_commit(env_.wake_jobs);
      return true;
    }
    if (known->not_found_count > 0) return false;
    moved = jobs::outbox::bring_forward(tx, job_kind::kSupplierQuery, attempt.text,
                                        env_.clock.wall_ms());
    if (moved) tx.after_commit(env_.wake_jobs);
    return moved;
  });
  return moved;
}

}  // namespace topup::orders
