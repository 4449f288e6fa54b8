#include "server/orders/refund_flow.h"

#include <algorithm>
#include <array>
#include <string>

#include "server/audit/audit_log.h"
#include "server/base/log.h"
#include "server/ledger/ledger_store.h"
#include "server/orders/transition.h"
#include "shared/check.h"

namespace topup::orders {
namespace {

namespace refund_state = payments::refund_state;
using payments::payment_store::find_attempt;
using payments::payment_store::find_refund;

constexpr std::int64_t kFirstPollMs = 2'000;
constexpr std::int64_t kMaxPollMs = 3'600'000;
// Our balance at the channel may be filled up meanwhile; after an hour a person knows about it.
constexpr std::int64_t kRetrySoonMs = 600'000;
constexpr std::int64_t kRetryLaterMs = 3'600'000;
// A bank may take some days; a channel that does not say what it did is a person's business sooner.
constexpr std::int64_t kTellProcessingMs = 3LL * 86'400'000;
constexpr std::int64_t kTellUnansweredMs = 86'400'000;
constexpr std::string_view kWaits = "refund_waits";
constexpr std::string_view kAfterEnd = "refund_after_refusal";

// Refusals that no waiting mends: the payer's account is gone, or the payment is too old.
constexpr std::array<std::string_view, 4> kForGood = {"USER_ACCOUNT_ABNORMAL", "TRADE_HAS_FINISHED",
                                                      "BUYER_ERROR", "REFUND_OVER_TIME"};

bool is_for_good(std::string_view code) {
  return std::any_of(kForGood.begin(), kForGood.end(), [code](std::string_view word) {
    return code == word || code.ends_with("." + std::string(word));
  });
}

bool is_final_refund(const payments::Refund& refund) {
  return refund.state != refund_state::kRequested && refund.state != refund_state::kProcessing;
}

// The item says why a person is needed; what has happened since needs none.
void close_items_of(const OrderEnv& env, storage::Tx& tx, const payments::Refund& refund,
                    std::string_view actor, std::string_view why) {
  for (const std::string_view kind :
       {kWaits, to_word(Event::refund_refused), to_word(Event::partial_refund_refused)}) {
    close_work_item(env, tx, kind, refund.out_refund_no.text, actor, why);
  }
}

// The refund of an order's own payment is an event of the order; that of a duplicate only moves
// money.
Result<bool> finish_refund(const OrderEnv& env, storage::Tx& tx, const payments::Refund& refund,
                           const payments::Attempt& attempt, Event event, std::string_view actor,
                           std::string_view why) {
  auto order = order_store::find(tx, refund.order);
  check(order.has_value(), "a refund has an order");
  if (refund.reason == kPartialRefund) {
    event = event == Event::refund_succeeded ? Event::partial_refund_succeeded
                                             : Event::partial_refund_refused;
  }
  const bool moves_order =
      attempt.state != payments::attempt_state::kDuplicate && next(order->state, event).has_value();
  if (moves_order) {
    Cause cause{std::string(actor), std::string(why)};
    cause.refund = &refund;
    const auto moved = apply(env, tx, *order, event, cause);
    if (!moved) return tl::unexpected<Error>(moved.error());
    return true;
  }
  const std::int64_t now = env.clock.wall_ms();
  if (event == Event::refund_succeeded || event == Event::partial_refund_succeeded) {
    ledger::post(tx, refund_journal(refund, attempt), refund.order, base::TraceScope::current(),
                 now);
  } else {
    open_work_item(env, tx, "refund_refused", refund.out_refund_no.text, refund.order, why);
  }
  audit::append(tx,
                {actor, std::string("refund.") + std::string(to_word(event)), refund.order.text,
                 refund.out_refund_no.text},
                base::TraceScope::current(), now);
  return true;
}

void save(storage::Tx& tx, payments::Refund& refund, std::string_view state, std::int64_t now,
          std::string_view code = {}) {
  refund.state = state;
  refund.code = code;
  payments::payment_store::save_refund_state(tx, refund.out_refund_no, state, now, code);
}

bool is_own(const payments::Attempt& attempt) {
  return attempt.state != payments::attempt_state::kDuplicate;
}

Result<bool> refuse_refund(const OrderEnv& env, storage::Tx& tx, payments::Refund& refund,
                           const payments::Attempt& attempt, std::string_view code,
                           std::string_view actor) {
  const std::int64_t now = env.clock.wall_ms();
  save(tx, refund, refund_state::kRefused, now, code);
  if (!is_reserved(refund)) payments::payment_store::release_refund(tx, refund, now);
  close_work_item(env, tx, kWaits, refund.out_refund_no.text, actor, code);
  return finish_refund(env, tx, refund, attempt, Event::refund_refused, actor, code);
}

// Refused, and the money has gone after all: sent on at the channel by hand, or by its second
// thought.
Result<bool> settle_refused(const OrderEnv& env, storage::Tx& tx, payments::Refund refund,
                            const payments::Attempt& attempt, std::string_view actor) {
  const std::int64_t now = env.clock.wall_ms();
  if (!is_reserved(refund) && !payments::payment_store::reserve_refund(tx, refund, now)) {
    open_work_item(env, tx, kAfterEnd, refund.out_refund_no.text, refund.order,
                   "refunded " + decimal_text(refund.amount) + " beside another refund");
    return true;
  }
  save(tx, refund, refund_state::kSucceeded, now);
  close_items_of(env, tx, refund, actor, "refund_succeeded");
  return book_after_refusal(env, tx, refund, attempt, actor);
}

// Asking goes on, but a buyer without money and a shop without an answer are told to a person.
void tell_if_long(const OrderEnv& env, storage::Tx& tx, const payments::Refund& refund,
                  std::int64_t limit_ms, std::string_view why) {
  if (env.clock.wall_ms() - refund.created_at_ms < limit_ms) return;
  const auto now_stored = find_refund(tx, refund.out_refund_no);
  if (!now_stored || is_final_refund(*now_stored)) return;
  open_work_item(env, tx, kWaits, refund.out_refund_no.text, refund.order, why);
}

std::int64_t poll_delay_ms(const payments::Refund& refund, std::int64_t now) {
  const std::int64_t age = now - refund.created_at_ms;
  return age < kFirstPollMs ? kFirstPollMs
                            : (age > kMaxPollMs ? kMaxPollMs : age);  // doubles the age each time
}

}  // namespace

Result<bool> book_after_refusal(const OrderEnv& env, storage::Tx& tx,
                                const payments::Refund& refund, const payments::Attempt& attempt,
                                std::string_view actor) {
  auto order = order_store::find(tx, refund.order);
  check(order.has_value(), "a refund has an order");
  const bool is_whole = is_own(attempt) && refund.reason != kPartialRefund;
  if (is_whole && next(order->state, Event::refunded_by_hand)) {
    Cause cause{std::string(actor), refund.out_refund_no.text};
    cause.refund = &refund;
    const auto moved = apply(env, tx, *order, Event::refunded_by_hand, cause);
    if (!moved) return tl::unexpected<Error>(moved.error());
    return true;
  }
  const std::int64_t now = env.clock.wall_ms();
  const TraceId& trace = base::TraceScope::current();
  // What was delivered is earned: given back all the same, it is a loss.
  const bool is_earned =
      is_own(attempt) && (order->state == State::succeeded || order->state == State::refunded);
  if (is_earned) {
    ledger::post(tx, ledger::refund_lost(refund.out_refund_no.text, refund.amount), refund.order,
                 trace, now);
  }
  ledger::post(tx, refund_journal(refund, attempt), refund.order, trace, now);
  audit::append(tx, {actor, "refund.settled", refund.order.text, refund.out_refund_no.text}, trace,
                now);
  return true;
}

Result<bool> settle_refund(const OrderEnv& env, storage::Tx& tx, const payments::RefundTrade& said,
                           std::string_view actor) {
  auto refund = find_refund(tx, said.out_refund_no);
  if (!refund) {
    open_work_item(env, tx, "refund_without_request", said.out_refund_no.text, OrderId(),
                   "a channel reports a refund that this shop did not ask for");
    return true;
  }
  const bool is_done = said.state == payments::RefundState::succeeded;
  if (refund->state == refund_state::kSucceeded || (is_final_refund(*refund) && !is_done))
    return false;
  if (is_done && said.amount != refund->amount) {
    open_work_item(
        env, tx, "refund_amount_differs", refund->out_refund_no.text, refund->order,
        "asked " + decimal_text(refund->amount) + ", refunded " + decimal_text(said.amount));
    return false;
  }
  const auto attempt = find_attempt(tx, refund->out_trade_no);
  check(attempt.has_value(), "a refund belongs to an attempt");
  if (refund->state == refund_state::kRefused)
    return settle_refused(env, tx, *refund, *attempt, actor);
  if (is_final_refund(*refund)) {  // paid by hand, or by the refund that took its place
    open_work_item(env, tx, kAfterEnd, refund->out_refund_no.text, refund->order,
                   "refunded " + decimal_text(said.amount) + " although it is " + refund->state);
    return true;
  }
  const std::int64_t now = env.clock.wall_ms();
  switch (said.state) {
    case payments::RefundState::processing:
      if (refund->state == refund_state::kProcessing) return false;
      save(tx, *refund, refund_state::kProcessing, now);
      return true;
    case payments::RefundState::succeeded:
      save(tx, *refund, refund_state::kSucceeded, now);
      close_items_of(env, tx, *refund, actor, "refund_succeeded");
      return finish_refund(env, tx, *refund, *attempt, Event::refund_succeeded, actor, "");
    case payments::RefundState::closed:
      return refuse_refund(env, tx, *refund, *attempt, payments::kRefundClosed, actor);
    case payments::RefundState::abnormal:
      return refuse_refund(env, tx, *refund, *attempt, payments::kRefundAbnormal, actor);
  }
  return false;
}

void RefundFlow::run(const jobs::Job& job) const {
  std::optional<payments::Refund> refund;
  std::optional<payments::Attempt> attempt;
  env_.db.read([&](storage::Reader& reader) {
    refund = find_refund(reader, OutRefundNo(job.subject));
    if (refund) attempt = find_attempt(reader, refund->out_trade_no);
  });
  payments::PayChannel* channel = attempt ? env_.channels.find(attempt->channel) : nullptr;
  const bool over = !refund || channel == nullptr || is_final_refund(*refund);
  const std::int64_t now = env_.clock.wall_ms();
  if (over) {
    (void)storage::with_tx(env_.db, [&](storage::Tx& tx) { return jobs::outbox::finish(tx, job); });
    return;
  }
  if (!jobs::still_mine(env_.db, env_.clock, job)) return;  // whoever holds it now goes on
  const payments::RefundRequest request{
      refund->out_refund_no, refund->out_trade_no,
      refund->amount,        {attempt->paid_minor, attempt->amount.currency},
      refund->reason,        attempt->payee};
  const auto outcome =
      refund->state == refund_state::kProcessing
          ? channel->query_refund_of(refund->out_trade_no, refund->out_refund_no, attempt->payee)
          : channel->refund(request);
  (void)storage::with_tx(env_.db, [&](storage::Tx& tx) -> Result<bool> {
    if (const auto* said = std::get_if<payments::RefundTrade>(&outcome)) {
      const auto changed = settle_refund(env_, tx, *said, attempt->channel);
      if (!changed) return changed;
      if (said->state != payments::RefundState::processing) return jobs::outbox::finish(tx, job);
      tell_if_long(env_, tx, *refund, kTellProcessingMs, "still processing after three days");
      return jobs::outbox::reschedule(tx, job, now + poll_delay_ms(*refund, now),
                                      "refund is processing");
    }
    if (const auto* refused = std::get_if<payments::DefiniteFail>(&outcome))
      return after_refusal(tx, job, *refund, *attempt, refused->code());
    const std::string& why = std::get<payments::Unknown>(outcome).why;
    tell_if_long(env_, tx, *refund, kTellUnansweredMs, why);
    return jobs::outbox::reschedule(tx, job, now + poll_delay_ms(*refund, now), why);
  });
}

// Refused for now (our balance, a limit): the same number is tried again, and a person is told.
Result<bool> RefundFlow::after_refusal(storage::Tx& tx, const jobs::Job& job,
                                       const payments::Refund& asked,
                                       const payments::Attempt& attempt,
                                       const std::string& code) const {
  auto refund = find_refund(tx, asked.out_refund_no);
  check(refund.has_value(), "a refund is never removed");
  if (is_final_refund(*refund)) return jobs::outbox::finish(tx, job);
  if (is_for_good(code) && refund->state == refund_state::kRequested) {
    const auto refused = refuse_refund(env_, tx, *refund, attempt, code, attempt.channel);
    if (!refused) return refused;
    return jobs::outbox::finish(tx, job);
  }
  open_work_item(env_, tx, kWaits, refund->out_refund_no.text, refund->order, code);
  const std::int64_t now = env_.clock.wall_ms();
  const bool is_new = now - refund->created_at_ms < kRetryLaterMs;
  return jobs::outbox::reschedule(tx, job, now + (is_new ? kRetrySoonMs : kRetryLaterMs), code);
}

Result<bool> RefundFlow::ask(const OutRefundNo& out_refund_no) const {
  std::optional<payments::Refund> refund;
  std::optional<payments::Attempt> attempt;
  env_.db.read([&](storage::Reader& reader) {
    refund = find_refund(reader, out_refund_no);
    if (refund) attempt = find_attempt(reader, refund->out_trade_no);
  });
  if (!refund) return refuse(Code::not_found, "refund_not_found", "out_refund_no");
  payments::PayChannel* channel = attempt ? env_.channels.find(attempt->channel) : nullptr;
  if (channel == nullptr) return refuse(Code::unavailable, "channel_unavailable", "channel");
  const auto outcome =
      channel->query_refund_of(refund->out_trade_no, out_refund_no, attempt->payee);
  const auto* said = std::get_if<payments::RefundTrade>(&outcome);
  if (said == nullptr) return refuse(Code::unavailable, "channel_unavailable", "channel");
  return storage::with_tx(env_.db, [&](storage::Tx& tx) -> Result<bool> {
    // What was abnormal and is closed now certainly stays: its amount is free.
    const auto now_stored = find_refund(tx, out_refund_no);
    const bool is_freed = said->state == payments::RefundState::closed && now_stored &&
                          now_stored->state == refund_state::kRefused && is_reserved(*now_stored);
    if (is_freed) {
      payments::payment_store::release_refund(tx, *now_stored, env_.clock.wall_ms());
      payments::payment_store::save_refund_state(tx, out_refund_no, refund_state::kRefused,
                                                 env_.clock.wall_ms(), payments::kRefundClosed);
      return true;
    }
    return settle_refund(env_, tx, *said, attempt->channel);
  });
}

}  // namespace topup::orders
