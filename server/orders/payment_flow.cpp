#include "server/orders/payment_flow.h"

#include <algorithm>
#include <array>
#include <utility>

#include "server/audit/audit_log.h"
#include "server/base/log.h"
#include "server/ledger/ledger_store.h"
#include "server/orders/order_rules.h"
#include "server/orders/refund_flow.h"
#include "server/orders/transition.h"
#include "server/risk/standing.h"
#include "shared/check.h"

namespace topup::orders {
namespace {

namespace attempt_state = payments::attempt_state;
using payments::payment_store::attempts_of;
using payments::payment_store::find_attempt;

constexpr std::int64_t kExpireAgainMs = 30'000;
constexpr std::int64_t kCloseAgainMs = 60'000;
constexpr std::int64_t kCloseForMs = 24 * 3'600'000;  // no sheet stays payable for so long

// How long after the attempt began the next query is due: often while the buyer may still stand at
// the sheet, then rarer.
constexpr std::array<std::int64_t, 6> kQueryAfterMs = {15'000,  30'000,  60'000,
                                                       180'000, 300'000, 600'000};

// After the last moment at which a sheet that outlived its close may have been paid.
constexpr std::int64_t kLastLookMs = 60'000;
constexpr std::int64_t kLastLookAgainMs = 300'000;

std::int64_t next_query_ms(const payments::Attempt& attempt, std::int64_t now) {
  for (const std::int64_t after : kQueryAfterMs) {
    if (attempt.created_at_ms + after > now + 1'000)
      return std::min(attempt.created_at_ms + after, attempt.expires_at_ms);
  }
  return std::max(now + 15'000, std::min(attempt.expires_at_ms, now + 300'000));
}

}  // namespace

Result<bool> PaymentFlow::on_notification(std::string_view channel,
                                          const payments::Notification& notification) const {
  return storage::with_tx(env_.db, [&](storage::Tx& tx) -> Result<bool> {
    const auto* trade = std::get_if<payments::Trade>(&notification.what);
    const auto* refund = std::get_if<payments::RefundTrade>(&notification.what);
    const std::string subject =
        trade != nullptr ? trade->out_trade_no.text : refund->out_refund_no.text;
    const Result<bool> done =
        trade != nullptr ? on_trade(tx, channel, *trade) : on_refund(tx, channel, *refund);
    if (!done) return done;
    payments::payment_store::record_notification(tx, channel, notification.notify_id, subject,
                                                 *done ? "changed" : "no change",
                                                 env_.clock.wall_ms());
    return done;
  });
}

Result<bool> PaymentFlow::on_refund(storage::Tx& tx, std::string_view channel,
                                    const payments::RefundTrade& said) const {
  const auto refund = payments::payment_store::find_refund(tx, said.out_refund_no);
  const auto attempt = refund ? find_attempt(tx, refund->out_trade_no) : std::nullopt;
  if (!attempt || (attempt->channel == channel && attempt->payee == said.payee))
    return settle_refund(env_, tx, said, channel);
  open_work_item(env_, tx, "refund_without_request", said.out_refund_no.text, refund->order,
                 std::string(channel) + " reports it of another channel or payee");
  return true;
}

// True when something changed.
Result<bool> PaymentFlow::on_trade(storage::Tx& tx, std::string_view channel,
                                   const payments::Trade& trade) const {
  auto attempt = find_attempt(tx, trade.out_trade_no);
  if (!attempt || attempt->channel != channel) {
    if (trade.state != payments::TradeState::paid) return false;
    open_work_item(env_, tx, "payment_without_order", trade.out_trade_no.text, OrderId(),
                   std::string(channel) + " reports a payment that this shop did not start");
    return true;
  }
  if (trade.state == payments::TradeState::closed) {
    return payments::payment_store::settle_attempt(
        tx, attempt->out_trade_no, attempt_state::kClosed, 0, "", env_.clock.wall_ms());
  }
  if (trade.state != payments::TradeState::paid) return false;
  const bool is_our_payee = trade.payee_matches && trade.payee == attempt->payee;
  const bool fits = is_our_payee && trade.paid == attempt->amount;
  const std::string_view to = fits ? attempt_state::kPaid : attempt_state::kMismatch;
  const std::int64_t now = env_.clock.wall_ms();
  // Money that went elsewhere, or that is none, is not booked as ours: a person looks into it.
  const bool is_bookable = is_our_payee && trade.paid.currency == attempt->amount.currency;
  const std::int64_t paid_minor = is_bookable ? std::max<std::int64_t>(0, trade.paid.minor) : 0;
  const bool won = payments::payment_store::settle_attempt(
                       tx, attempt->out_trade_no, to, paid_minor, trade.transaction_id.text, now) ||
                   payments::payment_store::reopen_as_paid(
                       tx, attempt->out_trade_no, to, paid_minor, trade.transaction_id.text, now);
  if (!won) return false;  // heard before
  attempt->state = to;
  attempt->paid_minor = paid_minor;
  attempt->transaction_id = trade.transaction_id.text;
  attempt->updated_at_ms = now;
  on_paid(tx, std::move(*attempt), trade);
  return true;
}

void PaymentFlow::on_paid(storage::Tx& tx, payments::Attempt attempt,
                          const payments::Trade& trade) const {
  auto order = order_store::find(tx, attempt.order);
  check(order.has_value(), "an attempt has an order");
  const bool fits = attempt.state == attempt_state::kPaid;
  const Event event = fits ? event_of_payment(env_, tx, *order) : Event::payment_mismatch;
  Cause cause{attempt.channel, "", &attempt};
  if (!fits) {
    const bool is_our_payee = trade.payee_matches && trade.payee == attempt.payee;
    cause.reason = is_our_payee ? "paid " + decimal_text(trade.paid) + " " +
                                      std::string(to_word(trade.paid.currency)) + ", owed " +
                                      decimal_text(attempt.amount)
                                : "paid to another merchant or app";
    base::log(base::Level::error, "payment_mismatch",
              {{"order_id", order->id.text},
               {"out_trade_no", attempt.out_trade_no.text},
               {"reason", cause.reason}});
  }
  if (next(order->state, event)) {
    const auto moved = apply(env_, tx, *order, event, cause);
    check(moved.has_value(), "the table allowed the event");
    if (*moved == State::awaiting_approval) {
      const std::int64_t now = env_.clock.wall_ms();
      jobs::outbox::enqueue(tx, job_kind::kReview, order->id.text,
                            now + env_.limits().review_within_ms, now, order->trace,
                            jobs::Priority::money);
    }
    return;
  }
  if (fits) {
    on_paid_in_vain(tx, *order, attempt);
    return;
  }
  if (attempt.paid_minor > 0) {
    ledger::post(tx,
                 ledger::payment_unexplained(attempt.out_trade_no.text, clearing_of(attempt),
                                             {attempt.paid_minor, attempt.amount.currency}),
                 order->id, base::TraceScope::current(), env_.clock.wall_ms());
  }
  open_work_item(env_, tx, "payment_mismatch", attempt.out_trade_no.text, order->id, cause.reason,
                 {attempt.paid_minor, attempt.amount.currency});
}

// The order was paid by another attempt, or is over: this money is booked and goes straight back,
// once.
void PaymentFlow::on_paid_in_vain(storage::Tx& tx, Order& order,
                                  const payments::Attempt& attempt) const {
  payments::payment_store::mark_duplicate(tx, attempt.out_trade_no, env_.clock.wall_ms());
  const auto moved = apply(env_, tx, order, Event::duplicate_payment,
                           {attempt.channel, attempt.out_trade_no.text, &attempt});
  check(moved.has_value(), "whatever became of a paid order, a second payment goes back");
}

Result<bool> PaymentFlow::ask(const payments::Attempt& attempt) const {
  payments::PayChannel* channel = env_.channels.find(attempt.channel);
  if (channel == nullptr) return refuse(Code::unavailable, "channel_unavailable", "channel");
  const auto outcome = channel->query_of(attempt.out_trade_no, attempt.payee);
  const auto* trade = std::get_if<payments::Trade>(&outcome);
  if (trade == nullptr) return refuse(Code::unavailable, "channel_unavailable", "channel");
  const auto changed = storage::with_tx(
      env_.db, [&](storage::Tx& tx) { return on_trade(tx, attempt.channel, *trade); });
  if (!changed) return changed;
  return trade->state == payments::TradeState::paid || trade->state == payments::TradeState::closed;
}

Result<bool> PaymentFlow::close_at_channel(const payments::Attempt& attempt) const {
  payments::PayChannel* channel = env_.channels.find(attempt.channel);
  if (channel == nullptr) return refuse(Code::unavailable, "channel_unavailable", "channel");
  const auto outcome = channel->close_of(attempt.out_trade_no, attempt.payee);
  const auto* trade = std::get_if<payments::Trade>(&outcome);
  if (trade == nullptr || (trade->state != payments::TradeState::paid &&
                           trade->state != payments::TradeState::closed)) {
    return refuse(Code::unavailable, "channel_unavailable", "channel",
                  "the channel did not confirm; try again in a moment");
  }
  const auto changed = storage::with_tx(
      env_.db, [&](storage::Tx& tx) { return on_trade(tx, attempt.channel, *trade); });
  if (!changed) return changed;
  return true;
}

Result<bool> PaymentFlow::confirm(const UserId& user, const OrderId& id) const {
  std::vector<payments::Attempt> open;
  bool own = false;
  env_.db.read([&](storage::Reader& reader) {
    const auto order = order_store::find(reader, id);
    own = order && order->user == user;
    if (own && order->state == State::paying) open = attempts_of(reader, id);
  });
  if (!own) return refuse(Code::not_found, "order_not_found", "order_id");
  for (const payments::Attempt& attempt : open) {
    if (attempt.state == attempt_state::kStarted)
      (void)ask(attempt);  // an unanswered question changes nothing
  }
  return true;
}

Result<bool> PaymentFlow::cancel(const UserId& user, const OrderId& id,
                                 std::string_view actor) const {
  std::optional<Order> order;
  std::vector<payments::Attempt> attempts;
  env_.db.read([&](storage::Reader& reader) {
    order = order_store::find(reader, id);
    attempts = attempts_of(reader, id);
  });
  if (!order || order->user != user) return refuse(Code::not_found, "order_not_found", "order_id");
  if (order->state == State::closed) return true;
  if (!may_cancel(order->state)) return refuse(Code::conflict, "order_not_cancellable", "order_id");
  for (const payments::Attempt& attempt : attempts) {
    if (attempt.state != attempt_state::kStarted) continue;
    const Result<bool> closed = close_at_channel(attempt);
    if (!closed) return closed;
  }
  return end_unpaid(id, Event::cancel, actor);
}

// Only after every attempt is settled at its channel: one that was paid meanwhile has moved the
// order on.
Result<bool> PaymentFlow::end_unpaid(const OrderId& id, Event event, std::string_view actor) const {
  return storage::with_tx(env_.db, [&](storage::Tx& tx) -> Result<bool> {
    auto order = order_store::find(tx, id);
    check(order.has_value(), "the order exists");
    const std::int64_t now = env_.clock.wall_ms();
    for (const payments::Attempt& attempt : attempts_of(tx, id)) {
      if (attempt.state == attempt_state::kStarted)
        return refuse(Code::conflict, "order_changed", "order_id");
      // Closed before the channel had answered with a sheet: the sheet may be made after the close.
      if (attempt.state == attempt_state::kClosed && attempt.ticket_good_until_ms <= 0) {
        jobs::outbox::enqueue(tx, job_kind::kCloseSheet, attempt.out_trade_no.text,
                              now + kCloseAgainMs, now, order->trace, jobs::Priority::money);
      }
    }
    if (!next(order->state, event)) return refuse(Code::conflict, "order_already_paid", "order_id");
    const auto moved = apply(env_, tx, *order, event, {std::string(actor), ""});
    if (!moved) return tl::unexpected<Error>(moved.error());
    return true;
  });
}

void PaymentFlow::run_query(const jobs::Job& job) const {
  std::optional<payments::Attempt> attempt;
  std::optional<Order> order;
  env_.db.read([&](storage::Reader& reader) {
    attempt = find_attempt(reader, OutTradeNo(job.subject));
    if (attempt) order = order_store::find(reader, attempt->order);
  });
  bool settled = !attempt || attempt->state != attempt_state::kStarted;
  const std::int64_t now = env_.clock.wall_ms();
  if (!settled) {
    const Result<bool> known = ask(*attempt);
    settled = known.value_or(false);
    if (!settled && attempt->expires_at_ms <= now)
      settled = close_at_channel(*attempt).value_or(false);
  }
  // An attempt may end before its order does: another took its place.
  if (settled && order && order->pay_by_ms <= now) {
    // Ends the order once nothing is open at a channel; whoever comes second finds it ended.
    (void)end_unpaid(attempt->order, Event::expire, "job:payment_query");
  }
  if (settled && order) {
    env_.db.read(
        [&](storage::Reader& reader) { attempt = find_attempt(reader, attempt->out_trade_no); });
    if (may_still_be_paid(*attempt)) return last_look(job, *attempt, order->pay_by_ms);
  }
  (void)storage::with_tx(env_.db, [&](storage::Tx& tx) {
    if (settled) return jobs::outbox::finish(tx, job);
    return jobs::outbox::reschedule(tx, job, next_query_ms(*attempt, now), "not paid yet");
  });
}

// Closed here and at the channel, which knew nothing of it: the address the buyer holds works until
// the time to pay is over, and its notification may get lost.
bool PaymentFlow::may_still_be_paid(const payments::Attempt& attempt) const {
  const payments::PayChannel* channel = env_.channels.find(attempt.channel);
  return attempt.state == attempt_state::kClosed && attempt.scene == "h5" && channel != nullptr &&
         channel->outlives_close(payments::Scene::h5);
}

void PaymentFlow::last_look(const jobs::Job& job, const payments::Attempt& attempt,
                            std::int64_t pay_by_ms) const {
  const std::int64_t now = env_.clock.wall_ms();
  const std::int64_t due = pay_by_ms + kLastLookMs;
  const bool is_known = now >= due && ask(attempt).has_value();
  (void)storage::with_tx(env_.db, [&](storage::Tx& tx) {
    if (is_known) return jobs::outbox::finish(tx, job);
    return jobs::outbox::reschedule(tx, job, now < due ? due : now + kLastLookAgainMs,
                                    "closed, and perhaps paid all the same");
  });
}

// The safety net of every unpaid order. While an attempt is open at a channel its query closes it
// first; this only waits.
void PaymentFlow::run_expire(const jobs::Job& job) const {
  (void)storage::with_tx(env_.db, [&](storage::Tx& tx) -> Result<bool> {
    auto order = order_store::find(tx, OrderId(job.subject));
    if (!order || !next(order->state, Event::expire)) return jobs::outbox::finish(tx, job);
    for (const payments::Attempt& attempt : attempts_of(tx, order->id)) {
      if (attempt.state == attempt_state::kStarted) {
        return jobs::outbox::reschedule(tx, job, env_.clock.wall_ms() + kExpireAgainMs,
                                        "an attempt is open");
      }
    }
    const auto moved = apply(env_, tx, *order, Event::expire, {"job:order_expire", ""});
    if (!moved) return tl::unexpected<Error>(moved.error());
    return jobs::outbox::finish(tx, job);
  });
}

void PaymentFlow::run_close(const jobs::Job& job) const {
  std::optional<payments::Attempt> attempt;
  env_.db.read(
      [&](storage::Reader& reader) { attempt = find_attempt(reader, OutTradeNo(job.subject)); });
  const std::int64_t now = env_.clock.wall_ms();
  const bool over = !attempt || attempt->state != attempt_state::kClosed;
  const bool done = over || close_at_channel(*attempt).has_value();
  (void)storage::with_tx(env_.db, [&](storage::Tx& tx) {
    if (done) return jobs::outbox::finish(tx, job);
    if (attempt->created_at_ms + kCloseForMs < now) {
      open_work_item(env_, tx, "sheet_not_closed", job.subject, attempt->order,
                     attempt->channel + " has not answered for a day");
      return jobs::outbox::finish(tx, job);
    }
    return jobs::outbox::reschedule(tx, job, now + kCloseAgainMs, "the channel did not answer");
  });
}

}  // namespace topup::orders
