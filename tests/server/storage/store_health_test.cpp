#include "server/storage/store_health.h"

#include <doctest/doctest.h>

#include <string>

#include "server/storage/store_stats.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"

namespace topup::storage {
namespace {

void fill(Db& db, const std::string& name, std::size_t bytes) {
  const std::string much(bytes, 'x');
  db.write([&](Tx& tx) {
    tx.exec("INSERT INTO users (user_id, created_at_ms) VALUES ($1, 1)",
            {std::string_view(name + much)});
    return true;
  });
}

TEST_CASE("D-01: a store that is full turns health red, and green again by itself") {
  if (testing::tests_run_on_postgres()) return;  // whose disk is another machine's
  const testing::QuietLog quiet;
  testing::ManualClock clock;
  testing::ScratchShop shop;
  StoreHealth health(shop.db(), clock);
  fill(shop.db(), "first", 10);
  CHECK(health.trouble().empty());
  shop.tamper("PRAGMA max_page_count = 1");  // SQLite takes what is in use now, and no page more
  CHECK_THROWS_AS(fill(shop.db(), "too much", 1'000'000), SqlError);
  CHECK(shop.db().stats()->is_failing);
  CHECK(shop.integer("SELECT COUNT(*) FROM users") == 1);  // reading goes on
  shop.tamper("PRAGMA max_page_count = 1000000");          // changes no row, so it proves nothing
  CHECK(shop.db().stats()->is_failing);
  CHECK(health.trouble().empty());  // it tried, and the store took it
  CHECK_FALSE(shop.db().stats()->is_failing);
  fill(shop.db(), "much", 1'000'000);
  CHECK(shop.integer("SELECT COUNT(*) FROM users") == 2);
}

TEST_CASE("a store that is asked often is tried once a second") {
  if (testing::tests_run_on_postgres()) return;
  const testing::QuietLog quiet;
  testing::ManualClock clock;
  testing::ScratchShop shop;
  StoreHealth health(shop.db(), clock);
  fill(shop.db(), "first", 10);
  shop.tamper(
      "CREATE TRIGGER full_disk BEFORE UPDATE ON schema_migrations BEGIN SELECT RAISE(ABORT, "
      "'full'); END");
  shop.tamper("PRAGMA max_page_count = 1");
  CHECK_THROWS_AS(fill(shop.db(), "too much", 1'000'000), SqlError);
  CHECK(health.trouble() == "store_writes");
  shop.tamper("DROP TRIGGER full_disk");
  CHECK(shop.db().stats()->is_failing);
  CHECK(health.trouble() == "store_writes");  // not asked again within the second
  clock.advance(1'000);
  CHECK(health.trouble().empty());
}

TEST_CASE("the store counts its writes, waits and connections") {
  testing::ScratchShop shop;
  const StoreStats& stats = *shop.db().stats();
  const auto writes = [&stats] {
    std::int64_t all = 0;
    for (const auto& within : stats.writes_within) all += within;
    return all;
  };
  const std::int64_t before = writes();
  for (int i = 0; i < 5; ++i) fill(shop.db(), std::to_string(i), 1);
  CHECK(writes() == before + 5);
  CHECK(stats.write_us > 0);
  CHECK(stats.queue_depth == 0);
  CHECK(stats.connections_most > 0);
  shop.db().read([&stats](Reader&) { CHECK(stats.connections_used == 1); });
  CHECK(stats.connections_used == 0);
  CHECK_FALSE(stats.is_failing);
}

}  // namespace
}  // namespace topup::storage
