// Whose money a payment becomes, and what becomes of a number that another one takes the place of.
#include <doctest/doctest.h>

#include <string>
#include <variant>

#include "tests/support/order_shop.h"

namespace topup::orders {
namespace {

using payments::TradeState;
using testing::OrderShop;
using testing::ScriptedChannel;
namespace attempt_state = payments::attempt_state;

constexpr std::string_view kStation = "1716000101";

payments::PrepayTicket native_ticket(const payments::PrepayRequest& request) {
  payments::PrepayTicket ticket;
  ticket.scene = request.scene;
  ticket.code_url = "weixin://code/" + request.out_trade_no.text;
  return ticket;
}

Result<StartedPayment> start_native(OrderShop& shop, const OrderId& order) {
  StartPayment start;
  start.user = shop.user;
  start.order = order;
  start.channel = "wechat";
  start.scene = payments::Scene::native;
  start.scene_word = "native";
  return shop.payments.start(start);
}

payments::Attempt attempt_of(OrderShop& shop, const OutTradeNo& no) {
  std::optional<payments::Attempt> found;
  shop.env.db.read(
      [&](storage::Reader& reader) { found = payments::payment_store::find_attempt(reader, no); });
  REQUIRE(found);
  return *found;
}

TEST_CASE("payment, F030: the payee is kept with the attempt and named to the channel ever after") {
  OrderShop shop;
  shop.wechat->payee = kStation;
  const OrderId order = shop.place();
  const OutTradeNo no = shop.start(order);
  CHECK(shop.wechat->prepays.heard().back().payee == kStation);
  CHECK(attempt_of(shop, no).payee == kStation);
  shop.wechat->payee = "1716000102";  // what was begun before stays with its payee
  payments::Trade trade = OrderShop::paid(no);
  trade.payee = kStation;
  CHECK(*shop.notify(trade));
  CHECK(shop.state(order) == State::paid);
}

TEST_CASE("payment, C-06: money that became another payee's is no payment of the order") {
  for (const char* payee : {"", "1716000102", "1716000001"}) {
    CAPTURE(payee);
    OrderShop shop;
    shop.wechat->payee = kStation;
    const OrderId order = shop.place();
    payments::Trade trade = OrderShop::paid(shop.start(order));
    trade.payee = payee;
    CHECK(*shop.notify(trade));
    CHECK_FALSE(*shop.notify(trade));
    CHECK(shop.state(order) == State::review);
    CHECK(shop.balance("asset.channel_clearing.wechat") == 0);
    shop.run_due();
    CHECK(shop.reloadly->submits.calls() == 0);
    CHECK(shop.broken_books() == "");
  }
}

TEST_CASE("payment, C-06: a sum of nothing or less is held for a person and breaks no book") {
  for (const std::int64_t minor : {std::int64_t{0}, std::int64_t{-1}, -testing::kPayable}) {
    CAPTURE(minor);
    OrderShop shop;
    const OrderId order = shop.place();
    CHECK(*shop.notify(OrderShop::paid(shop.start(order), fen(minor))));
    CHECK(shop.state(order) == State::review);
    CHECK(shop.balance("asset.channel_clearing.wechat") == 0);
    CHECK(shop.broken_books() == "");
  }
}

TEST_CASE("payment, F023: a code is handed out again while it is good, under one number") {
  OrderShop shop;
  const OrderId order = shop.place();
  shop.wechat->prepays.then_do(native_ticket);
  const auto first = start_native(shop, order);
  REQUIRE(first);
  const auto again = start_native(shop, order);
  REQUIRE(again);
  CHECK(again->out_trade_no == first->out_trade_no);
  CHECK(again->ticket.code_url == first->ticket.code_url);
  CHECK(shop.wechat->prepays.calls() == 1);
}

TEST_CASE("payment, X06: the number before is closed at its channel, and the order goes on") {
  OrderShop shop;
  const OrderId order = shop.place();
  const OutTradeNo old = shop.start(order);
  shop.wechat->prepays.then_do(native_ticket);
  const auto fresh = start_native(shop, order);
  REQUIRE(fresh);
  CHECK(fresh->out_trade_no != old);
  shop.run_due();
  CHECK(attempt_of(shop, old).state == attempt_state::kClosed);
  CHECK(attempt_of(shop, fresh->out_trade_no).state == attempt_state::kStarted);
  CHECK(shop.state(order) == State::paying);
  CHECK(*shop.notify(OrderShop::paid(fresh->out_trade_no)));
  shop.run_due();
  CHECK(shop.state(order) == State::succeeded);
}

TEST_CASE(
    "payment, X06: the number before that is paid after all counts, and the second goes back") {
  OrderShop shop;
  const OrderId order = shop.place();
  const OutTradeNo old = shop.start(order);
  shop.wechat->prepays.then_do(native_ticket);
  const auto fresh = start_native(shop, order);
  REQUIRE(fresh);
  const payments::Trade trade = OrderShop::paid(old);
  shop.wechat->queries.then(trade);
  shop.run_due();
  CHECK(attempt_of(shop, old).state == attempt_state::kPaid);
  CHECK(*shop.notify(OrderShop::paid(fresh->out_trade_no)));
  CHECK(shop.run_until_quiet(3'600'000));
  CHECK(shop.state(order) == State::succeeded);
  CHECK(shop.wechat->refunds.calls() == 1);
  CHECK(shop.refunds_of(order).size() == 1);
  CHECK(shop.balance("liability.customer_orders") == 0);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("payment: a refund of another payee is no refund of ours") {
  OrderShop shop;
  shop.wechat->payee = kStation;
  const OrderId order = shop.place();
  payments::Trade trade = OrderShop::paid(shop.start(order));
  trade.payee = kStation;
  CHECK(shop.payments.cancel(shop.user, order, "buyer").has_value());
  CHECK(*shop.notify(trade));  // late: it goes back
  const auto refunds = shop.refunds_of(order);
  REQUIRE(refunds.size() == 1);
  payments::RefundTrade said = ScriptedChannel::refund_trade(
      refunds.front().out_refund_no, payments::RefundState::succeeded, refunds.front().amount);
  said.out_trade_no = trade.out_trade_no;
  said.payee = "1716000102";
  CHECK(*shop.notify(said));
  CHECK(shop.refunds_of(order).front().state == refunds.front().state);
  said.payee = kStation;
  CHECK(*shop.notify(said, "n-2"));
  CHECK(shop.refunds_of(order).front().state == payments::refund_state::kSucceeded);
}

}  // namespace
}  // namespace topup::orders
