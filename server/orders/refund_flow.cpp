#include "server/orders/refund_flow.h"

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
constexpr std::int64_t kRetryMs = 600'000;  // our balance at the channel may be filled up meanwhile

bool is_final_refund(const payments::Refund& refund) {
  return refund.state == refund_state::kSucceeded || refund.state == refund_state::kRefused;
}

// The refund of an order's own payment moves the order; that of a duplicate only moves money.
Result<bool> finish_refund(const OrderEnv& env, storage::Tx& tx, const payments::Refund& refund,
                           const payments::Attempt& attempt, Event event, std::string_view actor,
                           std::string_view why) {
  auto order = order_store::find(tx, refund.order);
  check(order.has_value(), "a refund has an order");
  const bool moves_order =
      attempt.state == payments::attempt_state::kPaid && next(order->state, event).has_value();
  if (moves_order) {
    Cause cause{std::string(actor), std::string(why)};
    cause.refund = &refund;
    const auto moved = apply(env, tx, *order, event, cause);
    if (!moved) return tl::unexpected<Error>(moved.error());
    return true;
  }
  const std::int64_t now = env.clock.wall_ms();
  if (event == Event::refund_succeeded) {
    ledger::post(tx,
                 ledger::order_refunded(refund.out_refund_no.text, attempt.channel, refund.amount),
                 refund.order, base::TraceScope::current(), now);
  } else {
    open_work_item(env, tx, "refund_refused", refund.out_refund_no.text, refund.order, why);
  }
  audit::append(tx,
                {actor, std::string("refund.") + std::string(to_word(event)), refund.order.text,
                 refund.out_refund_no.text},
                base::TraceScope::current(), now);
  return true;
}

std::int64_t poll_delay_ms(const payments::Refund& refund, std::int64_t now) {
  const std::int64_t age = now - refund.created_at_ms;
  return age < kFirstPollMs ? kFirstPollMs
                            : (age > kMaxPollMs ? kMaxPollMs : age);  // doubles the age each time
}

}  // namespace

Result<bool> settle_refund(const OrderEnv& env, storage::Tx& tx, const payments::RefundTrade& said,
                           std::string_view actor) {
  const auto refund = find_refund(tx, said.out_refund_no);
  if (!refund) {
    open_work_item(env, tx, "refund_without_request", said.out_refund_no.text, OrderId(),
                   "a channel reports a refund that this shop did not ask for");
    return true;
  }
  if (refund->state == refund_state::kRefused && said.state == payments::RefundState::succeeded) {
    // Settled by hand at the channel: the money has left, so the books need a person.
    open_work_item(env, tx, "refund_after_refusal", refund->out_refund_no.text, refund->order,
                   decimal_text(said.amount));
    return true;
  }
  if (is_final_refund(*refund)) return false;
  const std::int64_t now = env.clock.wall_ms();
  const auto attempt = find_attempt(tx, refund->out_trade_no);
  check(attempt.has_value(), "a refund belongs to an attempt");
  switch (said.state) {
    case payments::RefundState::processing:
      if (refund->state == refund_state::kProcessing) return false;
      payments::payment_store::save_refund_state(tx, refund->out_refund_no,
                                                 refund_state::kProcessing, now);
      return true;
    case payments::RefundState::succeeded:
      if (said.amount != refund->amount) {
        open_work_item(
            env, tx, "refund_amount_differs", refund->out_refund_no.text, refund->order,
            "asked " + decimal_text(refund->amount) + ", refunded " + decimal_text(said.amount));
        return false;
      }
      payments::payment_store::save_refund_state(tx, refund->out_refund_no,
                                                 refund_state::kSucceeded, now);
      return finish_refund(env, tx, *refund, *attempt, Event::refund_succeeded, actor, "");
    case payments::RefundState::closed:
    case payments::RefundState::abnormal:
      payments::payment_store::save_refund_state(tx, refund->out_refund_no, refund_state::kRefused,
                                                 now);
      return finish_refund(env, tx, *refund, *attempt, Event::refund_refused, actor,
                           said.state == payments::RefundState::closed ? "CLOSED" : "ABNORMAL");
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
  const payments::RefundRequest request{refund->out_refund_no,
                                        refund->out_trade_no,
                                        refund->amount,
                                        {attempt->paid_minor, attempt->amount.currency},
                                        refund->reason};
  const auto outcome = refund->state == refund_state::kProcessing
                           ? channel->query_refund(refund->out_refund_no)
                           : channel->refund(request);
  (void)storage::with_tx(env_.db, [&](storage::Tx& tx) -> Result<bool> {
    if (const auto* said = std::get_if<payments::RefundTrade>(&outcome)) {
      const auto changed = settle_refund(env_, tx, *said, attempt->channel);
      if (!changed) return changed;
      if (said->state != payments::RefundState::processing) return jobs::outbox::finish(tx, job);
      return jobs::outbox::reschedule(tx, job, now + poll_delay_ms(*refund, now),
                                      "refund is processing");
    }
    if (const auto* refused = std::get_if<payments::DefiniteFail>(&outcome)) {
      // Refused for now (our balance, a limit): the same number is tried again; a person is told.
      open_work_item(env_, tx, "refund_waits", refund->out_refund_no.text, refund->order,
                     refused->code());
      return jobs::outbox::reschedule(tx, job, now + kRetryMs, refused->code());
    }
    return jobs::outbox::reschedule(tx, job, now + poll_delay_ms(*refund, now),
                                    std::get<payments::Unknown>(outcome).why);
  });
}

}  // namespace topup::orders
