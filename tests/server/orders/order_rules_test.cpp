#include "server/orders/order_rules.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "shared/time_point.h"
#include "tests/support/order_shop.h"

namespace topup::orders {
namespace {

using testing::kPayable;
using testing::OrderShop;
using testing::ScriptedChannel;

constexpr std::int64_t kHourMs = 3'600'000;

// A shop whose rules a test sets one by one; all others are off.
struct RuledShop : OrderShop {
  RuledShop() {
    limits.pay_within_ms = env.settings.pay_within_ms;
    limits.max_unpaid_per_user = 100;
    env.live_limits = [this] { return limits; };
  }
  Result<OrderView> try_place(bool confirms = false, const std::string& again = "") {
    PlaceRequest wanted = request("ruled-key-" + std::to_string(++keys_));
    wanted.confirms_repeat = confirms;
    wanted.account_again = again;
    PricedQuote shown;
    earlier = {};
    return orders.place(wanted, &shown, &earlier);
  }
  Result<State> decide(const OrderId& id, ReviewDecision decision) {
    return storage::with_tx(shop.db(), [&](storage::Tx& tx) {
      return reviews.decide(tx, id, decision, "staff:one", "looked at it");
    });
  }
  void go_to_minute_of_day(std::int64_t minute) {
    const std::int64_t day = start_of_day_ms(clock.wall_ms(), kShanghaiOffsetMs) + kDayMs;
    clock.advance_to(day + minute * 60'000);
  }
  OrderLimits limits{};
  Order earlier;

 private:
  int keys_ = 0;
};

TEST_CASE("F120: a large payment starts for whoever has bound a phone") {
  RuledShop shop;
  shop.limits.verify_above_minor = kPayable - 1;
  const auto placed = shop.try_place();
  REQUIRE(placed.has_value());
  const auto refused = shop.try_start(placed->order.id);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Code::rejected);
  CHECK(refused.error().reason == "phone_needed");
  CHECK(shop.shop.integer("SELECT COUNT(*) FROM payment_attempts") == 0);

  shop.limits.verify_above_minor = kPayable;
  CHECK(shop.try_start(placed->order.id).has_value());

  shop.limits.verify_above_minor = 1;
  shop.shop.db().write([&](storage::Tx& tx) {
    tx.exec(R"sql(
      INSERT INTO identities (identity_id, user_id, kind, app, subject_index, subject_sealed,
                              subject_masked, bound_at_ms)
      VALUES ('i1', $1, 'phone', '', 'x', 'x', 'x', 1))sql",
            {shop.user.text});
    return true;
  });
  CHECK(shop.try_start(placed->order.id).has_value());
}

TEST_CASE("X16: the same recipient and amount again is asked about, never blocked") {
  RuledShop shop;
  shop.limits.repeat_window_ms = 600'000;
  const auto first = shop.try_place();
  REQUIRE(first.has_value());
  const auto again = shop.try_place();
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error().code == Code::conflict);
  CHECK(again.error().reason == "same_recipient_again");
  CHECK(again.error().field == "confirm_repeat");
  CHECK(shop.earlier.id == first->order.id);
  CHECK(shop.try_place(true).has_value());

