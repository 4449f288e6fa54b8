#include "server/orders/payment_flow.h"

#include <algorithm>
#include <array>
#include <utility>

#include "server/audit/audit_log.h"
#include "server/base/log.h"
#include "server/ledger/ledger_store.h"
#include "server/orders/refund_flow.h"
#include "server/orders/transition.h"
#include "shared/check.h"

namespace topup::orders {
namespace {

namespace attempt_state = payments::attempt_state;
using payments::payment_store::attempts_of;
using payments::payment_store::find_attempt;

constexpr std::int64_t kTicketMs =
    270'000;  // an h5_url lives five minutes; we stop handing it out before
constexpr std::int64_t kTicketMarginMs = 30'000;  // a buyer needs a moment to press "pay"
constexpr std::int64_t kFirstQueryMs = 15'000;
constexpr std::int64_t kExpireAgainMs = 30'000;

// How long after the attempt began the next query is due: often while the buyer may still stand at
// the sheet, then rarer.
constexpr std::array<std::int64_t, 6> kQueryAfterMs = {15'000,  30'000,  60'000,
                                                       180'000, 300'000, 600'000};

std::int64_t next_query_ms(const payments::Attempt& attempt, std::int64_t now) {
  for (const std::int64_t after : kQueryAfterMs) {
    if (attempt.created_at_ms + after > now + 1'000)
      return std::min(attempt.created_at_ms + after, attempt.expires_at_ms);
  }
  return std::max(now + 15'000, std::min(attempt.expires_at_ms, now + 300'000));
}

}  // namespace

Result<StartedPayment> PaymentFlow::start(const StartPayment& request) const {
  payments::PayChannel* channel = env_.channels.find(request.channel);
  if (channel == nullptr) return refuse(Code::invalid_argument, "channel_unknown", "channel");
  payments::Attempt reusable;
  const Result<payments::Attempt> attempt = open_attempt(request, &reusable);
  if (!attempt) return tl::unexpected<Error>(attempt.error());
  if (!reusable.h5_url.empty()) {
    return StartedPayment{
        reusable.out_trade_no, {payments::Scene::h5, reusable.h5_url, {}}, reusable.expires_at_ms};
  }

  payments::PrepayRequest prepay;
  prepay.out_trade_no = attempt->out_trade_no;
  prepay.amount = attempt->amount;
  prepay.description = "话费充值";
  prepay.expire_at_ms = attempt->expires_at_ms;
  prepay.scene = request.scene;
  prepay.openid = request.openid;
  prepay.client_address = request.client_address;
  if (!request.return_path.empty())
    prepay.return_url = env_.settings.public_origin + request.return_path;
  const auto outcome = channel->prepay(prepay);

  const std::int64_t now = env_.clock.wall_ms();
  if (const auto* ticket = std::get_if<payments::PrepayTicket>(&outcome)) {
    const auto kept = storage::with_tx(env_.db, [&](storage::Tx& tx) -> Result<bool> {
      return payments::payment_store::save_ticket(tx, attempt->out_trade_no, ticket->h5_url,
                                                  now + kTicketMs);
    });
    if (!kept.value_or(false)) {
      // Cancelled while the channel was asked: a sheet that nobody watches must not stay payable.
      (void)close_at_channel(*attempt);
      return refuse(Code::conflict, "order_not_payable", "order_id");
    }
    return StartedPayment{attempt->out_trade_no, *ticket, attempt->expires_at_ms};
  }
  if (const auto* refused = std::get_if<payments::DefiniteFail>(&outcome)) {
    env_.db.write([&](storage::Tx& tx) {
      return payments::payment_store::settle_attempt(tx, attempt->out_trade_no,
                                                     attempt_state::kRefused, 0, "", now);
    });
    base::log(base::Level::error, "prepay_refused",
              {{"out_trade_no", attempt->out_trade_no.text},
               {"code", refused->code()},
               {"message", refused->message()}});
    return refuse(Code::unavailable, "channel_refused", "channel", refused->code());
  }
  return refuse(Code::unavailable, "channel_unavailable", "channel",
                "nothing was charged; try again in a moment");
}

Result<payments::Attempt> PaymentFlow::open_attempt(const StartPayment& request,
                                                    payments::Attempt* reusable) const {
  const std::int64_t now = env_.clock.wall_ms();
  return storage::with_tx(env_.db, [&](storage::Tx& tx) -> Result<payments::Attempt> {
    auto order = order_store::find(tx, request.order);
    if (!order || order->user != request.user)
      return refuse(Code::not_found, "order_not_found", "order_id");
    if (!may_pay(order->state) || order->pay_by_ms <= now)
      return refuse(Code::conflict, "order_not_payable", "order_id");
    const auto attempts = attempts_of(tx, order->id);
    for (const payments::Attempt& earlier : attempts) {
      if (earlier.state == attempt_state::kStarted && earlier.channel == request.channel &&
          !earlier.h5_url.empty() && request.scene == payments::Scene::h5 &&
          earlier.ticket_good_until_ms > now + kTicketMarginMs) {
        *reusable = earlier;
        return earlier;
      }
    }
    if (static_cast<std::int64_t>(attempts.size()) >= env_.settings.max_payment_attempts) {
      return refuse(Code::rejected, "too_many_attempts", "order_id", "place a new order");
    }
    payments::Attempt attempt;
    attempt.out_trade_no = OutTradeNo("T" + base::new_id(env_.random, now));
    attempt.order = order->id;
    attempt.channel = request.channel;
    attempt.scene = request.scene == payments::Scene::h5 ? "h5" : "jsapi";
    attempt.state = attempt_state::kStarted;
    attempt.amount = order->payable;
    attempt.expires_at_ms = order->pay_by_ms;
    attempt.created_at_ms = now;
    payments::payment_store::insert_attempt(tx, attempt);
    const auto moved = apply(env_, tx, *order, Event::start_payment,
                             {"buyer:" + request.user.text, request.channel});
    if (!moved) return tl::unexpected<Error>(moved.error());
    jobs::outbox::enqueue(tx, job_kind::kPaymentQuery, attempt.out_trade_no.text,
                          now + kFirstQueryMs, now, base::TraceScope::current(),
                          jobs::Priority::money);
    return attempt;
  });
}

Result<bool> PaymentFlow::on_notification(std::string_view channel,
                                          const payments::Notification& notification) const {
  return storage::with_tx(env_.db, [&](storage::Tx& tx) -> Result<bool> {
    const auto* trade = std::get_if<payments::Trade>(&notification.what);
    const auto* refund = std::get_if<payments::RefundTrade>(&notification.what);
    const std::string subject =
        trade != nullptr ? trade->out_trade_no.text : refund->out_refund_no.text;
    const Result<bool> done = trade != nullptr ? on_trade(tx, channel, *trade)
                                               : settle_refund(env_, tx, *refund, channel);
    if (!done) return done;
    payments::payment_store::record_notification(tx, channel, notification.notify_id, subject,
                                                 *done ? "changed" : "no change",
                                                 env_.clock.wall_ms());
    return done;
  });
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
  const bool fits = trade.payee_matches && trade.paid == attempt->amount;
  const std::string_view to = fits ? attempt_state::kPaid : attempt_state::kMismatch;
  const std::int64_t now = env_.clock.wall_ms();
  const std::int64_t paid_minor =
      trade.payee_matches && trade.paid.currency == attempt->amount.currency ? trade.paid.minor : 0;
  const bool won = payments::payment_store::settle_attempt(
                       tx, attempt->out_trade_no, to, paid_minor, trade.transaction_id.text, now) ||
                   payments::payment_store::reopen_as_paid(
                       tx, attempt->out_trade_no, to, paid_minor, trade.transaction_id.text, now);
  if (!won) return false;  // heard before
  on_paid(tx, *find_attempt(tx, attempt->out_trade_no), trade);
  return true;
}

void PaymentFlow::on_paid(storage::Tx& tx, payments::Attempt attempt,
                          const payments::Trade& trade) const {
  auto order = order_store::find(tx, attempt.order);
  check(order.has_value(), "an attempt has an order");
  const bool fits = attempt.state == attempt_state::kPaid;
  const Event event = fits ? Event::payment_confirmed : Event::payment_mismatch;
  Cause cause{attempt.channel, "", &attempt};
  if (!fits) {
    cause.reason = trade.payee_matches ? "paid " + decimal_text(trade.paid) + " " +
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
    return;
  }
  if (fits) {
    on_paid_in_vain(tx, *order, attempt);
    return;
  }
  if (attempt.paid_minor > 0) {
    ledger::post(tx,
                 ledger::payment_unexplained(attempt.out_trade_no.text, attempt.channel,
                                             {attempt.paid_minor, attempt.amount.currency}),
                 order->id, base::TraceScope::current(), env_.clock.wall_ms());
  }
  open_work_item(env_, tx, "payment_mismatch", attempt.out_trade_no.text, order->id, cause.reason);
}

// The order was paid by another attempt, or is over: this money is booked and goes straight back,
// once.
void PaymentFlow::on_paid_in_vain(storage::Tx& tx, const Order& order,
                                  const payments::Attempt& attempt) const {
  const std::int64_t now = env_.clock.wall_ms();
  const Money paid{attempt.paid_minor, attempt.amount.currency};
  tx.after_commit(env_.wake_jobs);
  payments::payment_store::mark_duplicate(tx, attempt.out_trade_no, now);
  ledger::post(tx, ledger::payment_received(attempt.out_trade_no.text, attempt.channel, paid),
               order.id, base::TraceScope::current(), now);
  audit::append(tx,
                {attempt.channel, "payment.duplicate", order.id.text, attempt.out_trade_no.text},
                base::TraceScope::current(), now);
  request_refund(env_, tx, attempt, paid, "paid_twice");
}

Result<bool> PaymentFlow::ask(const payments::Attempt& attempt) const {
  payments::PayChannel* channel = env_.channels.find(attempt.channel);
  if (channel == nullptr) return refuse(Code::unavailable, "channel_unavailable", "channel");
  const auto outcome = channel->query(attempt.out_trade_no);
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
  const auto outcome = channel->close(attempt.out_trade_no);
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
    for (const payments::Attempt& attempt : attempts_of(tx, id)) {
      if (attempt.state == attempt_state::kStarted)
        return refuse(Code::conflict, "order_changed", "order_id");
    }
    if (!next(order->state, event)) return refuse(Code::conflict, "order_already_paid", "order_id");
    const auto moved = apply(env_, tx, *order, event, {std::string(actor), ""});
    if (!moved) return tl::unexpected<Error>(moved.error());
    return true;
  });
}

void PaymentFlow::run_query(const jobs::Job& job) const {
  std::optional<payments::Attempt> attempt;
  env_.db.read(
      [&](storage::Reader& reader) { attempt = find_attempt(reader, OutTradeNo(job.subject)); });
  bool settled = !attempt || attempt->state != attempt_state::kStarted;
  const std::int64_t now = env_.clock.wall_ms();
  if (!settled) {
    const Result<bool> known = ask(*attempt);
    settled = known.value_or(false);
    if (!settled && attempt->expires_at_ms <= now)
      settled = close_at_channel(*attempt).value_or(false);
  }
  if (settled && attempt && attempt->expires_at_ms <= now) {
    // Ends the order once nothing is open at a channel; whoever comes second finds it ended.
    (void)end_unpaid(attempt->order, Event::expire, "job:payment_query");
  }
  (void)storage::with_tx(env_.db, [&](storage::Tx& tx) {
    if (settled) return jobs::outbox::finish(tx, job);
    return jobs::outbox::reschedule(tx, job, next_query_ms(*attempt, now), "not paid yet");
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

}  // namespace topup::orders
