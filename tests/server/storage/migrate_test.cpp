#include "server/storage/migrate.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "tests/support/scratch_shop.h"

namespace topup::storage {
namespace {

using testing::ScratchShop;

TEST_CASE("migrate: a fresh file gets every step once, and a repeat does nothing") {
  testing::ScratchFolder folder;
  const auto db = open_sqlite(folder.file("fresh.db"));
  const auto steps = static_cast<int>(embedded_migrations().size());
  REQUIRE(steps >= 2);
  CHECK(migrate(*db, 1) == steps);
  CHECK(migrate(*db, 2) == 0);
}

TEST_CASE("migrate: the steps are numbered upwards without a gap") {
  int expected = 0;
  for (const EmbeddedMigration& step : embedded_migrations()) CHECK(step.number == ++expected);
}

TEST_CASE("migrate: a file whose steps are not those of this program is refused") {
  ScratchShop shop;
  shop.tamper("UPDATE schema_migrations SET checksum = 'another' WHERE number = 2");
  CHECK_THROWS_WITH_AS(migrate(shop.db(), 2), doctest::Contains("migration 2"), SqlError);
}

TEST_CASE("migrate: a file made by a newer program is refused before anything is changed") {
  ScratchShop shop;
  shop.tamper(
      "INSERT INTO schema_migrations (number, name, checksum, applied_at_ms)"
      " VALUES (9999, 'later', 'x', 1);"
      "DELETE FROM schema_migrations WHERE number = 1");
  CHECK_THROWS_WITH_AS(migrate(shop.db(), 2), doctest::Contains("newer program"), SqlError);
  CHECK(shop.integer("SELECT COUNT(*) FROM schema_migrations WHERE number = 1") == 0);
}

// ---- what the database itself refuses, whatever the code above does

std::string refusal_of(ScratchShop& shop, std::string_view statements) {
  try {
    shop.tamper(statements);
  } catch (const SqlError& error) {
    return (error.is_constraint ? "" : "not a constraint: ") + error.why;
  }
  return "";
}

void fill(ScratchShop& shop) {
  shop.tamper(
      "INSERT INTO postings VALUES ('j1', 1, 'asset.a', 100, 'CNY'), ('j1', 2, 'revenue.b', -100, "
      "'CNY');"
      "INSERT INTO journals VALUES ('j1', 'payment', 's1', 'o1', 't', 1);"
      "INSERT INTO audit_log VALUES (1, 1, 'system', 'a', 's', 'd', 't', '', 'h');"
      "INSERT INTO users VALUES ('u1', 1);"
      "INSERT INTO orders VALUES ('o1', 'u1', 'k', 'f', 'paid', 1, 'p', 'op', 'zh', 'en', 'v1', "
      "'138',"
      " 5000, 'CNY', 4975, 'CNY', 5000, 'CNY', '{}', 1, 't', 1, 1, 2);"
      "INSERT INTO order_events VALUES ('o1', 1, 'place', '', 'paid', 'buyer', '', 't', 1);"
      "INSERT INTO payment_attempts (out_trade_no, order_id, channel, scene, state, amount_minor,"
      " amount_currency, paid_minor, expires_at_ms, created_at_ms, updated_at_ms)"
      " VALUES ('T1', 'o1', 'wechat', 'h5', 'paid', 4975, 'CNY', 4975, 1, 1, 1);");
}

TEST_CASE("guards: the database refuses what would make the books or the trail untrue") {
  struct Refused {
    const char* name;
    const char* statements;
    const char* why;
  };
  constexpr Refused kRefused[] = {
      {"an unbalanced journal",
       "INSERT INTO postings VALUES ('j2', 1, 'a', 100, 'CNY'), ('j2', 2, 'b', -99, 'CNY');"
       "INSERT INTO journals VALUES ('j2', 'payment', 's2', 'o1', 't', 1)",
       "does not balance"},
      {"a journal that balances only across currencies",
       "INSERT INTO postings VALUES ('j2', 1, 'a', 100, 'CNY'), ('j2', 2, 'b', -100, 'USD');"
       "INSERT INTO journals VALUES ('j2', 'payment', 's2', 'o1', 't', 1)",
       "does not balance"},
      {"a journal without postings",
       "INSERT INTO journals VALUES ('j2', 'payment', 's2', 'o1', 't', 1)", "does not balance"},
      {"a second journal of one event",
       "INSERT INTO postings VALUES ('j2', 1, 'a', 1, 'CNY'), ('j2', 2, 'b', -1, 'CNY');"
       "INSERT INTO journals VALUES ('j2', 'payment', 's1', 'o1', 't', 1)",
       "UNIQUE"},
      {"a posting into a sealed journal", "INSERT INTO postings VALUES ('j1', 3, 'a', 1, 'CNY')",
       "sealed"},
      {"a changed posting", "UPDATE postings SET amount_minor = 1", "insert-only"},
      {"a removed posting", "DELETE FROM postings", "insert-only"},
      {"a changed journal", "UPDATE journals SET subject = 'x'", "insert-only"},
      {"a removed journal", "DELETE FROM journals", "insert-only"},
      {"a changed audit row", "UPDATE audit_log SET actor = 'x'", "append-only"},
      {"a removed audit row", "DELETE FROM audit_log", "append-only"},
      {"a replaced audit row",
       "REPLACE INTO audit_log VALUES (1, 1, 'nobody', 'a', 's', 'd', 't', '', 'h')",
       "append-only"},
      {"a changed order event", "UPDATE order_events SET to_state = 'refunded'", "insert-only"},
      {"a removed order event", "DELETE FROM order_events", "insert-only"},
      {"a replaced order event",
       "REPLACE INTO order_events VALUES ('o1', 1, 'x', '', 'refunded', 'x', '', 't', 1)",
       "insert-only"},
      {"a replaced journal", "REPLACE INTO journals VALUES ('j1', 'payment', 's1', 'o2', 't', 1)",
       "insert-only"},
      {"a refund above what was paid", "UPDATE payment_attempts SET refunded_minor = 4976",
       "CHECK"},
      {"a negative refund", "UPDATE payment_attempts SET refunded_minor = -1", "CHECK"},
      {"one payment of the channel on two attempts",
       "UPDATE payment_attempts SET transaction_id = 'wx';"
       "INSERT INTO payment_attempts (out_trade_no, order_id, channel, scene, state, amount_minor,"
       " amount_currency, transaction_id, expires_at_ms, created_at_ms, updated_at_ms)"
       " VALUES ('T2', 'o1', 'wechat', 'h5', 'paid', 1, 'CNY', 'wx', 1, 1, 1)",
       "UNIQUE"},
      {"an order of a user who does not exist", "UPDATE orders SET user_id = 'nobody'",
       "FOREIGN KEY"},
      {"a free order", "UPDATE orders SET payable_minor = 0", "CHECK"},
  };
  ScratchShop shop;
  fill(shop);
  for (const Refused& row : kRefused) {
    CAPTURE(row.name);
    const std::string why = refusal_of(shop, row.statements);
    CHECK_MESSAGE(why.find(row.why) != std::string::npos, why);
    CHECK(why.find("not a constraint") == std::string::npos);
  }
}

TEST_CASE("guards: a refund up to what was paid is allowed") {
  ScratchShop shop;
  fill(shop);
  CHECK(refusal_of(shop, "UPDATE payment_attempts SET refunded_minor = 4975") == "");
}

}  // namespace
}  // namespace topup::storage
