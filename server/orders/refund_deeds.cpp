#include "server/orders/refund_deeds.h"

#include <algorithm>

#include "server/audit/audit_log.h"
#include "server/base/log.h"
#include "server/jobs/outbox.h"
#include "server/ledger/ledger_store.h"
#include "server/orders/order_news.h"
#include "server/orders/refund_flow.h"
#include "server/orders/transition.h"
#include "shared/check.h"
#include "shared/order_actions.h"

namespace topup::orders {
namespace {

namespace attempt_state = payments::attempt_state;
namespace refund_state = payments::refund_state;
using payments::payment_store::attempts_of;
using payments::payment_store::find_attempt;
using payments::payment_store::find_refund;
using payments::payment_store::refunds_of;

RefundStage stage_of(const payments::Refund& refund) {
  if (refund.state == refund_state::kSucceeded || refund.state == refund_state::kPaidByHand)
    return RefundStage::succeeded;
  if (refund.state == refund_state::kProcessing) return RefundStage::processing;
  if (refund.state == refund_state::kReissued) return RefundStage::reissued;
  if (refund.state == refund_state::kRefused)
    return payments::is_reserved(refund) ? RefundStage::unknown : RefundStage::refused;
  return RefundStage::sent;
}

bool is_mine(const payments::Attempt& attempt) {
  return attempt.state == attempt_state::kPaid ||
         (attempt.state == attempt_state::kMismatch && attempt.paid_minor > 0);
}

// From the mark before its first byte leaves, until it is refused for certain, a supplier may have
// it: unknown is not failed.
bool may_have_left(const suppliers::SupplyAttempt& attempt) {
  return attempt.state != suppliers::supply_state::kCreated &&
         attempt.state != suppliers::supply_state::kRejected;
}

// The answer to a buyer who took the money back may have been lost.
bool has_taken_back(storage::Reader& reader, const Order& order, std::string_view buyer) {
  if (order.state != State::refunding && order.state != State::refunded) return false;
  const auto refunds = refunds_of(reader, order.id);
  return std::any_of(refunds.begin(), refunds.end(),
                     [buyer](const payments::Refund& one) { return one.asked_by == buyer; });
}

// What waits to be sent, or was sent back untaken, can never be sent again.
void end_attempts(const OrderEnv& env, storage::Tx& tx, const OrderId& id) {
  for (suppliers::SupplyAttempt attempt : suppliers::supplier_store::attempts_of(tx, id)) {
    if (attempt.state != suppliers::supply_state::kCreated) continue;
    attempt.state = suppliers::supply_state::kRejected;
    attempt.code = "taken_back";
    attempt.updated_at_ms = env.clock.wall_ms();
    suppliers::supplier_store::save(tx, attempt);
  }
}

}  // namespace

bool may_ask_for_refund(const Order& order) {
  return may(Actor::buyer, order.state, topup::Action::request_refund);
}

bool may_take_back(storage::Reader& reader, const Order& order) {
  if (!may(Actor::buyer, order.state, topup::Action::take_back)) return false;
  const auto attempts = suppliers::supplier_store::attempts_of(reader, order.id);
  return std::none_of(attempts.begin(), attempts.end(), may_have_left);
}

Result<bool> ask_for_refund(const OrderEnv& env, storage::Tx& tx, const UserId& user,
                            const OrderId& id, std::string_view reason, bool only_at_once) {
  auto order = order_store::find(tx, id);
  if (!order || order->user != user) return refuse(Code::not_found, "order_not_found", "order_id");
  const std::string actor = "buyer:" + user.text;
  if (has_taken_back(tx, *order, actor)) return false;
  if (may_take_back(tx, *order)) {
    const auto ordered = order_refund(env, tx, {id, std::nullopt, actor, std::string(reason)});
    if (!ordered) return tl::unexpected<Error>(ordered.error());
    end_attempts(env, tx, id);
    return true;
  }
  if (only_at_once) return refuse(Code::conflict, "refund_not_at_once", "order_id");
  if (work_item_store::find_open(tx, to_word(Event::refund_requested), id.text)) return false;
  if (!may_ask_for_refund(*order)) return refuse(Code::conflict, "refund_not_allowed", "order_id");
  const auto wishes = refund_wish_store::of_order(tx, id);
  if (static_cast<std::int64_t>(wishes.size()) >= kMaxRefundWishes)
    return refuse(Code::rejected, "refund_asked_often", "order_id");
  const auto moved = apply(env, tx, *order, Event::refund_requested, {actor, std::string(reason)});
  if (!moved) return tl::unexpected<Error>(moved.error());
  refund_wish_store::insert(tx, id, static_cast<std::int64_t>(wishes.size()) + 1,
                            env.clock.wall_ms());
  return true;
}

Result<bool> decline_wish(const OrderEnv& env, storage::Tx& tx, const OrderId& id,
                          const RefundAnswer& said, const std::string& actor,
                          const std::string& note) {
  const auto order = order_store::find(tx, id);
  if (!order || !close_work_item(env, tx, to_word(Event::refund_requested), id.text, actor, note))
    return refuse(Code::conflict, "wish_not_open", "order_id");
  const std::int64_t now = env.clock.wall_ms();
  // One that was wished for before answers were kept has no row.
  if (!refund_wish_store::answer(tx, id, said, actor, now)) {
    refund_wish_store::insert(tx, id, 1, now);
    (void)refund_wish_store::answer(tx, id, said, actor, now);
  }
  audit::append(tx, {actor, "refund.declined", id.text, said.reason}, base::TraceScope::current(),
                now);
  if (env.tell) env.tell(tx, *order, topic::kDeclined);
  tx.after_commit([&env, id] { env.order_changed(id); });
  return true;
}

std::optional<Refundable> refundable_of(storage::Reader& reader, const OrderId& id) {
  std::optional<Refundable> found;
  for (payments::Attempt& attempt : attempts_of(reader, id)) {
    if (!is_mine(attempt) || (found && attempt.state != attempt_state::kPaid)) continue;
    found.emplace();
    found->payment = std::move(attempt);
  }
  if (!found) return found;
  found->paid = {found->payment.paid_minor, found->payment.amount.currency};
  found->left = {found->payment.paid_minor - found->payment.refunded_minor, found->paid.currency};
  for (const payments::Refund& refund : refunds_of(reader, id)) {
    if (refund.out_trade_no == found->payment.out_trade_no)
      found->shares.push_back({refund.amount, stage_of(refund)});
  }
  return found;
}

Result<PlannedRefund> plan_refund(storage::Reader& reader, const RefundOrder& wanted) {
  auto order = order_store::find(reader, wanted.order);
  if (!order) return refuse(Code::not_found, "order_not_found", "order_id");
  const auto payment = refundable_of(reader, wanted.order);
  if (!payment) return refuse(Code::conflict, "refund_not_allowed_in_state", "order_id");
  if (payment->shares.size() >= kMaxRefundsEach)
    return refuse(Code::rejected, "too_many_refunds", "order_id");
  const Money amount = wanted.amount ? *wanted.amount : payment->left;
  const auto event = may_refund(order->state, payment->paid, payment->shares, amount);
  if (!event) return tl::unexpected<Error>(event.error());
  const Step* step = find_step(order->state, *event);
  check(step != nullptr, "what may be refunded is an event of the order");
  return PlannedRefund{std::move(*order), *event, amount, has(step->effects, Effect::post_loss)};
}

Result<bool> order_refund(const OrderEnv& env, storage::Tx& tx, const RefundOrder& wanted) {
  auto plan = plan_refund(tx, wanted);
  if (!plan) return tl::unexpected<Error>(plan.error());
  Cause cause{wanted.actor, wanted.reason};
  cause.amount = plan->amount;
  if (wanted.answer && refund_wish_store::answer(tx, wanted.order, *wanted.answer, wanted.actor,
                                                 env.clock.wall_ms())) {
    close_work_item(env, tx, to_word(Event::refund_requested), wanted.order.text, wanted.actor,
                    wanted.reason);
  }
  const auto moved = apply(env, tx, plan->order, plan->event, cause);
  if (!moved) return tl::unexpected<Error>(moved.error());
  return true;
}

Result<RefusedRefund> find_refused(storage::Reader& reader, const OutRefundNo& out_refund_no) {
  auto refund = find_refund(reader, out_refund_no);
  if (!refund) return refuse(Code::not_found, "refund_not_found", "out_refund_no");
  if (refund->state != refund_state::kRefused)
    return refuse(Code::conflict, "refund_not_refused", "out_refund_no");
  auto attempt = find_attempt(reader, refund->out_trade_no);
  auto order = order_store::find(reader, refund->order);
  check(attempt && order, "a refund belongs to an attempt of an order");
  return RefusedRefund{std::move(*refund), std::move(*attempt), std::move(*order)};
}

Result<bool> reissue_refund(const OrderEnv& env, storage::Tx& tx, const OutRefundNo& out_refund_no,
                            const std::string& actor, const std::string& reason) {
  auto refused = find_refused(tx, out_refund_no);
  if (!refused) return tl::unexpected<Error>(refused.error());
  payments::Refund& refund = refused->refund;
  if (payments::is_reserved(refund))
    return refuse(Code::conflict, "refund_not_closed", "out_refund_no");
  if (refunds_of(tx, refund.order).size() >= kMaxRefundsEach)
    return refuse(Code::rejected, "too_many_refunds", "order_id");
  const Money left{refused->payment.paid_minor - refused->payment.refunded_minor,
                   refused->payment.amount.currency};
  if (refund.amount.minor > left.minor)
    return refuse(Code::rejected, "refund_exceeds_paid", "out_refund_no", decimal_text(left));
  const std::int64_t now = env.clock.wall_ms();
  payments::payment_store::save_refund_state(tx, out_refund_no, refund_state::kReissued, now,
                                             refund.code);
  Cause cause{actor, reason};
  cause.refund = &refund;
  cause.amount = refund.amount;
  Order& order = refused->order;
  const bool is_own = refused->payment.state != attempt_state::kDuplicate;
  const Event event =
      refund.reason == kPartialRefund ? Event::partial_refund_ordered : Event::refund_reissued;
  for (const Event kind : {Event::refund_refused, Event::partial_refund_refused})
    close_work_item(env, tx, to_word(kind), out_refund_no.text, actor, "refund_reissued");
  if (is_own && next(order.state, event)) {
    const auto moved = apply(env, tx, order, event, cause);
    if (!moved) return tl::unexpected<Error>(moved.error());
    return true;
  }
  if (is_own) return refuse(Code::conflict, "refund_not_allowed_in_state", "out_refund_no");
  request_refund(env, tx, refused->payment, refund.amount, refund.reason,
                 "-" + std::to_string(refunds_of(tx, refund.order).size() + 1), &cause);
  return true;
}

Result<bool> refund_by_hand(const OrderEnv& env, storage::Tx& tx, const OutRefundNo& out_refund_no,
                            const std::string& actor, const std::string& proof) {
  auto refused = find_refused(tx, out_refund_no);
  if (!refused) return tl::unexpected<Error>(refused.error());
  payments::Refund& refund = refused->refund;
  const std::int64_t now = env.clock.wall_ms();
  if (!payments::is_reserved(refund) && !payments::payment_store::reserve_refund(tx, refund, now))
    return refuse(Code::rejected, "refund_exceeds_paid", "out_refund_no");
  payments::payment_store::save_refund_state(tx, out_refund_no, refund_state::kPaidByHand, now,
                                             refund.code);
  refund.state = refund_state::kPaidByHand;
  for (const Event kind : {Event::refund_refused, Event::partial_refund_refused})
    close_work_item(env, tx, to_word(kind), out_refund_no.text, actor, "refunded_by_hand");
  audit::append(
      tx, {actor, "refund.paid_by_hand", refund.order.text, out_refund_no.text + ": " + proof},
      base::TraceScope::current(), now);
  return book_after_refusal(env, tx, refund, refused->payment, actor);
}

bool hurry_refund(const OrderEnv& env, storage::Tx& tx, const OutRefundNo& out_refund_no,
                  std::string_view actor) {
  const std::int64_t now = env.clock.wall_ms();
  if (!jobs::outbox::bring_forward(tx, job_kind::kRefund, out_refund_no.text, now)) return false;
  const auto refund = find_refund(tx, out_refund_no);
  audit::append(tx, {actor, "refund.hurried", refund ? refund->order.text : "", out_refund_no.text},
                base::TraceScope::current(), now);
  tx.after_commit(env.wake_jobs);
  return true;
}

namespace {

Result<WorkItem> find_held(storage::Reader& reader, const std::string& work_item_id) {
  auto item = work_item_store::find(reader, work_item_id);
  if (!item) return refuse(Code::not_found, "work_item_not_found", "work_item_id");
  if (item->state != work_item_state::kOpen)
    return refuse(Code::conflict, "work_item_settled", "work_item_id");
  if (item->held.minor == 0)
    return refuse(Code::rejected, "work_item_holds_nothing", "work_item_id");
  const auto order = order_store::find(reader, item->order);
  if (order && order->state == State::review) {
    const auto own = refundable_of(reader, order->id);
    if (own && own->payment.out_trade_no.text == item->subject)
      return refuse(Code::conflict, "work_item_waits_for_order", "work_item_id");
  }
  return std::move(*item);
}

}  // namespace

Result<bool> give_back_unexplained(const OrderEnv& env, storage::Tx& tx,
                                   const std::string& work_item_id, const std::string& actor,
                                   const std::string& reason) {
  const auto item = find_held(tx, work_item_id);
  if (!item) return tl::unexpected<Error>(item.error());
  const auto payment = find_attempt(tx, OutTradeNo(item->subject));
  if (!payment || payment->paid_minor != item->held.minor)
    return refuse(Code::rejected, "work_item_holds_nothing", "work_item_id");
  const std::int64_t now = env.clock.wall_ms();
  const TraceId& trace = base::TraceScope::current();
  const std::string& subject = payment->out_trade_no.text;
  ledger::post(tx, ledger::suspense_settled(subject, clearing_of(*payment), item->held),
               item->order, trace, now);
  ledger::post(tx, ledger::payment_received(subject, clearing_of(*payment), item->held),
               item->order, trace, now);
  // From now on it is a second payment like any other: its refund moves money, not the order.
  payments::payment_store::mark_unexplained_duplicate(tx, payment->out_trade_no, now);
  close_work_item(env, tx, item->kind, item->subject, actor, reason);
  const Cause cause{actor, reason};
  request_refund(env, tx, *payment, item->held, "paid_in_error", {}, &cause);
  return true;
}

Result<bool> explain_suspense(const OrderEnv& env, storage::Tx& tx, const std::string& work_item_id,
                              const std::string& account, const std::string& actor,
                              const std::string& reason) {
  const auto item = find_held(tx, work_item_id);
  if (!item) return tl::unexpected<Error>(item.error());
  // Opened again it is another event.
  const std::string subject = item->id + "/" + std::to_string(item->times);
  ledger::post(tx, ledger::suspense_moved(subject, account, item->held), item->order,
               base::TraceScope::current(), env.clock.wall_ms());
  close_work_item(env, tx, item->kind, item->subject, actor, reason);
  return true;
}

}  // namespace topup::orders
