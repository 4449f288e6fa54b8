#include "server/ledger/posting.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "shared/check.h"

namespace topup::ledger {
namespace {

const Money kCost{680, Currency::usd};

TEST_CASE("posting: each business event moves its amount between the right accounts") {
  struct Event {
    const char* name;
    Journal journal;
    std::vector<std::pair<std::string, Money>> expected;
  };
  const std::string prepaid = "asset.supplier_prepaid.reloadly";
  const std::vector<Event> events = {
      {"payment",
       payment_received("T1", "wechat", fen(4'975)),
       {{"asset.channel_clearing.wechat", fen(4'975)}, {"liability.customer_orders", fen(-4'975)}}},
      {"fulfilment",
       order_fulfilled("S1", "reloadly", fen(4'975), nullptr),
       {{"liability.customer_orders", fen(4'975)}, {"revenue.sales", fen(-4'975)}}},
      {"fulfilment",
       order_fulfilled("S1", "reloadly", fen(4'975), &kCost),
       {{"liability.customer_orders", fen(4'975)},
        {"revenue.sales", fen(-4'975)},
        {"cost.sales", kCost},
        {prepaid, {-680, Currency::usd}}}},
      {"refund",
       order_refunded("R1", "wechat", fen(4'975)),
       {{"liability.customer_orders", fen(4'975)}, {"asset.channel_clearing.wechat", fen(-4'975)}}},
      {"suspense",
       payment_unexplained("T1", "wechat", fen(1)),
       {{"asset.channel_clearing.wechat", fen(1)}, {"liability.suspense", fen(-1)}}},
  };
  for (const Event& event : events) {
    CAPTURE(event.name);
    CHECK(event.journal.name() == event.name);
    std::vector<std::pair<std::string, Money>> found;
    std::map<Currency, std::int64_t> sums;
    for (const Posting& posting : event.journal.postings()) {
      found.emplace_back(posting.account, posting.amount);
      sums[posting.amount.currency] += posting.amount.minor;
    }
    CHECK(found == event.expected);
    for (const auto& [currency, sum] : sums) CHECK(sum == 0);
  }
}

TEST_CASE("posting: a paid order that is refunded or delivered leaves nothing owed") {
  for (const Journal& second : {order_refunded("R1", "wechat", fen(4'975)),
                                order_fulfilled("S1", "reloadly", fen(4'975), &kCost)}) {
    std::int64_t owed = 0;
    const Journal paid = payment_received("T1", "wechat", fen(4'975));
    for (const Journal* journal : {&paid, &second}) {
      for (const Posting& posting : journal->postings()) {
        if (posting.account == "liability.customer_orders") owed += posting.amount.minor;
      }
    }
    CHECK(owed == 0);
  }
}

TEST_CASE("posting: a journal that does not balance cannot be built") {
  CHECK_THROWS_AS(Journal("x", "1", {{"a", fen(1)}, {"b", fen(-2)}}), InvariantBroken);
  CHECK_THROWS_AS(Journal("x", "1", {{"a", fen(1)}, {"b", Money{-1, Currency::usd}}}),
                  InvariantBroken);
  CHECK_THROWS_AS(Journal("x", "1", {}), InvariantBroken);
  CHECK_THROWS_AS(Journal("x", "1", {{"a", fen(0)}}), InvariantBroken);
  // Near the end of the type the sum would wrap to zero if it were taken in 64 bits.
  CHECK_THROWS_AS(Journal("x", "1", {{"a", fen(INT64_MIN)}, {"b", fen(INT64_MIN)}}),
                  InvariantBroken);
}

TEST_CASE("posting: nothing and less than nothing are not moved") {
  for (const std::int64_t minor : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN}) {
    CAPTURE(minor);
    CHECK_THROWS_AS(payment_received("T1", "wechat", fen(minor)), InvariantBroken);
    CHECK_THROWS_AS(order_refunded("R1", "wechat", fen(minor)), InvariantBroken);
    CHECK_THROWS_AS(payment_unexplained("T1", "wechat", fen(minor)), InvariantBroken);
    CHECK_THROWS_AS(order_fulfilled("S1", "reloadly", fen(minor), nullptr), InvariantBroken);
  }
}

}  // namespace
}  // namespace topup::ledger
