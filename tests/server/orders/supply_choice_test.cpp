// Several suppliers for one product: who gets the order, who gets it next, and when it waits.
#include "server/orders/supply_choice.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "server/base/json.h"
#include "server/orders/transition.h"
#include "tests/support/order_shop.h"

namespace topup::orders {
namespace {

using suppliers::LineState;
using suppliers::SupplyState;
using testing::OrderShop;
using testing::ScriptedSupplier;
namespace supply_state = suppliers::supply_state;
namespace lines = suppliers::supplier_line_store;

constexpr std::int64_t kDay = 24 * 3'600'000;

struct TwoSuppliers {
  explicit TwoSuppliers(std::uint64_t seed = 1) : shop(seed) {
    auto other = std::make_unique<ScriptedSupplier>("dtone");
    dtone = other.get();
    shop.suppliers.add(std::move(other));
    shop.env.health = &health;
    shop.env.settings.cost_cap_bp = 200;
    catalog::Listed mobile{"1", "China Mobile", "CN", fen(5'000)};
    mobile.cost = {660, Currency::usd};
    catalog::Listed theirs = mobile;
    theirs.supplier_operator_id = "77";
    theirs.sku = "sku-50";
    theirs.cost = {650, Currency::usd};
    publish({{"reloadly", mobile, mobile}, {"dtone", theirs, theirs}});
    shop.clock.advance(1'000);
  }
  void publish(const std::vector<catalog::OnSale>& listings) {
    const std::vector<Rate> rates = {{Currency::usd, Currency::cny, 720'000'000}};
    shop.catalog.publish("", catalog::assemble(listings, rates, Currency::cny),
                         {{.id = "default", .rate_bp = 9'950}, {.id = "service"}, {}, rates},
                         "system");
  }
  std::vector<suppliers::SupplyAttempt> attempts(const OrderId& order) {
    std::vector<suppliers::SupplyAttempt> found;
    shop.shop.db().read([&](storage::Reader& reader) {
      found = suppliers::supplier_store::attempts_of(reader, order);
    });
    return found;
  }
  std::vector<std::string> events(const OrderId& order) {
    return shop.shop.texts("SELECT event FROM order_events WHERE order_id = $1 ORDER BY seq",
                           {std::string_view(order.text)});
  }
  void set_cost(const std::string& supplier, std::int64_t minor) {
    shop.shop.tamper("UPDATE supplier_products SET cost_minor = " + std::to_string(minor) +
                     " WHERE supplier = '" + supplier + "'");
  }
  suppliers::SupplierLine line(const std::string& name) {
    suppliers::SupplierLine found;
    shop.shop.db().read([&](storage::Reader& reader) {
      found = lines::find(reader, name).value_or(suppliers::SupplierLine());
    });
    return found;
  }
  std::string verdict(const suppliers::SupplyAttempt& attempt, const std::string& supplier) {
    const auto choice = base::json_in(attempt.choice);
    for (const base::Json& row : (*choice)["judged"]) {
      if (row["supplier"] == supplier) return row["verdict"].get<std::string>();
    }
    return "";
  }
  void close(const std::string& name, std::int64_t for_ms) {
    shop.shop.db().write([&](storage::Tx& tx) {
      suppliers::SupplierLine line = lines::find(tx, name).value_or(suppliers::SupplierLine());
      line.line = name;
      line.state = LineState::closed;
      line.changed_at_ms = shop.clock.wall_ms();
      line.reopen_at_ms = line.changed_at_ms + for_ms;
      lines::save(tx, line);
      return true;
    });
  }

  OrderShop shop;
  suppliers::SupplierHealth health{shop.shop.db(), shop.clock};
  ScriptedSupplier* dtone = nullptr;
};

TEST_CASE("F001: the cheapest supplier gets the order, and why is stored with the attempt") {
  TwoSuppliers two;
  const OrderId order = two.shop.paid_order();
  CHECK(two.shop.run_until_quiet(kDay));
  CHECK(two.shop.state(order) == State::succeeded);
  CHECK(two.shop.reloadly->submits.calls() == 0);
  REQUIRE(two.dtone->submits.calls() == 1);
  const suppliers::SubmitRequest asked = two.dtone->submits.heard().front();
  CHECK(asked.sku == "sku-50");
  CHECK(asked.supplier_operator_id == "77");
  CHECK(asked.most_cost == Money{662, Currency::usd});  // 6.50 and two per cent, not more
  const auto attempt = two.attempts(order).front();
  CHECK(two.verdict(attempt, "dtone") == "chosen");
  CHECK(two.verdict(attempt, "reloadly") == "standby");
}

TEST_CASE("O-02: a definite refusal sends the order to the next supplier under a new reference") {
  TwoSuppliers two;
  const OrderId order = two.shop.paid_order();
  two.dtone->submits.then(ScriptedSupplier::said(SupplyState::rejected, "OPERATOR_DOWN"));
  CHECK(two.shop.run_until_quiet(kDay));
  CHECK(two.shop.state(order) == State::succeeded);
  const auto attempts = two.attempts(order);
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[0].state == supply_state::kRejected);
  CHECK(attempts[1].supplier == "reloadly");
  CHECK(attempts[1].id != attempts[0].id);
  CHECK(two.verdict(attempts[1], "dtone") == "tried_before");
  const auto events = two.events(order);
  CHECK(std::count(events.begin(), events.end(), "supplier_switched") == 1);
  CHECK(two.shop.refunds_of(order).empty());
  CHECK(two.shop.broken_books() == "");
}

TEST_CASE("O-02: a refusal heard later, to a question, switches as well") {
  TwoSuppliers two;
  const OrderId order = two.shop.paid_order();
  two.dtone->submits.then(ScriptedSupplier::said(SupplyState::accepted));
  two.dtone->queries.then(ScriptedSupplier::said(SupplyState::rejected, "DECLINED"));
  CHECK(two.shop.run_until_quiet(kDay));
  CHECK(two.shop.state(order) == State::succeeded);
  CHECK(two.shop.reloadly->submits.calls() == 1);
}

TEST_CASE("O-02: when the last supplier has refused the buyer gets the money, once") {
  TwoSuppliers two;
  const OrderId order = two.shop.paid_order();
  two.dtone->submits.usually(ScriptedSupplier::said(SupplyState::rejected, "NO"));
  two.shop.reloadly->submits.usually(ScriptedSupplier::said(SupplyState::rejected, "NO"));
  CHECK(two.shop.run_until_quiet(kDay));
  CHECK(two.shop.state(order) == State::refunded);
  CHECK(two.attempts(order).size() == 2);
  CHECK(two.shop.wechat->refunds.calls() == 1);
  CHECK(two.shop.broken_books() == "");
}

TEST_CASE("S-04 O-02 O-03: an unknown outcome, or many times not found, never goes to another") {
  for (const SupplyState answer : {SupplyState::unknown, SupplyState::not_found}) {
    TwoSuppliers two;
    two.shop.env.settings.max_supplier_queries = 20;
    const OrderId order = two.shop.paid_order();
    two.dtone->submits.then(ScriptedSupplier::said(SupplyState::unknown, "deadline"));
    two.dtone->queries.usually(ScriptedSupplier::said(answer));
    CHECK(two.shop.run_until_quiet(kDay));
    CHECK(two.shop.reloadly->submits.calls() == 0);
    CHECK(two.attempts(order).size() == 1);
    CHECK(two.shop.state(order) ==
          (answer == SupplyState::unknown ? State::manual : State::refunded));
  }
}

TEST_CASE("F001: a cost that has risen above the cap is not paid: the next supplier is") {
  TwoSuppliers two;
  const OrderId order = two.shop.place();
  const OutTradeNo no = two.shop.start(order);
  two.set_cost("dtone", 664);  // 6.50 was quoted, two per cent more is 6.63
  CHECK(*two.shop.notify(OrderShop::paid(no)));
  CHECK(two.shop.run_until_quiet(kDay));
  CHECK(two.dtone->submits.calls() == 0);
  // The other one costs 6.60, which is within the cap of the quote.
  CHECK(two.shop.state(order) == State::succeeded);
  CHECK(two.verdict(two.attempts(order).front(), "dtone") == "too_dear");
}

TEST_CASE("F001: too dear everywhere waits for a person, and goes on when the cost comes down") {
  TwoSuppliers two;
  const OrderId order = two.shop.place();
  const OutTradeNo no = two.shop.start(order);
  two.set_cost("dtone", 700);
  two.set_cost("reloadly", 700);
  CHECK(*two.shop.notify(OrderShop::paid(no)));
  CHECK(two.shop.run_until_quiet(30 * 60'000));
  CHECK(two.shop.state(order) == State::paid);
  CHECK(two.shop.work_items() == std::vector<std::string>{"cost_above_quote"});
  CHECK(two.attempts(order).empty());
  two.set_cost("reloadly", 655);
  CHECK(two.shop.run_until_quiet(kDay));
  CHECK(two.shop.state(order) == State::succeeded);
  CHECK(two.dtone->submits.calls() == 0);
}

TEST_CASE("F001: the supplier's own look at the bound is a refusal like any other") {
  TwoSuppliers two;
  const OrderId order = two.shop.paid_order();
  two.dtone->submits.then(ScriptedSupplier::said(SupplyState::rejected, "cost_too_high"));
  CHECK(two.shop.run_until_quiet(kDay));
  CHECK(two.shop.state(order) == State::succeeded);
  CHECK(two.shop.reloadly->submits.calls() == 1);
}

TEST_CASE("X13: a supplier whose balance does not cover the cost is passed over") {
  TwoSuppliers two;
  two.health.keep_balance("dtone", {649, Currency::usd}, true);
  const OrderId order = two.shop.paid_order();
  CHECK(two.shop.run_until_quiet(kDay));
  CHECK(two.shop.reloadly->submits.calls() == 1);
  CHECK(two.verdict(two.attempts(order).front(), "dtone") == "low_balance");
}

TEST_CASE("X14: while every line is down the order waits; it goes on, or is refunded in time") {
  for (const bool comes_back : {true, false}) {
    TwoSuppliers two;
    two.health.keep_balance("dtone", {1, Currency::usd}, true);
    two.health.keep_balance("reloadly", {1, Currency::usd}, true);
    const OrderId order = two.shop.paid_order();
    CHECK(two.shop.run_until_quiet(60 * 60'000));
    CHECK(two.shop.state(order) == State::paid);
    CHECK(two.attempts(order).empty());
    if (comes_back) two.health.keep_balance("reloadly", {100'000, Currency::usd}, false);
    const std::int64_t before = two.shop.clock.wall_ms();
    CHECK(two.shop.run_until_quiet(kDay));
    CHECK(two.shop.state(order) == (comes_back ? State::succeeded : State::refunded));
    CHECK(two.shop.clock.wall_ms() - before <= two.shop.env.settings.hold_promise_ms);
    CHECK(two.shop.shop.integer("SELECT COUNT(*) FROM outbox") == 0);
    CHECK(two.shop.broken_books() == "");
  }
}

TEST_CASE("X14: until when a held order waits is told with it, and only while it waits") {
  const auto promised = [](OrderShop& shop, const OrderId& order) {
    const auto view = load_view(shop.shop.db(), order, shop.env.settings.hold_promise_ms);
    CHECK(load_view(shop.shop.db(), order)->promised_until_ms == 0);
    CHECK(shop.orders.find(shop.user, order)->promised_until_ms == view->promised_until_ms);
    return view->promised_until_ms;
  };
  TwoSuppliers two;
  CHECK(promised(two.shop, two.shop.place()) == 0);
  const OrderId goes_out = two.shop.paid_order();
  CHECK(promised(two.shop, goes_out) == 0);  // paid, and its attempt is due
  CHECK(two.shop.run_until_quiet(kDay));
  CHECK(promised(two.shop, goes_out) == 0);

  two.health.keep_balance("dtone", {1, Currency::usd}, true);
  two.health.keep_balance("reloadly", {1, Currency::usd}, true);
  const std::int64_t paid_at = two.shop.clock.wall_ms();
  const OrderId order = two.shop.paid_order();
  const std::int64_t until = paid_at + two.shop.env.settings.hold_promise_ms;
  CHECK(promised(two.shop, order) == until);
  CHECK(two.shop.run_until_quiet(60 * 60'000));
  CHECK(promised(two.shop, order) == until);  // paid long ago, and the promise has not moved

  // A supplier that sends it back untaken holds it as well.
  two.health.keep_balance("reloadly", {100'000, Currency::usd}, false);
  two.shop.reloadly->submits.usually(ScriptedSupplier::said(SupplyState::held, "LOW_BALANCE"));
  CHECK(two.shop.run_until_quiet(10 * 60'000));
  CHECK(two.shop.reloadly->submits.calls() > 0);
  REQUIRE(two.shop.state(order) == State::paid);
  CHECK(promised(two.shop, order) == until);
  CHECK(two.shop.run_until_quiet(kDay));
  CHECK(two.shop.state(order) == State::refunded);
  CHECK(promised(two.shop, order) == 0);
}

TEST_CASE("X15: a closed line is passed over; when its time has come one order tries it") {
  TwoSuppliers two;
  two.close("dtone", 60'000);
  const OrderId first = two.shop.paid_order();
  CHECK(two.shop.run_until_quiet(1'000));
  CHECK(two.attempts(first).front().supplier == "reloadly");
  two.shop.clock.advance(61'000);
  two.dtone->submits.then(ScriptedSupplier::said(SupplyState::accepted));
  two.dtone->queries.usually(ScriptedSupplier::said(SupplyState::accepted));
  const OrderId trial = two.shop.paid_order();
  CHECK(two.line("dtone").state == LineState::trial);
  CHECK(two.line("dtone").trial_attempt == two.attempts(trial).front().id.text);
  const OrderId meanwhile = two.shop.paid_order();
  CHECK(two.attempts(meanwhile).front().supplier == "reloadly");
  two.shop.run_due();
  CHECK(two.line("dtone").state == LineState::open);
  const OrderId after = two.shop.paid_order();
  CHECK(two.attempts(after).front().supplier == "dtone");
}

TEST_CASE("X15: errors close the line by themselves, and orders go elsewhere") {
  TwoSuppliers two;
  two.dtone->submits.usually(ScriptedSupplier::said(SupplyState::unknown, "http_502"));
  for (int i = 0; i < 8; ++i) {
    two.shop.paid_order();
    two.shop.run_due();
  }
  CHECK(two.line("dtone").state == LineState::closed);
  const OrderId next = two.shop.paid_order();
  CHECK(two.attempts(next).front().supplier == "reloadly");
  CHECK(two.verdict(two.attempts(next).front(), "dtone") == "line_down");
}

TEST_CASE("F001: a way that staff switched off, or a dearer one put first, decides as told") {
  TwoSuppliers two;
  two.shop.shop.db().write([](storage::Tx& tx) {
    return catalog::catalog_store::set_way(tx, ProductId(std::string(testing::kProduct)), "dtone",
                                           100, false);
  });
  const OrderId order = two.shop.paid_order();
  CHECK(two.attempts(order).front().supplier == "reloadly");
  CHECK(two.verdict(two.attempts(order).front(), "dtone") == "disabled");
  // A new list keeps the switch.
  catalog::Listed theirs{"78", "China Mobile", "CN", fen(5'000)};
  theirs.cost = {640, Currency::usd};
  two.publish({{"dtone", theirs, theirs}});
  two.shop.shop.db().read([](storage::Reader& reader) {
    const auto way = catalog::catalog_store::find_supplier_product(
        reader, ProductId(std::string(testing::kProduct)));
    REQUIRE(way.has_value());
    CHECK(way->supplier_operator_id == "78");
    CHECK_FALSE(way->is_enabled);
  });
}

TEST_CASE("O-02: an order that a person sends elsewhere while it is held never leaves twice") {
  TwoSuppliers two;
  const OrderId order = two.shop.paid_order();
  two.dtone->submits.usually(ScriptedSupplier::said(SupplyState::held, "LATER"));
  two.shop.run_due();
  CHECK(two.shop.state(order) == State::paid);
  two.shop.shop.db().write([&](storage::Tx& tx) {
    Order now = *order_store::find(tx, order);
    return apply(two.shop.env, tx, now, Event::supplier_switched, {"staff:anna", "slow"})
        .has_value();
  });
  CHECK(two.attempts(order)[0].code == "replaced");
  CHECK(two.shop.run_until_quiet(kDay));
  CHECK(two.shop.state(order) == State::succeeded);
  CHECK(two.dtone->submits.calls() == 1);
  CHECK(two.shop.reloadly->submits.calls() == 1);
}

// Whatever two suppliers answer, in any order: nobody delivers an order that another delivered, no
// reference is used twice, and what was refunded was refused by all who were asked.
TEST_CASE("O-02 O-04: laws of switching, on drawn histories of two suppliers") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    TwoSuppliers two(seed);
    two.shop.env.settings.max_supplier_queries = 30;
    testing::SeededRandom draw(seed + 1'000);
    std::map<std::string, int> deliveries, submissions;
    const auto play = [&](ScriptedSupplier& supplier) {
      supplier.knows_repeats = draw.percent(70);
      supplier.submits.usually([&](const suppliers::SubmitRequest& request) {
        ++submissions[request.attempt_id.text];
        const std::int64_t roll = draw.below(10);
        if (roll < 4) return ScriptedSupplier::said(SupplyState::rejected, "NO");
        if (roll < 5) return ScriptedSupplier::said(SupplyState::held, "LATER");
        if (roll < 6) return ScriptedSupplier::said(SupplyState::unknown, "deadline");
        if (roll < 7) return ScriptedSupplier::said(SupplyState::accepted);
        ++deliveries[request.attempt_id.text.substr(1, 26)];
        return ScriptedSupplier::said(SupplyState::succeeded);
      });
      supplier.queries.usually([&](const std::pair<AttemptId, std::string>& asked) {
        const std::int64_t roll = draw.below(10);
        if (roll < 2) return ScriptedSupplier::said(SupplyState::rejected, "NO");
        if (roll < 6) return ScriptedSupplier::said(SupplyState::unknown);
        ++deliveries[asked.first.text.substr(1, 26)];
        return ScriptedSupplier::said(SupplyState::succeeded);
      });
    };
    play(*two.dtone);
    play(*two.shop.reloadly);
    std::vector<OrderId> orders;
    for (int i = 0; i < 6; ++i) orders.push_back(two.shop.paid_order());
    CAPTURE(seed);
    CHECK(two.shop.run_until_quiet(2 * kDay));
    CHECK(two.shop.broken_books() == "");
    for (const OrderId& order : orders) {
      const State state = two.shop.state(order);
      const auto attempts = two.attempts(order);
      CHECK((state == State::succeeded || state == State::refunded || state == State::manual));
      CHECK(deliveries[order.text] == (state == State::succeeded ? 1 : 0));
      if (state == State::refunded) {
        for (const auto& attempt : attempts) CHECK(attempt.state == supply_state::kRejected);
      }
      for (std::size_t i = 1; i < attempts.size(); ++i) {
        CHECK(attempts[i - 1].state == supply_state::kRejected);
        CHECK(attempts[i].supplier != attempts[i - 1].supplier);
      }
    }
  }
}

}  // namespace
}  // namespace topup::orders
