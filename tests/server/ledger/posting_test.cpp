#include "server/ledger/posting.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "shared/check.h"

namespace topup::ledger {
namespace {

const Money kCost{680, Currency::usd};

TEST_CASE("F039: each business event moves its amount between the right accounts") {
  struct Event {
    const char* name;
    Journal journal;
    std::vector<Posting> expected;
  };
  const std::string prepaid = "asset.supplier_prepaid.reloadly";
  const std::string clearing = "asset.channel_clearing.wechat";
  const std::string owed = "liability.customer_orders";
  const std::string payable = "liability.refunds_payable";
  const Clearing wechat{"wechat"};
  const Money usd{680, Currency::usd};
  const Money less_usd{-680, Currency::usd};
  const std::vector<Event> events = {
      {"payment",
       payment_received("T1", wechat, fen(4'975)),
       {{clearing, fen(4'975)}, {owed, fen(-4'975)}}},
      {"payment",
       payment_received("T1", {"wechat", "1900000109"}, fen(1)),
       {{clearing + ".1900000109", fen(1)}, {owed, fen(-1)}}},
      {"fulfilment",
       order_fulfilled("S1", "reloadly", fen(4'975), nullptr),
       {{owed, fen(4'975)}, {"revenue.sales", fen(-4'975)}}},
      {"fulfilment",
       order_fulfilled("S1", "reloadly", fen(4'975), &kCost),
       {{owed, fen(4'975)},
        {"revenue.sales", fen(-4'975)},
        {"cost.sales", usd},
        {prepaid, less_usd}}},
      {"reversal",
       delivery_reversed("S1", "reloadly", fen(4'975), &kCost),
       {{owed, fen(-4'975)},
        {"revenue.sales", fen(4'975)},
        {"cost.sales", less_usd},
        {prepaid, usd}}},
      {"refund",
       order_refunded("R1", wechat, fen(4'975)),
       {{owed, fen(4'975)}, {clearing, fen(-4'975)}}},
      {"refund", order_refunded("R1-2", wechat, fen(1)), {{owed, fen(1)}, {clearing, fen(-1)}}},
      {"refund_loss", refund_lost("o/5", fen(30)), {{"revenue.sales", fen(30)}, {owed, fen(-30)}}},
      {"refund_loss_returned",
       refund_loss_returned("o/6", fen(30)),
       {{owed, fen(30)}, {"revenue.sales", fen(-30)}}},
      {"refund_by_hand", refund_by_hand("R1", fen(30)), {{owed, fen(30)}, {payable, fen(-30)}}},
      {"payout",
       refund_paid_out("P1", "", fen(30)),
       {{payable, fen(30)}, {"asset.bank", fen(-30)}}},
      {"suspense",
       payment_unexplained("T1", wechat, fen(1)),
       {{clearing, fen(1)}, {"liability.suspense", fen(-1)}}},
      {"suspense_settled",
       suspense_settled("T1", wechat, fen(1)),
       {{clearing, fen(-1)}, {"liability.suspense", fen(1)}}},
      {"suspense",
       account_unexplained("bill/7", clearing, fen(-8)),
       {{"liability.suspense", fen(8)}, {clearing, fen(-8)}}},
      {"suspense_moved",
       suspense_moved("W1/1", "cost.adjustments", fen(-8)),
       {{"cost.adjustments", fen(8)}, {"liability.suspense", fen(-8)}}},
      {"channel_fee",
       channel_fee("T1", wechat, fen(30)),
       {{"cost.channel_fees.wechat", fen(30)}, {clearing, fen(-30)}}},
      {"channel_fee",
       channel_fee("R1", wechat, fen(-30)),
       {{clearing, fen(30)}, {"cost.channel_fees.wechat", fen(-30)}}},
      {"settlement",
       settled("d1", wechat, "icbc", fen(970), fen(30)),
       {{"asset.bank.icbc", fen(970)},
        {clearing, fen(-970)},
        {"cost.channel_fees.wechat", fen(30)},
        {clearing, fen(-30)}}},
      {"supplier_topup",
       supplier_topped_up("b1", "reloadly", "", fen(5'000), usd),
       {{prepaid, usd},
        {"equity.currency_exchange", less_usd},
        {"equity.currency_exchange", fen(5'000)},
        {"asset.bank", fen(-5'000)}}},
      {"supplier_topup",
       supplier_topped_up("b2", "reloadly", "", fen(5'000), fen(4'990)),
       {{prepaid, fen(4'990)},
        {"asset.bank", fen(-4'990)},
        {"cost.currency_difference", fen(10)},
        {"asset.bank", fen(-10)}}},
      {"adjustment",
       adjusted("a1", "cost.adjustments", "asset.bank", fen(3)),
       {{"cost.adjustments", fen(3)}, {"asset.bank", fen(-3)}}},
      {"taken_back",
       taken_back(adjusted("a1", "cost.adjustments", "asset.bank", fen(3))),
       {{"cost.adjustments", fen(-3)}, {"asset.bank", fen(3)}}},
  };
  for (const Event& event : events) {
    CAPTURE(event.name);
    CHECK(event.journal.name() == event.name);
    CHECK(event.journal.postings() == event.expected);
    std::map<Currency, std::int64_t> sums;
    for (const Posting& posting : event.journal.postings())
      sums[posting.amount.currency] += posting.amount.minor;
    for (const auto& [currency, sum] : sums) CHECK(sum == 0);
  }
  CHECK(taken_back(events.front().journal).subject() == "payment:T1");
}

TEST_CASE("posting: a paid order that is refunded or delivered leaves nothing owed") {
  for (const Journal& second : {order_refunded("R1", {"wechat"}, fen(4'975)),
                                order_fulfilled("S1", "reloadly", fen(4'975), &kCost)}) {
    std::int64_t owed = 0;
    const Journal paid = payment_received("T1", {"wechat"}, fen(4'975));
    for (const Journal* journal : {&paid, &second}) {
      for (const Posting& posting : journal->postings()) {
        if (posting.account == "liability.customer_orders") owed += posting.amount.minor;
      }
    }
    CHECK(owed == 0);
  }
}

TEST_CASE("posting: a journal that does not balance cannot be built") {
  CHECK_THROWS_AS(Journal("x", "1", {{"asset.bank", fen(1)}, {"revenue.sales", fen(-2)}}),
                  InvariantBroken);
  CHECK_THROWS_AS(Journal("x", "1", {{"asset.bank", fen(1)}, {"asset.pocket", fen(-1)}}),
                  InvariantBroken);
  CHECK_THROWS_AS(Journal("x", "", {{"asset.bank", fen(1)}, {"revenue.sales", fen(-1)}}),
                  InvariantBroken);
  CHECK_NOTHROW(Journal("x", "1", {{"asset.bank", fen(1)}, {"revenue.sales", fen(-1)}}));
  CHECK_THROWS_AS(
      Journal("x", "1", {{"asset.bank", fen(1)}, {"asset.bank", Money{-1, Currency::usd}}}),
      InvariantBroken);
  CHECK_THROWS_AS(Journal("x", "1", {}), InvariantBroken);
  CHECK_THROWS_AS(Journal("x", "1", {{"asset.bank", fen(0)}, {"asset.bank", fen(0)}}),
                  InvariantBroken);
  // Near the end of the type the sum would wrap to zero if it were taken in 64 bits.
  CHECK_THROWS_AS(
      Journal("x", "1", {{"asset.bank", fen(INT64_MIN)}, {"revenue.sales", fen(INT64_MIN)}}),
      InvariantBroken);
}

TEST_CASE("posting: nothing and less than nothing are not moved") {
  for (const std::int64_t minor : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN}) {
    CAPTURE(minor);
    CHECK_THROWS_AS(payment_received("T1", {"wechat"}, fen(minor)), InvariantBroken);
    CHECK_THROWS_AS(order_refunded("R1", {"wechat"}, fen(minor)), InvariantBroken);
    CHECK_THROWS_AS(payment_unexplained("T1", {"wechat"}, fen(minor)), InvariantBroken);
    CHECK_THROWS_AS(order_fulfilled("S1", "reloadly", fen(minor), nullptr), InvariantBroken);
  }
}

}  // namespace
}  // namespace topup::ledger
