#include "server/orders/transition.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

#include "tests/support/order_shop.h"

namespace topup::orders {
namespace {

using testing::OrderShop;
using testing::ScriptedSupplier;

constexpr std::int64_t kHourMs = 3'600'000;

// A person's or a party's word about an order, as the routes and flows will hand it in.
bool tell(OrderShop& shop, const OrderId& id, Event event, Cause cause = {"staff:anna", "test"}) {
  const auto moved = storage::with_tx(shop.shop.db(), [&](storage::Tx& tx) {
    Order order = *order_store::find(tx, id);
    return apply(shop.env, tx, order, event, cause);
  });
  return moved.has_value();
}
OrderId delivered_order(OrderShop& shop) {
  const OrderId id = shop.paid_order();
  suppliers::SupplyOutcome done = ScriptedSupplier::said(suppliers::SupplyState::succeeded);
  done.cost = fen(4'800);
  shop.reloadly->submits.then(done);
  REQUIRE(shop.run_until_quiet(kHourMs));
  REQUIRE(shop.state(id) == State::succeeded);
  return id;
}
OrderId mismatched_order(OrderShop& shop, std::int64_t paid) {
  const OrderId id = shop.place();
  REQUIRE(shop.notify(OrderShop::paid(shop.start(id), fen(paid))).has_value());
  REQUIRE(shop.state(id) == State::review);
  return id;
}

TEST_CASE(
    "transition: an order that changed since it was read is refused, and nothing is written") {
  OrderShop shop;
  Order stale = shop.load(shop.place());
  shop.start(stale.id);
  const auto moved = storage::with_tx(shop.shop.db(), [&](storage::Tx& tx) {
    return apply(shop.env, tx, stale, Event::cancel, {"buyer", ""});
  });
  REQUIRE_FALSE(moved.has_value());
  CHECK(moved.error().code == Code::conflict);
  CHECK(moved.error().reason == "order_changed");
  CHECK(shop.state(stale.id) == State::paying);
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM order_events WHERE event = 'cancel'") == 0);
  CHECK(shop.broken_books() == "");
}

TEST_CASE(
    "transition: what the table does not list is refused and leaves no trace, in every state") {
  OrderShop shop;
  const OrderId id = shop.place();
  const std::int64_t rows = shop.shop.integer("SELECT COUNT(*) FROM audit_log");
  for (std::size_t state = 0; state < kStateCount; ++state) {
    for (std::size_t event = 0; event < kEventCount; ++event) {
      if (next(static_cast<State>(state), static_cast<Event>(event))) continue;
      const auto moved = storage::with_tx(shop.shop.db(), [&](storage::Tx& tx) {
        Order order = *order_store::find(tx, id);
        order.state = static_cast<State>(state);
        return apply(shop.env, tx, order, static_cast<Event>(event), {"system", ""});
      });
      REQUIRE_FALSE(moved.has_value());
      CHECK(moved.error().reason == "event_not_allowed");
    }
  }
  CHECK(shop.load(id).version == 1);
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM audit_log") == rows);
}

TEST_CASE("transition: a step that breaks half-way leaves no half of it") {
  OrderShop shop;
  const OrderId id = shop.place();
  shop.start(id);
  // The table allows it, but no attempt is given to be posted: the invariant breaks after the state
  // was written.
  CHECK_THROWS_AS(shop.shop.db().write([&](storage::Tx& tx) {
    Order order = *order_store::find(tx, id);
    return apply(shop.env, tx, order, Event::payment_confirmed, {"wechat", ""}).has_value();
  }),
                  InvariantBroken);
  CHECK(shop.state(id) == State::paying);
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM order_events WHERE event = 'payment_confirmed'") ==
        0);
  CHECK(shop.jobs(job_kind::kSubmit) == 0);
  CHECK(shop.broken_books() == "");
}

TEST_CASE(
    "transition: a delivery that the supplier takes back is booked back, and then given back") {
  OrderShop shop;
  const OrderId id = delivered_order(shop);
  const suppliers::SupplyAttempt supply = shop.supply_of(id);
  REQUIRE(tell(shop, id, Event::supplier_reversed, {"reloadly", "REVERSED", nullptr, &supply}));
  CHECK(shop.state(id) == State::reversed);
  CHECK(shop.work_items() == std::vector<std::string>{"supplier_reversed"});
  CHECK(shop.balance("revenue.sales") == 0);
  CHECK(shop.balance("cost.sales") == 0);
  CHECK(shop.balance("liability.customer_orders") == -testing::kPayable);
  CHECK_FALSE(tell(shop, id, Event::supplier_reversed, {"reloadly", "", nullptr, &supply}));

  REQUIRE(tell(shop, id, Event::refund_ordered));
  CHECK(shop.run_until_quiet(kHourMs));
  CHECK(shop.state(id) == State::refunded);
  CHECK(shop.balance("liability.customer_orders") == 0);
  CHECK(shop.balance("asset.channel_clearing.wechat") == 0);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("transition: after a reversal a person may vouch for the delivery again") {
  OrderShop shop;
  const OrderId id = delivered_order(shop);
  const suppliers::SupplyAttempt supply = shop.supply_of(id);
  REQUIRE(tell(shop, id, Event::supplier_reversed, {"reloadly", "", nullptr, &supply}));
  REQUIRE(tell(shop, id, Event::delivered_by_hand));
  CHECK(shop.state(id) == State::succeeded);
  CHECK(shop.balance("revenue.sales") == -testing::kPayable);
  CHECK(shop.balance("liability.customer_orders") == 0);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("transition: money that did not fit is taken from suspense, to deliver or to give back") {
  const std::int64_t paid = testing::kPayable + 25;
  SUBCASE("given back: what was paid, not what was owed") {
    OrderShop shop;
    const OrderId id = mismatched_order(shop, paid);
    CHECK(shop.balance("liability.suspense") == -paid);
    REQUIRE(tell(shop, id, Event::review_rejected));
    CHECK(shop.balance("liability.suspense") == 0);
    CHECK(shop.run_until_quiet(kHourMs));
    CHECK(shop.state(id) == State::refunded);
    REQUIRE(shop.wechat->refunds.calls() == 1);
    CHECK(shop.wechat->refunds.heard().front().amount == fen(paid));
    CHECK(shop.balance("asset.channel_clearing.wechat") == 0);
    CHECK(shop.balance("liability.customer_orders") == 0);
    CHECK(shop.broken_books() == "");
  }
  SUBCASE("delivered: the whole of it is earned") {
    OrderShop shop;
    const OrderId id = mismatched_order(shop, paid);
    REQUIRE(tell(shop, id, Event::review_approved));
    CHECK(shop.run_until_quiet(kHourMs));
    CHECK(shop.state(id) == State::succeeded);
    CHECK(shop.balance("revenue.sales") == -paid);
    CHECK(shop.balance("liability.customer_orders") == 0);
    CHECK(shop.broken_books() == "");
  }
}

TEST_CASE("transition: a part goes back, the delivery stays; then the rest goes back") {
  OrderShop shop;
  const OrderId id = delivered_order(shop);
  Cause part{"staff:anna", "goodwill"};
  part.amount = fen(1'000);
  REQUIRE(tell(shop, id, Event::partial_refund_ordered, part));
  CHECK(shop.balance("liability.customer_orders") == -1'000);
  CHECK(shop.run_until_quiet(kHourMs));
  CHECK(shop.state(id) == State::succeeded);
  CHECK(shop.balance("asset.channel_clearing.wechat") == testing::kPayable - 1'000);
  CHECK(shop.balance("revenue.sales") == -(testing::kPayable - 1'000));
  CHECK(shop.balance("liability.customer_orders") == 0);

  REQUIRE(tell(shop, id, Event::refund_ordered));
  CHECK(shop.run_until_quiet(kHourMs));
  CHECK(shop.state(id) == State::refunded);
  CHECK(shop.wechat->refunds.heard().back().amount == fen(testing::kPayable - 1'000));
  CHECK(shop.balance("asset.channel_clearing.wechat") == 0);
  CHECK(shop.balance("revenue.sales") == 0);
  CHECK(shop.balance("liability.customer_orders") == 0);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("transition: a refused part returns to the books, and a person is told") {
  OrderShop shop;
  const OrderId id = delivered_order(shop);
  Cause part{"staff:anna", "goodwill"};
  part.amount = fen(1'000);
  REQUIRE(tell(shop, id, Event::partial_refund_ordered, part));
  const payments::Refund refund = shop.refunds_of(id).front();
  REQUIRE(shop.notify(testing::ScriptedChannel::refund_trade(
                          refund.out_refund_no, payments::RefundState::abnormal, refund.amount))
              .has_value());
  CHECK(shop.state(id) == State::succeeded);
  CHECK(shop.work_items() == std::vector<std::string>{"partial_refund_refused"});
  CHECK(shop.balance("revenue.sales") == -testing::kPayable);
  CHECK(shop.balance("liability.customer_orders") == 0);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("transition: more than what is left is never ordered back") {
  OrderShop shop;
  const OrderId id = delivered_order(shop);
  Cause part{"staff:anna", "goodwill"};
  part.amount = fen(testing::kPayable + 1);
  CHECK_THROWS(tell(shop, id, Event::partial_refund_ordered, part));
  CHECK(shop.refunds_of(id).empty());
  CHECK(shop.balance("liability.customer_orders") == 0);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("transition: a late payment of an order that can still be sold is delivered") {
  OrderShop shop;
  const OrderId id = shop.place();
  const OutTradeNo no = shop.start(id);
  REQUIRE(shop.payments.cancel(shop.user, id, "buyer").has_value());
  payments::Attempt attempt = shop.attempts(id).front();
  attempt.state = payments::attempt_state::kPaid;
  attempt.paid_minor = testing::kPayable;
  const auto moved = storage::with_tx(shop.shop.db(), [&](storage::Tx& tx) {
    REQUIRE(payments::payment_store::reopen_as_paid(tx, no, attempt.state, attempt.paid_minor,
                                                    "wx-1", shop.clock.wall_ms()));
    Order order = *order_store::find(tx, id);
    return apply(shop.env, tx, order, Event::late_payment_revived, {"wechat", "", &attempt});
  });
  REQUIRE(moved.has_value());
  CHECK(shop.run_until_quiet(kHourMs));
  CHECK(shop.state(id) == State::succeeded);
  CHECK(shop.wechat->refunds.calls() == 0);
  CHECK(shop.balance("revenue.sales") == -testing::kPayable);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("transition: a large order waits for a person before the supplier is called") {
  for (const bool approved : {true, false}) {
    CAPTURE(approved);
    OrderShop shop;
    const OrderId id = shop.place();
    const OutTradeNo no = shop.start(id);
    const auto moved = storage::with_tx(shop.shop.db(), [&](storage::Tx& tx) {
      REQUIRE(payments::payment_store::settle_attempt(
          tx, no, payments::attempt_state::kPaid, testing::kPayable, "wx-1", shop.clock.wall_ms()));
      const payments::Attempt paid = *payments::payment_store::find_attempt(tx, no);
      Order order = *order_store::find(tx, id);
      return apply(shop.env, tx, order, Event::review_required, {"wechat", "large", &paid});
    });
    REQUIRE(moved.has_value());
    CHECK(shop.run_until_quiet(kHourMs));
    CHECK(shop.state(id) == State::awaiting_approval);
    CHECK(shop.reloadly->submits.calls() == 0);
    REQUIRE(tell(shop, id, approved ? Event::review_approved : Event::review_rejected));
    CHECK(shop.run_until_quiet(kHourMs));
    CHECK(shop.state(id) == (approved ? State::succeeded : State::refunded));
    CHECK(shop.reloadly->submits.calls() == (approved ? 1 : 0));
    CHECK(shop.balance("liability.customer_orders") == 0);
    CHECK(shop.broken_books() == "");
  }
}

}  // namespace
}  // namespace topup::orders
