#include "server/storage/migrate.h"

#include <doctest/doctest.h>

#include <cctype>
#include <string>
#include <string_view>

#include "tests/support/scratch_shop.h"

namespace topup::storage {
namespace {

using testing::ScratchShop;

TEST_CASE("migrate: a fresh file gets every step once, and a repeat does nothing") {
  const testing::ScratchDb fresh;
  int steps = 0;
  for (const EmbeddedMigration& step : embedded_migrations()) {
    if (step.engine.empty() || step.engine == fresh.db().engine()) ++steps;
  }
  REQUIRE(steps >= 2);
  CHECK_FALSE(has_shop(fresh.db()));
  CHECK(migrate(fresh.db(), 1) == steps);
  CHECK(has_shop(fresh.db()));
  CHECK(migrate(fresh.db(), 2) == 0);
}

TEST_CASE("migrate: the steps are numbered upwards without a gap") {
  int last = 0;
  for (const EmbeddedMigration& step : embedded_migrations()) {
    CHECK(step.number >= last);
    CHECK(step.number <= last + 1);
    last = step.number;
  }
}

TEST_CASE("migrate: a text that both engines read has no type that means two things") {
  for (const EmbeddedMigration& step : embedded_migrations()) {
    if (!step.engine.empty()) continue;
    CAPTURE(step.name);
    for (const char* type : {" INTEGER", " INT ", " BLOB", " REAL", " DATETIME", "AUTOINCREMENT"}) {
      CAPTURE(type);
      CHECK(step.sql.find(type) == std::string_view::npos);
    }
  }
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

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

void fill(ScratchShop& shop) {
  shop.tamper(
      "INSERT INTO postings VALUES ('j1', 1, 'asset.a', 100, 'CNY'), ('j1', 2, 'revenue.b', -100, "
      "'CNY');"
      "UPDATE ledger_head SET seq = seq + 1;"
      "INSERT INTO journals VALUES ('j1', 'payment', 's1', 'o1', 't', 1, 1);"
      "INSERT INTO audit_log (seq, at_ms, actor, action, subject, detail, trace_id, previous_hash,"
      " hash) VALUES (1, 1, 'system', 'a', 's', 'd', 't', '', 'h');"
      "INSERT INTO users (user_id, created_at_ms) VALUES ('u1', 1);"
      "INSERT INTO orders (order_id, user_id, client_key, client_fingerprint, state, version,"
      " product_id, operator_id, operator_name_zh, operator_name_en, account_sealed,"
      " account_masked, face_minor, face_currency, payable_minor, payable_currency,"
      " delivered_minor, delivered_currency, quote, event_seq, trace_id, created_at_ms,"
      " updated_at_ms, pay_by_ms) VALUES ('o1', 'u1', 'k', 'f', 'paid', 1, 'p', 'op', 'zh', 'en', "
      "'v1', "
      "'138',"
      " 5000, 'CNY', 4975, 'CNY', 5000, 'CNY', '{}', 1, 't', 1, 1, 2);"
      "INSERT INTO order_events VALUES ('o1', 1, 'place', '', 'paid', 'buyer', '', 't', 1);"
      "INSERT INTO payment_attempts (out_trade_no, order_id, channel, scene, state, amount_minor,"
      " amount_currency, paid_minor, expires_at_ms, created_at_ms, updated_at_ms)"
      " VALUES ('T1', 'o1', 'wechat', 'h5', 'paid', 4975, 'CNY', 4975, 1, 1, 1);"
      "INSERT INTO refunds VALUES ('RT1', 'o1', 'T1', 'requested', 1, 'CNY', '', 1, 1, '', '', '');"
      "INSERT INTO wallets VALUES ('u1', 'CNY', 1, 0, 1, 1);"
      "INSERT INTO wallet_entries VALUES ('u1', 'CNY', 1, 'credit', 's', 1, 0, 1);"
      "INSERT INTO wallet_holds VALUES ('h1', 'u1', 10, 'CNY', 0, 0, 'held', 1, 1);");
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
       "UPDATE ledger_head SET seq = seq + 1;"
       "INSERT INTO journals VALUES ('j2', 'payment', 's2', 'o1', 't', 1, 2)",
       "does not balance"},
      {"a journal that balances only across currencies",
       "INSERT INTO postings VALUES ('j2', 1, 'a', 100, 'CNY'), ('j2', 2, 'b', -100, 'USD');"
       "UPDATE ledger_head SET seq = seq + 1;"
       "INSERT INTO journals VALUES ('j2', 'payment', 's2', 'o1', 't', 1, 2)",
       "does not balance"},
      {"a journal without postings",
       "UPDATE ledger_head SET seq = seq + 1;"
       "INSERT INTO journals VALUES ('j2', 'payment', 's2', 'o1', 't', 1, 2)",
       "does not balance"},
      {"a journal out of its order",
       "INSERT INTO postings VALUES ('j2', 1, 'a', 1, 'CNY'), ('j2', 2, 'b', -1, 'CNY');"
       "INSERT INTO journals VALUES ('j2', 'payment', 's2', 'o1', 't', 1, 2)",
       "out of its order"},
      {"a number of a journal left out", "UPDATE ledger_head SET seq = seq + 2", "one by one"},
      {"a posting of nothing", "INSERT INTO postings VALUES ('j2', 1, 'a', 0, 'CNY')",
       "of nothing"},
      {"a posting that JavaScript cannot hold",
       "INSERT INTO postings VALUES ('j2', 1, 'a', 9007199254740992, 'CNY')", "too large"},
      {"a refund of another amount", "UPDATE refunds SET amount_minor = 2", "keeps its amount"},
      {"a refund that is taken back",
       "UPDATE refunds SET state = 'succeeded'; UPDATE refunds SET state = 'refused'", "its end"},
      {"a removed refund", "DELETE FROM refunds", "never removed"},
      {"a balance of a customer below zero", "UPDATE wallets SET available_minor = -1", "CHECK"},
      {"less than nothing held", "UPDATE wallets SET held_minor = -1", "CHECK"},
      {"a changed wallet entry", "UPDATE wallet_entries SET available_minor = 2", "insert-only"},
      {"a removed wallet entry", "DELETE FROM wallet_entries", "insert-only"},
      {"more captured than was held", "UPDATE wallet_holds SET captured_minor = 11", "CHECK"},
      {"a second journal of one event",
       "INSERT INTO postings VALUES ('j2', 1, 'a', 1, 'CNY'), ('j2', 2, 'b', -1, 'CNY');"
       "UPDATE ledger_head SET seq = seq + 1;"
       "INSERT INTO journals VALUES ('j2', 'payment', 's1', 'o1', 't', 1, 2)",
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
       "REPLACE INTO audit_log (seq, at_ms, actor, action, subject, detail, trace_id, "
       "previous_hash,"
       " hash) VALUES (1, 1, 'nobody', 'a', 's', 'd', 't', '', 'h')",
       "append-only"},
      {"a changed order event", "UPDATE order_events SET to_state = 'refunded'", "insert-only"},
      {"a removed order event", "DELETE FROM order_events", "insert-only"},
      {"a replaced order event",
       "REPLACE INTO order_events VALUES ('o1', 1, 'x', '', 'refunded', 'x', '', 't', 1)",
       "insert-only"},
      {"a replaced journal",
       "UPDATE ledger_head SET seq = seq + 1; "
       "REPLACE INTO journals VALUES ('j1', 'payment', 's1', 'o2', 't', 1, 2)",
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
      {"an order of a user who does not exist",
       "INSERT INTO orders (order_id, user_id, client_key, client_fingerprint, state, version,"
       " product_id, operator_id, operator_name_zh, operator_name_en, account_sealed,"
       " account_masked, face_minor, face_currency, payable_minor, payable_currency,"
       " delivered_minor, delivered_currency, quote, event_seq, trace_id, created_at_ms,"
       " updated_at_ms, pay_by_ms) VALUES ('o2', 'nobody', 'k', 'f', 'paid', 1, 'p', 'op', 'zh', "
       "'en', "
       "'v1', '138', 5000, 'CNY', 4975, 'CNY', 5000, 'CNY', '{}', 1, 't', 1, 1, 2)",
       "FOREIGN KEY"},
      {"a second order under one key of a user",
       "INSERT INTO orders (order_id, user_id, client_key, client_fingerprint, state, version,"
       " product_id, operator_id, operator_name_zh, operator_name_en, account_sealed,"
       " account_masked, face_minor, face_currency, payable_minor, payable_currency,"
       " delivered_minor, delivered_currency, quote, event_seq, trace_id, created_at_ms,"
       " updated_at_ms, pay_by_ms) VALUES ('o2', 'u1', 'k', 'f', 'paid', 1, 'p', 'op', 'zh', 'en', "
       "'v1', '138', 5000, 'CNY', 4975, 'CNY', 5000, 'CNY', '{}', 1, 't', 1, 1, 2)",
       "UNIQUE"},
      {"a second order with one id",
       "INSERT INTO users (user_id, created_at_ms) VALUES ('u2', 1);"
       "INSERT INTO orders (order_id, user_id, client_key, client_fingerprint, state, version,"
       " product_id, operator_id, operator_name_zh, operator_name_en, account_sealed,"
       " account_masked, face_minor, face_currency, payable_minor, payable_currency,"
       " delivered_minor, delivered_currency, quote, event_seq, trace_id, created_at_ms,"
       " updated_at_ms, pay_by_ms) VALUES ('o1', 'u2', 'k2', 'f', 'paid', 1, 'p', 'op', 'zh', "
       "'en', "
       "'v1', '138', 5000, 'CNY', 4975, 'CNY', 5000, 'CNY', '{}', 1, 't', 1, 1, 2)",
       "UNIQUE"},
      {"an event of no order",
       "INSERT INTO order_events VALUES ('o9', 1, 'place', '', 'paid', 'b', '', 't', 1)",
       "FOREIGN KEY"},
      {"a payment of no order",
       "INSERT INTO payment_attempts (out_trade_no, order_id, channel, scene, state, amount_minor,"
       " amount_currency, expires_at_ms, created_at_ms, updated_at_ms)"
       " VALUES ('T9', 'o9', 'wechat', 'h5', 'started', 1, 'CNY', 1, 1, 1)",
       "FOREIGN KEY"},
      {"a refund of no payment",
       "INSERT INTO refunds VALUES ('RT9', 'o1', 'T9', 'requested', 1, 'CNY', '', 1, 1, '', '', "
       "'')",
       "FOREIGN KEY"},
      {"a second attempt with one number",
       "INSERT INTO supplier_attempts (attempt_id, order_id, attempt_no, supplier,"
       " supplier_operator_id, country, state, created_at_ms, updated_at_ms)"
       " VALUES ('So1a', 'o1', 1, 's', '1', 'CN', 'created', 1, 1),"
       " ('So1b', 'o1', 1, 's', '1', 'CN', 'created', 1, 1)",
       "UNIQUE"},
      {"a removed order", "DELETE FROM orders", "FOREIGN KEY"},
      {"a free order", "UPDATE orders SET payable_minor = 0", "CHECK"},
  };
  ScratchShop shop;
  fill(shop);
  for (const Refused& row : kRefused) {
    CAPTURE(row.name);
    if (ScratchShop::is_postgres() &&
        std::string_view(row.statements).find("REPLACE INTO") != std::string_view::npos)
      continue;  // PostgreSQL has no such statement
    const std::string why = refusal_of(shop, row.statements);
    const bool is_said = lower(why).find(lower(row.why)) != std::string::npos;
    CHECK_MESSAGE(is_said, why);
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
