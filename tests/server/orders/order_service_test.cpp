#include "server/orders/order_service.h"

#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <string>
#include <vector>

#include "tests/support/order_shop.h"
#include "tests/support/together.h"

namespace topup::orders {
namespace {

using testing::OrderShop;

TEST_CASE(
    "orders: a placed order is priced by the server, sealed, audited and has its time to be paid") {
  OrderShop shop;
  PricedQuote shown;
  const auto placed = shop.orders.place(shop.request("client-key-000001"), &shown);
  REQUIRE(placed.has_value());
  const Order& order = placed->order;
  CHECK(order.state == State::awaiting_payment);
  CHECK(order.payable == fen(testing::kPayable));
  CHECK(order.face == fen(5'000));
  CHECK(order.account_masked == "138****8000");
  CHECK(order.account_sealed.find(testing::kNumber) == std::string::npos);
  CHECK(*shop.pii.open("orders", "account_sealed", order.id.text, order.account_sealed) ==
        "+8613800138000");
  CHECK(order.pay_by_ms == shop.clock.wall_ms() + shop.env.settings.pay_within_ms);
  CHECK(shop.due_at(job_kind::kExpire) == order.pay_by_ms);
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM audit_log WHERE subject = $1", {order.id.text}) ==
        1);
  REQUIRE(placed->events.size() == 1);
  CHECK(placed->events[0].event == "place");
}

TEST_CASE("orders: the number is nowhere in the file in the clear") {
  OrderShop shop;
  shop.paid_order();
  shop.run_due();
  const std::vector<std::string> tables = shop.shop.tables();
  CHECK(tables.size() > 15);
  for (const std::string& table : tables) {
    for (const std::string& column : shop.shop.columns(table)) {
      CAPTURE(table + "." + column);
      CHECK(shop.shop.integer("SELECT COUNT(*) FROM " + table + " WHERE CAST(" + column +
                              " AS TEXT) LIKE '%" + std::string(testing::kNumber) + "%'") == 0);
    }
  }
}

TEST_CASE(
    "orders: the same key and body give the same order, another body is refused, another user is "
    "separate") {
  OrderShop shop;
  PricedQuote shown;
  PlaceRequest request = shop.request("client-key-000001");
  const auto first = shop.orders.place(request, &shown);
  const auto again = shop.orders.place(request, &shown);
  REQUIRE(first.has_value());
  REQUIRE(again.has_value());
  CHECK_FALSE(first->replayed);
  CHECK(again->replayed);
  CHECK(again->order.id == first->order.id);

  request.client_fingerprint = "another body";
  const auto other = shop.orders.place(request, &shown);
  REQUIRE_FALSE(other.has_value());
  CHECK(other.error().reason == "idempotency_key_reused");

  request.user = shop.new_user("buyer-two");
  const auto separate = shop.orders.place(request, &shown);
  REQUIRE(separate.has_value());
  CHECK(separate->order.id != first->order.id);
}

TEST_CASE("orders: one key used 64 times at once places one order") {
  OrderShop shop;
  const PlaceRequest request = shop.request("client-key-000001");
  std::atomic<int> fresh{0};
  std::mutex mutex;
  std::set<std::string> ids;
  testing::together(16, [&](int) {
    for (int i = 0; i < 4; ++i) {
      PricedQuote shown;
      const auto placed = shop.orders.place(request, &shown);
      const std::lock_guard hold(mutex);
      ids.insert(placed ? placed->order.id.text : std::string(placed.error().reason));
      fresh += placed && !placed->replayed ? 1 : 0;
    }
  });
  CHECK(ids.size() == 1);
  CHECK(fresh == 1);
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM orders") == 1);
}

TEST_CASE("orders: a price that changed is refused with the new quote, and nothing is written") {
  OrderShop shop;
  PlaceRequest request = shop.request("client-key-000001");
  request.quote_fingerprint = "0000000000000000";
  PricedQuote shown;
  const auto refused = shop.orders.place(request, &shown);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Code::conflict);
  CHECK(refused.error().reason == "price_changed");
  CHECK(shown.quote.payable == fen(testing::kPayable));
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM orders") == 0);
  request.quote_fingerprint = fingerprint_text(shown.quote);
  CHECK(shop.orders.place(request, &shown).has_value());
}

TEST_CASE(
    "orders: a product or number that does not exist is refused by the pricing's own reason") {
  OrderShop shop;
  PricedQuote shown;
  PlaceRequest request = shop.request("client-key-000001");
  request.quote.product_id = ProductId("cn-mobile-1");
  CHECK(shop.orders.place(request, &shown).error().reason == "product_not_found");
  request = shop.request("client-key-000001");
  request.quote.account_number = "12345";
  CHECK(shop.orders.place(request, &shown).error().reason == "account_number_invalid");
}

TEST_CASE("orders: a buyer has a limited number of unpaid orders, and may always repeat one") {
  OrderShop shop;
  PricedQuote shown;
  shop.env.settings.max_unpaid_per_user = 3;
  for (int i = 0; i < 3; ++i) shop.place();
  const auto refused = shop.orders.place(shop.request("client-key-000009"), &shown);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().reason == "too_many_unpaid");
  CHECK(shop.orders.place(shop.request("client-key-1"), &shown).has_value());
  CHECK(shop.clock.wall_ms() > 0);
  shop.clock.advance(shop.env.settings.pay_within_ms);
  shop.run_due();
  CHECK(shop.orders.place(shop.request("client-key-000009"), &shown).has_value());
}

TEST_CASE("orders: the limit of unpaid orders holds when they are placed at once") {
  OrderShop shop;
  shop.env.settings.max_unpaid_per_user = 3;
  std::vector<PlaceRequest> requests;
  for (int i = 0; i < 16; ++i)
    requests.push_back(shop.request("client-key-at-once-" + std::to_string(i)));
  testing::together(16, [&](int t) {
    PricedQuote shown;
    (void)shop.orders.place(requests[static_cast<std::size_t>(t)], &shown);
  });
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM orders") == 3);
}

TEST_CASE("orders: another buyer's order looks like one that does not exist") {
  OrderShop shop;
  const OrderId order = shop.place();
  const UserId other = shop.new_user("buyer-two");
  CHECK(shop.orders.find(shop.user, order).has_value());
  const auto foreign = shop.orders.find(other, order);
  const auto missing = shop.orders.find(other, OrderId("nothing"));
  REQUIRE_FALSE(foreign.has_value());
  REQUIRE_FALSE(missing.has_value());
  CHECK(foreign.error().reason == "order_not_found");
  CHECK(foreign.error().reason == missing.error().reason);
  CHECK(foreign.error().detail == missing.error().detail.view());
}

TEST_CASE(
    "orders: the pages of a buyer's list are the whole list, newest first, without another's") {
  OrderShop shop;
  shop.env.settings.max_unpaid_per_user = 100;
  std::vector<std::string> expected;
  for (int i = 0; i < 47; ++i) {
    shop.clock.advance(1);
    expected.insert(expected.begin(), shop.place().text);
  }
  const UserId first = shop.user;
  shop.user = shop.new_user("buyer-two");
  shop.place();
  std::vector<std::string> found;
  std::vector<std::size_t> sizes;
  OrderId cursor;
  order_store::Selection wanted;
  wanted.user = first;
  do {
    const OrderPage page = shop.orders.list(wanted, cursor);
    for (const Order& order : page.orders) found.push_back(order.id.text);
    sizes.push_back(page.orders.size());
    cursor = OrderId(page.next_cursor);
  } while (!cursor.empty());
  CHECK(found == expected);
  CHECK(sizes == std::vector<std::size_t>{20, 20, 7});
}

}  // namespace
}  // namespace topup::orders
