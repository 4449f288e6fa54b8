#include <doctest/doctest.h>

#include <atomic>
#include <set>

#include "server/marketing/coupon_store.h"
#include "server/marketing/offer.h"
#include "server/orders/buyer_facts_store.h"
#include "server/orders/order_rules.h"
#include "server/orders/transition.h"
#include "shared/membership.h"
#include "tests/support/order_shop.h"
#include "tests/support/together.h"

namespace topup::orders {
namespace {

using testing::kPayable;
using testing::OrderShop;

constexpr std::int64_t kOff = 300;

// A shop with one coupon template and member levels in its book.
struct CouponShop : OrderShop {
  bool degraded = false;

  CouponShop() {
    env.without_marketing = [this] { return degraded; };
    catalog.add_offers([](PriceBook* book) {
      CouponTemplate three;
      three.id = "three-off";
      three.value = kOff;
      book->coupons.push_back(three);
      Benefit silver;
      silver.id = "silver";
      silver.growth_from = 40;
      silver.discount_bp = 200;
      book->benefits.push_back(silver);
    });
    catalog.publish("reloadly",
                    catalog::product_changes("reloadly", {{"1", "China Mobile", "CN", fen(5'000)}}),
                    {{.id = "default", .rate_bp = 9'950}, {.id = "service"}}, "system");
    shop.tamper(
        "INSERT INTO campaigns (campaign_id, template_id, way, name, budget, per_user, claimed, "
        "starts_at_ms, ends_at_ms, valid_days, valid_until_ms, is_on, version, changed_by, "
        "changed_at_ms, created_at_ms) VALUES ('c', 'three-off', 'staff', 'c', 1000, 50, 0, 0, 0, "
        "0, 0, 1, 1, 'staff:x', 1, 1)");
  }
  void give(const std::string& coupon, const UserId& to, std::int64_t expires_at_ms = 0) {
    shop.db().write([&](storage::Tx& tx) {
      marketing::coupon_store::insert_coupon(
          tx, {coupon, to.text, "three-off", "c", 1, expires_at_ms, 0, "staff:x", 1});
      return marketing::coupon_store::take_from_budget(tx, "c");
    });
  }
  PlaceRequest wish(const std::string& key, CouponChoice choice = CouponChoice::best) {
    PlaceRequest wanted = request(key);
    wanted.quote.coupon_choice = choice;
    const auto priced = orders.price(wanted.quote, user);
    REQUIRE(priced.has_value());
    wanted.quote_fingerprint = fingerprint_text(priced->quote);
    wanted.confirms_repeat = true;
    return wanted;
  }
  Order placed(const std::string& key, CouponChoice choice = CouponChoice::best) {
    PricedQuote shown;
    const auto order = orders.place(wish(key, choice), &shown);
    REQUIRE(order.has_value());
    return order->order;
  }
  std::string state_of(const std::string& coupon) {
    std::string state;
    shop.db().read([&](storage::Reader& reader) {
      for (const CouponInHand& one : coupons_of(reader, user)) {
        if (one.id == coupon) state = one.state(clock.wall_ms());
      }
    });
    return state;
  }
  std::string faults() {
    std::string wrong;
    shop.db().read([&](storage::Reader& reader) {
      wrong.clear();
      for (const std::string& line : marketing::coupon_store::faults(reader)) wrong += line + "; ";
    });
    return wrong + broken_books();
  }
};

TEST_CASE(
    "F060: the server prices with the buyer's coupon, holds it, and uses it when it is paid") {
  CouponShop shop;
  shop.give("k1", shop.user);
  CHECK(shop.state_of("k1") == "available");
  const Order order = shop.placed("client-key-a0001");
  CHECK(order.payable == fen(kPayable - kOff));
  CHECK(shop.state_of("k1") == "held");
  CHECK(order.quote.find("\"coupon_id\":\"k1\"") != std::string::npos);
  const OutTradeNo no = shop.start(order.id);
  REQUIRE(shop.notify(OrderShop::paid(no, order.payable)).has_value());
  CHECK(shop.state_of("k1") == "used");
  shop.run_due();
  CHECK(shop.balance("revenue.sales") == -(kPayable - kOff));
  CHECK(shop.faults() == "");
}

TEST_CASE("F060: a coupon of somebody else, of nobody, revoked or over takes nothing off") {
  CouponShop shop;
  shop.give("k2", shop.new_user("buyer-two"));
  shop.give("k3", shop.user, shop.clock.wall_ms());
  shop.give("k4", shop.user);
  shop.shop.tamper("UPDATE owned_coupons SET revoked_at_ms = 5 WHERE coupon_id = 'k4'");
  CHECK(shop.placed("client-key-b0001").payable == fen(kPayable));
  for (const char* id : {"k2", "k3", "k4", "nothing"}) {
    QuoteRequest wanted = shop.request("client-key-b0002").quote;
    wanted.coupon_choice = CouponChoice::these;
    wanted.coupon_ids = {id};
    const auto priced = shop.orders.price(wanted, shop.user);
    REQUIRE_FALSE(priced.has_value());
    CHECK(priced.error().reason == "coupon_not_usable");
  }
  CHECK(shop.state_of("k3") == "expired");
  CHECK(shop.state_of("k4") == "revoked");
}

TEST_CASE("F060: 16 orders at once that want the one coupon: one has it, the others are told") {
  CouponShop shop;
  shop.give("k1", shop.user);
  std::vector<PlaceRequest> wishes;
  for (int i = 0; i < 16; ++i)
    wishes.push_back(shop.wish("client-key-par" + std::to_string(100 + i)));
  std::atomic<int> placed{0}, told{0};
  testing::together(16, [&](int i) {
    PricedQuote shown;
    const auto order = shop.orders.place(wishes[static_cast<std::size_t>(i)], &shown);
    placed += order ? 1 : 0;
    told += !order && (order.error().reason == "coupon_in_use" ||
                       order.error().reason == "price_changed")
                ? 1
                : 0;
  });
  CHECK(placed == 1);
  CHECK(told == 15);
  CHECK(shop.shop.integer(
            "SELECT COUNT(*) FROM order_holds WHERE kind = 'coupon' AND state = 'held'") == 1);
  CHECK(shop.faults() == "");
}

TEST_CASE("F060: the same key again is the same order with the same coupon, after a lost answer") {
  CouponShop shop;
  shop.give("k1", shop.user);
  const PlaceRequest wanted = shop.wish("client-key-c0001");
  PricedQuote shown;
  const auto first = shop.orders.place(wanted, &shown);
  const auto again = shop.orders.place(wanted, &shown);
  REQUIRE(first.has_value());
  REQUIRE(again.has_value());
  CHECK(again->replayed);
  CHECK(again->order.payable == first->order.payable);
}

TEST_CASE("F060: a cancelled order gives its coupon back, and a refunded one, too") {
  CouponShop shop;
  shop.give("k1", shop.user);
  const Order first = shop.placed("client-key-d0001");
  REQUIRE(shop.payments.cancel(shop.user, first.id, "buyer:x").has_value());
  CHECK(shop.state_of("k1") == "available");
  const Order second = shop.placed("client-key-d0002");
  CHECK(second.payable == fen(kPayable - kOff));
  REQUIRE(shop.notify(OrderShop::paid(shop.start(second.id), second.payable)).has_value());
  CHECK(shop.state_of("k1") == "used");
  shop.shop.db().write([&](storage::Tx& tx) {
    auto order = order_store::find(tx, second.id);
    Cause cause;
    cause.actor = "staff:x";
    return apply(shop.env, tx, *order, Event::hold_expired, cause).has_value();
  });
  CHECK(shop.state(second.id) == State::refunding);
  CHECK(shop.state_of("k1") == "available");
  CHECK(shop.faults() == "");
}

TEST_CASE(
    "F060: a late payment of a closed order is delivered only while its coupon is still free") {
  for (const bool is_spent : {false, true}) {
    CAPTURE(is_spent);
    CouponShop shop;
    shop.env.live_limits = [] {
      OrderLimits limits{15 * 60'000, 10};
      limits.revive_within_ms = 3'600'000;
      return limits;
    };
    shop.give("k1", shop.user);
    const Order order = shop.placed("client-key-e0001");
    const OutTradeNo no = shop.start(order.id);
    REQUIRE(shop.payments.cancel(shop.user, order.id, "buyer:x").has_value());
    if (is_spent) (void)shop.placed("client-key-e0002");
    REQUIRE(shop.notify(OrderShop::paid(no, order.payable)).has_value());
    CHECK((shop.state(order.id) == State::paid) == !is_spent);
    CHECK(shop.faults() == "");
  }
}

TEST_CASE("F019: without marketing no coupon is looked at, and the order is at the plain price") {
  CouponShop shop;
  shop.give("k1", shop.user);
  shop.degraded = true;
  CHECK(shop.placed("client-key-f0001").payable == fen(kPayable));
  CHECK(shop.state_of("k1") == "available");
}

TEST_CASE("F058: what was delivered lifts the buyer to a level, and the next order has its price") {
  CouponShop shop;
  const OrderId order = shop.paid_order();
  shop.reloadly->submits.then(
      testing::ScriptedSupplier::said(suppliers::SupplyState::succeeded, "DONE"));
  shop.run_due();
  REQUIRE(shop.state(order) == State::succeeded);
  const auto facts_now = [&] {
    BuyerFacts facts;
    shop.shop.db().read([&](storage::Reader& reader) {
      facts = facts_of(shop.env, reader, (*shop.catalog.current())->book, shop.user,
                       shop.clock.wall_ms());
    });
    return facts;
  };
  const BuyerFacts facts = facts_now();
  CHECK(facts.growth == kPayable / 100);
  CHECK(facts.level_id == "silver");
  CHECK_FALSE(facts.first_order);
  CHECK(facts.day_orders == 1);
  CHECK(facts.day_minor == kPayable);
  shop.clock.advance(kDayMs);
  CHECK(facts_now().growth == facts.growth);
  CHECK(facts_now().day_orders == 0);
  CHECK(facts_now().day_minor == 0);
  CHECK_FALSE(facts_now().first_order);
  // 2 % off 49.75, rounded down.
  CHECK(shop.placed("client-key-g0003").payable == fen(kPayable - 99));
  shop.clock.advance(kGrowthWindowMs + 1);
  CHECK(shop.placed("client-key-g0004").payable == fen(kPayable));
}

TEST_CASE(
    "orders: what a buyer spent in a year is told by an index, not by the orders themselves") {
  OrderShop shop;
  if (testing::ScratchShop::is_postgres()) return;  // there the plan depends on how full tables are
  std::string said;
  shop.shop.db().read([&](storage::Reader& reader) {
    reader.query("EXPLAIN QUERY PLAN " + std::string(history_sql()), {},
                 [&](const storage::Row& row) { said += row.text(3) + "\n"; });
  });
  CAPTURE(said);
  CHECK(said.find("SCAN orders") == std::string::npos);
  CHECK(said.find("USING COVERING INDEX orders_succeeded") != std::string::npos);
  CHECK(said.find("orders_by_user (user_id=? AND order_id>?)") != std::string::npos);
}

}  // namespace
}  // namespace topup::orders