  SUBCASE("one who orders for somebody else is not asked") {
    shop.user = shop.new_user("buyer-two");
    CHECK(shop.try_place().has_value());
  }
  SUBCASE("the window ends where it says") {
    const std::int64_t placed = first->order.created_at_ms;
    shop.clock.advance_to(placed + 600'000 - 1);
    CHECK_FALSE(shop.try_place().has_value());
    shop.clock.advance_to(placed + 1'200'000);
    CHECK(shop.try_place().has_value());
  }
  SUBCASE("an order that was given up does not count") {
    for (const std::string& id : shop.shop.texts("SELECT order_id FROM orders"))
      REQUIRE(shop.payments.cancel(shop.user, OrderId(id), "buyer").has_value());
    CHECK(shop.try_place().has_value());
  }
}

TEST_CASE("B-06: a recipient's orders count together, to the fen") {
  RuledShop shop;
  shop.limits.review_above_minor = 2 * kPayable;
  shop.limits.review_window_ms = kHourMs;
  CHECK(shop.state(shop.paid_order()) == State::paid);
  const OrderId second = shop.paid_order();
  CHECK(shop.state(second) == State::paid);  // exactly the limit is not above it
  const OrderId third = shop.paid_order();
  CHECK(shop.state(third) == State::awaiting_approval);
  CHECK(shop.work_items() == std::vector<std::string>{"review_required"});

  SUBCASE("one fen less, and the second waits") {
    shop.limits.review_above_minor = 2 * kPayable - 1;
    shop.clock.advance(2 * kDayMs);
    CHECK(shop.state(shop.paid_order()) == State::paid);
    CHECK(shop.state(shop.paid_order()) == State::awaiting_approval);
  }
  SUBCASE("another buyer for the same recipient does not get round it") {
    shop.user = shop.new_user("buyer-two");
    CHECK(shop.state(shop.paid_order()) == State::awaiting_approval);
  }
  SUBCASE("placed before, paid after: an order counts by when it was placed") {
    shop.clock.advance(2 * kDayMs);
    const OrderId a = shop.place();
    const OrderId b = shop.place();
    const OrderId c = shop.place();
    REQUIRE(shop.notify(OrderShop::paid(shop.start(c))).has_value());
    REQUIRE(shop.notify(OrderShop::paid(shop.start(b))).has_value());
    shop.clock.advance(600'000);
    REQUIRE(shop.notify(OrderShop::paid(shop.start(a))).has_value());
    CHECK(shop.state(a) == State::awaiting_approval);
  }
  CHECK(shop.broken_books().empty());
}

TEST_CASE("B-06: midnight opens no gap while the window is open, and a new day starts anew") {
  RuledShop shop;
  shop.limits.review_above_minor = kPayable;
  shop.limits.review_window_ms = kHourMs;
  shop.go_to_minute_of_day(23 * 60 + 59);
  const OrderId before = shop.paid_order();
  CHECK(shop.state(before) == State::paid);
  const std::int64_t placed = shop.load(before).created_at_ms;
  shop.clock.advance_to(placed + 120'000);  // 00:01
  CHECK(shop.state(shop.paid_order()) == State::awaiting_approval);
  SUBCASE("a millisecond before the window ends") {
    shop.clock.advance_to(placed + kHourMs - 1);
    CHECK(shop.state(shop.paid_order()) == State::awaiting_approval);
  }
  SUBCASE("the day before, at a distance, does not count") {
    RuledShop other;
    other.limits = shop.limits;
    other.go_to_minute_of_day(22 * 60);
    CHECK(other.state(other.paid_order()) == State::paid);
    other.go_to_minute_of_day(0);
    CHECK(other.state(other.paid_order()) == State::paid);
    other.clock.advance(23 * kHourMs);  // the same day still, long after the window
    CHECK(other.state(other.paid_order()) == State::awaiting_approval);
  }
}

TEST_CASE("B-06: one buyer's day has its own limit") {
  RuledShop shop;
  shop.limits.review_above_minor = 100 * kPayable;
  shop.limits.review_buyer_day_minor = kPayable;
  CHECK(shop.state(shop.paid_order()) == State::paid);
  CHECK(shop.state(shop.paid_order()) == State::awaiting_approval);
}

TEST_CASE("F006: a large order waits for a person, whose word delivers it or returns the money") {
  RuledShop shop;
  shop.limits.review_above_minor = 1;
  shop.limits.review_within_ms = kHourMs;
  const OrderId order = shop.paid_order();
  REQUIRE(shop.state(order) == State::awaiting_approval);
  REQUIRE(shop.run_until_quiet(kHourMs - 60'000));
  CHECK(shop.reloadly->submits.calls() == 0);

  SUBCASE("approved") {
    REQUIRE(shop.decide(order, ReviewDecision::approve).has_value());
    shop.run_due();
    CHECK(shop.state(order) == State::succeeded);
    CHECK(shop.decide(order, ReviewDecision::approve).error().reason == "order_not_in_review");
  }
  SUBCASE("declined") {
    REQUIRE(shop.decide(order, ReviewDecision::decline).has_value());
    shop.run_due();
    CHECK(shop.state(order) == State::refunded);
    CHECK(shop.reloadly->submits.calls() == 0);
    const auto view = load_view(shop.shop.db(), order);
    bool told = false;
    for (const OrderEvent& event : view->events) {
      told = told || (event.event == "review_rejected" && event.actor == "staff:one" &&
                      event.reason == "looked at it");
    }
    CHECK(told);
  }
  SUBCASE("nobody decided") {
    REQUIRE(shop.run_until_quiet(2 * kHourMs));
    CHECK(shop.state(order) == State::refunded);
  }
  REQUIRE(shop.run_until_quiet(2 * kHourMs));
  CHECK(shop.broken_books().empty());
}

TEST_CASE("two people approve what is above their limit") {
  RuledShop shop;
  shop.limits.review_above_minor = 1;
  shop.limits.two_people_above_minor = kPayable;
  const OrderId order = shop.paid_order();
  const auto wants = [&](ReviewDecision decision) {
    Result<bool> said = false;
    shop.shop.db().read([&](storage::Reader& reader) {
      said = shop.reviews.wants_second(reader, order, decision);
    });
    return said.value();
  };
  CHECK_FALSE(wants(ReviewDecision::approve));
  shop.limits.two_people_above_minor = kPayable - 1;
  CHECK(wants(ReviewDecision::approve));
  CHECK_FALSE(wants(ReviewDecision::decline));
}

TEST_CASE("X07: a late payment is delivered while the shop still sells what was quoted") {
  RuledShop shop;
  shop.limits.revive_within_ms = kHourMs;
  const OrderId order = shop.place();
  const OutTradeNo sheet = shop.start(order);
  REQUIRE(shop.payments.cancel(shop.user, order, "buyer").has_value());
  REQUIRE(shop.state(order) == State::closed);
  State ends = State::succeeded;
  SUBCASE("at once") {}
  SUBCASE("at the last moment") { shop.clock.advance(kHourMs); }
  SUBCASE("too late") {
    shop.clock.advance(kHourMs + 1);
    ends = State::refunded;
  }
  SUBCASE("the shop does not revive") {
    shop.limits.revive_within_ms = 0;
    ends = State::refunded;
  }
  SUBCASE("at another price") {
    shop.catalog.publish(
        "reloadly", catalog::product_changes("reloadly", {{"1", "China Mobile", "CN", fen(5'000)}}),
        {{.id = "default", .rate_bp = 9'900}, {.id = "service"}}, "system");
    ends = State::refunded;
  }
  REQUIRE(shop.notify(OrderShop::paid(sheet)).has_value());
  CHECK_FALSE(shop.notify(OrderShop::paid(sheet), "again").value());
  REQUIRE(shop.run_until_quiet(kDayMs));
  CHECK(shop.state(order) == ends);
  CHECK(shop.refunds_of(order).size() == (ends == State::refunded ? 1 : 0));
  CHECK(shop.broken_books().empty());
}

TEST_CASE("X07: a large late payment waits for a person, too") {
  RuledShop shop;
  shop.limits.revive_within_ms = kHourMs;
  shop.limits.review_above_minor = 1;
  const OrderId order = shop.place();
  const OutTradeNo sheet = shop.start(order);
  REQUIRE(shop.payments.cancel(shop.user, order, "buyer").has_value());
  REQUIRE(shop.notify(OrderShop::paid(sheet)).has_value());
  CHECK(shop.state(order) == State::awaiting_approval);
}

TEST_CASE("F009: a sheet made while its order was given up is closed until the channel says so") {
  RuledShop shop;
  const OrderId order = shop.place();
  shop.wechat->prepays.then_do([&](const payments::PrepayRequest& request) {
    // The buyer gives up while the channel is still making the sheet.
    check(shop.payments.cancel(shop.user, order, "buyer").has_value(), "it closes");
    payments::PrepayTicket ticket;
    ticket.h5_url = "https://pay.example/" + request.out_trade_no.text;
    return ticket;
  });
  shop.wechat->closes.then_do([](const OutTradeNo& no) {
    return ScriptedChannel::trade(no, payments::TradeState::closed);
  });
  shop.wechat->closes.then(payments::Unknown{"deadline"});  // right after the sheet
  shop.wechat->closes.then(payments::Unknown{"deadline"});  // by the job, once
  CHECK_FALSE(shop.try_start(order).has_value());
  CHECK(shop.state(order) == State::closed);
  REQUIRE(shop.jobs(job_kind::kCloseSheet) == 1);
  bool is_paid = false;
  SUBCASE("it was not paid") {}
  SUBCASE("it was paid meanwhile, and the money goes back") {
    is_paid = true;
    shop.wechat->closes.usually([](const OutTradeNo& no) { return OrderShop::paid(no); });
  }
  REQUIRE(shop.run_until_quiet(kDayMs));
  CHECK(shop.wechat->closes.calls() == 4);
  CHECK(shop.jobs(job_kind::kCloseSheet) == 0);
  CHECK(shop.state(order) == (is_paid ? State::refunded : State::closed));
  CHECK(shop.broken_books().empty());
}

TEST_CASE("F009: a channel that never answers about a sheet ends with a person") {
  RuledShop shop;
  const OrderId order = shop.place();
  shop.wechat->prepays.then_do([&](const payments::PrepayRequest&) {
    check(shop.payments.cancel(shop.user, order, "buyer").has_value(), "it closes");
    return payments::PrepayTicket{};
  });
  shop.wechat->closes.then_do([](const OutTradeNo& no) {
    return ScriptedChannel::trade(no, payments::TradeState::closed);
  });
  shop.wechat->closes.usually(payments::Unknown{"deadline"});
  CHECK_FALSE(shop.try_start(order).has_value());
  REQUIRE(shop.run_until_quiet(3 * kDayMs));
  CHECK(shop.work_items() == std::vector<std::string>{"sheet_not_closed"});
}

TEST_CASE("F088: hours of the day, also over midnight") {
  OrderLimits limits{};
  const auto at = [&](std::int64_t minute) {
    return is_open(limits, minute * 60'000 - kShanghaiOffsetMs + 20'000 * kDayMs);
  };
  CHECK(at(0));
  limits.opens_at_minute = 480;
  limits.closes_at_minute = 1'320;
  CHECK_FALSE(at(479));
  CHECK(at(480));
  CHECK(at(1'319));
  CHECK_FALSE(at(1'320));
  limits.opens_at_minute = 1'320;
  limits.closes_at_minute = 360;
  CHECK(at(1'320));
  CHECK(at(0));
  CHECK(at(359));
  CHECK_FALSE(at(360));
  limits.closes_at_minute = 1'320;
  CHECK(at(700));

  RuledShop shop;
  shop.limits.opens_at_minute = 60;
  shop.limits.closes_at_minute = 120;
  shop.go_to_minute_of_day(121);
  CHECK(shop.try_place().error().reason == "shop_closed_now");
  shop.go_to_minute_of_day(61);
  CHECK(shop.try_place().has_value());
}

TEST_CASE("F088: the recipient's number is typed twice where the shop wants that") {
  RuledShop shop;
  CHECK(shop.try_place(false, "138 0013 8000").has_value());
  CHECK(shop.try_place(false, "13800138001").error().reason == "account_not_confirmed");
  shop.limits.confirm_account = true;
  CHECK(shop.try_place().error().reason == "account_not_confirmed");
  CHECK(shop.try_place(false, "+86 13800138000").has_value());
}

}  // namespace
}  // namespace topup::orders
