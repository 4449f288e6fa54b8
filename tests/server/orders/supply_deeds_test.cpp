// What a person does about a delivery that does not come by itself.
#include "server/orders/supply_deeds.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "server/notify/message_store.h"
#include "server/orders/order_news.h"
#include "tests/support/order_shop.h"

namespace topup::orders {
namespace {

using suppliers::SupplyState;
using testing::OrderShop;
using testing::ScriptedSupplier;
namespace supply_state = suppliers::supply_state;
namespace message_store = notify::message_store;
using topup::Action;

constexpr std::int64_t kDay = 24 * 3'600'000;

// Three suppliers deliver the product: dtone is the cheapest, then stella, then reloadly.
struct Desk : OrderShop {
  Desk() {
    dtone = another("dtone");
    stella = another("stella");
    const std::vector<Rate> rates = {{Currency::usd, Currency::cny, 720'000'000}};
    catalog.publish("",
                    catalog::assemble({way("reloadly", 660), way("dtone", 640), way("stella", 650)},
                                      rates, Currency::cny),
                    {{.id = "default", .rate_bp = 9'950}, {.id = "service"}, {}, rates}, "system");
    clock.advance(1'000);
  }
  static catalog::OnSale way(const std::string& supplier, std::int64_t cost) {
    catalog::Listed listed{"1", "China Mobile", "CN", fen(5'000)};
    listed.sku = "sku-" + supplier;
    listed.cost = {cost, Currency::usd};
    return {supplier, listed, listed};
  }
  ScriptedSupplier* another(const std::string& name) {
    auto supplier = std::make_unique<ScriptedSupplier>(name);
    ScriptedSupplier* kept = supplier.get();
    suppliers.add(std::move(supplier));
    return kept;
  }
  std::vector<suppliers::SupplyAttempt> attempts_at(const OrderId& id) {
    std::vector<suppliers::SupplyAttempt> found;
    shop.db().read([&](storage::Reader& reader) {
      found = suppliers::supplier_store::attempts_of(reader, id);
    });
    return found;
  }
  template <class Deed>
  std::string reason_of(const Deed& deed) {
    const auto done = storage::with_tx(shop.db(), deed);
    return done ? "" : std::string(done.error().reason);
  }
  std::string send_to(const OrderId& id, std::string_view supplier) {
    return reason_of([&](storage::Tx& tx) {
      return switch_supplier(env, tx, {id, "staff:olga", "slow"}, supplier);
    });
  }
  std::string take_over(const OrderId& id) {
    return reason_of([&](storage::Tx& tx) {
      return hand_over(env, tx, {id, "staff:olga", "buyer waits"});
    });
  }
  std::string say(const OrderId& id, Action deed) {
    return reason_of([&](storage::Tx& tx) {
      return mark(env, tx, {id, "staff:olga", "they said so"}, deed);
    });
  }
  std::vector<Taker> takers(const OrderId& id) {
    std::vector<Taker> found;
    shop.db().read([&](storage::Reader& reader) { found = takers_of(env, reader, load(id)); });
    return found;
  }
  OrderId held() {
    const OrderId id = paid_order();
    dtone->submits.usually(ScriptedSupplier::said(SupplyState::held, "LATER"));
    run_due();
    check(state(id) == State::paid, "nothing was taken on");
    return id;
  }
  OrderId unknown() {
    const OrderId id = paid_order();
    dtone->submits.then(ScriptedSupplier::said(SupplyState::unknown, "deadline"));
    run_due();
    check(state(id) == State::unknown, "nobody knows");
    return id;
  }
  OrderId handed_over() {
    const OrderId id = unknown();
    check(take_over(id).empty(), "a person took it");
    return id;
  }

  ScriptedSupplier* dtone = nullptr;
  ScriptedSupplier* stella = nullptr;
};

TEST_CASE("O-02: a held order goes to the supplier that a person chose, and leaves once") {
  Desk desk;
  const OrderId id = desk.held();
  const auto takers = desk.takers(id);
  REQUIRE(takers.size() == 2);
  CHECK(takers[0].supplier == "stella");  // the best of those who have not had it
  CHECK(takers[1].supplier == "reloadly");
  CHECK(takers[1].cost == Money{660, Currency::usd});
  CHECK(desk.send_to(id, "dtone") == "supplier_cannot_take");  // who has it now
  CHECK(desk.send_to(id, "nobody") == "supplier_cannot_take");
  CHECK(desk.send_to(id, "reloadly").empty());
  const auto attempts = desk.attempts_at(id);
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[0].code == "replaced");
  CHECK(attempts[1].supplier == "reloadly");
  CHECK(desk.run_until_quiet(kDay));
  CHECK(desk.state(id) == State::succeeded);
  CHECK(desk.dtone->submits.calls() == 1);
  CHECK(desk.stella->submits.calls() == 0);
  CHECK(desk.reloadly->submits.calls() == 1);
  CHECK(desk.broken_books() == "");
}

TEST_CASE("S-04 O-02: unknown is not failed: no person sends it elsewhere, nor what is over") {
  Desk desk;
  const OrderId unknown = desk.unknown();
  CHECK(desk.takers(unknown).empty());
  CHECK(desk.send_to(unknown, "stella") == "deed_not_allowed_in_state");
  CHECK(desk.take_over(unknown).empty());
  CHECK(desk.state(unknown) == State::manual);
  CHECK(desk.send_to(unknown, "stella") == "deed_not_allowed_in_state");
  const OrderId delivered = desk.paid_order();
  CHECK(desk.run_until_quiet(60'000));
  CHECK(desk.send_to(delivered, "stella") == "deed_not_allowed_in_state");
  CHECK(desk.take_over(delivered) == "deed_not_allowed_in_state");
  CHECK(desk.stella->submits.calls() == 0);
  CHECK(desk.send_to(OrderId("01JD0000000000000000000000"), "stella") == "order_not_found");
}

TEST_CASE("O-02: an order has so many suppliers and no more, whoever asks") {
  Desk desk;
  desk.env.settings.max_supplier_attempts = 1;
  const OrderId id = desk.held();
  CHECK(desk.send_to(id, "stella") == "too_many_suppliers");
  CHECK(desk.attempts_at(id).size() == 1);
}

TEST_CASE("an outcome that nobody knows is marked only after a person has taken it over") {
  Desk desk;
  const OrderId id = desk.unknown();
  CHECK(desk.say(id, Action::mark_delivered) == "deed_not_allowed_in_state");
  CHECK(desk.say(id, Action::mark_failed) == "deed_not_allowed_in_state");
  CHECK(desk.take_over(id).empty());
  CHECK(desk.work_items() == std::vector<std::string>{"give_up"});
  SUBCASE("delivered: booked as the supplier's own word would be, and over for everybody") {
    CHECK(desk.say(id, Action::mark_delivered).empty());
    CHECK(desk.state(id) == State::succeeded);
    CHECK(desk.attempts_at(id)[0].state == supply_state::kSucceeded);
    CHECK(desk.attempts_at(id)[0].code == "by_hand");
    CHECK(desk.journals("fulfilment") == 1);
    CHECK(desk.say(id, Action::mark_delivered) == "deed_not_allowed_in_state");
    CHECK(desk.run_until_quiet(kDay));
    CHECK(desk.refunds_of(id).empty());
  }
  SUBCASE("failed: the buyer gets the money as after a refusal, once") {
    CHECK(desk.say(id, Action::mark_failed).empty());
    CHECK(desk.state(id) == State::refunding);
    CHECK(desk.attempts_at(id)[0].state == supply_state::kRejected);
    CHECK(desk.run_until_quiet(kDay));
    CHECK(desk.state(id) == State::refunded);
    REQUIRE(desk.refunds_of(id).size() == 1);
    CHECK(desk.refunds_of(id)[0].amount == fen(testing::kPayable));
    CHECK(desk.wechat->refunds.calls() == 1);
  }
  CHECK(desk.shop.integer("SELECT COUNT(*) FROM work_items WHERE state = 'open'") == 0);
  CHECK(desk.dtone->submits.calls() == 1);
  CHECK(desk.stella->submits.calls() == 0);
  CHECK(desk.broken_books() == "");
}

TEST_CASE(
    "O-05: what the supplier says after a person has marked it changes nothing and is shown") {
  for (const bool is_delivered : {true, false}) {
    Desk desk;
    const OrderId id = desk.handed_over();
    // The question is on its way while the outcome is marked.
    desk.dtone->queries.then_do([&](const auto&) {
      CHECK(desk.say(id, is_delivered ? Action::mark_delivered : Action::mark_failed).empty());
      return ScriptedSupplier::said(is_delivered ? SupplyState::rejected : SupplyState::succeeded,
                                    "LATE");
    });
    CHECK(desk.run_until_quiet(kDay));
    CHECK(desk.state(id) == (is_delivered ? State::succeeded : State::refunded));
    const auto items = desk.work_items();
    CHECK(std::count(items.begin(), items.end(), "supplier_contradiction") == 1);
    CHECK(desk.broken_books() == "");
  }
}

TEST_CASE("a clear answer still settles an order that a person has taken over") {
  Desk desk;
  const OrderId id = desk.handed_over();
  desk.dtone->queries.then(ScriptedSupplier::said(SupplyState::succeeded));
  CHECK(desk.run_until_quiet(kDay));
  CHECK(desk.state(id) == State::succeeded);
  CHECK(desk.say(id, Action::mark_failed) == "deed_not_allowed_in_state");
  CHECK(desk.broken_books() == "");
}

TEST_CASE("R-02: an order whose refund was refused is not marked as failed once more") {
  Desk desk;
  desk.dtone->submits.then(ScriptedSupplier::said(SupplyState::rejected, "NO"));
  desk.stella->submits.then(ScriptedSupplier::said(SupplyState::rejected, "NO"));
  desk.reloadly->submits.then(ScriptedSupplier::said(SupplyState::rejected, "NO"));
  desk.wechat->refunds.usually([](const payments::RefundRequest& asked) {
    return testing::ScriptedChannel::refund_trade(asked.out_refund_no,
                                                  payments::RefundState::abnormal, asked.amount);
  });
  const OrderId id = desk.paid_order();
  CHECK(desk.run_until_quiet(kDay));
  REQUIRE(desk.state(id) == State::manual);
  CHECK(desk.say(id, Action::mark_failed) == "refund_exists");
  CHECK(desk.refunds_of(id).size() == 1);
}

notify::Message failed_message(Desk& desk, const OrderId& id, std::int64_t tries) {
  notify::Message message;
  message.id = "message-of-" + id.text;
  message.user = desk.user;
  message.order = id;
  message.topic = topic::kDelivered;
  message.way = "template";
  message.state = notify::message_state::kFailed;
  message.tries = tries;
  message.created_at_ms = desk.clock.wall_ms();
  desk.shop.db().write([&](storage::Tx& tx) {
    message_store::insert(tx, message);
    message_store::save(tx, message);
    return true;
  });
  return message;
}

TEST_CASE(
    "a message that was given up is queued once more from its first way, so often and no more") {
  Desk desk;
  const OrderId id = desk.paid_order();
  CHECK(desk.run_until_quiet(60'000));
  const auto again = [&] {
    return desk.reason_of([&](storage::Tx& tx) { return resend(desk.env, tx, id); });
  };
  CHECK(again() == "nothing_to_resend");
  const notify::Message message = failed_message(desk, id, kMostTries - 1);
  CHECK(again().empty());
  CHECK(desk.jobs(kMessageJob) == 1);
  CHECK(desk.shop.texts("SELECT state FROM messages") == std::vector<std::string>{"queued"});
  CHECK(desk.shop.texts("SELECT way FROM messages") == std::vector<std::string>{"inbox"});
  CHECK(again() == "nothing_to_resend");  // it waits already
  desk.shop.tamper("UPDATE messages SET state = 'failed', tries = " + std::to_string(kMostTries));
  CHECK(again() == "too_many_resends");
  CHECK(desk.jobs(kMessageJob) == 1);
}

TEST_CASE("whoever claims an order has all of its items that nobody had, and not another's") {
  Desk desk;
  const OrderId id = desk.handed_over();
  const auto claim = [&](const std::string& name) {
    return desk.reason_of(
        [&](storage::Tx& tx) { return claim_items(desk.env, tx, id, StaffId(name), TraceId()); });
  };
  CHECK(claim("olga").empty());
  CHECK(desk.shop.texts("SELECT owner FROM work_items") == std::vector<std::string>{"olga"});
  CHECK(claim("olga") == "nothing_to_claim");
  CHECK(claim("otto") == "work_item_taken");
}

}  // namespace
}  // namespace topup::orders
