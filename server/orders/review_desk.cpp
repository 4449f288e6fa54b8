#include "server/orders/review_desk.h"

#include <algorithm>

#include "server/orders/transition.h"
#include "server/orders/work_item_store.h"
#include "server/payments/payment_store.h"

namespace topup::orders {
namespace {

bool has_money(storage::Reader& reader, const OrderId& id) {
  const auto attempts = payments::payment_store::attempts_of(reader, id);
  return std::any_of(attempts.begin(), attempts.end(), [](const payments::Attempt& attempt) {
    return attempt.paid_minor > 0 && (attempt.state == payments::attempt_state::kPaid ||
                                      attempt.state == payments::attempt_state::kMismatch);
  });
}

}  // namespace

Result<Order> ReviewDesk::in_review(storage::Reader& reader, const OrderId& id) const {
  auto order = order_store::find(reader, id);
  if (!order) return refuse(Code::not_found, "order_not_found", "order_id");
  if (order->state != State::awaiting_approval && order->state != State::review)
    return refuse(Code::conflict, "order_not_in_review", "order_id");
  if (!has_money(reader, id))
    return refuse(Code::rejected, "nothing_paid_to_us", "order_id", "settle it at the channel");
  return std::move(*order);
}

Result<bool> ReviewDesk::wants_second(storage::Reader& reader, const OrderId& id,
                                      ReviewDecision decision) const {
  const Result<Order> order = in_review(reader, id);
  if (!order) return tl::unexpected<Error>(order.error());
  const std::int64_t limit = env_.limits().two_people_above_minor;
  return decision == ReviewDecision::approve && limit > 0 && order->payable.minor > limit;
}

Result<State> ReviewDesk::decide(storage::Tx& tx, const OrderId& id, ReviewDecision decision,
                                 const std::string& actor, const std::string& reason) const {
  Result<Order> order = in_review(tx, id);
  if (!order) return tl::unexpected<Error>(order.error());
  const Event event =
      decision == ReviewDecision::approve ? Event::review_approved : Event::review_rejected;
  return apply(env_, tx, *order, event, {actor, reason});
}

void ReviewDesk::run_expiry(const jobs::Job& job) const {
  (void)storage::with_tx(env_.db, [&](storage::Tx& tx) -> Result<bool> {
    auto order = order_store::find(tx, OrderId(job.subject));
    if (order && order->state == State::awaiting_approval) {
      const auto moved =
          apply(env_, tx, *order, Event::hold_expired, {"job:order_review", "nobody_decided"});
      if (!moved) return tl::unexpected<Error>(moved.error());
    }
    return jobs::outbox::finish(tx, job);
  });
}

}  // namespace topup::orders
