#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <vector>

#include "server/orders/order_holds_store.h"
#include "tests/support/order_shop.h"
#include "tests/support/together.h"

namespace topup::orders {
namespace {

using testing::OrderShop;

Result<OrderView> place_with(OrderShop& shop, const std::string& key, Hold hold) {
  PlaceRequest wanted = shop.request(key);
  wanted.holds.push_back(std::move(hold));
  PricedQuote shown;
  return shop.orders.place(wanted, &shown);
}

void set_stock(OrderShop& shop, std::int64_t amount) {
  shop.shop.db().write([&](storage::Tx& tx) {
    order_holds::set_stock(tx, "pins", amount);
    return true;
  });
}

std::int64_t left(OrderShop& shop) {
  std::int64_t found = -1;
  shop.shop.db().read(
      [&](storage::Reader& reader) { found = order_holds::left_of(reader, "pins"); });
  return found;
}

const Hold kStock{std::string(hold_kind::kStock), "pins"};
const Hold kCoupon{std::string(hold_kind::kCoupon), "coupon-1"};

TEST_CASE("B-01: 200 at once for a stock of 100 take exactly 100") {
  constexpr int kBuyers = 200;
  OrderShop shop;
  set_stock(shop, 100);
  std::vector<PlaceRequest> wanted;
  for (int i = 0; i < kBuyers; ++i) {
    shop.user = shop.new_user("buyer-of-stock-" + std::to_string(i));
    wanted.push_back(shop.request("stock-key-" + std::to_string(100'000 + i)));
    wanted.back().holds.push_back(kStock);
  }
  std::atomic<int> placed{0}, refused{0}, other{0};
  testing::together(kBuyers, [&](int i) {
    PricedQuote shown;
    const auto view = shop.orders.place(wanted[static_cast<std::size_t>(i)], &shown);
    if (view) {
      ++placed;
    } else if (view.error().reason == "out_of_stock") {
      ++refused;
    } else {
      ++other;
    }
  });
  CHECK(placed == 100);
  MESSAGE("figure B-01: " << placed.load() << " of " << kBuyers << " took the 100 there were");
  CHECK(refused == 100);
  CHECK(other == 0);
  CHECK(left(shop) == 0);
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM orders") == 100);
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM order_holds WHERE state = 'held'") == 100);
}

TEST_CASE("B-02: a coupon serves one live order, and comes back once") {
  OrderShop shop;
  const auto first = place_with(shop, "coupon-key-000001", kCoupon);
  REQUIRE(first.has_value());
  const auto second = place_with(shop, "coupon-key-000002", kCoupon);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().reason == "coupon_in_use");
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM orders") == 1);
  REQUIRE(shop.payments.cancel(shop.user, first->order.id, "buyer").has_value());
  CHECK(place_with(shop, "coupon-key-000003", kCoupon).has_value());
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM order_holds WHERE state = 'held'") == 1);
}

TEST_CASE("B-02: at once, one coupon goes to one order") {
  OrderShop shop;
  std::vector<PlaceRequest> wanted;
  for (int i = 0; i < 16; ++i) {
    wanted.push_back(shop.request("race-key-" + std::to_string(100'000 + i)));
    wanted.back().holds.push_back(kCoupon);
  }
  shop.env.settings.max_unpaid_per_user = 100;
  std::atomic<int> placed{0};
  testing::together(16, [&](int i) {
    PricedQuote shown;
    if (shop.orders.place(wanted[static_cast<std::size_t>(i)], &shown)) ++placed;
  });
  CHECK(placed == 1);
}

TEST_CASE(
    "F009: what an order held is given back when it ends unpaid or refunded, and kept when "
    "delivered") {
  OrderShop shop;
  set_stock(shop, 2);
  const auto placed = place_with(shop, "holds-key-000001", kStock);
  REQUIRE(placed.has_value());
  const OrderId order = placed->order.id;
  CHECK(left(shop) == 1);
  SUBCASE("expired") {
    REQUIRE(shop.run_until_quiet(86'400'000));
    CHECK(shop.state(order) == State::closed);
    CHECK(left(shop) == 2);
  }
  SUBCASE("delivered") {
    REQUIRE(shop.notify(OrderShop::paid(shop.start(order))).has_value());
    REQUIRE(shop.run_until_quiet(60'000));
    CHECK(shop.state(order) == State::succeeded);
    CHECK(left(shop) == 1);
  }
  SUBCASE("refused by the supplier, once") {
    shop.reloadly->submits.usually(
        testing::ScriptedSupplier::said(suppliers::SupplyState::rejected, "NO"));
    REQUIRE(shop.notify(OrderShop::paid(shop.start(order))).has_value());
    REQUIRE(shop.run_until_quiet(86'400'000));
    CHECK(shop.state(order) == State::refunded);
    CHECK(left(shop) == 2);
  }
}

TEST_CASE("X07: a late payment is revived only with what the order held") {
  OrderShop shop;
  shop.env.live_limits = [&shop] {
    return OrderLimits{.pay_within_ms = shop.env.settings.pay_within_ms,
                       .max_unpaid_per_user = 10,
                       .revive_within_ms = 3'600'000};
  };
  set_stock(shop, 1);
  const auto placed = place_with(shop, "late-key-000001", kStock);
  REQUIRE(placed.has_value());
  const OutTradeNo sheet = shop.start(placed->order.id);
  REQUIRE(shop.payments.cancel(shop.user, placed->order.id, "buyer").has_value());
  CHECK(left(shop) == 1);
  State ends = State::succeeded;
  SUBCASE("it is still there") {}
  SUBCASE("somebody else has it") {
    REQUIRE(place_with(shop, "late-key-000002", kStock).has_value());
    ends = State::refunded;
  }
  REQUIRE(shop.notify(OrderShop::paid(sheet)).has_value());
  REQUIRE(shop.run_until_quiet(600'000));
  CHECK(shop.state(placed->order.id) == ends);
  CHECK(left(shop) == 0);
  CHECK(shop.broken_books().empty());
}

}  // namespace
}  // namespace topup::orders
