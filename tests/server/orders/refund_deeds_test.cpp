#include "server/orders/refund_deeds.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "server/ledger/ledger_store.h"
#include "server/orders/error_account_store.h"
#include "server/orders/refund_flow.h"
#include "server/orders/transition.h"
#include "tests/support/order_shop.h"
#include "tests/support/together.h"

namespace topup::orders {
namespace {

using payments::DefiniteFail;
using payments::RefundState;
using suppliers::SupplyState;
using testing::OrderShop;
using testing::ScriptedChannel;
using testing::ScriptedSupplier;
namespace refund_state = payments::refund_state;

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kDayMs24 = 24 * kHourMs;
const std::string kStaff = "staff:anna";

template <class Deed>
std::string deed(OrderShop& shop, const Deed& body) {
  const Result<bool> done = storage::with_tx(shop.shop.db(), body);
  return done ? "" : std::string(done.error().reason);
}
std::string order(OrderShop& shop, const OrderId& id, std::optional<Money> amount = {}) {
  return deed(shop, [&](storage::Tx& tx) {
    return order_refund(shop.env, tx, {id, amount, kStaff, "goodwill"});
  });
}
std::string reissue(OrderShop& shop, const OutRefundNo& no) {
  return deed(shop,
              [&](storage::Tx& tx) { return reissue_refund(shop.env, tx, no, kStaff, "again"); });
}
std::string by_hand(OrderShop& shop, const OutRefundNo& no) {
  return deed(shop, [&](storage::Tx& tx) {
    return refund_by_hand(shop.env, tx, no, kStaff, "transfer 2026-11-22 no. 17");
  });
}
OrderId delivered(OrderShop& shop) {
  const OrderId id = shop.paid_order();
  suppliers::SupplyOutcome done = ScriptedSupplier::said(SupplyState::succeeded);
  done.cost = fen(4'800);
  shop.reloadly->submits.then(done);
  REQUIRE(shop.run_until_quiet(kHourMs));
  REQUIRE(shop.state(id) == State::succeeded);
  return id;
}
OrderId refunding(OrderShop& shop) {
  const OrderId id = shop.paid_order();
  shop.reloadly->submits.then(ScriptedSupplier::said(SupplyState::rejected, "INVALID_NUMBER"));
  shop.run_one(shop.claim().at(0));
  REQUIRE(shop.state(id) == State::refunding);
  return id;
}
void refuse_next(OrderShop& shop, RefundState state) {
  shop.wechat->refunds.then_do([state](const payments::RefundRequest& asked) {
    return ScriptedChannel::refund_trade(asked.out_refund_no, state, asked.amount);
  });
}
std::vector<std::string> open_kinds(OrderShop& shop) {
  return shop.shop.texts("SELECT kind FROM work_items WHERE state = 'open' ORDER BY kind");
}
std::optional<ErrorAccount> error_of(OrderShop& shop, const OrderId& id) {
  std::optional<ErrorAccount> found;
  shop.shop.db().read(
      [&](storage::Reader& reader) { found = error_account_store::find(reader, id); });
  return found;
}

TEST_CASE("F034: a buyer's wish opens one work item, moves nothing, and is closed by the refund") {
  OrderShop shop;
  const OrderId id = delivered(shop);
  const auto ask = [&](const UserId& user) {
    return storage::with_tx(shop.shop.db(), [&](storage::Tx& tx) {
      return ask_for_refund(shop.env, tx, user, id, "it never arrived");
    });
  };
  CHECK(ask(UserId("somebody-else")).error().reason == "order_not_found");
  CHECK(*ask(shop.user));
  CHECK_FALSE(*ask(shop.user));
  CHECK(open_kinds(shop) == std::vector<std::string>{"refund_requested"});
  CHECK(shop.state(id) == State::succeeded);
  CHECK(shop.refunds_of(id).empty());
  CHECK(order(shop, id) == "");
  CHECK(open_kinds(shop).empty());
  CHECK(shop.run_until_quiet(kHourMs));
  CHECK(ask(shop.user).error().reason == "refund_not_allowed");
  CHECK(shop.broken_books() == "");
}

TEST_CASE("F034: a refund of what was delivered is a loss; the parts together are what was paid") {
  OrderShop shop;
  const OrderId id = delivered(shop);
  CHECK(order(shop, id, fen(1'000)) == "");
  CHECK(shop.journals("refund_loss") == 1);
  CHECK(shop.balance("revenue.sales") == -(testing::kPayable - 1'000));
  CHECK(shop.run_until_quiet(kHourMs));
  CHECK(order(shop, id, fen(testing::kPayable)) == "refund_exceeds_paid");
  CHECK(order(shop, id, fen(testing::kPayable - 1'000 + 1)) == "refund_exceeds_paid");
  CHECK(order(shop, id, Money{1, Currency::usd}) == "currency_mismatch");
  CHECK(order(shop, id) == "");
  CHECK(shop.run_until_quiet(kHourMs));
  CHECK(shop.state(id) == State::refunded);
  CHECK(shop.balance("asset.channel_clearing.wechat") == 0);
  CHECK(shop.balance("revenue.sales") == 0);
  CHECK(shop.balance("cost.sales") == 4'800);
  CHECK(order(shop, id) == "refund_amount_not_positive");
  CHECK(shop.refunds_of(id).front().asked_by == kStaff);
  CHECK(shop.broken_books() == "");
}

TEST_CASE(
    "F011: a failed order has one record of why, how much and at whom, until it is refunded") {
  OrderShop shop;
  const OrderId id = refunding(shop);
  const auto open = error_of(shop, id);
  REQUIRE(open.has_value());
  CHECK(open->state == "open");
  CHECK(open->party == "reloadly");
  CHECK(open->cause == "supplier_rejected: INVALID_NUMBER");
  CHECK(open->amount == fen(testing::kPayable));
  CHECK(shop.run_until_quiet(kHourMs));
  CHECK(error_of(shop, id)->state == "closed");
  CHECK(error_of(shop, id)->closed_by == "wechat");
  CHECK_FALSE(error_of(shop, delivered(shop)).has_value());
  CHECK(shop.broken_books() == "");
}

TEST_CASE(
    "R-03: our balance is too small: the same number waits, hourly in the end, with one work item "
    "that its success closes") {
  OrderShop shop;
  const OrderId id = refunding(shop);
  shop.wechat->refunds.usually(
      payments::Outcome<payments::RefundTrade>(DefiniteFail("NOT_ENOUGH", "fill up")));
  CHECK(shop.run_until_quiet(kDayMs24));
  CHECK(shop.state(id) == State::refunding);
  CHECK(open_kinds(shop) == std::vector<std::string>{"refund_waits"});
  CHECK(shop.wechat->refunds.calls() >= 24);
  CHECK(shop.wechat->refunds.calls() < 40);
  CHECK(shop.broken_books() == "");
  shop.wechat->refunds.usually([](const payments::RefundRequest& asked) {
    return ScriptedChannel::refund_trade(asked.out_refund_no, RefundState::succeeded, asked.amount);
  });
  shop.shop.db().write([&](storage::Tx& tx) {
    return hurry_refund(shop.env, tx, shop.refunds_of(id).front().out_refund_no, kStaff);
  });
  shop.run_due();
  CHECK(shop.state(id) == State::refunded);
  CHECK(open_kinds(shop).empty());
  std::set<std::string> numbers;
  for (const auto& asked : shop.wechat->refunds.heard()) numbers.insert(asked.out_refund_no.text);
  CHECK(numbers.size() == 1);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("R-01: a closed refund frees its amount and goes again under a new number, once") {
  OrderShop shop;
  const OrderId id = refunding(shop);
  refuse_next(shop, RefundState::closed);
  shop.run_due();
  CHECK(shop.state(id) == State::manual);
  const OutRefundNo first = shop.refunds_of(id).front().out_refund_no;
  CHECK(shop.attempts(id).front().refunded_minor == 0);
  CHECK(open_kinds(shop) == std::vector<std::string>{"refund_refused"});
  CHECK(shop.broken_books() == "");
  CHECK(reissue(shop, first) == "");
  CHECK(reissue(shop, first) == "refund_not_refused");
  CHECK(by_hand(shop, first) == "refund_not_refused");
  CHECK(shop.attempts(id).front().refunded_minor == testing::kPayable);
  CHECK(open_kinds(shop).empty());
  CHECK(shop.run_until_quiet(kHourMs));
  CHECK(shop.state(id) == State::refunded);
  REQUIRE(shop.refunds_of(id).size() == 2);
  CHECK(shop.refunds_of(id).back().replaces == first.text);
  CHECK(shop.refunds_of(id).back().out_refund_no != first);
  CHECK(shop.journals("refund") == 1);
  CHECK(shop.balance("asset.channel_clearing.wechat") == 0);
  CHECK(shop.broken_books() == "");

  // The channel says now that the closed one went through after all: it is not booked, a person is
  // told.
  CHECK(shop.notify(ScriptedChannel::refund_trade(first, RefundState::succeeded,
                                                  fen(testing::kPayable)))
            .has_value());
  CHECK(open_kinds(shop) == std::vector<std::string>{"refund_after_refusal"});
  CHECK(shop.journals("refund") == 1);
}

TEST_CASE("R-01: an abnormal refund is never sent anew: its money may still arrive") {
  OrderShop shop;
  const OrderId id = refunding(shop);
  refuse_next(shop, RefundState::abnormal);
  shop.run_due();
  const OutRefundNo no = shop.refunds_of(id).front().out_refund_no;
  CHECK(shop.refunds_of(id).front().code == "ABNORMAL");
  CHECK(reissue(shop, no) == "refund_not_closed");
  CHECK(order(shop, id) == "refund_amount_not_positive");
  CHECK(order(shop, id, fen(1)) == "refund_exceeds_paid");
  CHECK(shop.attempts(id).front().refunded_minor == testing::kPayable);

  SUBCASE("sent on at the channel by hand: its late success is booked and ends the order") {
    CHECK(*shop.notify(
        ScriptedChannel::refund_trade(no, RefundState::succeeded, fen(testing::kPayable))));
    CHECK(shop.state(id) == State::refunded);
    CHECK(open_kinds(shop).empty());
    CHECK(shop.journals("refund") == 1);
    CHECK(shop.balance("asset.channel_clearing.wechat") == 0);
    CHECK_FALSE(*shop.notify(
        ScriptedChannel::refund_trade(no, RefundState::succeeded, fen(testing::kPayable)),
        "again"));
  }
  SUBCASE("the notification of it is lost: a question settles it") {
    shop.wechat->refund_queries.then(
        ScriptedChannel::refund_trade(no, RefundState::succeeded, fen(testing::kPayable)));
    CHECK(*shop.refunds.ask(no));
    CHECK(shop.state(id) == State::refunded);
    CHECK(error_of(shop, id)->state == "closed");
  }
  SUBCASE("closed by the channel in the end: it may go again") {
    shop.wechat->refund_queries.then(
        ScriptedChannel::refund_trade(no, RefundState::closed, fen(testing::kPayable)));
    CHECK(*shop.refunds.ask(no));
    CHECK(reissue(shop, no) == "");
    CHECK(shop.run_until_quiet(kHourMs));
    CHECK(shop.state(id) == State::refunded);
  }
  SUBCASE("paid out by hand: owed by the bank, not by the channel, and paid out when it shows") {
    CHECK(by_hand(shop, no) == "");
    CHECK(by_hand(shop, no) == "refund_not_refused");
    CHECK(shop.state(id) == State::refunded);
    CHECK(open_kinds(shop).empty());
    CHECK(shop.journals("refund") == 0);
    CHECK(shop.balance("liability.refunds_payable") == -testing::kPayable);
    CHECK(shop.balance("liability.customer_orders") == 0);
    CHECK(shop.balance("asset.channel_clearing.wechat") == testing::kPayable);
    shop.notify(ScriptedChannel::refund_trade(no, RefundState::succeeded, fen(testing::kPayable)));
    CHECK(open_kinds(shop) == std::vector<std::string>{"refund_after_refusal"});
    CHECK(shop.journals("refund") == 0);
  }
  CHECK(shop.broken_books() == "");
}

TEST_CASE("refund: a payer whose account is gone is paid by hand; nobody waits for a miracle") {
  OrderShop shop;
  const OrderId id = refunding(shop);
  shop.wechat->refunds.then(DefiniteFail("USER_ACCOUNT_ABNORMAL", "closed"));
  CHECK(shop.run_until_quiet(kDayMs24));
  CHECK(shop.wechat->refunds.calls() == 1);
  CHECK(shop.state(id) == State::manual);
  CHECK(shop.refunds_of(id).front().code == "USER_ACCOUNT_ABNORMAL");
  CHECK(by_hand(shop, shop.refunds_of(id).front().out_refund_no) == "");
  CHECK(shop.state(id) == State::refunded);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("refund: a refused part of a delivered order goes again or by hand, as a loss again") {
  for (const bool again : {true, false}) {
    CAPTURE(again);
    OrderShop shop;
    const OrderId id = delivered(shop);
    refuse_next(shop, again ? RefundState::closed : RefundState::abnormal);
    REQUIRE(order(shop, id, fen(1'000)) == "");
    shop.run_due();
    CHECK(open_kinds(shop) == std::vector<std::string>{"partial_refund_refused"});
    CHECK(shop.balance("revenue.sales") == -testing::kPayable);
    const OutRefundNo no = shop.refunds_of(id).front().out_refund_no;
    CHECK((again ? reissue(shop, no) : by_hand(shop, no)) == "");
    CHECK(shop.run_until_quiet(kHourMs));
    CHECK(shop.state(id) == State::succeeded);
    CHECK(open_kinds(shop).empty());
    CHECK(shop.balance("revenue.sales") == -(testing::kPayable - 1'000));
    CHECK(shop.balance("liability.customer_orders") == 0);
    CHECK(shop.broken_books() == "");
  }
}

TEST_CASE("refund: a refused refund of a second payment goes again without touching the order") {
  OrderShop shop;
  const OrderId id = shop.place();
  const OutTradeNo first = shop.start(id, payments::Scene::jsapi);
  const OutTradeNo second = shop.start(id, payments::Scene::jsapi);
  REQUIRE(shop.notify(OrderShop::paid(first)).has_value());
  shop.run_due();
  refuse_next(shop, RefundState::closed);
  REQUIRE(shop.notify(OrderShop::paid(second)).has_value());
  shop.run_due();
  CHECK(open_kinds(shop) == std::vector<std::string>{"refund_refused"});
  CHECK(reissue(shop, shop.refunds_of(id).front().out_refund_no) == "");
  CHECK(shop.run_until_quiet(kHourMs));
  CHECK(shop.state(id) == State::succeeded);
  CHECK(open_kinds(shop).empty());
  CHECK(shop.balance("asset.channel_clearing.wechat") == testing::kPayable);
  CHECK(shop.balance("liability.customer_orders") == 0);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("D9: suspense is the sum of its open work items, from the payment to its explanation") {
  OrderShop shop;
  const OrderId id = delivered(shop);
  const OutTradeNo paid = shop.attempts(id).front().out_trade_no;
  const OrderId other = shop.place();
  const OutTradeNo good = shop.start(other, payments::Scene::jsapi);
  const OutTradeNo odd = shop.start(other, payments::Scene::jsapi);
  REQUIRE(shop.notify(OrderShop::paid(good)).has_value());
  REQUIRE(shop.notify(OrderShop::paid(odd, fen(77))).has_value());
  CHECK(shop.balance("liability.suspense") == -77);
  CHECK(shop.broken_books() == "");
  const std::string item =
      shop.shop.text("SELECT work_item_id FROM work_items WHERE state = 'open'");
  SUBCASE("given back to the payer") {
    CHECK(deed(shop, [&](storage::Tx& tx) {
            return give_back_unexplained(shop.env, tx, item, kStaff, "paid in error");
          }) == "");
    CHECK(shop.run_until_quiet(kHourMs));
    CHECK(shop.wechat->refunds.heard().back().amount == fen(77));
    CHECK(shop.balance("liability.customer_orders") == 0);
  }
  SUBCASE("explained by a person") {
    CHECK(deed(shop, [&](storage::Tx& tx) {
            return explain_suspense(shop.env, tx, item, "cost.adjustments", kStaff, "a gift");
          }) == "");
    CHECK(shop.run_until_quiet(kHourMs));
    CHECK(shop.balance("cost.adjustments") == -77);
  }
  CHECK(shop.balance("liability.suspense") == 0);
  CHECK(open_kinds(shop).empty());
  CHECK(deed(shop, [&](storage::Tx& tx) {
          return explain_suspense(shop.env, tx, item, "cost.adjustments", kStaff, "twice");
        }) == "work_item_settled");
  CHECK(shop.broken_books() == "");
}

TEST_CASE("D9: money of an order in review is settled by the order, and its item with it") {
  for (const bool approved : {true, false}) {
    CAPTURE(approved);
    OrderShop shop;
    const OrderId id = shop.place();
    REQUIRE(shop.notify(OrderShop::paid(shop.start(id), fen(5'000))).has_value());
    CHECK(shop.broken_books() == "");
    const std::string item =
        shop.shop.text("SELECT work_item_id FROM work_items WHERE state = 'open'");
    CHECK(deed(shop, [&](storage::Tx& tx) {
            return give_back_unexplained(shop.env, tx, item, kStaff, "x");
          }) == "work_item_waits_for_order");
    CHECK(deed(shop, [&](storage::Tx& tx) -> Result<bool> {
            Order order = *order_store::find(tx, id);
            const auto moved =
                apply(shop.env, tx, order,
                      approved ? Event::review_approved : Event::review_rejected, {kStaff, "ok"});
            if (!moved) return tl::unexpected<Error>(moved.error());
            return true;
          }) == "");
    CHECK(open_kinds(shop).empty());
    CHECK(shop.broken_books() == "");
    CHECK(shop.run_until_quiet(kHourMs));
    CHECK(shop.balance("liability.suspense") == 0);
    CHECK(shop.broken_books() == "");
  }
}

TEST_CASE("work items: what was closed and happens again is open again; a claim keeps others out") {
  OrderShop shop;
  const auto open = [&](const char* detail) {
    shop.shop.db().write([&](storage::Tx& tx) {
      open_work_item(shop.env, tx, "refund_waits", "R1", OrderId(), detail);
      return true;
    });
  };
  const auto item = [&] {
    std::optional<WorkItem> found;
    shop.shop.db().read([&](storage::Reader& reader) {
      const auto items = work_item_store::list(reader, {"", "", ""}, nullptr, 10);
      REQUIRE(items.size() == 1);
      found = items.front();
    });
    return *found;
  };
  open("first");
  open("not heard");
  CHECK(item().detail == "first");
  CHECK(item().times == 1);
  shop.shop.db().write([&](storage::Tx& tx) {
    CHECK(work_item_store::claim(tx, item().id, StaffId("anna"), 5));
    CHECK_FALSE(work_item_store::claim(tx, item().id, StaffId("bert"), 5));
    CHECK(close_work_item(shop.env, tx, "refund_waits", "R1", "staff:anna", "filled up"));
    CHECK_FALSE(close_work_item(shop.env, tx, "refund_waits", "R1", "staff:anna", "filled up"));
    return true;
  });
  CHECK(item().state == "resolved");
  CHECK(item().resolution == "filled up");
  open("second");
  CHECK(item().state == "open");
  CHECK(item().times == 2);
  CHECK(item().detail == "second");
  CHECK(item().owner.empty());
}

// Over a real store: any amounts, any answers of the channel, people who try everything.
TEST_CASE("R-01: whatever is asked, what goes back is never more than was paid (property)") {
  OrderShop shop(11);
  testing::SeededRandom draw(3);
  std::vector<OrderId> ids;
  for (int i = 0; i < 12; ++i) ids.push_back(delivered(shop));
  std::map<std::string, std::int64_t> sent;  // at the channel, by payment
  shop.wechat->refunds.usually(
      [&](const payments::RefundRequest& asked) -> payments::Outcome<payments::RefundTrade> {
        const auto state = draw.percent(60)   ? RefundState::succeeded
                           : draw.percent(60) ? RefundState::closed
                                              : RefundState::abnormal;
        if (state == RefundState::succeeded) sent[asked.out_trade_no.text] += asked.amount.minor;
        return ScriptedChannel::refund_trade(asked.out_refund_no, state, asked.amount);
      });
  for (int step = 0; step < 1'500; ++step) {
    const OrderId& id = ids[static_cast<std::size_t>(draw.below(12))];
    const auto refunds = shop.refunds_of(id);
    const bool on_refund = !refunds.empty() && draw.percent(40);
    const OutRefundNo no = on_refund ? refunds[static_cast<std::size_t>(draw.below(
                                                   static_cast<std::int64_t>(refunds.size())))]
                                           .out_refund_no
                                     : OutRefundNo();
    if (on_refund) {
      (void)(draw.percent(70) ? reissue(shop, no) : by_hand(shop, no));
    } else {
      (void)order(
          shop, id,
          draw.percent(20) ? std::optional<Money>() : fen(1 + draw.below(testing::kPayable + 100)));
    }
    if (draw.percent(50)) shop.run_due();
  }
  CHECK(shop.run_until_quiet(kDayMs24));
  std::int64_t paid_back = 0;
  for (const OrderId& id : ids) {
    const payments::Attempt attempt = shop.attempts(id).front();
    CHECK(attempt.refunded_minor <= attempt.paid_minor);
    std::int64_t hands = 0;
    for (const payments::Refund& refund : shop.refunds_of(id))
      hands += refund.state == refund_state::kPaidByHand ? refund.amount.minor : 0;
    CHECK(sent[attempt.out_trade_no.text] + hands <= attempt.paid_minor);
    paid_back += sent[attempt.out_trade_no.text];
  }
  CHECK(paid_back > 0);
  CHECK(shop.balance("asset.channel_clearing.wechat") == 12 * testing::kPayable - paid_back);
  CHECK(shop.failed_jobs == 0);
  CHECK(shop.broken_books() == "");
}

TEST_CASE("R-02: two staff, a buyer, the shop itself and retries at once: refunded is paid, once") {
  OrderShop shop;
  for (int round = 0; round < 4; ++round) {
    const OrderId id = delivered(shop);
    const std::size_t before = shop.wechat->refunds.calls();
    testing::together(64, [&](int t) {
      if (t % 4 == 0) {
        (void)storage::with_tx(shop.shop.db(), [&](storage::Tx& tx) {
          return ask_for_refund(shop.env, tx, shop.user, id, "please");
        });
      } else {
        (void)order(shop, id, t % 4 == 1 ? std::optional<Money>() : fen(1'000 + t));
      }
    });
    CHECK(shop.run_until_quiet(kHourMs));
    (void)order(shop, id);
    CHECK(shop.run_until_quiet(kHourMs));
    CHECK(shop.state(id) == State::refunded);
    CHECK(shop.attempts(id).front().refunded_minor == testing::kPayable);
    std::int64_t sum = 0;
    const auto heard = shop.wechat->refunds.heard();
    for (std::size_t i = before; i < heard.size(); ++i) sum += heard[i].amount.minor;
    CHECK(sum == testing::kPayable);
    CHECK(shop.broken_books() == "");
  }
}

}  // namespace
}  // namespace topup::orders
