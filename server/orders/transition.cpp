#include "server/orders/transition.h"

#include <utility>

#include "server/audit/audit_log.h"
#include "server/base/log.h"
#include "server/jobs/outbox.h"
#include "server/ledger/ledger_store.h"
#include "server/orders/error_account_store.h"
#include "server/orders/order_holds_store.h"
#include "server/orders/refund_wish_store.h"
#include "server/orders/supply_choice.h"
#include "server/orders/work_item_store.h"
#include "server/orders/work_items.h"
#include "server/suppliers/pin_store.h"
#include "shared/check.h"

namespace topup::orders {
namespace {

const TraceId& trace_of(const Order& order) {
  const TraceId& current = base::TraceScope::current();
  return current.empty() ? order.trace : current;
}

// What an order causes goes on in its own trace, whoever's message set it off.
const TraceId& trace_of_job(const Order& order) {
  return order.trace.empty() ? base::TraceScope::current() : order.trace;
}

void enqueue(const OrderEnv& env, storage::Tx& tx, std::string_view kind, std::string_view subject,
             std::int64_t delay_ms, const TraceId& trace) {
  const std::int64_t now = env.clock.wall_ms();
  jobs::outbox::enqueue(tx, kind, subject, now + delay_ms, now, trace, jobs::Priority::money);
  tx.after_commit(env.wake_jobs);
}

Money paid_of(const payments::Attempt& attempt) {
  return {attempt.paid_minor, attempt.amount.currency};
}

// The attempt whose money is the order's: the one that fitted, else the first that did not and
// waits for a decision.
std::optional<payments::Attempt> paid_attempt(storage::Tx& tx, const OrderId& order) {
  std::optional<payments::Attempt> found;
  for (payments::Attempt& attempt : payments::payment_store::attempts_of(tx, order)) {
    if (attempt.state == payments::attempt_state::kPaid) return std::move(attempt);
    if (!found && attempt.state == payments::attempt_state::kMismatch && attempt.paid_minor > 0)
      found = std::move(attempt);
  }
  return found;
}

// What the buyer's payment is still worth: less what has gone or is going back.
Money left_of(storage::Tx& tx, const payments::Attempt& paid) {
  Money left = paid_of(paid);
  if (paid.refunded_minor == 0) return left;
  for (const payments::Refund& refund : payments::payment_store::refunds_of(tx, paid.order)) {
    if (refund.out_trade_no != paid.out_trade_no ||
        refund.state == payments::refund_state::kRefused ||
        refund.state == payments::refund_state::kReissued) {
      continue;
    }
    const Result<Money> less = subtract(left, refund.amount);
    check(less.has_value(), "a refund has its payment's currency");
    left = *less;
  }
  return left;
}
Money left_of(storage::Tx& tx, const Order& order) {
  const auto paid = paid_attempt(tx, order.id);
  check(paid.has_value(), "the order is paid");
  return left_of(tx, *paid);
}

std::string_view refund_reason(Event event) {
  switch (event) {
    case Event::payment_confirmed:
      return "paid_after_close";
    case Event::duplicate_payment:
      return "paid_twice";
    case Event::review_rejected:
      return "review_rejected";
    case Event::hold_expired:
      return "not_delivered_in_time";
    case Event::partial_refund_ordered:
      return kPartialRefund;
    case Event::refund_ordered:
    case Event::refund_reissued:
      return "refund_ordered";
    default:
      return "not_delivered";
  }
}

// What an event causes by itself has one number for each attempt, so that a second time is the same
// refund; what a person orders may come after others.
void refund_order(const OrderEnv& env, storage::Tx& tx, const Order& order, Event event,
                  const Cause& cause) {
  if (cause.payment != nullptr) {
    request_refund(env, tx, *cause.payment, paid_of(*cause.payment), refund_reason(event));
    return;
  }
  const auto paid = paid_attempt(tx, order.id);
  check(paid.has_value(), "only a paid order is refunded");
  const bool is_ordered = event == Event::refund_ordered || event == Event::refund_reissued ||
                          event == Event::partial_refund_ordered;
  request_refund(env, tx, *paid, cause.amount ? *cause.amount : left_of(tx, *paid),
                 refund_reason(event), is_ordered ? "-" + std::to_string(order.event_seq) : "",
                 is_ordered ? &cause : nullptr);
}

// A delivery may be taken back and vouched for again: each time is booked under its own subject.
std::string subject_of(const Order& order) {
  return order.id.text + "/" + std::to_string(order.event_seq);
}

template <class Make>
ledger::Journal delivery(storage::Tx& tx, const Order& order, const Cause& cause,
                         const Make& make) {
  const Money worth = left_of(tx, order);
  if (cause.supply == nullptr) return make(subject_of(order), "", worth, nullptr);
  const Money* cost = cause.supply->cost ? &*cause.supply->cost : nullptr;
  return make(cause.supply->id.text, cause.supply->supplier, worth, cost);
}

template <class Post>
void post_corrections(storage::Tx& tx, const Order& order, Effect effects, const Cause& cause,
                      const Post& post) {
  if (has(effects, Effect::settle_suspense)) {
    const auto paid = paid_attempt(tx, order.id);
    check(paid || !has(effects, Effect::enqueue_submit | Effect::enqueue_refund),
          "what was paid to somebody else is neither delivered nor refunded");
    if (paid) {
      const std::string& subject = paid->out_trade_no.text;
      post(ledger::suspense_settled(subject, clearing_of(*paid), paid_of(*paid)));
      post(ledger::payment_received(subject, clearing_of(*paid), paid_of(*paid)));
    }
  }
  if (has(effects, Effect::post_reversal)) {
    check(cause.supply != nullptr, "a reversal is of an attempt");
    post(delivery(
        tx, order, cause,
        [&order](std::string_view, std::string_view supplier, Money worth, const Money* cost) {
          return ledger::delivery_reversed(subject_of(order), supplier, worth, cost);
        }));
  }
  if (has(effects, Effect::post_loss)) {
    post(ledger::refund_lost(subject_of(order), cause.amount ? *cause.amount : left_of(tx, order)));
  }
  if (has(effects, Effect::return_loss)) {
    check(cause.refund != nullptr, "a loss returns with its refund");
    post(ledger::refund_loss_returned(subject_of(order), cause.refund->amount));
  }
}

void post_effects(const OrderEnv& env, storage::Tx& tx, const Order& order, Effect effects,
                  const Cause& cause) {
  const std::int64_t now = env.clock.wall_ms();
  const auto post = [&](const ledger::Journal& journal) {
    ledger::post(tx, journal, order.id, trace_of(order), now);
  };
  post_corrections(tx, order, effects, cause, post);
  if (has(effects, Effect::post_payment)) {
    check(cause.payment != nullptr, "a payment is posted from its attempt");
    post(ledger::payment_received(cause.payment->out_trade_no.text, clearing_of(*cause.payment),
                                  paid_of(*cause.payment)));
  }
  if (has(effects, Effect::post_suspense)) {
    check(cause.payment != nullptr, "suspense is posted from its attempt");
    if (cause.payment->paid_minor > 0) {
      post(ledger::payment_unexplained(cause.payment->out_trade_no.text,
                                       clearing_of(*cause.payment), paid_of(*cause.payment)));
    }
  }
  if (has(effects, Effect::post_fulfilment))
    post(delivery(tx, order, cause, ledger::order_fulfilled));
  const bool is_nothing_ours =
      has(effects, Effect::settle_suspense) && !paid_attempt(tx, order.id).has_value();
  if (has(effects, Effect::post_refund) && !is_nothing_ours) {
    check(cause.refund != nullptr, "a refund is posted from its row");
    const auto attempt = payments::payment_store::find_attempt(tx, cause.refund->out_trade_no);
    check(attempt.has_value(), "a refund belongs to an attempt");
    post(refund_journal(*cause.refund, *attempt));
  }
}

void job_effects(const OrderEnv& env, storage::Tx& tx, const Order& order, const Step& step,
                 const Cause& cause) {
  if (has(step.effects, Effect::release_holds)) suppliers::pin_store::release(tx, order.id);
  if (has(step.effects, Effect::take_holds)) (void)hold_stock(env, tx, order);
  if (has(step.effects, Effect::enqueue_submit)) plan_submit(env, tx, order, cause.to_supplier);
  if (has(step.effects, Effect::enqueue_query)) {
    check(cause.supply != nullptr, "a query is about an attempt");
    enqueue(env, tx, job_kind::kSupplierQuery, cause.supply->id.text,
            env.settings.first_supplier_query_ms, trace_of_job(order));
  }
  if (has(step.effects, Effect::enqueue_refund)) refund_order(env, tx, order, step.on, cause);
  if (has(step.effects, Effect::open_work_item)) {
    // Money is told under its payment or refund, so that each has its own item.
    const bool is_held = has(step.effects, Effect::post_suspense);
    std::string_view subject = order.id.text;
    if (is_held) subject = cause.payment->out_trade_no.text;
    if (cause.refund != nullptr) subject = cause.refund->out_refund_no.text;
    open_work_item(env, tx, to_word(step.on), subject, order.id, cause.reason,
                   is_held ? paid_of(*cause.payment) : Money{});
  }
}

constexpr bool waits_for_person(State state) {
  return state == State::awaiting_approval || state == State::review || state == State::manual ||
         state == State::reversed;
}

// A refund that the channel refused stays a person's matter while its money may still move.
bool is_moot(storage::Tx& tx, const WorkItem& item) {
  if (item.subject == item.order.text) return true;
  const auto refund = payments::payment_store::find_refund(tx, OutRefundNo(item.subject));
  return refund && (refund->state != payments::refund_state::kRefused ||
                    refund->code == payments::kRefundClosed);
}

// What a person was asked for is over when the order moves on.
void close_items(const OrderEnv& env, storage::Tx& tx, const Order& order, const Step& step,
                 const Cause& cause) {
  if (has(step.effects, Effect::settle_suspense)) {
    if (const auto paid = paid_attempt(tx, order.id))
      close_work_item(env, tx, to_word(Event::payment_mismatch), paid->out_trade_no.text,
                      cause.actor, to_word(step.on));
  }
  const bool has_waited = waits_for_person(step.from) && step.from != step.to;
  const bool ends_wish = step.to == State::refunding || step.to == State::refunded;
  if (!has_waited && !ends_wish) return;
  if (ends_wish && step.from != step.to) {
    const bool by_person = step.on == Event::refund_ordered;
    const std::string reason(by_person ? kApproveReasons[0] : kApproveReasons[1]);
    (void)refund_wish_store::answer(tx, order.id, {wish_decision::kApproved, reason, ""},
                                    cause.actor, env.clock.wall_ms());
  }
  close_work_items_of(env, tx, order.id, cause.actor, to_word(step.on), [&](const WorkItem& item) {
    if (item.kind == to_word(Event::refund_requested)) return !ends_wish;
    return !has_waited || !is_moot(tx, item);
  });
}

// One record for each order that failed after it was paid, until the buyer has the money back.
void keep_error_account(const OrderEnv& env, storage::Tx& tx, const Order& order, const Step& step,
                        const Cause& cause) {
  if (step.from == step.to) return;
  const std::int64_t now = env.clock.wall_ms();
  if (step.to == State::refunding) {
    const auto paid = paid_attempt(tx, order.id);
    ErrorAccount account;
    account.order = order.id;
    account.cause = to_word(step.on);
    if (!cause.reason.empty()) account.cause += ": " + cause.reason;
    account.party = cause.supply != nullptr ? cause.supply->supplier : cause.actor;
    account.amount = cause.payment != nullptr ? paid_of(*cause.payment)
                                              : (paid ? paid_of(*paid) : order.payable);
    account.opened_at_ms = now;
    if (account.amount.minor > 0) error_account_store::open(tx, account);
  } else if (step.to == State::refunded || step.from == State::manual ||
             step.from == State::reversed) {
    error_account_store::close(tx, order.id, cause.actor, now);
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
  if (has(step->effects, Effect::release_holds)) order_holds::release(tx, order.id, now);
  if (has(step->effects, Effect::take_holds)) {
    const Result<bool> held = order_holds::retake(tx, order.id, now);
    if (!held) return tl::unexpected<Error>(held.error());
  }
  post_effects(env, tx, order, step->effects, cause);
  close_items(env, tx, order, *step, cause);
  job_effects(env, tx, order, *step, cause);
  keep_error_account(env, tx, order, *step, cause);
  if (env.announce) env.announce(tx, order, event);
  tx.after_commit([&env, id = order.id, state = order.state] {
    env.count_state(to_word(state));
    env.order_changed(id);
  });
  return step->to;
}

ledger::Clearing clearing_of(const payments::Attempt& attempt) {
  return {attempt.channel, attempt.payee};
}

ledger::Journal refund_journal(const payments::Refund& refund, const payments::Attempt& attempt) {
  if (refund.state == payments::refund_state::kPaidByHand)
    return ledger::refund_by_hand(refund.out_refund_no.text, refund.amount);
  return ledger::order_refunded(refund.out_refund_no.text, clearing_of(attempt), refund.amount);
}

void request_refund(const OrderEnv& env, storage::Tx& tx, const payments::Attempt& attempt,
                    Money amount, std::string_view reason, std::string_view number_end,
                    const Cause* ordered) {
  payments::Refund refund;
  refund.created_at_ms = env.clock.wall_ms();
  refund.out_refund_no = OutRefundNo("R" + attempt.out_trade_no.text + std::string(number_end));
  refund.order = attempt.order;
  refund.out_trade_no = attempt.out_trade_no;
  refund.state = payments::refund_state::kRequested;
  refund.amount = amount;
  refund.reason = reason;
  if (ordered != nullptr) {
    refund.asked_by = ordered->actor;
    if (ordered->refund != nullptr) refund.replaces = ordered->refund->out_refund_no.text;
  }
  payments::payment_store::insert_refund(tx, refund);
  audit::append(
      tx,
      {ordered != nullptr ? std::string_view(ordered->actor) : "system", "refund.requested",
       attempt.order.text, refund.out_refund_no.text + ": " + refund.reason},
      base::TraceScope::current(), refund.created_at_ms);
  enqueue(env, tx, job_kind::kRefund, refund.out_refund_no.text, 0, base::TraceScope::current());
}

}  // namespace topup::orders
