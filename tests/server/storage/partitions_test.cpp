// Money tables by month on PostgreSQL: look-ups go into one month, nothing is doubled across
// months, what was there before is taken over. On SQLite there are no partitions, and these say
// nothing.
#include "server/storage/partitions.h"

#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <string>
#include <vector>

#include "server/base/crypto.h"
#include "server/base/random.h"
#include "server/storage/migrate.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/seeded_random.h"
#include "tests/support/together.h"

namespace topup::storage {
namespace {

using testing::ScratchDatabase;
using testing::ScratchShop;

constexpr std::int64_t kNovember = 1'793'491'200'000;  // 2026-11-01 00:00:00 UTC
constexpr std::int64_t kDay = 86'400'000;
constexpr int kPartitionsStep = 9;

std::string order_values(const std::string& id, const std::string& user, const std::string& key,
                         std::int64_t at) {
  return "('" + id + "', '" + user + "', '" + key +
         "', 'f', 'paid', 1, 'p', 'op', 'zh', 'en', 'v1', '138', 5000, 'CNY', 4975, 'CNY', 5000,"
         " 'CNY', '{}', 1, 't', " +
         std::to_string(at) + ", 1, 2)";
}

void run(Db& db, const std::string& statements) {
  db.write([&](Tx& tx) {
    tx.script(statements);
    return true;
  });
}

std::set<std::string> texts(Db& db, const std::string& sql) {
  std::set<std::string> found;
  db.read([&](Reader& reader) {
    reader.query(sql, {}, [&found](const Row& row) { found.insert(row.text(0)); });
  });
  return found;
}

std::int64_t integer(Db& db, const std::string& sql) {
  std::int64_t found = -1;
  db.read([&](Reader& reader) {
    reader.query(sql, {}, [&found](const Row& row) { found = row.integer(0); });
  });
  return found;
}

// The tables that a plan reads, by name.
std::set<std::string> read_by(Db& db, const std::string& sql, std::initializer_list<Value> values) {
  std::set<std::string> tables;
  db.read([&](Reader& reader) {
    reader.query("EXPLAIN (COSTS OFF) " + sql, values, [&tables](const Row& row) {
      const std::string line = row.text(0);
      const std::size_t on = line.find(" on ");
      if (on == std::string::npos || line.find("Bitmap Index") != std::string::npos) return;
      tables.insert(line.substr(on + 4, line.find(' ', on + 4) - on - 4));
    });
  });
  return tables;
}

struct Months {
  Months() {
    for (const std::int64_t at : {kNovember, kNovember + 31 * kDay, kNovember + 62 * kDay})
      make_partitions(shop.db(), at);
    run(shop.db(),
        "INSERT INTO users (user_id, created_at_ms) VALUES ('u1', 1), ('u2', 1), ('u3', 1)");
  }
  std::string id(std::int64_t at) { return base::new_id(random, at); }
  std::string place(std::int64_t at, const std::string& user = "u1") {
    const std::string order = id(at);
    run(shop.db(), "INSERT INTO orders VALUES " +
                       order_values(order, user, "k" + std::to_string(++keys), at) +
                       "; INSERT INTO order_events VALUES ('" + order +
                       "', 1, 'place', '', 'paid', 'b', '', 't', 1)");
    return order;
  }
  std::string home(const std::string& order) {
    return shop.text("SELECT tableoid::regclass::text FROM orders WHERE order_id = $1",
                     {std::string_view(order)});
  }
  testing::SeededRandom random{1};
  ScratchShop shop;
  int keys = 0;
};

TEST_CASE("partitions: an order lies in the month of its id, to the millisecond, by user") {
  if (!ScratchShop::is_postgres()) return;
  Months months;
  CHECK(months.home(months.place(kNovember)).starts_with("orders_2026_11_"));
  CHECK(months.home(months.place(kNovember + 30 * kDay - 1)).starts_with("orders_2026_11_"));
  CHECK(months.home(months.place(kNovember + 30 * kDay)).starts_with("orders_2026_12_"));
  CHECK(months.home(months.place(kNovember + 61 * kDay)).starts_with("orders_2027_01_"));
  std::set<std::string> shards;
  for (int i = 0; i < 3; ++i) {
    const std::string user = "u" + std::to_string(i + 1);
    std::set<std::string> of_one;
    for (int n = 0; n < 4; ++n) of_one.insert(months.home(months.place(kNovember, user)));
    CHECK(of_one.size() == 1);
    shards.insert(of_one.begin(), of_one.end());
  }
  CHECK(shards.size() >= 2);
  CHECK(stray_rows(months.shop.db()) == 0);
}

TEST_CASE("partitions: the hot statements read one month, and one shard where the user is known") {
  if (!ScratchShop::is_postgres()) return;
  Months months;
  const std::string order = months.place(kNovember + kDay);
  const std::string trade = "T" + order, refund = "RT" + order, attempt = "S" + order + "1";
  Db& db = months.shop.db();
  const auto only = [&](const std::string& sql, std::initializer_list<Value> values,
                        std::size_t most, const std::string& prefix) {
    const std::set<std::string> tables = read_by(db, sql, values);
    CAPTURE(sql);
    CHECK(!tables.empty());
    CHECK(tables.size() <= most);
    for (const std::string& table : tables) {
      CAPTURE(table);
      CHECK(table.starts_with(prefix));
    }
  };
  only("SELECT * FROM orders WHERE order_id = $1", {order}, 4, "orders_2026_11_");
  only("SELECT * FROM orders WHERE order_id = $1 AND user_id = $2", {order, std::string_view("u1")},
       1, "orders_2026_11_");
  only("SELECT * FROM order_events WHERE order_id = $1", {order}, 1, "order_events_2026_11");
  only("SELECT * FROM payment_attempts WHERE out_trade_no = $1", {trade}, 1,
       "payment_attempts_2026_11");
  only("SELECT * FROM refunds WHERE out_refund_no = $1", {refund}, 1, "refunds_2026_11");
  only("SELECT * FROM supplier_attempts WHERE attempt_id = $1", {attempt}, 1,
       "supplier_attempts_2026_11");
  only(
      "SELECT * FROM supplier_attempts WHERE order_id = $1 AND attempt_id >= 'S' || $1 AND "
      "attempt_id < 'S' || $1 || '~'",
      {order}, 1, "supplier_attempts_2026_11");
  only("SELECT order_id FROM order_keys WHERE user_id = $1 AND client_key = $2",
       {std::string_view("u1"), std::string_view("k1")}, 1, "order_keys_");
  // A user's own orders: one shard of each month, never the others.
  const std::set<std::string> own = read_by(
      db,
      "SELECT * FROM orders WHERE user_id = $1 AND order_id < $2 ORDER BY order_id DESC LIMIT 20",
      {std::string_view("u1"), order});
  CHECK(own.size() <= 3);
  CHECK(own.count("orders_2026_12_0") + own.count("orders_2026_12_1") == 0);
}

TEST_CASE("partitions: months are made ahead once, and a row of none is kept and told") {
  if (!ScratchShop::is_postgres()) return;
  Months months;
  Db& db = months.shop.db();
  CHECK(make_partitions(db, kNovember).made == 0);
  const std::int64_t far = kNovember + 400 * kDay;  // 2027-12
  const std::string early = months.place(far);
  CHECK(months.home(early) == "orders_other");
  CHECK(months.shop.integer("SELECT COUNT(*) FROM orders WHERE order_id = $1",
                            {std::string_view(early)}) == 1);
  const Partitions later = make_partitions(db, far);
  CHECK(later.strays == 2);  // the order and its event: their month stays where it is …
  CHECK(later.made == 4 * 5 - 2);
  CHECK(months.home(months.place(far + 40 * kDay)).starts_with("orders_2028_01_"));  // … no other
  CHECK(make_partitions(db, far).made == 0);
}

TEST_CASE("partitions: one key of a user, one number of a channel, however many try at once") {
  if (!ScratchShop::is_postgres()) return;
  constexpr int kThreads = 6;
  Months months;
  Db& db = months.shop.db();
  std::vector<std::string> ids, trades;
  for (int t = 0; t < kThreads; ++t) ids.push_back(months.id(kNovember + t * 12 * kDay));
  std::atomic<int> placed{0}, refused{0};
  testing::together(kThreads, [&](int t) {
    try {
      run(db, "INSERT INTO orders VALUES " +
                  order_values(ids[static_cast<std::size_t>(t)], "u1", "same-key", kNovember));
      ++placed;
    } catch (const SqlError& error) {
      if (error.is_constraint) ++refused;
    }
  });
  CHECK(placed == 1);
  CHECK(refused == kThreads - 1);

  const std::string order = months.place(kNovember);
  const auto attempt = [&](const std::string& no) {
    run(db,
        "INSERT INTO payment_attempts (out_trade_no, order_id, channel, scene, state, amount_minor,"
        " amount_currency, expires_at_ms, created_at_ms, updated_at_ms) VALUES ('" +
            no + "', '" + order + "', 'wechat', 'h5', 'started', 1, 'CNY', 1, 1, 1)");
  };
  for (const std::string& id : ids) attempt("T" + id);
  placed = refused = 0;
  testing::together(kThreads, [&](int t) {
    try {
      run(db, "UPDATE payment_attempts SET transaction_id = 'wx1' WHERE out_trade_no = 'T" +
                  ids[static_cast<std::size_t>(t)] + "'");
      ++placed;
    } catch (const SqlError& error) {
      if (error.is_constraint) ++refused;
    }
  });
  CHECK(placed == 1);
  CHECK(refused == kThreads - 1);
  run(db, "UPDATE payment_attempts SET transaction_id = NULL");
  run(db,
      "UPDATE payment_attempts SET transaction_id = 'wx1' WHERE out_trade_no = 'T" + ids[0] + "'");
  CHECK(integer(db, "SELECT COUNT(*) FROM payment_numbers") == 1);
}

TEST_CASE("D-10: orders that were there before are taken over with all that guards them") {
  if (!ScratchShop::is_postgres()) return;
  ScratchDatabase database(false);
  const base::SystemClock clock;
  const auto db = open_postgres({database.url(), ""}, 4, clock);
  run(*db,
      "CREATE TABLE schema_migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, "
      "checksum TEXT NOT NULL, applied_at_ms BIGINT NOT NULL)");
  for (const EmbeddedMigration& step : embedded_migrations()) {
    if (step.engine == "sqlite" || step.number >= kPartitionsStep) continue;
    run(*db, std::string(step.sql));
    run(*db, "INSERT INTO schema_migrations VALUES (" + std::to_string(step.number) + ", '" +
                 std::string(step.name) + "', '" + base::hex(base::sha256(step.sql)) + "', 1)");
  }
  // Something that another step of the schema may have added.
  run(*db,
      "ALTER TABLE orders ADD COLUMN note TEXT NOT NULL DEFAULT 'none';"
      "CREATE INDEX orders_by_note ON orders (note);"
      "CREATE TABLE remarks (order_id TEXT NOT NULL REFERENCES orders (order_id))");
  testing::SeededRandom random(3);
  const std::int64_t now = clock.wall_ms();
  std::string statements =
                  "INSERT INTO users (user_id, created_at_ms) VALUES ('u1', 1), ('u2', 1);",
              last;
  for (int i = 0; i < 40; ++i) {
    const std::int64_t at = now - i * 5 * kDay;
    last = base::new_id(random, at);
    statements +=
        "INSERT INTO orders VALUES " +
        order_values(last, i % 2 == 0 ? "u1" : "u2", "k" + std::to_string(i), at)
            .insert(
                order_values(last, i % 2 == 0 ? "u1" : "u2", "k" + std::to_string(i), at).size() -
                    1,
                ", 'hello'") +
        "; INSERT INTO order_events VALUES ('" + last +
        "', 1, 'place', '', 'paid', 'b', '', 't', 1);"
        "INSERT INTO payment_attempts (out_trade_no, order_id, channel, scene, state,"
        " amount_minor, amount_currency, transaction_id, expires_at_ms, created_at_ms,"
        " updated_at_ms) VALUES ('T" +
        last + "', '" + last + "', 'wechat', 'h5', 'paid', 1, 'CNY', 'wx" + std::to_string(i) +
        "', 1, 1, 1);";
  }
  run(*db, statements + "INSERT INTO remarks VALUES ('" + last + "')");
  CHECK(migrate(*db, now) >= 1);
  CHECK(migrate(*db, now) == 0);
  CHECK(integer(*db, "SELECT COUNT(*) FROM orders WHERE note = 'hello'") == 40);
  CHECK(integer(*db, "SELECT COUNT(*) FROM order_events") == 40);
  CHECK(integer(*db, "SELECT COUNT(*) FROM payment_attempts") == 40);
  CHECK(integer(*db, "SELECT COUNT(*) FROM order_keys") == 40);
  CHECK(integer(*db, "SELECT COUNT(*) FROM payment_numbers") == 40);
  CHECK(stray_rows(*db) == 0);
  CHECK(texts(*db, "SELECT tableoid::regclass::text FROM orders").size() >= 7);
  CHECK(texts(*db, "SELECT indexname FROM pg_indexes WHERE tablename = 'orders'")
            .count("orders_by_note") == 1);
  CHECK_THROWS_AS(run(*db, "DELETE FROM order_events"), SqlError);
  CHECK_THROWS_AS(run(*db, "INSERT INTO remarks VALUES ('nothing')"), SqlError);
  CHECK_NOTHROW(run(*db, "INSERT INTO remarks VALUES ('" + last + "')"));
  CHECK_THROWS_AS(run(*db, "UPDATE payment_attempts SET transaction_id = 'wx1'"), SqlError);
}

}  // namespace
}  // namespace topup::storage
