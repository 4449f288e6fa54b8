#include "server/storage/recent_ids.h"

#include <doctest/doctest.h>

#include <string>

#include "server/base/clock.h"
#include "server/base/id_time.h"
#include "server/base/random.h"
#include "server/orders/order_store.h"
#include "server/storage/partitions.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/seeded_random.h"

namespace topup::storage {
namespace {

constexpr std::int64_t kNow = 1'793'491'200'000;  // 2026-11-01 00:00:00 UTC
constexpr std::int64_t kHour = 3'600'000;
constexpr std::string_view kSql = "SELECT 1 FROM orders WHERE order_id = $1 /*in order_id $1*/";

std::string id_at(std::int64_t at) { return base::id_time(at) + "0123456789ABCDEF"; }
std::string beginning(const std::string& id, std::string_view sql = kSql) {
  return beginning_of_ids(sql, {std::string_view(id)}, kNow);
}

TEST_CASE("recent ids: an id of the last hours gives its statement a beginning") {
  const std::string id = id_at(kNow);
  CHECK(beginning(id) == id.substr(0, 5));
  CHECK(beginning("T" + id) == "T" + id.substr(0, 5));
  CHECK(beginning("RT" + id + "-2") == "RT" + id.substr(0, 5));
  CHECK(
      beginning(id, "SELECT 1 FROM supplier_attempts WHERE order_id = $1 /*in attempt_id S$1*/") ==
      "S" + id.substr(0, 5));
  CHECK(beginning(id_at(kNow - 9 * kHour)) == id_at(kNow - 9 * kHour).substr(0, 5));
}

TEST_CASE("recent ids: nothing else makes a statement of its own") {
  CHECK(beginning(id_at(kNow - 20 * kHour)).empty());
  CHECK(beginning(id_at(kNow + 20 * kHour)).empty());
  CHECK(beginning(id_at(kNow), "SELECT 1 FROM orders WHERE order_id = $1").empty());
  for (const std::string& id : {std::string(), std::string("0"), std::string("bench-order-1"),
                                "X" + id_at(kNow), "TT" + id_at(kNow), "'" + id_at(kNow)}) {
    CAPTURE(id);
    CHECK(beginning(id).empty());
  }
  CHECK(beginning_of_ids(kSql, {std::int64_t{1}}, kNow).empty());
  CHECK(beginning_of_ids(kSql, {nullptr}, kNow).empty());
  CHECK(beginning_of_ids(kSql, {}, kNow).empty());
}

TEST_CASE("recent ids: the beginning is written as two bounds where the mark stands") {
  CHECK(within("WHERE a = $1 /*in a $1*/ ORDER BY b", "01M8Z") ==
        "WHERE a = $1 AND a >= '01M8Z' AND a < '01M8[' ORDER BY b");
  CHECK(within("WHERE a = $1 /*in a $1*/", "T01M89") ==
        "WHERE a = $1 AND a >= 'T01M89' AND a < 'T01M8:'");
}

// Whatever follows the beginning, also bytes that no id of ours has, lies between the bounds.
TEST_CASE("recent ids: no id is lost between the bounds") {
  testing::ScratchShop shop;
  const std::string now = base::id_time(base::SystemClock().wall_ms());
  for (const std::string& id : {now + "0000000000000000", now + "ZZZZZZZZZZZZZZZZ", now,
                                now.substr(0, 5), now + "\xf4\x8f\xbf\xbf", now + "~"}) {
    CAPTURE(id);
    int rows = 0;
    shop.db().read([&](Reader& reader) {
      rows = reader.query(
          "SELECT 1 FROM (SELECT CAST($1 AS TEXT) AS a) AS one WHERE a = $1 /*in a $1*/",
          {std::string_view(id)}, [](const Row&) {});
    });
    CHECK(rows == 1);
  }
}

TEST_CASE("recent ids: PostgreSQL plans the look-up of today's order once") {
  if (!testing::ScratchShop::is_postgres()) return;
  testing::ScratchShop shop;
  testing::SeededRandom random{1};
  const base::SystemClock clock;
  make_partitions(shop.db(), clock.wall_ms());
  std::int64_t made_for_values = -1, made_once = -1;
  const auto count = [&](std::int64_t at) {
    shop.db().read([&](Reader& reader) {
      for (int i = 0; i < 20; ++i)
        (void)orders::order_store::find(reader, OrderId(base::new_id(random, at)));
      reader.query(
          "SELECT SUM(custom_plans), SUM(generic_plans) FROM pg_prepared_statements"
          " WHERE statement LIKE 'SELECT order_id, %FROM orders WHERE order_id = $1%'",
          {}, [&](const Row& row) {
            made_for_values = row.integer(0);
            made_once = row.integer(1);
          });
    });
  };
  count(clock.wall_ms());
  CHECK(made_for_values == 5);  // then the engine compares, and keeps the other
  CHECK(made_once == 15);
}

TEST_CASE("recent ids: a statement for any value is planned once, and the next one freely") {
  if (!testing::ScratchShop::is_postgres()) return;
  testing::ScratchShop shop;
  std::string mode;
  std::int64_t made_for_values = -1;
  shop.db().read([&](Reader& reader) {
    for (int i = 0; i < 3; ++i) (void)orders::order_store::has_unpaid(reader, UserId("u1"), 3);
    reader.query("SELECT current_setting('plan_cache_mode')", {},
                 [&mode](const Row& row) { mode = row.text(0); });
    reader.query(
        "SELECT SUM(custom_plans) FROM pg_prepared_statements WHERE statement LIKE '%/*any*/'", {},
        [&](const Row& row) { made_for_values = row.integer(0); });
  });
  CHECK(mode == "auto");
  CHECK(made_for_values == 0);
}

}  // namespace
}  // namespace topup::storage
