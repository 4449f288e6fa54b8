// Placing and starting to pay as one commit, and tickets whose commit comes later.
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "server/orders/ticket_keeper.h"
#include "tests/support/order_shop.h"

namespace topup::orders {
namespace {

using payments::DefiniteFail;
using payments::Unknown;
using testing::OrderShop;
using testing::ScriptedChannel;
namespace attempt_state = payments::attempt_state;

std::string reason_of(const auto& result) {
  return result ? std::string("accepted") : std::string(result.error().reason);
}

// Tickets that wait for as long as a test wants.
class HeldTickets final : public Tickets {
 public:
  void keep(Ticket ticket) override { held[ticket.out_trade_no.text] = std::move(ticket); }
  std::optional<Ticket> find(const OutTradeNo& no) const override {
    const auto found = held.find(no.text);
    return found == held.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<Ticket> all() const {
    std::vector<Ticket> tickets;
    for (const auto& [no, ticket] : held) tickets.push_back(ticket);
    return tickets;
  }
  std::map<std::string, Ticket> held;
};

class CheckOutShop : public OrderShop {
 public:
  StartPayment wanted() {
    StartPayment start;
    start.user = user;
    start.channel = "wechat";
    start.client_address = "203.0.113.7";
    start.return_path = "/#/order?id={order_id}";
    return start;
  }
  Result<CheckedOut> check_out(const std::string& key) {
    PricedQuote shown;
    Order before;
    return payments.check_out(orders, request(key), wanted(), &shown, &before);
  }
  void write(const std::vector<Ticket>& tickets) {
    shop.db().write([&](storage::Tx& tx) {
      write_tickets(tx, tickets, clock.wall_ms());
      return true;
    });
  }
};

TEST_CASE("check out: all that is meant is durable before the channel hears of it") {
  CheckOutShop shop;
  int seen = 0;
  shop.wechat->prepays.then_do([&](const payments::PrepayRequest& asked) {
    // Read on another connection: what stands there survives a kill now.
    const auto attempts = shop.shop.texts("SELECT state FROM payment_attempts");
    CHECK(attempts == std::vector<std::string>{"started"});
    CHECK(shop.shop.texts("SELECT state FROM orders") == std::vector<std::string>{"paying"});
    CHECK(shop.shop.texts("SELECT event FROM order_events ORDER BY seq") ==
          std::vector<std::string>{"place", "start_payment"});
    CHECK(shop.shop.integer("SELECT COUNT(*) FROM audit_log WHERE action LIKE 'order.%'") == 2);
    CHECK(shop.jobs(job_kind::kExpire) == 1);
    CHECK(shop.jobs(job_kind::kPaymentQuery) == 1);
    ++seen;
    payments::PrepayTicket ticket;
    ticket.h5_url = "https://pay.example/" + asked.out_trade_no.text;
    return ticket;
  });
  const auto done = shop.check_out("client-key-of-mine-1");
  REQUIRE(done.has_value());
  REQUIRE(done->started.has_value());
  CHECK(seen == 1);
  CHECK(done->placed.order.state == State::paying);
  CHECK(done->placed.events.size() == 2);
  CHECK(shop.wechat->prepays.heard().front().return_url ==
        "https://shop.example/#/order?id=" + done->placed.order.id.text);
  CHECK(*shop.notify(OrderShop::paid(done->started->out_trade_no)));
  CHECK(shop.run_until_quiet(3'600'000));
  CHECK(shop.state(done->placed.order.id) == State::succeeded);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("O-01: a process that dies while the channel is asked leaves one order and one number") {
  struct Killed {};
  CheckOutShop shop;
  HeldTickets tickets;
  shop.env.tickets = &tickets;
  OutTradeNo asked;
  shop.wechat->prepays.then_do(
      [&](const payments::PrepayRequest& request) -> payments::Outcome<payments::PrepayTicket> {
        asked = request.out_trade_no;
        throw Killed();
      });
  CHECK_THROWS_AS(shop.check_out("client-key-of-mine-1"), Killed);
  const auto again = shop.check_out("client-key-of-mine-1");
  REQUIRE(again.has_value());
  REQUIRE(again->started.has_value());
  CHECK(again->placed.replayed);
  CHECK(again->started->out_trade_no == asked);
  CHECK(shop.attempts(again->placed.order.id).size() == 1);
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM orders") == 1);
}

TEST_CASE("O-01: a ticket that was handed out and lost is had again, under the same number") {
  CheckOutShop shop;
  HeldTickets tickets;
  shop.env.tickets = &tickets;
  const auto first = shop.check_out("client-key-of-mine-1");
  REQUIRE(first.has_value());
  REQUIRE(first->started.has_value());
  const OutTradeNo number = first->started->out_trade_no;
  CHECK(shop.attempts(first->placed.order.id).front().ticket.empty());
  // While it waits, a repeat has it without a call.
  const auto meanwhile = shop.check_out("client-key-of-mine-1");
  REQUIRE(meanwhile->started.has_value());
  CHECK(meanwhile->started->ticket.h5_url == first->started->ticket.h5_url);
  CHECK(shop.wechat->prepays.calls() == 1);
  tickets.held.clear();  // the process died
  const auto later = shop.check_out("client-key-of-mine-1");
  REQUIRE(later->started.has_value());
  CHECK(later->started->out_trade_no == number);
  CHECK(shop.wechat->prepays.calls() == 2);
  shop.write(tickets.all());
  tickets.held.clear();
  const auto written = shop.check_out("client-key-of-mine-1");
  REQUIRE(written->started.has_value());
  CHECK(written->started->out_trade_no == number);
  CHECK(shop.wechat->prepays.calls() == 2);
  CHECK(shop.attempts(first->placed.order.id).size() == 1);
}

TEST_CASE(
    "check out: a lost ticket that the channel will not give again makes place for a new one") {
  for (const bool refused : {true, false}) {
    CAPTURE(refused);
    CheckOutShop shop;
    HeldTickets tickets;
    shop.env.tickets = &tickets;
    const auto first = shop.check_out("client-key-of-mine-1");
    REQUIRE(first->started.has_value());
    tickets.held.clear();
    if (refused) {
      shop.wechat->prepays.then(DefiniteFail("OUT_TRADE_NO_USED", "no"));
    } else {
      shop.wechat->prepays.then(Unknown{"deadline"});
    }
    const auto later = shop.check_out("client-key-of-mine-1");
    REQUIRE(later->started.has_value());
    CHECK(later->started->out_trade_no != first->started->out_trade_no);
    // The first sheet may be in the buyer's hand: it stays watched, and its payment counts.
    const auto attempts = shop.attempts(first->placed.order.id);
    REQUIRE(attempts.size() == 2);
    for (const auto& attempt : attempts) CHECK(attempt.state == attempt_state::kStarted);
    CHECK(*shop.notify(OrderShop::paid(first->started->out_trade_no)));
    CHECK(shop.state(first->placed.order.id) == State::paid);
  }
}

TEST_CASE("check out: a sheet made after its order was given up is closed at the channel") {
  CheckOutShop shop;
  HeldTickets tickets;
  shop.env.tickets = &tickets;
  const auto done = shop.check_out("client-key-of-mine-1");
  REQUIRE(done->started.has_value());
  REQUIRE(shop.payments.cancel(shop.user, done->placed.order.id, "buyer").has_value());
  shop.write(tickets.all());
  CHECK(shop.attempts(done->placed.order.id).front().state == attempt_state::kClosed);
  CHECK(shop.jobs(job_kind::kCloseSheet) == 1);
  const std::size_t closes = shop.wechat->closes.calls();
  CHECK(shop.run_until_quiet(3'600'000));
  CHECK(shop.wechat->closes.calls() > closes);
}

TEST_CASE("check out: cancelled while the channel is asked, nothing is handed out") {
  CheckOutShop shop;
  HeldTickets tickets;
  shop.env.tickets = &tickets;
  shop.wechat->prepays.then_do([&](const payments::PrepayRequest& asked) {
    const OrderId order(shop.shop.texts("SELECT order_id FROM orders").front());
    CHECK(shop.payments.cancel(shop.user, order, "buyer").has_value());
    payments::PrepayTicket ticket;
    ticket.h5_url = "https://pay.example/" + asked.out_trade_no.text;
    return ticket;
  });
  const auto done = shop.check_out("client-key-of-mine-1");
  REQUIRE(done.has_value());
  CHECK(reason_of(done->started) == "order_not_payable");
  CHECK(tickets.held.empty());
}

TEST_CASE("check out: the order stands when its payment does not start") {
  CheckOutShop shop;
  shop.wechat->prepays.then(Unknown{"deadline"});
  const auto away = shop.check_out("client-key-of-mine-1");
  REQUIRE(away.has_value());
  CHECK(reason_of(away->started) == "channel_unavailable");
  CHECK(shop.state(away->placed.order.id) == State::paying);
  shop.wechat->offers_all_but = payments::Scene::h5;
  const auto none = shop.check_out("client-key-of-mine-2");
  REQUIRE(none.has_value());
  CHECK(reason_of(none->started) == "scene_not_offered");
  CHECK(shop.state(none->placed.order.id) == State::awaiting_payment);
  CHECK(shop.attempts(none->placed.order.id).empty());
}

TEST_CASE("tickets: the keeper writes what it was given, at the latest when it stops") {
  CheckOutShop shop;
  const OrderId order = shop.place();
  {
    TicketKeeper keeper(shop.shop.db(), shop.clock);
    shop.env.tickets = &keeper;
    const auto started = shop.try_start(order);
    REQUIRE(started.has_value());
    const auto again = shop.try_start(order);
    REQUIRE(again.has_value());
    CHECK(again->out_trade_no == started->out_trade_no);
    CHECK(shop.wechat->prepays.calls() == 1);
    keeper.stop();
    CHECK(shop.attempts(order).front().ticket == started->ticket.h5_url);
    CHECK_FALSE(keeper.find(started->out_trade_no).has_value());
    shop.env.tickets = nullptr;
  }
}

}  // namespace
}  // namespace topup::orders
