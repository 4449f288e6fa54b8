#include "server/orders/payment_flow.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <vector>

#include "tests/support/order_shop.h"
#include "tests/support/together.h"

namespace topup::orders {
namespace {

using payments::DefiniteFail;
using payments::TradeState;
using payments::Unknown;
using testing::OrderShop;
using testing::ScriptedChannel;
using testing::ScriptedSupplier;
namespace attempt_state = payments::attempt_state;

constexpr std::int64_t kHourMs = 3'600'000;

std::string reason_of(const auto& result) {
  return result ? std::string("accepted") : std::string(result.error().reason);
}

TEST_CASE(
    "payment: placed, paid, delivered: each step leaves its event, its journal and its audit row") {
  OrderShop shop;
  const OrderId order = shop.place();
  const OutTradeNo no = shop.start(order);
  CHECK(shop.state(order) == State::paying);
  CHECK(*shop.notify(OrderShop::paid(no)));
  CHECK(shop.state(order) == State::paid);
  CHECK(shop.balance("asset.channel_clearing.wechat") == testing::kPayable);
  CHECK(shop.balance("liability.customer_orders") == -testing::kPayable);
  CHECK(shop.wakes() > 0);
  shop.run_due();
  CHECK(shop.state(order) == State::succeeded);
  CHECK(shop.balance("liability.customer_orders") == 0);
  CHECK(shop.balance("revenue.sales") == -testing::kPayable);
  CHECK(shop.reloadly->submits.calls() == 1);
  CHECK(shop.reloadly->submits.heard().front().account_number == "+8613800138000");
  CHECK(shop.reloadly->submits.heard().front().face == fen(5'000));
  CHECK(shop.shop.texts("SELECT event FROM order_events ORDER BY seq") ==
        std::vector<std::string>{"place", "start_payment", "payment_confirmed", "submit",
                                 "supplier_succeeded"});
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM order_events") ==
        shop.shop.integer("SELECT COUNT(*) FROM audit_log WHERE action LIKE 'order.%'"));
  CHECK(shop.run_until_quiet(kHourMs));
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM outbox") == 0);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("payment: a sheet is reused while it is good, and asks for our sum under our number") {
  OrderShop shop;
  const OrderId order = shop.place();
  const auto first = shop.try_start(order);
  const auto again = shop.try_start(order);
  REQUIRE(first.has_value());
  REQUIRE(again.has_value());
  CHECK(again->out_trade_no == first->out_trade_no);
  CHECK(again->ticket.h5_url == first->ticket.h5_url);
  REQUIRE(shop.wechat->prepays.calls() == 1);
  const payments::PrepayRequest asked = shop.wechat->prepays.heard().front();
  CHECK(asked.amount == fen(testing::kPayable));
  CHECK(asked.out_trade_no == first->out_trade_no);
  CHECK(asked.expire_at_ms == shop.load(order).pay_by_ms);
  CHECK(asked.return_url == "https://shop.example/#/order");
  shop.clock.advance(300'000);
  const auto later = shop.try_start(order);
  REQUIRE(later.has_value());
  CHECK(later->out_trade_no != first->out_trade_no);
}

TEST_CASE("payment: starting is refused for what cannot be paid, by precedence") {
  OrderShop shop;
  const OrderId order = shop.place();
  StartPayment request{shop.user, order, "alipay", payments::Scene::h5, "", "203.0.113.7", "/"};
  CHECK(reason_of(shop.payments.start(request)) == "channel_unknown");
  request.channel = "wechat";
  request.user = shop.new_user("buyer-two");
  CHECK(reason_of(shop.payments.start(request)) == "order_not_found");
  const OrderId paid = shop.paid_order();
  CHECK(reason_of(shop.try_start(paid)) == "order_not_payable");
  shop.clock.advance(shop.env.settings.pay_within_ms);
  CHECK(reason_of(shop.try_start(order)) == "order_not_payable");
  CHECK(shop.attempts(order).empty());
}

TEST_CASE("payment: an order has a limited number of attempts") {
  OrderShop shop;
  const OrderId order = shop.place();
  for (std::int64_t i = 0; i < shop.env.settings.max_payment_attempts; ++i) {
    shop.start(order, payments::Scene::jsapi);
  }
  CHECK(reason_of(shop.try_start(order, payments::Scene::jsapi)) == "too_many_attempts");
}

TEST_CASE("payment: a channel that was silent at every attempt does not cost the buyer the order") {
  OrderShop shop;
  const OrderId order = shop.place();
  const auto most = static_cast<std::size_t>(shop.env.settings.max_payment_attempts);
  for (std::size_t i = 0; i < most + 3; ++i) {
    CAPTURE(i);
    shop.wechat->prepays.then(Unknown{"circuit_open"});
    CHECK(reason_of(shop.try_start(order)) == "channel_unavailable");
    shop.clock.advance(1'000);
  }
  CHECK(shop.attempts(order).size() == most);
  const auto started = shop.try_start(order);
  REQUIRE(started.has_value());
  const auto attempts = shop.attempts(order);
  REQUIRE(attempts.size() == most);
  CHECK(std::any_of(attempts.begin(), attempts.end(), [&](const payments::Attempt& one) {
    return one.out_trade_no == started->out_trade_no && !one.ticket.empty();
  }));
  CHECK(reason_of(shop.try_start(order, payments::Scene::jsapi)) == "too_many_attempts");
}

TEST_CASE(
    "payment: a channel that does not answer leaves the attempt open, one that refuses ends it") {
  OrderShop shop;
  const OrderId order = shop.place();
  shop.wechat->prepays.then(Unknown{"deadline"});
  CHECK(reason_of(shop.try_start(order)) == "channel_unavailable");
  shop.wechat->prepays.then(DefiniteFail("PARAM_ERROR", "no"));
  CHECK(reason_of(shop.try_start(order)) == "channel_refused");
  const auto attempts = shop.attempts(order);
  REQUIRE(attempts.size() == 2);
  CHECK((attempts[0].state == attempt_state::kStarted) !=
        (attempts[1].state == attempt_state::kStarted));
  CHECK((attempts[0].state == attempt_state::kRefused) !=
        (attempts[1].state == attempt_state::kRefused));
  CHECK(shop.try_start(order).has_value());
}

TEST_CASE(
    "regression: an order whose only attempt was refused or closed early still ends in time") {
  for (const bool refused : {true, false}) {
    CAPTURE(refused);
    OrderShop shop;
    const OrderId order = shop.place();
    if (refused) shop.wechat->prepays.then(DefiniteFail("PARAM_ERROR", "no"));
    (void)shop.try_start(order);
    if (!refused) {
      shop.wechat->queries.then_do(
          [](const OutTradeNo& no) { return ScriptedChannel::trade(no, TradeState::closed); });
    }
    CHECK(shop.run_until_quiet(kHourMs));
    CHECK(shop.state(order) == State::closed);
    CHECK(shop.clock.wall_ms() <= shop.load(order).pay_by_ms + 60'000);
  }
}

// ---- C-01, C-09: one effect however often, in whatever order and by however many it is heard

TEST_CASE("C-01: one notification heard 1,000 times has one effect") {
  OrderShop shop;
  const OrderId order = shop.place();
  const payments::Trade trade = OrderShop::paid(shop.start(order));
  int changed = 0;
  for (int i = 0; i < 1'000; ++i) {
    const auto heard = shop.notify(trade, i % 2 == 0 ? "same" : "resent-" + std::to_string(i));
    REQUIRE(heard.has_value());
    changed += *heard ? 1 : 0;
  }
  CHECK(changed == 1);
  MESSAGE("figure C-01: 1,000 times heard, " << changed << " effect");
  CHECK(shop.journals("payment") == 1);
  CHECK(shop.jobs(job_kind::kSubmit) == 1);
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM notifications") == 501);
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM notifications WHERE outcome = 'changed'") == 1);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("C-09: notifications and queries from 16 threads at once have one effect") {
  OrderShop shop;
  for (int round = 0; round < 10; ++round) {
    CAPTURE(round);
    const OrderId order = shop.place();
    const payments::Trade trade = OrderShop::paid(shop.start(order));
    shop.wechat->queries.usually(payments::Outcome<payments::Trade>(trade));
    std::atomic<int> changed{0};
    std::atomic<int> refused{0};
    testing::together(16, [&](int t) {
      for (int i = 0; i < 4; ++i) {
        if (t % 2 == 0) {
          const auto heard = shop.notify(trade, std::to_string(round * 100 + t));
          changed += heard.value_or(false) ? 1 : 0;
          refused += heard ? 0 : 1;
        } else {
          refused += shop.payments.confirm(shop.user, order) ? 0 : 1;
        }
      }
    });
    CHECK(changed <= 1);
    CHECK(refused == 0);
    CHECK(shop.state(order) == State::paid);
    CHECK(shop.journals("payment") == round + 1);
    CHECK(shop.jobs(job_kind::kSubmit) == round + 1);
    CHECK(shop.load(order).version == 3);
  }
  CHECK(shop.broken_books() == "");
}

TEST_CASE("C-02: query then notification and notification then query end the same") {
  for (const bool query_first : {true, false}) {
    CAPTURE(query_first);
    OrderShop shop;
    const OrderId order = shop.place();
    const payments::Trade trade = OrderShop::paid(shop.start(order));
    shop.wechat->queries.usually(payments::Outcome<payments::Trade>(trade));
    if (query_first) CHECK(shop.payments.confirm(shop.user, order).has_value());
    CHECK(*shop.notify(trade) == !query_first);
    if (!query_first) CHECK(shop.payments.confirm(shop.user, order).has_value());
    CHECK(shop.state(order) == State::paid);
    CHECK(shop.journals("payment") == 1);
  }
}

TEST_CASE("C-02: what is heard after the end, or is older news, moves nothing") {
  OrderShop shop;
  const OrderId order = shop.place();
  const OutTradeNo no = shop.start(order);
  CHECK(*shop.notify(OrderShop::paid(no)));
  shop.run_due();
  const std::int64_t version = shop.load(order).version;
  for (const TradeState state :
       {TradeState::not_paid, TradeState::closed, TradeState::unknown, TradeState::paid}) {
    payments::Trade old = OrderShop::paid(no);
    old.state = state;
    CHECK_FALSE(*shop.notify(old, "late-" + std::to_string(static_cast<int>(state))));
  }
  CHECK(shop.state(order) == State::succeeded);
  CHECK(shop.load(order).version == version);
  CHECK(shop.attempts(order).front().state == attempt_state::kPaid);
}

TEST_CASE("C-02: news of a refund that nobody asked for is kept for a person, once") {
  OrderShop shop;
  const auto said =
      ScriptedChannel::refund_trade(OutRefundNo("Rx"), payments::RefundState::succeeded, fen(1));
  for (int i = 0; i < 3; ++i) CHECK(shop.notify(said).has_value());
  CHECK(shop.work_items() == std::vector<std::string>{"refund_without_request"});
  CHECK(shop.journals("refund") == 0);
}

// ---- C-06: verified, but not what is owed

TEST_CASE(
    "C-06: a payment that does not fit is never delivered: it stands in suspense, and a person is "
    "told") {
  struct Row {
    const char* name;
    Money paid;
    bool payee_matches;
    std::int64_t suspense;
  };
  const std::int64_t owed = testing::kPayable;
  const Row rows[] = {{"one fen less", fen(owed - 1), true, owed - 1},
                      {"one fen more", fen(owed + 1), true, owed + 1},
                      {"yuan for fen", fen(owed * 100), true, owed * 100},
                      {"fen for yuan", fen(owed / 100), true, owed / 100},
                      {"nothing", fen(0), true, 0},
                      {"the largest sum", fen(kMaxMinor), true, kMaxMinor},
                      {"another currency", {owed, Currency::usd}, true, 0},
                      {"another merchant", fen(owed), false, 0}};
  for (const Row& row : rows) {
    CAPTURE(row.name);
    OrderShop shop;
    const OrderId order = shop.place();
    payments::Trade trade = OrderShop::paid(shop.start(order), row.paid);
    trade.payee_matches = row.payee_matches;
    for (int i = 0; i < 3; ++i) CHECK(shop.notify(trade, "n" + std::to_string(i)).has_value());
    CHECK(shop.state(order) == State::review);
    CHECK(shop.run_until_quiet(kHourMs));
    CHECK(shop.state(order) == State::review);
    CHECK(shop.reloadly->submits.calls() == 0);
    CHECK(shop.work_items() == std::vector<std::string>{"payment_mismatch"});
    CHECK(shop.balance("liability.suspense") == -row.suspense);
    CHECK(shop.balance("liability.customer_orders") == 0);
    CHECK(shop.attempts(order).front().state == attempt_state::kMismatch);
    CHECK(shop.broken_books() == "");
  }
}

TEST_CASE("C-06: the payment of another order's attempt does not pay this one") {
  OrderShop shop;
  const OrderId cheap = shop.place();
  const OrderId other = shop.place();
  shop.start(other);
  CHECK(*shop.notify(OrderShop::paid(shop.start(cheap))));
  CHECK(shop.state(cheap) == State::paid);
  CHECK(shop.state(other) == State::paying);
}

TEST_CASE(
    "C-06: a wrong second payment of an order that is paid goes to suspense and changes nothing "
    "else") {
  OrderShop shop;
  const OrderId order = shop.place();
  const OutTradeNo first = shop.start(order, payments::Scene::jsapi);
  const OutTradeNo second = shop.start(order, payments::Scene::jsapi);
  CHECK(*shop.notify(OrderShop::paid(first)));
  CHECK(*shop.notify(OrderShop::paid(second, fen(77))));
  CHECK_FALSE(*shop.notify(OrderShop::paid(second, fen(77))));
  shop.run_due();
  CHECK(shop.state(order) == State::succeeded);
  CHECK(shop.balance("liability.suspense") == -77);
  CHECK(shop.work_items() == std::vector<std::string>{"payment_mismatch"});
  CHECK(shop.wechat->refunds.calls() == 0);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("C-06: a mismatch on a closed order waits for a person, too") {
  OrderShop shop;
  const OrderId order = shop.place();
  const OutTradeNo no = shop.start(order);
  REQUIRE(shop.payments.cancel(shop.user, order, "buyer").has_value());
  CHECK(*shop.notify(OrderShop::paid(no, fen(1))));
  CHECK(shop.state(order) == State::review);
  CHECK(shop.balance("liability.suspense") == -1);
}

// ---- C-07: money without an order, or too late

TEST_CASE("C-07: a payment this shop did not start is shown to a person, once, and moves no book") {
  OrderShop shop;
  const payments::Trade trade = OrderShop::paid(OutTradeNo("T-of-nobody"));
  for (int i = 0; i < 3; ++i) CHECK(shop.notify(trade, "n" + std::to_string(i)).has_value());
  CHECK(shop.work_items() == std::vector<std::string>{"payment_without_order"});
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM journals") == 0);
  payments::Trade unpaid = trade;
  unpaid.out_trade_no = OutTradeNo("T-other");
  unpaid.state = TradeState::not_paid;
  CHECK_FALSE(*shop.notify(unpaid));
  CHECK(shop.work_items().size() == 1);
}

TEST_CASE("C-07: a closed order that is paid late is refunded in full, once") {
  for (const bool cancelled : {true, false}) {
    CAPTURE(cancelled);
    OrderShop shop;
    const OrderId order = shop.place();
    const OutTradeNo no = shop.start(order);
    if (cancelled) {
      REQUIRE(shop.payments.cancel(shop.user, order, "buyer").has_value());
    } else {
      REQUIRE(shop.run_until_quiet(kHourMs));
    }
    REQUIRE(shop.state(order) == State::closed);
    for (int i = 0; i < 3; ++i)
      CHECK(shop.notify(OrderShop::paid(no), "n" + std::to_string(i)).has_value());
    CHECK(shop.state(order) == State::refunding);
    CHECK(shop.run_until_quiet(kHourMs));
    CHECK(shop.state(order) == State::refunded);
    REQUIRE(shop.wechat->refunds.calls() == 1);
    CHECK(shop.wechat->refunds.heard().front().amount == fen(testing::kPayable));
    CHECK(shop.wechat->refunds.heard().front().reason == "paid_after_close");
    CHECK(shop.reloadly->submits.calls() == 0);
    CHECK(shop.balance("asset.channel_clearing.wechat") == 0);
    CHECK(shop.balance("liability.customer_orders") == 0);
    CHECK(shop.broken_books() == "");
  }
}

TEST_CASE("C-07: of two paid attempts the second is given back, and the order is delivered once") {
  OrderShop shop;
  const OrderId order = shop.place();
  const OutTradeNo first = shop.start(order, payments::Scene::jsapi);
  const OutTradeNo second = shop.start(order, payments::Scene::jsapi);
  CHECK(*shop.notify(OrderShop::paid(first)));
  shop.run_due();
  CHECK(*shop.notify(OrderShop::paid(second)));
  CHECK_FALSE(*shop.notify(OrderShop::paid(second), "again"));
  CHECK(shop.run_until_quiet(kHourMs));
  CHECK(shop.state(order) == State::succeeded);
  REQUIRE(shop.wechat->refunds.calls() == 1);
  CHECK(shop.wechat->refunds.heard().front().out_trade_no == second);
  CHECK(shop.wechat->refunds.heard().front().reason == "paid_twice");
  CHECK(shop.reloadly->submits.calls() == 1);
  CHECK(shop.balance("asset.channel_clearing.wechat") == testing::kPayable);
  CHECK(shop.balance("liability.customer_orders") == 0);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("C-07: paid twice and then not delivered, both payments go back, each once") {
  for (const bool first_pays : {true, false}) {
    CAPTURE(first_pays);
    OrderShop shop;
    const OrderId order = shop.place();
    const OutTradeNo one = shop.start(order, payments::Scene::jsapi);
    const OutTradeNo two = shop.start(order, payments::Scene::jsapi);
    CHECK(*shop.notify(OrderShop::paid(first_pays ? one : two)));
    CHECK(*shop.notify(OrderShop::paid(first_pays ? two : one)));
    shop.reloadly->submits.then(ScriptedSupplier::said(suppliers::SupplyState::rejected));
    CHECK(shop.run_until_quiet(kHourMs));
    CHECK(shop.state(order) == State::refunded);
    CHECK(shop.wechat->refunds.calls() == 2);
    CHECK(shop.journals("refund") == 2);
    CHECK(shop.balance("asset.channel_clearing.wechat") == 0);
    int duplicates = 0;
    for (const payments::Attempt& attempt : shop.attempts(order)) {
      duplicates += attempt.state == attempt_state::kDuplicate ? 1 : 0;
      CHECK(attempt.refunded_minor == attempt.paid_minor);
    }
    CHECK(duplicates == 1);
    CHECK(shop.broken_books() == "");
  }
}

TEST_CASE("C-07: both attempts of a closed order paid late are both given back") {
  OrderShop shop;
  const OrderId order = shop.place();
  const OutTradeNo first = shop.start(order, payments::Scene::jsapi);
  const OutTradeNo second = shop.start(order, payments::Scene::jsapi);
  REQUIRE(shop.payments.cancel(shop.user, order, "buyer").has_value());
  CHECK(*shop.notify(OrderShop::paid(second)));
  CHECK(*shop.notify(OrderShop::paid(first)));
  CHECK(shop.run_until_quiet(kHourMs));
  CHECK(shop.state(order) == State::refunded);
  CHECK(shop.journals("refund") == 2);
  CHECK(shop.balance("asset.channel_clearing.wechat") == 0);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("C-07: an attempt the channel once refused, and then reports as paid, pays the order") {
  OrderShop shop;
  const OrderId order = shop.place();
  shop.wechat->prepays.then(DefiniteFail("SYSTEM", "no"));
  (void)shop.try_start(order);
  const auto attempts = shop.attempts(order);
  REQUIRE(attempts.size() == 1);
  CHECK(*shop.notify(OrderShop::paid(attempts.front().out_trade_no)));
  CHECK(shop.state(order) == State::paid);
}

// ---- C-08: no notification ever comes

TEST_CASE(
    "C-08: with every notification lost the payment is found by asking, before the time is over") {
  OrderShop shop;
  const OrderId order = shop.place();
  const payments::Trade trade = OrderShop::paid(shop.start(order));
  const std::int64_t paid_at = shop.clock.wall_ms() + 20'000;
  shop.wechat->queries.usually([&](const OutTradeNo& no) -> payments::Outcome<payments::Trade> {
    if (shop.clock.wall_ms() >= paid_at) return trade;
    return ScriptedChannel::trade(no, TradeState::not_paid);
  });
  CHECK(shop.run_until_quiet(60'000));
  CHECK(shop.state(order) == State::succeeded);
  CHECK(shop.wechat->queries.calls() == 2);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("C-08: nobody paid: the channel is asked and closed before the order ends") {
  OrderShop shop;
  const OrderId order = shop.place();
  shop.start(order);
  CHECK(shop.run_until_quiet(kHourMs));
  CHECK(shop.state(order) == State::closed);
  CHECK(shop.wechat->closes.calls() == 1);
  CHECK(shop.clock.wall_ms() >= shop.load(order).pay_by_ms);
  CHECK(shop.clock.wall_ms() <= shop.load(order).pay_by_ms + 60'000);
  CHECK(shop.wechat->queries.calls() <= 10);
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM outbox") == 0);
}

TEST_CASE("C-08: a payment that wins against the closing at the end of time is kept") {
  OrderShop shop;
  const OrderId order = shop.place();
  const payments::Trade trade = OrderShop::paid(shop.start(order));
  shop.wechat->closes.usually(payments::Outcome<payments::Trade>(trade));
  CHECK(shop.run_until_quiet(kHourMs));
  CHECK(shop.state(order) == State::succeeded);
}

TEST_CASE(
    "C-08: while the channel does not answer, the order is not ended and the channel is asked on") {
  OrderShop shop;
  const OrderId order = shop.place();
  const payments::Trade trade = OrderShop::paid(shop.start(order));
  shop.wechat->queries.usually(payments::Outcome<payments::Trade>(Unknown{"deadline"}));
  shop.wechat->closes.usually(payments::Outcome<payments::Trade>(Unknown{"deadline"}));
  CHECK(shop.run_until_quiet(2 * kHourMs));
  CHECK(shop.state(order) == State::paying);
  CHECK(shop.jobs(job_kind::kPaymentQuery) == 1);
  shop.wechat->queries.usually(payments::Outcome<payments::Trade>(trade));
  CHECK(shop.run_until_quiet(kHourMs));
  CHECK(shop.state(order) == State::succeeded);
}

// ---- ending without payment

TEST_CASE("payment: an order that nobody began to pay ends at its time, and not before") {
  OrderShop shop;
  const OrderId order = shop.place();
  shop.clock.advance(shop.env.settings.pay_within_ms - 1);
  shop.run_due();
  CHECK(shop.state(order) == State::awaiting_payment);
  shop.clock.advance(1);
  shop.run_due();
  CHECK(shop.state(order) == State::closed);
  CHECK(shop.wechat->closes.calls() == 0);
}

TEST_CASE("payment: cancelling closes every open attempt first, and may be repeated") {
  OrderShop shop;
  const OrderId order = shop.place();
  shop.start(order, payments::Scene::jsapi);
  shop.start(order, payments::Scene::jsapi);
  CHECK(reason_of(shop.payments.cancel(shop.new_user("buyer-two"), order, "x")) ==
        "order_not_found");
  CHECK(shop.payments.cancel(shop.user, order, "buyer").has_value());
  CHECK(shop.payments.cancel(shop.user, order, "buyer").has_value());
  CHECK(shop.wechat->closes.calls() == 2);
  CHECK(shop.state(order) == State::closed);
  for (const payments::Attempt& attempt : shop.attempts(order))
    CHECK(attempt.state == attempt_state::kClosed);
}

TEST_CASE("payment: a cancel that loses against the payment is refused, and the order goes on") {
  OrderShop shop;
  const OrderId order = shop.place();
  const payments::Trade trade = OrderShop::paid(shop.start(order));
  shop.wechat->closes.then(trade);
  CHECK(reason_of(shop.payments.cancel(shop.user, order, "buyer")) == "order_already_paid");
  CHECK(shop.state(order) == State::paid);
  CHECK(reason_of(shop.payments.cancel(shop.user, order, "buyer")) == "order_not_cancellable");
}

TEST_CASE("payment: a cancel whose closing is not confirmed changes nothing") {
  OrderShop shop;
  const OrderId order = shop.place();
  shop.start(order);
  shop.wechat->closes.then(Unknown{"deadline"});
  CHECK(reason_of(shop.payments.cancel(shop.user, order, "buyer")) == "channel_unavailable");
  CHECK(shop.state(order) == State::paying);
  shop.wechat->closes.then_do(
      [](const OutTradeNo& no) { return ScriptedChannel::trade(no, TradeState::not_paid); });
  CHECK(reason_of(shop.payments.cancel(shop.user, order, "buyer")) == "channel_unavailable");
  CHECK(shop.payments.cancel(shop.user, order, "buyer").has_value());
}

TEST_CASE("payment: an attempt opened while another is being closed keeps the order from ending") {
  OrderShop shop;
  const OrderId order = shop.place();
  shop.start(order, payments::Scene::jsapi);
  shop.wechat->closes.then_do([&](const OutTradeNo& no) {
    shop.start(order, payments::Scene::jsapi);
    return ScriptedChannel::trade(no, TradeState::closed);
  });
  CHECK(reason_of(shop.payments.cancel(shop.user, order, "buyer")) == "order_changed");
  CHECK(shop.state(order) == State::paying);
}

TEST_CASE(
    "payment: a sheet that opens while the buyer cancels is not handed out for an ended order") {
  OrderShop shop;
  const OrderId order = shop.place();
  shop.wechat->prepays.then_do([&](const payments::PrepayRequest& request) {
    CHECK(shop.payments.cancel(shop.user, order, "buyer").has_value());
    payments::PrepayTicket ticket;
    ticket.h5_url = "https://pay.example/" + request.out_trade_no.text;
    return ticket;
  });
  const auto started = shop.try_start(order);
  CHECK(shop.state(order) == State::closed);
  CHECK(reason_of(started) == "order_not_payable");
  CHECK(shop.wechat->closes.calls() ==
        2);  // once by the cancel, once for the sheet that came after it
}

TEST_CASE("payment: cancel, notification and payment query at once leave one consistent end") {
  OrderShop shop;
  for (int round = 0; round < 20; ++round) {
    CAPTURE(round);
    const OrderId order = shop.place();
    const payments::Trade trade = OrderShop::paid(shop.start(order));
    testing::together(8, [&](int t) {
      if (t % 2 == 0) (void)shop.notify(trade, std::to_string(round));
      if (t % 2 == 1) (void)shop.payments.cancel(shop.user, order, "buyer");
    });
    shop.run_due();
    const State end = shop.state(order);
    const bool kept = end == State::succeeded;
    CHECK((kept || end == State::refunded));
    CHECK(shop.refunds_of(order).size() == (kept ? 0U : 1U));
  }
  CHECK(shop.balance("liability.customer_orders") == 0);
  CHECK(shop.reloadly->submits.calls() + shop.wechat->refunds.calls() == 20);
  CHECK(shop.broken_books() == "");
}

}  // namespace
}  // namespace topup::orders
