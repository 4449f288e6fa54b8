#include "server/orders/supply_flow.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "server/orders/transition.h"
#include "server/suppliers/exchange_store.h"
#include "tests/support/order_shop.h"

namespace topup::orders {
namespace {

using suppliers::SupplyOutcome;
using suppliers::SupplyState;
using testing::OrderShop;
using testing::ScriptedSupplier;
namespace supply_state = suppliers::supply_state;

constexpr std::int64_t kDayMs24 = 24 * 3'600'000;

jobs::Job submit_job(OrderShop& shop) {
  const std::vector<jobs::Job> claimed = shop.claim();
  REQUIRE(claimed.size() == 1);
  REQUIRE(claimed.front().kind == job_kind::kSubmit);
  return claimed.front();
}

TEST_CASE("supply: accepted, asked about, delivered; the cost is booked in the wallet's currency") {
  OrderShop shop;
  const OrderId order = shop.paid_order();
  SupplyOutcome accepted = ScriptedSupplier::said(SupplyState::accepted, "PROCESSING");
  accepted.supplier_order_id = "theirs-1";
  shop.reloadly->submits.then(accepted);
  SupplyOutcome done = ScriptedSupplier::said(SupplyState::succeeded, "SUCCESSFUL");
  done.cost = Money{712, Currency::usd};
  shop.reloadly->queries.then(ScriptedSupplier::said(SupplyState::accepted));
  shop.reloadly->queries.then(done);
  shop.run_due();
  CHECK(shop.state(order) == State::recharging);
  CHECK(shop.run_until_quiet(60'000));
  CHECK(shop.state(order) == State::succeeded);
  CHECK(shop.reloadly->submits.calls() == 1);
  REQUIRE(shop.reloadly->queries.calls() == 2);
  CHECK(shop.reloadly->queries.heard().back().second == "theirs-1");
  CHECK(shop.supply_of(order).cost == Money{712, Currency::usd});
  CHECK(shop.shop.integer(
            "SELECT balance_minor FROM account_balances WHERE account = 'cost.sales'") == 712);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("supply: a definite refusal gives the money back, once, and in full") {
  OrderShop shop;
  const OrderId order = shop.paid_order();
  shop.reloadly->submits.then(ScriptedSupplier::said(SupplyState::rejected, "INVALID_NUMBER"));
  CHECK(shop.run_until_quiet(kDayMs24));
  CHECK(shop.state(order) == State::refunded);
  REQUIRE(shop.wechat->refunds.calls() == 1);
  CHECK(shop.wechat->refunds.heard().front().amount == fen(testing::kPayable));
  CHECK(shop.journals("fulfilment") == 0);
  CHECK(shop.broken_books() == "");
}

// ---- O-01, O-02: after the mark, only a query decides

TEST_CASE("O-01: a crash between the mark and the answer never submits a second time") {
  OrderShop shop;
  const OrderId order = shop.paid_order();
  const jobs::Job first = submit_job(shop);
  shop.reloadly->submits.then_do([](const suppliers::SubmitRequest&) -> SupplyOutcome {
    throw std::runtime_error("killed after the first byte left");
  });
  CHECK_THROWS(shop.supply.run_submit(first));
  CHECK(shop.state(order) == State::submitting);
  CHECK(shop.supply_of(order).state == supply_state::kSent);

  shop.clock.advance(jobs::kLeaseMs);
  shop.reloadly->queries.then(ScriptedSupplier::said(SupplyState::succeeded));
  shop.run_due();
  CHECK(shop.state(order) == State::unknown);
  CHECK(shop.run_until_quiet(kDayMs24));
  CHECK(shop.state(order) == State::succeeded);
  CHECK(shop.reloadly->submits.calls() == 1);
}

TEST_CASE("O-01: the mark is durable before the supplier hears anything") {
  OrderShop shop;
  const OrderId order = shop.paid_order();
  State seen = State::paid;
  std::string attempt;
  shop.reloadly->submits.then_do([&](const suppliers::SubmitRequest& request) {
    seen = shop.state(order);
    attempt = shop.supply_of(order).state;
    CHECK(request.attempt_id == shop.supply_of(order).id);
    return ScriptedSupplier::said(SupplyState::succeeded);
  });
  shop.run_due();
  CHECK(seen == State::submitting);
  CHECK(attempt == supply_state::kSent);
}

TEST_CASE(
    "O-06: a worker that was frozen in the call does not overrule what was settled meanwhile") {
  OrderShop shop;
  const OrderId order = shop.paid_order();
  const jobs::Job frozen = submit_job(shop);
  shop.reloadly->submits.then_do([&](const suppliers::SubmitRequest&) {
    shop.clock.advance(jobs::kLeaseMs);
    shop.run_due();  // another one finds the mark and asks
    CHECK(shop.state(order) == State::unknown);
    return ScriptedSupplier::said(SupplyState::rejected, "LATE");
  });
  shop.supply.run_submit(frozen);
  CHECK(shop.state(order) == State::unknown);
  CHECK(shop.supply_of(order).state != supply_state::kRejected);
  CHECK(shop.refunds_of(order).empty());
  CHECK(shop.reloadly->submits.calls() == 1);
  shop.reloadly->queries.then(ScriptedSupplier::said(SupplyState::succeeded));
  CHECK(shop.run_until_quiet(kDayMs24));
  CHECK(shop.state(order) == State::succeeded);
}

TEST_CASE("O-07: two workers with the same job submit once") {
  OrderShop shop;
  const OrderId order = shop.paid_order();
  const jobs::Job first = submit_job(shop);
  shop.clock.advance(jobs::kLeaseMs);
  const jobs::Job second = submit_job(shop);
  shop.supply.run_submit(first);
  shop.supply.run_submit(second);
  CHECK(shop.reloadly->submits.calls() == 1);
  shop.reloadly->queries.usually(ScriptedSupplier::said(SupplyState::succeeded));
  CHECK(shop.run_until_quiet(kDayMs24));
  CHECK(shop.state(order) == State::succeeded);
  CHECK(shop.journals("fulfilment") == 1);
}

TEST_CASE(
    "O-02: an unknown outcome is asked about, never refunded and never sent again, until a person "
    "looks") {
  OrderShop shop;
  shop.env.settings.max_supplier_queries = 30;
  const OrderId order = shop.paid_order();
  shop.reloadly->submits.then(ScriptedSupplier::said(SupplyState::unknown, "deadline"));
  shop.run_due();
  CHECK(shop.state(order) == State::unknown);
  CHECK(shop.run_until_quiet(kDayMs24));
  CHECK(shop.state(order) == State::manual);
  CHECK(shop.reloadly->submits.calls() == 1);
  CHECK(shop.reloadly->queries.calls() == 30);
  CHECK(shop.refunds_of(order).empty());
  CHECK(shop.work_items() == std::vector<std::string>{"give_up"});
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM outbox") == 0);
}

TEST_CASE("O-02: a query that breaks is asked again") {
  OrderShop shop;
  const OrderId order = shop.paid_order();
  shop.reloadly->submits.then(ScriptedSupplier::said(SupplyState::unknown));
  for (int i = 0; i < 3; ++i) {
    shop.reloadly->queries.then_do(
        [](const auto&) -> SupplyOutcome { throw std::runtime_error("broken"); });
  }
  shop.reloadly->queries.then(ScriptedSupplier::said(SupplyState::succeeded));
  CHECK(shop.run_until_quiet(kDayMs24));
  CHECK(shop.failed_jobs == 3);
  CHECK(shop.state(order) == State::succeeded);
}

// ---- O-03: "not found" is an answer only after many, far apart

TEST_CASE("O-03: not found becomes a refund only after the tenth time, two minutes apart") {
  OrderShop shop;
  const OrderId order = shop.paid_order();
  shop.reloadly->submits.then(ScriptedSupplier::said(SupplyState::unknown));
  std::vector<std::int64_t> asked_at;
  shop.reloadly->queries.usually([&](const auto&) {
    asked_at.push_back(shop.clock.wall_ms());
    CHECK(shop.state(order) == State::unknown);
    return ScriptedSupplier::said(SupplyState::not_found);
  });
  CHECK(shop.run_until_quiet(kDayMs24));
  REQUIRE(asked_at.size() == 10);
  for (std::size_t i = 1; i < asked_at.size(); ++i) CHECK(asked_at[i] - asked_at[i - 1] >= 120'000);
  CHECK(shop.state(order) == State::refunded);
  CHECK(shop.supply_of(order).code == "NOT_FOUND");
  CHECK(shop.supply_of(order).not_found_count == 10);
}

TEST_CASE("O-03: found on the last possible question, the order is delivered and not refunded") {
  OrderShop shop;
  const OrderId order = shop.paid_order();
  shop.reloadly->submits.then(ScriptedSupplier::said(SupplyState::unknown));
  for (int i = 0; i < 9; ++i)
    shop.reloadly->queries.then(ScriptedSupplier::said(SupplyState::not_found));
  shop.reloadly->queries.then(ScriptedSupplier::said(SupplyState::succeeded));
  CHECK(shop.run_until_quiet(kDayMs24));
  CHECK(shop.state(order) == State::succeeded);
  CHECK(shop.refunds_of(order).empty());
}

TEST_CASE("O-03: callbacks that are repeated do not make not found count faster") {
  OrderShop shop;
  const OrderId order = shop.paid_order();
  shop.reloadly->submits.then(ScriptedSupplier::said(SupplyState::unknown));
  shop.run_due();
  shop.reloadly->queries.usually(ScriptedSupplier::said(SupplyState::not_found));
  const AttemptId attempt = shop.supply_of(order).id;
  for (int i = 0; i < 30; ++i) {
    (void)shop.supply.on_hint(attempt);
    shop.run_due();
    shop.clock.advance(100);
  }
  CHECK(shop.supply_of(order).not_found_count <= 1);
  CHECK(shop.state(order) == State::unknown);
}

TEST_CASE(
    "supply: a callback brings the query forward, and is nothing for an attempt we do not know or "
    "that is over") {
  OrderShop shop;
  const OrderId order = shop.paid_order();
  shop.reloadly->submits.then(ScriptedSupplier::said(SupplyState::accepted));
  shop.run_due();
  const AttemptId attempt = shop.supply_of(order).id;
  CHECK_FALSE(shop.supply.on_hint(AttemptId("S-unknown")));
  const int wakes = shop.wakes();
  CHECK(shop.supply.on_hint(attempt));
  shop.reloadly->queries.then(ScriptedSupplier::said(SupplyState::succeeded));
  CHECK(shop.run_due() == 1);
  CHECK(shop.wakes() > wakes);
  CHECK(shop.state(order) == State::succeeded);
  CHECK_FALSE(shop.supply.on_hint(attempt));
}

// ---- O-05: a contradiction never takes a delivery back

TEST_CASE("O-05: a refusal heard after the success keeps the success and calls a person") {
  OrderShop shop;
  const OrderId order = shop.paid_order();
  shop.reloadly->submits.then(ScriptedSupplier::said(SupplyState::unknown));
  shop.run_due();
  shop.reloadly->queries.then_do([&](const auto&) {
    // Somebody else settles the order while this question is on its way.
    shop.shop.db().write([&](storage::Tx& tx) {
      Order now = *order_store::find(tx, order);
      suppliers::SupplyAttempt attempt = suppliers::supplier_store::attempts_of(tx, order).front();
      attempt.state = supply_state::kSucceeded;
      suppliers::supplier_store::save(tx, attempt);
      return apply(shop.env, tx, now, Event::supplier_succeeded,
                   {"reloadly", "", nullptr, &attempt})
          .has_value();
    });
    return ScriptedSupplier::said(SupplyState::rejected, "UNDONE");
  });
  CHECK(shop.run_until_quiet(kDayMs24));
  CHECK(shop.state(order) == State::succeeded);
  CHECK(shop.work_items() == std::vector<std::string>{"supplier_contradiction"});
  CHECK(shop.refunds_of(order).empty());
  CHECK(shop.journals("fulfilment") == 1);
  CHECK(shop.supply_of(order).state == supply_state::kSucceeded);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("O-05: a delivery heard after the refusal is not booked, and calls a person") {
  OrderShop shop;
  const OrderId order = shop.paid_order();
  shop.reloadly->submits.then(ScriptedSupplier::said(SupplyState::unknown));
  shop.run_due();
  shop.reloadly->queries.then_do([&](const auto&) {
    shop.shop.db().write([&](storage::Tx& tx) {
      Order now = *order_store::find(tx, order);
      suppliers::SupplyAttempt attempt = suppliers::supplier_store::attempts_of(tx, order).front();
      attempt.state = supply_state::kRejected;
      suppliers::supplier_store::save(tx, attempt);
      return apply(shop.env, tx, now, Event::supplier_rejected, {"reloadly", "", nullptr, &attempt})
          .has_value();
    });
    return ScriptedSupplier::said(SupplyState::succeeded, "AFTER_ALL");
  });
  CHECK(shop.run_until_quiet(kDayMs24));
  CHECK(shop.state(order) == State::refunded);
  CHECK(shop.work_items() == std::vector<std::string>{"supplier_contradiction"});
  CHECK(shop.journals("fulfilment") == 0);
  CHECK(shop.broken_books() == "");
}

// ---- held: nothing was taken on, so the same id may go again

TEST_CASE("held: the same id is submitted again after a growing wait, and succeeds in the end") {
  OrderShop shop;
  const OrderId order = shop.paid_order();
  std::vector<std::int64_t> sent_at;
  for (int i = 0; i < 3; ++i) {
    shop.reloadly->submits.then_do([&](const suppliers::SubmitRequest&) {
      sent_at.push_back(shop.clock.wall_ms());
      return ScriptedSupplier::said(SupplyState::held, "INSUFFICIENT_BALANCE");
    });
  }
  CHECK(shop.run_until_quiet(kDayMs24));
  CHECK(shop.state(order) == State::succeeded);
  const auto heard = shop.reloadly->submits.heard();
  REQUIRE(heard.size() == 4);
  for (const suppliers::SubmitRequest& request : heard)
    CHECK(request.attempt_id == heard.front().attempt_id);
  REQUIRE(sent_at.size() == 3);
  CHECK(sent_at[1] - sent_at[0] >= 2'000);
  CHECK(sent_at[2] - sent_at[1] > sent_at[1] - sent_at[0]);
}

TEST_CASE("X14: a line that stays down is told to a person, and the promise ends in a refund") {
  OrderShop shop;
  const OrderId order = shop.paid_order();
  const std::int64_t paid_at = shop.clock.wall_ms();
  shop.reloadly->submits.usually(ScriptedSupplier::said(SupplyState::held, "INSUFFICIENT_BALANCE"));
  CHECK(shop.run_until_quiet(shop.env.settings.hold_promise_ms - 130'000));
  CHECK(shop.state(order) == State::paid);
  CHECK(shop.refunds_of(order).empty());
  CHECK(shop.work_items() == std::vector<std::string>{"supplier_line_down"});
  CHECK(shop.run_until_quiet(kDayMs24));
  CHECK(shop.state(order) == State::refunded);
  CHECK(shop.clock.wall_ms() - paid_at >= shop.env.settings.hold_promise_ms);
  CHECK(shop.wechat->refunds.calls() == 1);
  CHECK(shop.shop.text("SELECT reason FROM refunds") == "not_delivered_in_time");
  CHECK(shop.supply_of(order).state == supply_state::kRejected);
  const auto heard = shop.reloadly->submits.heard();
  for (const suppliers::SubmitRequest& request : heard)
    CHECK(request.attempt_id == heard.front().attempt_id);
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM outbox") == 0);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("O-04: what a supplier that does not deduplicate may have got is never sent again") {
  OrderShop shop;
  shop.reloadly->knows_repeats = false;
  const OrderId order = shop.paid_order();
  shop.reloadly->submits.usually(ScriptedSupplier::said(SupplyState::held, "INSUFFICIENT_BALANCE"));
  shop.run_due();
  CHECK(shop.state(order) == State::unknown);
  shop.reloadly->queries.then(ScriptedSupplier::said(SupplyState::rejected, "NO_BALANCE"));
  CHECK(shop.run_until_quiet(kDayMs24));
  CHECK(shop.reloadly->submits.calls() == 1);
  CHECK(shop.state(order) == State::refunded);
}

TEST_CASE("O-04: what never left such a supplier's door may go again") {
  OrderShop shop;
  shop.reloadly->knows_repeats = false;
  const OrderId order = shop.paid_order();
  shop.reloadly->submits.then(ScriptedSupplier::said(SupplyState::held, "not_sent"));
  CHECK(shop.run_until_quiet(kDayMs24));
  CHECK(shop.reloadly->submits.calls() == 2);
  CHECK(shop.state(order) == State::succeeded);
}

TEST_CASE("X10: a delivery that the supplier takes back is undone in the books and shown") {
  OrderShop shop;
  const OrderId order = shop.paid_order();
  SupplyOutcome done = ScriptedSupplier::said(SupplyState::succeeded, "COMPLETED");
  done.cost = Money{712, Currency::usd};
  shop.reloadly->submits.then(done);
  shop.run_due();
  CHECK(shop.state(order) == State::succeeded);
  const AttemptId attempt = shop.supply_of(order).id;
  shop.reloadly->queries.then(ScriptedSupplier::said(SupplyState::succeeded, "COMPLETED"));
  (void)shop.supply.on_hint(attempt);
  shop.run_due();
  CHECK(shop.state(order) == State::succeeded);
  shop.reloadly->queries.then(ScriptedSupplier::said(SupplyState::rejected, "REVERSED"));
  (void)shop.supply.on_hint(attempt);
  (void)shop.supply.on_hint(attempt);
  shop.run_due();
  CHECK(shop.state(order) == State::reversed);
  CHECK(shop.supply_of(order).state == supply_state::kReversed);
  CHECK(shop.journals("reversal") == 1);
  CHECK(shop.work_items() == std::vector<std::string>{"supplier_reversed"});
  CHECK(shop.refunds_of(order).empty());
  CHECK(shop.broken_books() == "");
}

TEST_CASE("F006: each exchange is a row, with the account masked and what we made of the answer") {
  OrderShop shop;
  const OrderId order = shop.paid_order();
  SupplyOutcome accepted = ScriptedSupplier::said(SupplyState::accepted, "PROCESSING");
  accepted.supplier_order_id = "theirs-1";
  shop.reloadly->submits.then_do([&](const suppliers::SubmitRequest&) {
    shop.clock.advance(250);
    return accepted;
  });
  shop.reloadly->queries.then(ScriptedSupplier::said(SupplyState::succeeded, "SUCCESSFUL"));
  CHECK(shop.run_until_quiet(kDayMs24));
  std::vector<suppliers::Exchange> rows;
  shop.shop.db().read(
      [&](storage::Reader& reader) { rows = suppliers::exchange_store::of_order(reader, order); });
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].operation == "submit");
  CHECK(rows[0].outcome == "accepted");
  CHECK(rows[0].code == "PROCESSING");
  CHECK(rows[0].latency_ms == 250);
  CHECK(rows[0].attempt == shop.supply_of(order).id);
  CHECK(rows[0].request.find("138****8000") != std::string::npos);
  CHECK(rows[0].request.find(std::string(testing::kNumber)) == std::string::npos);
  CHECK(rows[0].response.find("theirs-1") != std::string::npos);
  CHECK(rows[1].operation == "query");
  CHECK(rows[1].outcome == "succeeded");
  CHECK_THROWS_AS(shop.shop.tamper("DELETE FROM supplier_exchanges"), storage::SqlError);
}

TEST_CASE(
    "held: once an outcome is unknown the id is not submitted again, even if a query says held") {
  OrderShop shop;
  const OrderId order = shop.paid_order();
  shop.reloadly->submits.then(ScriptedSupplier::said(SupplyState::held));
  shop.reloadly->submits.then(ScriptedSupplier::said(SupplyState::unknown));
  shop.reloadly->queries.then(ScriptedSupplier::said(SupplyState::held));
  shop.reloadly->queries.then(ScriptedSupplier::said(SupplyState::succeeded));
  CHECK(shop.run_until_quiet(kDayMs24));
  CHECK(shop.state(order) == State::succeeded);
  CHECK(shop.reloadly->submits.calls() == 2);
}

TEST_CASE("supply: an account that cannot be opened is held, and never leaves the shop") {
  OrderShop shop;
  const OrderId order = shop.paid_order();
  shop.shop.tamper("UPDATE orders SET account_sealed = 'v1.00000000.AAAA'");
  shop.run_due();
  CHECK(shop.reloadly->submits.calls() == 0);
  CHECK(shop.state(order) == State::paid);
  CHECK(shop.supply_of(order).code == "account_unreadable");
}

TEST_CASE("X14: a paid order that no supplier lists is told to a person, and refunded in time") {
  OrderShop shop;
  const OrderId order = shop.place();
  const OutTradeNo no = shop.start(order);
  shop.shop.tamper("DELETE FROM supplier_products");
  CHECK(*shop.notify(OrderShop::paid(no)));
  CHECK(shop.state(order) == State::paid);
  CHECK(shop.work_items() == std::vector<std::string>{"no_supplier"});
  CHECK(shop.run_until_quiet(kDayMs24));
  CHECK(shop.state(order) == State::refunded);  // at the end of the promised time
}

TEST_CASE("supply: jobs about nothing, or about what is over, end quietly") {
  OrderShop shop;
  const OrderId order = shop.paid_order();
  shop.run_due();
  const AttemptId attempt = shop.supply_of(order).id;
  for (const std::string& subject : {attempt.text, std::string("S-unknown")}) {
    for (const auto kind : {job_kind::kSubmit, job_kind::kSupplierQuery}) {
      shop.shop.db().write([&](storage::Tx& tx) {
        const std::int64_t now = shop.clock.wall_ms();
        jobs::outbox::enqueue(tx, kind, subject, now, now, TraceId());
        return true;
      });
    }
  }
  CHECK(shop.run_due() == 4);
  CHECK(shop.failed_jobs == 0);
  CHECK(shop.reloadly->submits.calls() == 1);
  CHECK(shop.reloadly->queries.calls() == 0);
  CHECK(
      shop.shop.integer(
          "SELECT COUNT(*) FROM outbox WHERE kind <> 'payment_query' AND kind <> 'order_expire'") ==
      0);
}

}  // namespace
}  // namespace topup::orders
