#include "server/ledger/ledger_store.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/support/scratch_shop.h"
#include "tests/support/seeded_random.h"

namespace topup::ledger {
namespace {

const OrderId kOrder("order-1");

void put(testing::ScratchShop& shop, const Journal& journal, std::int64_t at_ms = 1) {
  shop.db().write([&](storage::Tx& tx) {
    post(tx, journal, kOrder, TraceId("trace"), at_ms);
    return true;
  });
}

std::vector<std::string> wrong(testing::ScratchShop& shop) {
  std::vector<std::string> found;
  shop.db().read([&found](storage::Reader& reader) { found = verify(reader); });
  return found;
}

void fill(testing::ScratchShop& shop) {
  const Money cost{680, Currency::usd};
  put(shop, payment_received("T1", "wechat", fen(4'975)), 1);
  put(shop, order_fulfilled("S1", "reloadly", fen(4'975), &cost), 2);
  put(shop, payment_received("T2", "wechat", fen(300)), 3);
  put(shop, order_refunded("R1", "wechat", fen(300)), 4);
}

TEST_CASE("ledger: posting one event twice throws and changes no balance") {
  testing::ScratchShop shop;
  put(shop, payment_received("T1", "wechat", fen(100)));
  bool is_constraint = false;
  try {
    put(shop, payment_received("T1", "wechat", fen(100)));
  } catch (const storage::SqlError& error) {
    is_constraint = error.is_constraint;
  }
  CHECK(is_constraint);
  CHECK(shop.integer("SELECT COUNT(*) FROM journals") == 1);
  CHECK(shop.integer("SELECT COUNT(*) FROM postings") == 2);
  CHECK(shop.integer("SELECT balance_minor FROM account_balances WHERE account LIKE 'asset.%'") ==
        100);
}

TEST_CASE("ledger: the same subject under another template is another event") {
  testing::ScratchShop shop;
  put(shop, payment_received("X1", "wechat", fen(100)));
  CHECK_NOTHROW(put(shop, payment_unexplained("X1", "wechat", fen(5))));
  CHECK(wrong(shop).empty());
}

TEST_CASE("ledger: the trial balance sums to zero in each currency after any mix of events") {
  testing::ScratchShop shop;
  testing::SeededRandom random(7);
  for (int i = 0; i < 200; ++i) {
    const std::string subject = std::to_string(i);
    const Money amount{1 + random.below(kMaxMinor / 1'000),
                       random.percent(30) ? Currency::usd : Currency::cny};
    const Money cost{random.below(5'000), Currency::usd};
    switch (random.below(4)) {
      case 0:
        put(shop, payment_received(subject, "wechat", amount));
        break;
      case 1:
        put(shop, order_fulfilled(subject, "reloadly", amount, &cost));
        break;
      case 2:
        put(shop, order_refunded(subject, "wechat", amount));
        break;
      default:
        put(shop, payment_unexplained(subject, "wechat", amount));
    }
  }
  std::map<Currency, std::int64_t> sums;
  shop.db().read([&sums](storage::Reader& reader) {
    for (const Balance& balance : trial_balance(reader))
      sums[balance.amount.currency] += balance.amount.minor;
  });
  REQUIRE(sums.size() == 2);
  for (const auto& [currency, sum] : sums) CHECK(sum == 0);
  CHECK(wrong(shop).empty());
}

TEST_CASE("ledger: the journals of an order come back in order, with their lines") {
  testing::ScratchShop shop;
  fill(shop);
  std::vector<PostedJournal> journals;
  shop.db().read([&journals](storage::Reader& reader) { journals = list_of(reader, kOrder); });
  REQUIRE(journals.size() == 4);
  CHECK(journals[0].name == "payment");
  CHECK(journals[1].name == "fulfilment");
  CHECK(journals[1].subject == "S1");
  REQUIRE(journals[1].postings.size() == 4);
  CHECK(journals[1].postings[2].account == "cost.sales");
  CHECK(journals[1].postings[3].amount == Money{-680, Currency::usd});
  CHECK(journals[3].at_ms == 4);
}

TEST_CASE("ledger: verification finds each kind of damage done behind the program's back") {
  struct Damage {
    const char* name;
    const char* statements;
    const char* found;
  };
  constexpr Damage kDamage[] = {
      {"a changed amount",
       "UPDATE postings SET amount_minor = 4974 WHERE journal_id = 'payment:T1' AND line = 1",
       "unbalanced journal payment:T1"},
      {"both sides changed alike",
       "UPDATE postings SET amount_minor = amount_minor * 2 WHERE journal_id = 'payment:T1'",
       "balance differs from its postings asset.channel_clearing.wechat CNY"},
      {"another account",
       "UPDATE postings SET account = 'revenue.sales' WHERE journal_id = 'payment:T1' AND line = 2",
       "balance differs from its postings revenue.sales CNY"},
      {"another currency",
       "UPDATE postings SET amount_currency = 'USD' WHERE journal_id = 'refund:R1'",
       "balance differs from its postings liability.customer_orders USD"},
      {"a removed line", "DELETE FROM postings WHERE journal_id = 'refund:R1' AND line = 2",
       "unbalanced journal refund:R1"},
      {"a removed seal", "DELETE FROM journals WHERE journal_id = 'refund:R1'",
       "unsealed journal refund:R1"},
      {"a removed event",
       "DELETE FROM journals WHERE journal_id = 'refund:R1';"
       "DELETE FROM postings WHERE journal_id = 'refund:R1'",
       "balance differs from its postings asset.channel_clearing.wechat CNY"},
      {"a changed balance",
       "UPDATE account_balances SET balance_minor = balance_minor + 1 WHERE currency = 'USD'",
       "balance differs from its postings cost.sales USD"},
      {"a removed balance", "DELETE FROM account_balances WHERE account = 'revenue.sales'",
       "balance differs from its postings revenue.sales CNY"},
      {"a balance of nothing", "INSERT INTO account_balances VALUES ('asset.invented', 'CNY', 5)",
       "balance differs from its postings asset.invented CNY"},
  };
  for (const Damage& damage : kDamage) {
    CAPTURE(damage.name);
    testing::ScratchShop shop;
    fill(shop);
    REQUIRE(wrong(shop).empty());
    shop.tamper(
        "DROP TRIGGER journals_stay; DROP TRIGGER postings_keep; DROP TRIGGER postings_stay;");
    shop.tamper(damage.statements);
    const std::vector<std::string> found = wrong(shop);
    std::string all;
    for (const std::string& line : found) all += line + "\n";
    CHECK_MESSAGE(all.find(damage.found) != std::string::npos, all);
  }
}

}  // namespace
}  // namespace topup::ledger
