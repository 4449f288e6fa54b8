// Finding orders: by whom, by number, by reference, by time and by change, and never by reading
// them all.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "server/orders/order_notes_store.h"
#include "server/orders/order_rules.h"
#include "tests/support/order_shop.h"

namespace topup::orders {
namespace {

using order_store::Selection;
using testing::OrderShop;

struct Wanted {
  UserId user = {};
  std::string account_index = {}, tail_index = {};
  std::vector<State> states = {};
  std::int64_t from_ms = 0, to_ms = 0;
  operator Selection() const { return {user, account_index, tail_index, states, from_ms, to_ms}; }
};

std::vector<std::string> ids_of(OrderShop& shop, const Wanted& wanted, const OrderId& before = {},
                                std::int64_t limit = 50) {
  std::vector<std::string> ids;
  shop.shop.db().read([&](storage::Reader& reader) {
    for (const Order& order : order_store::list(reader, wanted, before, limit))
      ids.push_back(order.id.text);
  });
  return ids;
}

TEST_CASE("F005: orders are found by number, tail, buyer, state and time, page by page") {
  OrderShop shop;
  const OrderId first = shop.place();
  shop.clock.advance(1'000);
  const std::int64_t between = shop.clock.wall_ms();
  const OrderId second = shop.place();
  shop.clock.advance(1'000);
  const UserId one = shop.user;
  shop.user = shop.new_user("buyer-two");
  const OrderId third = shop.paid_order();
  const std::vector<std::string> all = {third.text, second.text, first.text};

  CHECK(ids_of(shop, {.account_index = account_index_of(shop.pii, "+8613800138000")}) == all);
  CHECK(ids_of(shop, {.tail_index = tail_index_of(shop.pii, "8000")}) == all);
  CHECK(ids_of(shop, {.tail_index = tail_index_of(shop.pii, "8001")}).empty());
  CHECK(ids_of(shop, {.account_index = account_index_of(shop.pii, "+8613800138001")}).empty());
  CHECK(ids_of(shop, {}) == all);
  CHECK(ids_of(shop, {.user = one}) == std::vector<std::string>{second.text, first.text});
  CHECK(ids_of(shop, {.user = one, .tail_index = tail_index_of(shop.pii, "8000")}).size() == 2);
  CHECK(ids_of(shop, {.states = {State::paid}}) == std::vector<std::string>{third.text});
  CHECK(ids_of(shop, {.user = one, .states = {State::paid, State::closed}}).empty());
  CHECK(ids_of(shop, {.user = one, .states = {State::awaiting_payment, State::paid}}).size() == 2);
  CHECK(ids_of(shop, {.to_ms = between}) == std::vector<std::string>{first.text});
  CHECK(ids_of(shop, {.from_ms = between}) == std::vector<std::string>{third.text, second.text});
  CHECK(ids_of(shop, {}, third, 1) == std::vector<std::string>{second.text});
  CHECK(ids_of(shop, {.user = one}, second).front() == first.text);
}

TEST_CASE("F005: every reference of ours and of others leads to its order") {
  OrderShop shop;
  suppliers::SupplyOutcome done =
      testing::ScriptedSupplier::said(suppliers::SupplyState::succeeded);
  done.supplier_order_id = "RL-778";
  shop.reloadly->submits.usually(done);
  const OrderId other = shop.paid_order();
  const OrderId order = shop.paid_order();
  shop.run_due();
  const payments::Attempt attempt = shop.attempts(order).at(0);
  const auto find = [&](std::string_view reference) {
    std::vector<OrderId> found;
    shop.shop.db().read([&](storage::Reader& reader) {
      found = order_store::find_by_reference(reader, reference, {"alipay", "wechat"});
    });
    return found;
  };
  for (const std::string& reference : {order.text, attempt.out_trade_no.text,
                                       attempt.transaction_id, shop.supply_of(order).id.text}) {
    CAPTURE(reference);
    REQUIRE(find(reference).size() == 1);
    CHECK(find(reference)[0] == order);
  }
  CHECK(find("RL-778").size() == 2);
  CHECK(find("").empty());
  CHECK(find("nothing").empty());
  CHECK(shop.state(other) == State::succeeded);
}

std::string plan_of(OrderShop& shop, std::string_view sql) {
  std::string said;
  shop.shop.db().read([&](storage::Reader& reader) {
    reader.query("EXPLAIN QUERY PLAN " + std::string(sql), {},
                 [&](const storage::Row& row) { said += row.text(3) + "\n"; });
  });
  return said;
}

TEST_CASE("F005: no search reads the whole table") {
  OrderShop shop;
  if (testing::ScratchShop::is_postgres()) return;  // there the plan depends on how full tables are
  const auto uses = [&](const Wanted& wanted, const std::string& index) {
    const std::string said = plan_of(shop, order_store::list_sql(wanted));
    CAPTURE(said);
    CHECK(said.find("SEARCH") != std::string::npos);
    CHECK(said.find("SCAN") == std::string::npos);
    CHECK(said.find("TEMP B-TREE") == std::string::npos);
    CHECK(said.find(index) != std::string::npos);
  };
  uses({.account_index = "x"}, "orders_by_account");
  uses({.tail_index = "x"}, "orders_by_tail");
  uses({.user = UserId("x")}, "orders_by_user");
  uses({.states = {State::paid}}, "orders_by_state");
  uses({}, "sqlite_autoindex_orders_1");
  uses({.user = UserId("x"), .tail_index = "x"}, "orders_by_");
}

TEST_CASE("orders: what a buyer has ordered before is not walked through for one more order") {
  OrderShop shop;
  if (testing::ScratchShop::is_postgres()) return;  // as above
  const std::string said = plan_of(shop, order_store::unpaid_sql());
  CAPTURE(said);
  CHECK(said.find("SEARCH orders USING COVERING INDEX orders_unpaid") != std::string::npos);
}

TEST_CASE("F022: a guest finds an order by number and tail, and whoever guesses is shut out") {
  OrderShop shop;
  const OrderId order = shop.place();
  CHECK(shop.orders.find_for_guest(order, "8000").has_value());
  CHECK(shop.orders.find_for_guest(order, "38000").error().reason == "order_not_found");
  CHECK(shop.orders.find_for_guest(OrderId("01JD0000000000000000000000"), "8000").error().reason ==
        "order_not_found");
  int refused = 1;
  for (int i = 0; i < 20; ++i) {
    const auto tried = shop.orders.find_for_guest(order, "0000");
    REQUIRE_FALSE(tried.has_value());
    if (tried.error().reason == "order_look_up_locked") break;
    ++refused;
  }
  CHECK(refused == 5);
  CHECK(shop.orders.find_for_guest(order, "8000").error().reason == "order_look_up_locked");
  shop.clock.advance(1'900'000);
  CHECK(shop.orders.find_for_guest(order, "8000").has_value());
}

TEST_CASE("F071: what changed since a moment is told in order") {
  OrderShop shop;
  const OrderId first = shop.place();
  shop.clock.advance(10'000);
  const std::int64_t since = shop.clock.wall_ms();
  const OrderId second = shop.place();
  shop.clock.advance(1'000);
  (void)shop.start(first);
  const auto since_then = [&](const UserId& user, std::int64_t after) {
    return changes_since(shop.shop.db(), shop.clock.wall_ms(), user, after);
  };
  const OrderChanges changed = since_then(shop.user, since);
  REQUIRE(changed.orders.size() == 2);
  CHECK(changed.orders[0].id == second);
  CHECK(changed.orders[1].id == first);
  CHECK(changed.last_ms == shop.clock.wall_ms());
  CHECK_FALSE(changed.more);
  CHECK_FALSE(changed.resync);
  CHECK(since_then(shop.user, 0).orders.empty());
  shop.clock.advance(10'000);
  CHECK(since_then(shop.user, shop.clock.wall_ms()).orders.empty());
  CHECK(since_then(shop.new_user("buyer-two"), since).orders.empty());
  CHECK(since_then(shop.user, shop.clock.wall_ms() - kChangesReachMs - 1).resync);
}

TEST_CASE("F071: more changes than one answer holds come in several, none left out") {
  OrderShop shop;
  shop.env.settings.max_unpaid_per_user = 1'000;
  shop.clock.advance(60'000);
  const std::int64_t since = shop.clock.wall_ms();
  for (int i = 0; i < 250; ++i) {
    shop.clock.advance(200);
    (void)shop.place();
  }
  std::set<std::string> told;
  std::int64_t after = since;
  int answers = 0;
  for (bool more = true; more; ++answers) {
    REQUIRE(answers < 20);
    const OrderChanges part = changes_since(shop.shop.db(), shop.clock.wall_ms(), shop.user, after);
    CHECK(part.orders.size() <= static_cast<std::size_t>(kChangesPage));
    for (const Order& order : part.orders) told.insert(order.id.text);
    after = part.last_ms;
    more = part.more;
  }
  CHECK(told.size() == 250);
}

TEST_CASE("F005: notes are kept sealed, in order, so many and no more") {
  OrderShop shop;
  const OrderId order = shop.place();
  const auto write = [&](const std::string& id, const std::string& text) {
    bool kept = false;
    shop.shop.db().write([&](storage::Tx& tx) {
      kept = order_notes::insert(tx, shop.pii, {id, order, StaffId("staff-1"), text, 5});
      return true;
    });
    return kept;
  };
  CHECK(write("n1", "called 13800138000"));
  CHECK(write("n2", "again"));
  shop.shop.db().read([&](storage::Reader& reader) {
    const auto notes = order_notes::of_order(reader, shop.pii, order);
    REQUIRE(notes.size() == 2);
    CHECK(notes[0].text == "called 13800138000");
    CHECK(notes[1].text == "again");
  });
  CHECK(shop.shop.text("SELECT text_sealed FROM order_notes").find("138") == std::string::npos);
  for (std::int64_t i = 2; i < kMaxNotes; ++i) REQUIRE(write("m" + std::to_string(i), "x"));
  CHECK_FALSE(write("last", "x"));
}

}  // namespace
}  // namespace topup::orders
