#include "server/orders/transition.h"

#include <utility>

#include "server/audit/audit_log.h"
#include "server/base/log.h"
#include "server/jobs/outbox.h"
#include "server/ledger/ledger_store.h"
#include "server/orders/work_item_store.h"
#include "shared/check.h"

namespace topup::orders {
namespace {

const TraceId& trace_of(const Order& order) {
  const TraceId& current = base::TraceScope::current();
  return current.empty() ? order.trace : current;
}

void enqueue(const OrderEnv& env, storage::Tx& tx, std::string_view kind, std::string_view subject,
             std::int64_t delay_ms, const TraceId& trace) {
  const std::int64_t now = env.clock.wall_ms();
  jobs::outbox::enqueue(tx, kind, subject, now + delay_ms, now, trace, jobs::Priority::money);
  tx.after_commit(env.wake_jobs);
}

// The reference under which a supplier will know this order is durable from the moment the order is
// paid.
void enqueue_submit(const OrderEnv& env, storage::Tx& tx, const Order& order) {
  const auto listed = catalog::catalog_store::find_supplier_product(tx, order.product);
  if (!listed) {
    open_work_item(env, tx, "no_supplier", order.id.text, order.id,
                   "no supplier lists " + order.product.text);
    return;
  }
  suppliers::SupplyAttempt attempt;
  attempt.created_at_ms = env.clock.wall_ms();
  attempt.id = AttemptId("S" + order.id.text + "1");
  attempt.order = order.id;
  attempt.supplier = listed->supplier;
  attempt.supplier_operator_id = listed->supplier_operator_id;
  attempt.country = listed->country;
  attempt.state = suppliers::supply_state::kCreated;
  suppliers::supplier_store::insert(tx, attempt);
  enqueue(env, tx, job_kind::kSubmit, attempt.id.text, 0, trace_of(order));
}

const payments::Attempt* paid_attempt(const std::vector<payments::Attempt>& attempts) {
  for (const payments::Attempt& attempt : attempts) {
    if (attempt.state == payments::attempt_state::kPaid) return &attempt;
  }
  return nullptr;
}

void refund_order(const OrderEnv& env, storage::Tx& tx, const Order& order, const Cause& cause) {
  if (cause.payment != nullptr) {
    request_refund(env, tx, *cause.payment, order.payable, "paid_after_close");
    return;
  }
  const auto attempts = payments::payment_store::attempts_of(tx, order.id);
  const payments::Attempt* paid = paid_attempt(attempts);
  check(paid != nullptr, "only a paid order is refunded");
  request_refund(env, tx, *paid, order.payable, "not_delivered");
}

void post_effects(const OrderEnv& env, storage::Tx& tx, const Order& order, Effect effects,
                  const Cause& cause) {
  const std::int64_t now = env.clock.wall_ms();
  const TraceId& trace = trace_of(order);
  if (has(effects, Effect::post_payment)) {
    check(cause.payment != nullptr, "a payment is posted from its attempt");
    const Money paid{cause.payment->paid_minor, cause.payment->amount.currency};
    ledger::post(
        tx,
        ledger::payment_received(cause.payment->out_trade_no.text, cause.payment->channel, paid),
        order.id, trace, now);
  }
  if (has(effects, Effect::post_suspense)) {
    check(cause.payment != nullptr, "suspense is posted from its attempt");
    const Money paid{cause.payment->paid_minor, cause.payment->amount.currency};
    if (paid.minor > 0) {
      ledger::post(tx,
                   ledger::payment_unexplained(cause.payment->out_trade_no.text,
                                               cause.payment->channel, paid),
                   order.id, trace, now);
    }
  }
  if (has(effects, Effect::post_fulfilment)) {
    check(cause.supply != nullptr, "a fulfilment is posted from its attempt");
    const Money* cost = cause.supply->cost ? &*cause.supply->cost : nullptr;
    ledger::post(
        tx,
        ledger::order_fulfilled(cause.supply->id.text, cause.supply->supplier, order.payable, cost),
        order.id, trace, now);
  }
  if (has(effects, Effect::post_refund)) {
    check(cause.refund != nullptr, "a refund is posted from its row");
    const auto attempt = payments::payment_store::find_attempt(tx, cause.refund->out_trade_no);
    check(attempt.has_value(), "a refund belongs to an attempt");
    ledger::post(tx,
                 ledger::order_refunded(cause.refund->out_refund_no.text, attempt->channel,
                                        cause.refund->amount),
                 order.id, trace, now);
  }
}

void job_effects(const OrderEnv& env, storage::Tx& tx, const Order& order, const Step& step,
                 const Cause& cause) {
  if (has(step.effects, Effect::enqueue_submit)) enqueue_submit(env, tx, order);
  if (has(step.effects, Effect::enqueue_query)) {
    check(cause.supply != nullptr, "a query is about an attempt");
    enqueue(env, tx, job_kind::kSupplierQuery, cause.supply->id.text,
            env.settings.first_supplier_query_ms, trace_of(order));
  }
  if (has(step.effects, Effect::enqueue_refund)) refund_order(env, tx, order, cause);
  if (has(step.effects, Effect::open_work_item)) {
    open_work_item(env, tx, to_word(step.on), order.id.text, order.id, cause.reason);
  }
}

}  // namespace

Result<State> apply(const OrderEnv& env, storage::Tx& tx, Order& order, Event event,
                    const Cause& cause) {
  const Step* step = find_step(order.state, event);
  if (step == nullptr) return refuse(Code::conflict, "event_not_allowed");
  const std::int64_t now = env.clock.wall_ms();
  OrderEvent row;
  row.seq = ++order.event_seq;
  row.event = to_word(event);
  row.from_state = to_word(step->from);
  row.to_state = to_word(step->to);
  row.actor = cause.actor;
  row.reason = cause.reason;
  row.trace_id = trace_of(order).text;
  row.at_ms = now;

  order.state = step->to;
  order.updated_at_ms = now;
  const Result<bool> saved = order_store::save_state(tx, order);
  if (!saved) return tl::unexpected<Error>(saved.error());
  order_store::insert_event(tx, order.id, row);
  audit::append(
      tx,
      {cause.actor, "order." + row.event, order.id.text,
       row.from_state + " > " + row.to_state + (cause.reason.empty() ? "" : ": " + cause.reason)},
      trace_of(order), now);
  post_effects(env, tx, order, step->effects, cause);
  job_effects(env, tx, order, *step, cause);
  tx.after_commit([&env, id = order.id, state = order.state] {
    env.count_state(to_word(state));
    env.order_changed(id);
  });
  return step->to;
}

void open_work_item(const OrderEnv& env, storage::Tx& tx, std::string_view kind,
                    std::string_view subject, const OrderId& order, std::string_view detail) {
  const std::int64_t now = env.clock.wall_ms();
  WorkItem item;
  item.id = base::new_id(env.random, now);
  item.kind = kind;
  item.subject = subject;
  item.order = order;
  item.detail = detail;
  item.state = "open";
  item.created_at_ms = now;
  if (!work_item_store::insert(tx, item)) return;
  const TraceId& trace = base::TraceScope::current();
  audit::append(tx,
                {"system", "work_item.opened", order.empty() ? item.subject : order.text,
                 item.kind + ": " + item.detail},
                trace, now);
  base::log(base::Level::warn, "work_item_opened",
            {{"kind", kind}, {"order_id", order.text}, {"detail", detail}});
}

void request_refund(const OrderEnv& env, storage::Tx& tx, const payments::Attempt& attempt,
                    Money amount, std::string_view reason) {
  payments::Refund refund;
  refund.created_at_ms = env.clock.wall_ms();
  refund.out_refund_no = OutRefundNo(
      "R" + attempt.out_trade_no.text);  // one full refund per attempt: a second is the same
  refund.order = attempt.order;
  refund.out_trade_no = attempt.out_trade_no;
  refund.state = payments::refund_state::kRequested;
  refund.amount = amount;
  refund.reason = reason;
  payments::payment_store::insert_refund(tx, refund);
  audit::append(tx,
                {"system", "refund.requested", attempt.order.text,
                 refund.out_refund_no.text + ": " + refund.reason},
                base::TraceScope::current(), refund.created_at_ms);
  enqueue(env, tx, job_kind::kRefund, refund.out_refund_no.text, 0, base::TraceScope::current());
}

}  // namespace topup::orders
