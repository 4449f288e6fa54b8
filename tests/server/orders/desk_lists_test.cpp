// What the desk lists: found whatever the filter, and never by reading a whole table.
#include <doctest/doctest.h>

#include "server/ledger/browse_store.h"
#include "server/orders/day_figures_store.h"
#include "server/orders/error_account_store.h"
#include "server/orders/order_narrow_store.h"
#include "server/orders/work_item_store.h"
#include "server/payments/refund_list_store.h"
#include "shared/time_point.h"
#include "tests/support/order_shop.h"

namespace topup::orders {
namespace {

using testing::OrderShop;
namespace narrow = order_narrow_store;
namespace browse = ledger::browse_store;

// The same with members that may be left out.
struct Wanted {
  UserId user = {};
  std::string account_index = {}, tail_index = {};
  std::vector<State> states = {};
  operator order_store::Selection() const {
    return {user, account_index, tail_index, states, 0, 0};
  }
};
struct By {
  std::string channel = {}, supplier = {}, products = {};
  operator narrow::Narrow() const { return {channel, supplier, products}; }
};
struct Of {
  std::string account = {}, name = {};
  std::int64_t from_ms = 0, to_ms = 0;
  operator browse::Wanted() const { return {account, name, from_ms, to_ms}; }
};

std::string plan_of(OrderShop& shop, const std::string& sql) {
  std::string said;
  shop.shop.db().read([&](storage::Reader& reader) {
    reader.query("EXPLAIN QUERY PLAN " + sql, {},
                 [&](const storage::Row& row) { said += row.text(3) + "\n"; });
  });
  return said;
}

narrow::Found look(OrderShop& shop, const Wanted& wanted, const By& by, std::int64_t limit = 10) {
  narrow::Found found;
  shop.shop.db().read(
      [&](storage::Reader& reader) { found = narrow::list(reader, wanted, by, OrderId(), limit); });
  return found;
}

}  // namespace

TEST_CASE("F093: orders of a channel, a supplier or a kind of goods are found") {
  OrderShop shop;
  const OrderId unpaid = shop.place();
  const OrderId started = shop.place();
  shop.start(started);
  CHECK(look(shop, {}, {.channel = "wechat"}).ids == std::vector<OrderId>{started});
  CHECK(look(shop, {}, {.channel = "alipay"}).ids.empty());
  CHECK(look(shop, {}, {.supplier = "reloadly"}).ids.empty());
  const std::string product = "|" + std::string(testing::kProduct) + "|";
  CHECK(look(shop, {}, {.products = product}).ids == std::vector<OrderId>{started, unpaid});
  CHECK(look(shop, {}, {.products = product}, 1).ids == std::vector<OrderId>{started});
  CHECK(look(shop, {}, {.products = "|other|"}).ids.empty());
  CHECK(look(shop, {.states = {State::paying}}, {.channel = "wechat"}).ids.size() == 1);
  CHECK(look(shop, {.states = {State::closed}}, {.channel = "wechat"}).ids.empty());
  CHECK(look(shop, {.user = shop.user, .states = {State::paying}}, {.channel = "wechat"})
            .ids.size() == 1);
  CHECK(look(shop, {.user = UserId("nobody")}, {.channel = "wechat"}).ids.empty());
  CHECK(look(shop, {}, {.channel = "wechat"}).looked_to.empty());
}

TEST_CASE("F093: no list of the desk reads a whole table") {
  OrderShop shop;
  if (testing::ScratchShop::is_postgres()) return;  // there the plan depends on how full tables are
  const auto uses = [&](const std::string& sql, const std::string& index) {
    const std::string said = plan_of(shop, sql);
    CAPTURE(sql);
    CAPTURE(said);
    CHECK(said.find("SCAN") == std::string::npos);
    CHECK(said.find(index) != std::string::npos);
  };
  uses(narrow::window_sql(Wanted{}), "sqlite_autoindex_orders_1");
  uses(narrow::window_sql(Wanted{.states = {State::paid}}), "orders_by_state");
  uses(narrow::window_sql(Wanted{.user = UserId("x")}), "orders_by_user");
  uses(narrow::window_sql(Wanted{.tail_index = "x"}), "orders_by_tail");
  uses(narrow::window_sql(Wanted{.account_index = "x"}), "orders_by_account");
  uses(payments::refund_list_store::list_sql(true), "refunds_by_state");
  uses(payments::refund_list_store::list_sql(false), "sqlite_autoindex_refunds_1");
  uses(work_item_store::list_sql(true), "work_items_by_age");
  uses(error_account_store::list_sql(true), "error_accounts_by_order");
  uses(error_account_store::list_sql(false), "sqlite_autoindex_error_accounts_1");
  uses(ledger::browse_store::journals_sql(), "journals_by_seq");
  uses(ledger::browse_store::earned_sql(), "sqlite_autoindex_finance_days_1");
  uses(day_figures_store::hours_sql(), "sqlite_autoindex_orders_1");
}

TEST_CASE("F040: journals are browsed by account, template and time, newest first") {
  OrderShop shop;
  const std::int64_t before = shop.clock.wall_ms();
  shop.shop.db().write([&](storage::Tx& tx) {
    for (const char* subject : {"T1", "T2", "T3"}) {
      ledger::post(tx, ledger::payment_unexplained(subject, {"wechat"}, fen(5)), OrderId(), {},
                   before + (subject[1] - '0') * 1'000);
    }
    ledger::post(tx, ledger::channel_fee("F1", {"alipay"}, fen(1)), OrderId("O"), {},
                 before + 4'000);
    return true;
  });
  const auto ask = [&](const Of& wanted, std::int64_t from = 0, std::int64_t limit = 10) {
    browse::Page page;
    shop.shop.db().read(
        [&](storage::Reader& reader) { page = browse::journals(reader, wanted, from, limit); });
    return page;
  };
  CHECK(ask({}).journals.size() == 4);
  CHECK(ask({}).journals.front().order.text == "O");
  CHECK(ask({.account = "asset.channel_clearing.wechat"}).journals.size() == 3);
  CHECK(ask({.name = "channel_fee"}).journals.size() == 1);
  CHECK(ask({.from_ms = before + 2'000, .to_ms = before + 4'000}).journals.size() == 2);
  CHECK(ask({.to_ms = before}).journals.empty());
  const auto first = ask({}, 0, 3);
  CHECK(first.journals.size() == 3);
  const auto rest = ask({}, first.next_before, 3);
  CHECK(rest.journals.size() == 1);
  CHECK(rest.next_before == 0);
  CHECK(rest.journals.front().journal.subject == "T1");
}

TEST_CASE("figures of a day are by the hour in which an order was placed, and of that day only") {
  OrderShop shop;
  const std::int64_t day = start_of_day_ms(shop.clock.wall_ms(), kShanghaiOffsetMs);
  shop.place();
  shop.place();
  const auto hours = [&](std::int64_t from) {
    std::vector<day_figures_store::HourFigure> found;
    shop.shop.db().read(
        [&](storage::Reader& reader) { found = day_figures_store::hours_of(reader, from); });
    return found;
  };
  REQUIRE(hours(day).size() == 1);
  CHECK(hours(day)[0].orders == 2);
  CHECK(hours(day)[0].state == "awaiting_payment");
  CHECK(hours(day)[0].payable_minor == 2 * testing::kPayable);
  CHECK(hours(day)[0].hour == (shop.clock.wall_ms() - day) / 3'600'000);
  CHECK(hours(day - kDayMs).empty());
  CHECK(hours(day + kDayMs).empty());
}

}  // namespace topup::orders
