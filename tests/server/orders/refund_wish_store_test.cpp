// A buyer's wish for a refund: the money of what no supplier has goes back at once; otherwise staff
// answer, and the buyer is told.
#include "server/orders/refund_wish_store.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "server/orders/refund_deeds.h"
#include "server/orders/work_items.h"
#include "tests/support/order_shop.h"
#include "tests/support/together.h"

namespace topup::orders {
namespace {

using suppliers::SupplyState;
using testing::OrderShop;
using testing::ScriptedSupplier;

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kDayMs24 = 24 * kHourMs;
const std::string kStaff = "staff:anna";

template <class Deed>
std::string deed(OrderShop& shop, const Deed& body) {
  const Result<bool> done = storage::with_tx(shop.shop.db(), body);
  return done ? "" : std::string(done.error().reason);
}
OrderId delivered(OrderShop& shop) {
  const OrderId id = shop.paid_order();
  REQUIRE(shop.run_until_quiet(kHourMs));
  REQUIRE(shop.state(id) == State::succeeded);
  return id;
}
std::vector<std::string> open_kinds(OrderShop& shop) {
  return shop.shop.texts("SELECT kind FROM work_items WHERE state = 'open' ORDER BY kind");
}

TEST_CASE("F091: the buyer takes back at once what no supplier has, and it can never be sent") {
  for (const bool was_held : {false, true}) {
    CAPTURE(was_held);
    OrderShop shop;
    const OrderId id = shop.paid_order();
    if (was_held) {  // sent back untaken, and tried again later under the same reference
      shop.reloadly->submits.then(ScriptedSupplier::said(SupplyState::held, "LOW_BALANCE"));
      shop.run_one(shop.claim().at(0));
      REQUIRE(shop.state(id) == State::paid);
    }
    const auto take = [&](const UserId& user) {
      return deed(shop, [&](storage::Tx& tx) {
        return ask_for_refund(shop.env, tx, user, id, "too slow", true);
      });
    };
    const UserId other = shop.new_user("buyer-two");
    CHECK(take(other) == "order_not_found");
    CHECK(take(shop.user) == "");
    CHECK(take(shop.user) == "");  // the answer was lost: it is given again, and nothing else moves
    CHECK(take(other) == "order_not_found");
    CHECK(shop.state(id) == State::refunding);
    CHECK(open_kinds(shop).empty());
    REQUIRE(shop.refunds_of(id).size() == 1);
    CHECK(shop.refunds_of(id).front().asked_by == "buyer:" + shop.user.text);
    CHECK(shop.refunds_of(id).front().amount == fen(testing::kPayable));
    CHECK(shop.run_until_quiet(kDayMs24));
    CHECK(shop.reloadly->submits.calls() == (was_held ? 1 : 0));
    CHECK(shop.state(id) == State::refunded);
    CHECK(take(shop.user) == "");
    CHECK(shop.refunds_of(id).size() == 1);
    CHECK(shop.wechat->refunds.calls() == 1);
    CHECK(shop.journals("refund_loss") == 0);
    CHECK(shop.balance("liability.customer_orders") == 0);
    CHECK(shop.balance("asset.channel_clearing.wechat") == 0);
    CHECK(shop.broken_books() == "");
  }
}

TEST_CASE("F091: of what has left the money comes back by asking only") {
  OrderShop shop;
  const OrderId id = shop.paid_order();
  shop.reloadly->submits.then(ScriptedSupplier::said(SupplyState::unknown, "http_502"));
  shop.run_one(shop.claim().at(0));
  REQUIRE(shop.state(id) == State::unknown);
  CHECK(deed(shop, [&](storage::Tx& tx) {
          return ask_for_refund(shop.env, tx, shop.user, id, "too slow", true);
        }) == "refund_not_at_once");
  CHECK(shop.state(id) == State::unknown);
  CHECK(shop.refunds_of(id).empty());
  CHECK(open_kinds(shop).empty());
}

TEST_CASE("O-09: while an attempt is marked as sent nothing goes back at once, in any state") {
  for (const std::string_view mark :
       {suppliers::supply_state::kSent, suppliers::supply_state::kAccepted,
        suppliers::supply_state::kUnknown, suppliers::supply_state::kSucceeded}) {
    CAPTURE(mark);
    OrderShop shop;
    const OrderId id = shop.paid_order();
    shop.shop.db().write([&](storage::Tx& tx) {
      tx.exec("UPDATE supplier_attempts SET state = $2 WHERE order_id = $1", {id.text, mark});
      return true;
    });
    const auto ask = [&](bool only_at_once) {
      return deed(shop, [&](storage::Tx& tx) {
        return ask_for_refund(shop.env, tx, shop.user, id, "too slow", only_at_once);
      });
    };
    CHECK(ask(true) == "refund_not_at_once");
    CHECK(open_kinds(shop).empty());
    CHECK(ask(false) == "");
    CHECK(open_kinds(shop) == std::vector<std::string>{"refund_requested"});
    CHECK(shop.state(id) == State::paid);
    CHECK(shop.refunds_of(id).empty());
  }
}

TEST_CASE("R-02: a buyer who presses many times at once gets the money once, and hears the same") {
  OrderShop shop;
  for (int round = 0; round < 8; ++round) {
    const OrderId id = shop.paid_order();
    const std::size_t before = shop.wechat->refunds.calls();
    std::vector<std::string> answers(6, "none");
    testing::together(6, [&](int t) {
      answers[static_cast<std::size_t>(t)] = deed(shop, [&](storage::Tx& tx) {
        return ask_for_refund(shop.env, tx, shop.user, id, "too slow", t % 2 == 0);
      });
    });
    CHECK(answers == std::vector<std::string>(6, ""));
    REQUIRE(shop.refunds_of(id).size() == 1);
    CHECK(shop.shop
              .texts("SELECT action FROM audit_log WHERE subject = '" + id.text +
                     "' AND action IN ('order.refund_ordered', 'refund.requested')")
              .size() == 2);
    CHECK(shop.run_until_quiet(kDayMs24));
    CHECK(shop.state(id) == State::refunded);
    CHECK(shop.wechat->refunds.calls() == before + 1);
    CHECK(shop.attempts(id).front().refunded_minor == testing::kPayable);
  }
  CHECK(shop.reloadly->submits.calls() == 0);
  CHECK(shop.failed_jobs == 0);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("O-09: a buyer takes back while a worker sends: one of both happens, never both") {
  OrderShop shop;
  int taken = 0, sent = 0;
  for (int round = 0; round < 24; ++round) {
    const OrderId id = shop.paid_order();
    const std::size_t submits = shop.reloadly->submits.calls();
    const auto jobs = shop.claim();
    REQUIRE(jobs.size() == 1);
    std::string refused;
    testing::together(2, [&](int t) {
      if (t == 0) {
        shop.run_one(jobs.front());
        return;
      }
      refused = deed(shop, [&](storage::Tx& tx) {
        return ask_for_refund(shop.env, tx, shop.user, id, "too slow", true);
      });
    });
    CHECK(shop.run_until_quiet(kHourMs));
    const bool has_left = shop.reloadly->submits.calls() > submits;
    ++(has_left ? sent : taken);
    CHECK(has_left == !refused.empty());
    CHECK(shop.state(id) == (has_left ? State::succeeded : State::refunded));
    CHECK(shop.refunds_of(id).size() == (has_left ? 0 : 1));
    CHECK(shop.broken_books() == "");
  }
  CHECK(taken + sent == 24);
  CHECK(shop.failed_jobs == 0);
}

TEST_CASE(
    "F034: a wish is answered with a reason and the buyer is told; three wishes for one order") {
  OrderShop shop;
  const OrderId id = delivered(shop);
  std::vector<std::string> told;
  shop.env.tell = [&](storage::Tx&, const Order& about, std::string_view topic) {
    told.push_back(about.id.text + " " + std::string(topic));
  };
  const auto ask = [&] {
    return deed(shop, [&](storage::Tx& tx) {
      return ask_for_refund(shop.env, tx, shop.user, id, "it never arrived");
    });
  };
  const auto decline = [&](const std::string& reason, const std::string& words) {
    return deed(shop, [&](storage::Tx& tx) {
      return decline_wish(shop.env, tx, id, {wish_decision::kDeclined, reason, words}, kStaff,
                          "seen at the carrier");
    });
  };
  const auto wishes = [&] {
    std::vector<RefundWish> found;
    shop.shop.db().read(
        [&](storage::Reader& reader) { found = refund_wish_store::of_order(reader, id); });
    return found;
  };
  CHECK(decline("has_arrived", "") == "wish_not_open");
  for (std::int64_t no = 1; no <= kMaxRefundWishes; ++no) {
    CHECK(ask() == "");
    REQUIRE(wishes().size() == static_cast<std::size_t>(no));
    CHECK(wishes().back().decision == "");
    shop.clock.advance(1'000);
    CHECK(decline("has_arrived", "<b>look</b> at 10:31") == "");
    CHECK(decline("has_arrived", "") == "wish_not_open");
    CHECK(wishes().back().decision == wish_decision::kDeclined);
    CHECK(wishes().back().reason == "has_arrived");
    CHECK(wishes().back().words == "<b>look</b> at 10:31");
    CHECK(wishes().back().answered_by == kStaff);
    CHECK(wishes().back().answered_at_ms == shop.clock.wall_ms());
    CHECK(told.size() == static_cast<std::size_t>(no));
  }
  CHECK(told.back() == id.text + " refund_declined");
  CHECK(open_kinds(shop).empty());
  CHECK(ask() == "refund_asked_often");
  CHECK(shop.state(id) == State::succeeded);
  CHECK(shop.refunds_of(id).empty());
  CHECK(shop.broken_books() == "");
}

TEST_CASE("F034: money that goes back answers the wish for it, with what staff chose to say") {
  for (const bool says_why : {true, false}) {
    CAPTURE(says_why);
    OrderShop shop;
    const OrderId id = delivered(shop);
    CHECK(deed(shop, [&](storage::Tx& tx) {
            return ask_for_refund(shop.env, tx, shop.user, id, "it never arrived");
          }) == "");
    CHECK(deed(shop, [&](storage::Tx& tx) {
            RefundOrder wanted{id, {}, kStaff, "the carrier admits it"};
            if (says_why)
              wanted.answer = RefundAnswer{wish_decision::kApproved, "our_mistake", "sorry"};
            return order_refund(shop.env, tx, wanted);
          }) == "");
    CHECK(open_kinds(shop).empty());
    std::vector<RefundWish> wishes;
    shop.shop.db().read(
        [&](storage::Reader& reader) { wishes = refund_wish_store::of_order(reader, id); });
    REQUIRE(wishes.size() == 1);
    CHECK(wishes[0].decision == wish_decision::kApproved);
    CHECK(wishes[0].reason == (says_why ? "our_mistake" : "agreed"));
    CHECK(wishes[0].words == (says_why ? "sorry" : ""));
    CHECK(shop.run_until_quiet(kHourMs));
    CHECK(shop.state(id) == State::refunded);
    CHECK(shop.broken_books() == "");
  }
}

TEST_CASE(
    "F034: a wish that waits longer than the shop answers in is urgent, until it is answered") {
  OrderShop shop;
  const OrderId id = delivered(shop);
  OrderLimits limits{};
  limits.refund_answer_within_ms = 2 * kHourMs;
  shop.env.live_limits = [&] { return limits; };
  CHECK(deed(shop, [&](storage::Tx& tx) {
          return ask_for_refund(shop.env, tx, shop.user, id, "it never arrived");
        }) == "");
  const auto urgent = [&]() -> bool {
    std::vector<bool> found;
    shop.shop.db().read([&](storage::Reader& reader) {
      for (const WorkItem& item : work_item_store::of_order(reader, id))
        found.push_back(is_urgent(shop.env, item));
    });
    REQUIRE(found.size() == 1);
    return found[0];
  };
  shop.clock.advance(2 * kHourMs);
  CHECK_FALSE(urgent());
  shop.clock.advance(1);
  CHECK(urgent());
  limits.refund_answer_within_ms = 3 * kHourMs;
  CHECK_FALSE(urgent());
  limits.refund_answer_within_ms = kHourMs;
  CHECK(deed(shop, [&](storage::Tx& tx) {
          return decline_wish(shop.env, tx, id, {wish_decision::kDeclined, "as_ordered", ""},
                              kStaff, "no");
        }) == "");
  CHECK_FALSE(urgent());
}

}  // namespace
}  // namespace topup::orders
