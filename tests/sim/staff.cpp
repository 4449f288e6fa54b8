#include "tests/sim/staff.h"

#include <string>

#include "server/orders/refund_deeds.h"
#include "server/orders/transition.h"

namespace topup::sim {
namespace {

constexpr int kMostTries = 1'000;  // of one deed, while the shop keeps dying
constexpr int kMostLooks = 60;     // at an order that is not yet what one waits for
constexpr std::int64_t kHourMs = 3'600'000;
const std::string kActor = "staff:desk";

}  // namespace

void Staff::come(std::uint64_t seed, int first, int count) {
  for (int number = first; number < first + count; ++number) {
    testing::SeededRandom chance(seed * 2'000'003 + static_cast<std::uint64_t>(number));
    Plan plan;
    plan.number = number;
    plan.asks = chance.percent(10);
    plan.ask_after_ms = chance.below(2 * kHourMs);
    plan.gives = chance.percent(plan.asks ? 60 : 4);
    plan.give_after_ms = plan.ask_after_ms + chance.below(kHourMs);
    plan.share_percent = chance.percent(50) ? 100 : 1 + chance.below(99);
    plan.reviews = !chance.percent(15);
    plan.approves = chance.percent(75);
    plan.review_after_ms = chance.below(kHourMs);
    plan.takes_back = chance.percent(12);
    plan.take_after_ms = chance.below(kHourMs / 2);
    plans_.push_back(plan);
  }
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    const Plan& plan = plans_[i];
    if (plan.asks) world_.after(plan.ask_after_ms, [this, i] { ask(i); });
    if (plan.takes_back) world_.after(plan.take_after_ms, [this, i] { take_back(i); });
    if (plan.gives) world_.after(plan.give_after_ms, [this, i] { give_back(i); });
    if (plan.reviews) world_.after(plan.review_after_ms, [this, i] { review(i); });
  }
}

const Wish* Staff::wish_of(const Plan& plan) const {
  for (const Wish& wish : buyers_.wishes()) {
    if (wish.number == plan.number) return wish.order.empty() ? nullptr : &wish;
  }
  return nullptr;
}

bool Staff::try_again(std::size_t i, void (Staff::*what)(std::size_t)) {
  if (++plans_[i].tries > kMostTries) return false;
  world_.after(world_.between(5'000, 120'000), [this, i, what] { (this->*what)(i); });
  return true;
}

// Asked for while anything may be happening to the order; nothing moves by it.
void Staff::ask(std::size_t i) {
  const Wish* wish = wish_of(plans_[i]);
  if (wish == nullptr) return;
  const bool answered = shop_.serve([&](Node& node) {
    const auto asked = storage::with_tx(node.env.db, [&](storage::Tx& tx) {
      return orders::ask_for_refund(node.env, tx, wish->user, wish->order, "changed my mind");
    });
    if (asked) ++world_.counts.asked_back;
  });
  if (!answered) try_again(i, &Staff::ask);
}

