#include "server/orders/transition.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

#include "tests/support/order_shop.h"

namespace topup::orders {
namespace {

using testing::OrderShop;

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
  for (int state = 0; state <= static_cast<int>(State::manual); ++state) {
    for (int event = 0; event <= static_cast<int>(Event::give_up); ++event) {
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

}  // namespace
}  // namespace topup::orders
