#include "server/orders/refund_flow.h"

#include <doctest/doctest.h>

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "server/orders/transition.h"
#include "tests/support/order_shop.h"
#include "tests/support/together.h"

namespace topup::orders {
namespace {

using payments::DefiniteFail;
using payments::RefundState;
using payments::RefundTrade;
using payments::Unknown;
using suppliers::SupplyState;
using testing::OrderShop;
using testing::ScriptedChannel;
using testing::ScriptedSupplier;
namespace refund_state = payments::refund_state;

constexpr std::int64_t kDayMs24 = 24 * 3'600'000;

// Paid and definitely not delivered: the refund's job is due.
OrderId refunding_order(OrderShop& shop) {
  const OrderId order = shop.paid_order();
  shop.reloadly->submits.then(ScriptedSupplier::said(SupplyState::rejected, "INVALID_NUMBER"));
  const std::vector<jobs::Job> claimed = shop.claim();
  REQUIRE(claimed.size() == 1);
  shop.run_one(claimed.front());
  REQUIRE(shop.state(order) == State::refunding);
  return order;
}

RefundTrade said(OrderShop& shop, const OrderId& order, RefundState state) {
  const payments::Refund refund = shop.refunds_of(order).front();
  return ScriptedChannel::refund_trade(refund.out_refund_no, state, refund.amount);
}

TEST_CASE("refund: a lost answer is followed by the same number, never by a new one") {
  OrderShop shop;
  const OrderId order = refunding_order(shop);
  for (int i = 0; i < 4; ++i) shop.wechat->refunds.then(Unknown{"deadline"});
  shop.wechat->refunds.then_do(
      [](const auto&) -> payments::Outcome<RefundTrade> { throw std::runtime_error("broken"); });
  CHECK(shop.run_until_quiet(kDayMs24));
  CHECK(shop.state(order) == State::refunded);
  std::set<std::string> numbers;
  for (const payments::RefundRequest& request : shop.wechat->refunds.heard()) {
    numbers.insert(request.out_refund_no.text);
    CHECK(request.amount == fen(testing::kPayable));
    CHECK(request.total == fen(testing::kPayable));
  }
  CHECK(shop.wechat->refunds.calls() == 6);
  CHECK(numbers.size() == 1);
  CHECK(shop.journals("refund") == 1);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("refund: one that is processing is asked about, and requested only once") {
  OrderShop shop;
  const OrderId order = refunding_order(shop);
  shop.wechat->refunds.then(said(shop, order, RefundState::processing));
  shop.wechat->refund_queries.then(said(shop, order, RefundState::processing));
  shop.wechat->refund_queries.then(Unknown{"deadline"});
  shop.wechat->refund_queries.then(said(shop, order, RefundState::succeeded));
  shop.run_due();
  CHECK(shop.refunds_of(order).front().state == refund_state::kProcessing);
  CHECK(shop.state(order) == State::refunding);
  CHECK(shop.journals("refund") == 0);
  CHECK(shop.run_until_quiet(kDayMs24));
  CHECK(shop.state(order) == State::refunded);
  CHECK(shop.wechat->refunds.calls() == 1);
  CHECK(shop.wechat->refund_queries.calls() == 3);
}

TEST_CASE("refund: one that never ends is asked about ever more rarely, and not forgotten") {
  OrderShop shop;
  const OrderId order = refunding_order(shop);
  shop.wechat->refunds.then(said(shop, order, RefundState::processing));
  shop.wechat->refund_queries.usually(
      payments::Outcome<RefundTrade>(said(shop, order, RefundState::processing)));
  CHECK(shop.run_until_quiet(7 * kDayMs24));
  CHECK(shop.wechat->refund_queries.calls() > 24 * 7);
  CHECK(shop.wechat->refund_queries.calls() < 24 * 7 + 30);
  CHECK(shop.jobs(job_kind::kRefund) == 1);
}

TEST_CASE("R-05: a refund that stays open for days is told to a person once, and closes its item") {
  for (const bool is_processing : {true, false}) {
    CAPTURE(is_processing);
    OrderShop shop;
    const OrderId order = refunding_order(shop);
    if (is_processing) {
      shop.wechat->refunds.then(said(shop, order, RefundState::processing));
      shop.wechat->refund_queries.usually(
          payments::Outcome<RefundTrade>(said(shop, order, RefundState::processing)));
    } else {
      shop.wechat->refunds.usually(payments::Outcome<RefundTrade>(Unknown{"deadline"}));
    }
    CHECK(shop.run_until_quiet((is_processing ? 3 : 1) * kDayMs24 - 2 * 3'600'000));
    CHECK(shop.work_items().empty());
    CHECK(shop.run_until_quiet(kDayMs24));
    CHECK(shop.work_items() == std::vector<std::string>{"refund_waits"});
    CHECK(shop.jobs(job_kind::kRefund) == 1);  // asking goes on
    shop.wechat->refunds.usually(
        payments::Outcome<RefundTrade>(said(shop, order, RefundState::succeeded)));
    shop.wechat->refund_queries.usually(
        payments::Outcome<RefundTrade>(said(shop, order, RefundState::succeeded)));
    CHECK(shop.run_until_quiet(kDayMs24));
    CHECK(shop.state(order) == State::refunded);
    CHECK(shop.shop.integer("SELECT COUNT(*) FROM work_items WHERE state = 'open'") == 0);
  }
}

TEST_CASE("refund: a definite refusal ends with a person, and the money stays owed") {
  for (const RefundState state : {RefundState::closed, RefundState::abnormal}) {
    OrderShop shop;
    const OrderId order = refunding_order(shop);
    shop.wechat->refunds.then(said(shop, order, state));
    CHECK(shop.run_until_quiet(kDayMs24));
    CHECK(shop.state(order) == State::manual);
    CHECK(shop.work_items() == std::vector<std::string>{"refund_refused"});
    CHECK(shop.balance("liability.customer_orders") == -testing::kPayable);
    CHECK(shop.journals("refund") == 0);
    CHECK(shop.refunds_of(order).front().state == refund_state::kRefused);
  }
}

TEST_CASE(
    "refund: refused for now (our balance at the channel) is tried again under the same number, "
    "and a person is told once") {
  OrderShop shop;
  const OrderId order = refunding_order(shop);
  for (int i = 0; i < 3; ++i) shop.wechat->refunds.then(DefiniteFail("NOT_ENOUGH", "fill up"));
  CHECK(shop.run_until_quiet(kDayMs24));
  CHECK(shop.state(order) == State::refunded);
  CHECK(shop.wechat->refunds.calls() == 4);
  CHECK(shop.work_items() == std::vector<std::string>{"refund_waits"});
}

TEST_CASE("refund: an amount that differs is never booked; a person looks") {
  OrderShop shop;
  const OrderId order = refunding_order(shop);
  RefundTrade less = said(shop, order, RefundState::succeeded);
  less.amount = fen(1);
  shop.wechat->refunds.then(less);
  CHECK(shop.run_until_quiet(kDayMs24));
  CHECK(shop.state(order) == State::refunding);
  CHECK(shop.work_items() == std::vector<std::string>{"refund_amount_differs"});
  CHECK(shop.journals("refund") == 0);
}

TEST_CASE("R-05: the notification before our own answer, and again after it, books once") {
  OrderShop shop;
  const OrderId order = refunding_order(shop);
  const RefundTrade done = said(shop, order, RefundState::succeeded);
  shop.wechat->refunds.then_do([&](const auto&) {
    CHECK(*shop.notify(done, "early"));
    CHECK(shop.state(order) == State::refunded);
    return done;
  });
  CHECK(shop.run_until_quiet(kDayMs24));
  CHECK_FALSE(*shop.notify(done, "late"));
  CHECK(shop.failed_jobs == 0);
  CHECK(shop.journals("refund") == 1);
  CHECK(shop.jobs(job_kind::kRefund) == 0);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("R-02: a refund heard by 16 threads at once is booked once") {
  OrderShop shop;
  const OrderId order = refunding_order(shop);
  const RefundTrade done = said(shop, order, RefundState::succeeded);
  testing::together(16, [&](int t) {
    for (int i = 0; i < 4; ++i) CHECK(shop.notify(done, std::to_string(t)).has_value());
  });
  CHECK(shop.state(order) == State::refunded);
  CHECK(shop.journals("refund") == 1);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("R-01: a second refund of one payment, or one above it, is refused and leaves nothing") {
  OrderShop shop;
  const OrderId order = refunding_order(shop);
  const payments::Attempt attempt = shop.attempts(order).front();
  const auto ask = [&](Money amount, const payments::Attempt& of) {
    shop.shop.db().write([&](storage::Tx& tx) {
      request_refund(shop.env, tx, of, amount, "again");
      return true;
    });
  };
  CHECK_THROWS_AS(ask(fen(testing::kPayable), attempt), storage::SqlError);
  CHECK_THROWS_AS(ask(fen(1), attempt), storage::SqlError);
  const OrderId other = shop.paid_order();
  const payments::Attempt paid = shop.attempts(other).front();
  CHECK_THROWS_AS(ask(fen(testing::kPayable + 1), paid), storage::SqlError);
  CHECK(shop.attempts(other).front().refunded_minor == 0);
  CHECK(shop.refunds_of(other).empty());
  CHECK(shop.refunds_of(order).size() == 1);
  CHECK(shop.attempts(order).front().refunded_minor == testing::kPayable);
}

TEST_CASE(
    "refund: that of a second payment moves money only, and its refusal calls a person without "
    "touching the order") {
  for (const bool refused : {false, true}) {
    CAPTURE(refused);
    OrderShop shop;
    const OrderId order = shop.place();
    const OutTradeNo first = shop.start(order, payments::Scene::jsapi);
    const OutTradeNo second = shop.start(order, payments::Scene::jsapi);
    CHECK(*shop.notify(OrderShop::paid(first)));
    shop.run_due();
    CHECK(*shop.notify(OrderShop::paid(second)));
    if (refused) shop.wechat->refunds.then(said(shop, order, RefundState::abnormal));
    CHECK(shop.run_until_quiet(kDayMs24));
    CHECK(shop.state(order) == State::succeeded);
    CHECK(shop.work_items() ==
          (refused ? std::vector<std::string>{"refund_refused"} : std::vector<std::string>{}));
    CHECK(shop.balance("liability.customer_orders") == (refused ? -testing::kPayable : 0));
    CHECK(shop.broken_books() == "");
  }
}

}  // namespace
}  // namespace topup::orders