// Looks again and again, as a buyer does who hopes to be quicker than the supplier.
void Staff::take_back(std::size_t i) {
  const Wish* wish = wish_of(plans_[i]);
  bool is_over = ++plans_[i].take_looks >= kMostLooks;
  if (wish != nullptr) {
    shop_.serve([&](Node& node) {
      const auto taken = storage::with_tx(node.env.db, [&](storage::Tx& tx) -> Result<bool> {
        auto order = orders::order_store::find(tx, wish->order);
        if (bug_ == Bug::taken_back_too_late && order && order->state == State::submitting) {
          order->state = State::paid;
          const auto moved = orders::apply(node.env, tx, *order, Event::refund_ordered,
                                           {"buyer:" + wish->user.text, "too late"});
          if (!moved) return tl::unexpected<Error>(moved.error());
          return true;
        }
        return orders::ask_for_refund(node.env, tx, wish->user, wish->order, "too slow", true);
      });
      is_over = is_over || taken.has_value();
      if (!taken) return;
      ++world_.counts.taken_back;
      world_.note("the buyer has taken back " + wish->order.text);
    });
  }
  if (!is_over) world_.after(world_.between(200, 20'000), [this, i] { take_back(i); });
}

// Of what was delivered, and of what waits for a supplier that can take it. Whoever was not
// answered looks at what the order's refunds are before asking again.
void Staff::give_back(std::size_t i) {
  Plan& plan = plans_[i];
  const Wish* wish = wish_of(plan);
  const bool looks_on = ++plan.looks < kMostLooks;
  bool is_settled = false;
  std::int64_t of_delivered = 0;
  const bool answered = wish != nullptr && shop_.serve([&](Node& node) {
    const auto given = storage::with_tx(node.env.db, [&](storage::Tx& tx) -> Result<bool> {
      const auto order = orders::order_store::find(tx, wish->order);
      const auto payment = orders::refundable_of(tx, wish->order);
      if (!order || !payment) return refuse(Code::conflict, "nothing_yet");
      const Money part{payment->paid.minor * plan.share_percent / 100, payment->paid.currency};
      for (const RefundShare& share : payment->shares) {
        if (share.amount == part && plan.share_percent < 100) of_delivered = part.minor;
      }
      const auto whole_is_back = [&] {
        return order->state == State::refunding || order->state == State::refunded;
      };
      if (of_delivered > 0) return true;
      if (plan.share_percent == 100 && whole_is_back()) {
        // Only what was delivered can have been a loss; anything else went back by itself.
        tx.query(
            "SELECT COUNT(*) FROM order_events WHERE order_id = $1 AND event = "
            "'refund_ordered' AND from_state = 'succeeded'",
            {wish->order.text}, [&](const storage::Row& row) {
              if (row.integer(0) > 0) of_delivered = part.minor;
            });
        return true;
      }
      const bool may_now = order->state == State::succeeded ||
                           (order->state == State::paid && plan.share_percent == 100);
      if (!may_now || part.minor == 0) return refuse(Code::conflict, "not_now");
      const auto done =
          orders::order_refund(node.env, tx, {wish->order, part, kActor, "the desk gives back"});
      if (done && order->state == State::succeeded) of_delivered = part.minor;
      return done;
    });
    is_settled = given.has_value();
  });
  if (answered && is_settled) {
    if (of_delivered > 0) given_back_[wish->order.text] = of_delivered;
    ++world_.counts.given_back;
    world_.note("staff has given back of " + wish->order.text);
    return;
  }
  if (wish == nullptr || answered) {
    if (looks_on) world_.after(world_.between(60'000, 600'000), [this, i] { give_back(i); });
    return;
  }
  try_again(i, &Staff::give_back);
}

void Staff::review(std::size_t i) {
  Plan& plan = plans_[i];
  const Wish* wish = wish_of(plan);
  const bool looks_on = ++plan.review_looks < kMostLooks;
  bool is_settled = false;
  const bool answered = wish != nullptr && shop_.serve([&](Node& node) {
    const auto decided = storage::with_tx(node.env.db, [&](storage::Tx& tx) -> Result<State> {
      const auto order = orders::order_store::find(tx, wish->order);
      if (!order || order->state != State::awaiting_approval)
        return refuse(Code::conflict, "not_now");
      return node.reviews.decide(
          tx, wish->order,
          plan.approves ? orders::ReviewDecision::approve : orders::ReviewDecision::decline, kActor,
          "looked at by the desk");
    });
    is_settled = decided.has_value();
  });
  if (answered && is_settled) {
    ++world_.counts.reviewed;
    return;
  }
  if (wish != nullptr && !answered) {
    try_again(i, &Staff::review);
  } else if (looks_on) {
    world_.after(world_.between(30'000, 300'000), [this, i] { review(i); });
  }
}

}  // namespace topup::sim
