#include "server/ledger/ledger_store.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "server/ledger/chart.h"
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
  put(shop, payment_received("T1", {"wechat"}, fen(4'975)), 1);
  put(shop, order_fulfilled("S1", "reloadly", fen(4'975), &cost), 2);
  put(shop, payment_received("T2", {"wechat"}, fen(300)), 3);
  put(shop, order_refunded("R1", {"wechat"}, fen(300)), 4);
}

TEST_CASE("ledger: posting one event twice throws and changes no balance") {
  testing::ScratchShop shop;
  put(shop, payment_received("T1", {"wechat"}, fen(100)));
  bool is_constraint = false;
  try {
    put(shop, payment_received("T1", {"wechat"}, fen(100)));
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
  put(shop, payment_received("X1", {"wechat"}, fen(100)));
  CHECK_NOTHROW(put(shop, payment_unexplained("X1", {"wechat"}, fen(5))));
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
        put(shop, payment_received(subject, {"wechat"}, amount));
        break;
      case 1:
        put(shop, order_fulfilled(subject, "reloadly", amount, &cost));
        break;
      case 2:
        put(shop, order_refunded(subject, {"wechat"}, amount));
        break;
      default:
        put(shop, payment_unexplained(subject, {"wechat"}, amount));
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
  for (std::size_t i = 0; i < journals.size(); ++i)
    CHECK(journals[i].seq == static_cast<std::int64_t>(i) + 1);
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
      {"an event removed with its balance",
       "DELETE FROM journals WHERE journal_id = 'payment:T2';"
       "DELETE FROM postings WHERE journal_id = 'payment:T2';"
       "UPDATE account_balances SET balance_minor = balance_minor - 300 WHERE account LIKE "
       "'asset.ch%';"
       "UPDATE account_balances SET balance_minor = balance_minor + 300 WHERE account LIKE 'liab%'",
       "a journal is missing after number 2"},
      {"the newest event removed with its balance",
       "DELETE FROM journals WHERE journal_id = 'refund:R1';"
       "DELETE FROM postings WHERE journal_id = 'refund:R1';"
       "UPDATE account_balances SET balance_minor = balance_minor + 300 WHERE account LIKE "
       "'asset.ch%';"
       "UPDATE account_balances SET balance_minor = balance_minor - 300 WHERE account LIKE 'liab%'",
       "the head of the journals does not fit them: it says 4"},
      {"an account that nobody has",
       "UPDATE postings SET account = 'asset.pocket' WHERE account = 'revenue.sales';"
       "UPDATE account_balances SET account = 'asset.pocket' WHERE account = 'revenue.sales'",
       "account that the chart does not have: asset.pocket"},
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
    shop.drop_trigger("journals_stay", "journals");
    shop.drop_trigger("postings_keep", "postings");
    shop.drop_trigger("postings_stay", "postings");
    shop.tamper(damage.statements);
    const std::vector<std::string> found = wrong(shop);
    std::string all;
    for (const std::string& line : found) all += line + "\n";
    CHECK_MESSAGE(all.find(damage.found) != std::string::npos, all);
  }
}

TEST_CASE("F039: a mistake is taken back by the opposite journal, once, and nothing is edited") {
  testing::ScratchShop shop;
  put(shop, adjusted("A1", "cost.adjustments", "asset.bank", fen(700)));
  const auto back = [&shop](const char* id) {
    const auto done = storage::with_tx(
        shop.db(), [&](storage::Tx& tx) { return take_back(tx, id, TraceId("trace"), 2); });
    return done ? std::string() : std::string(done.error().reason);
  };
  CHECK(back("adjustment:A1") == "");
  CHECK(back("adjustment:A1") == "journal_taken_back");
  CHECK(back("taken_back:adjustment:A1") == "journal_not_reversible");
  CHECK(back("adjustment:A2") == "journal_not_found");
  shop.db().read([](storage::Reader& reader) {
    CHECK(balance_of(reader, "asset.bank", Currency::cny).minor == 0);
    CHECK(find(reader, "adjustment:A1")->postings.size() == 2);
    CHECK(list_by_hand(reader, 0, 10).size() == 1);  // the other one is of kOrder, as put() says
  });
  CHECK(wrong(shop).empty());
}

TEST_CASE("ledger: the chart in the database is the chart of the program") {
  testing::ScratchShop shop;
  std::vector<std::string> stored = shop.texts(
      "SELECT family || ' ' || kind || ' ' || normal_side || ' ' || parts FROM accounts");
  std::vector<std::string> known;
  for (const Family& family : kChart) {
    known.push_back(std::string(family.name) + " " + std::string(word_of(family.kind)) + " " +
                    std::string(word_of(family.normal)) + " " + std::to_string(family.most_parts));
  }
  std::sort(stored.begin(), stored.end());
  std::sort(known.begin(), known.end());
  CHECK(stored == known);
}

}  // namespace
}  // namespace topup::ledger
