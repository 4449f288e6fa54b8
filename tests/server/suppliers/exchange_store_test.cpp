#include "server/suppliers/exchange_store.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "server/base/random.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/seeded_random.h"

namespace topup::suppliers {
namespace {

using exchange_store::Found;
using exchange_store::Search;

constexpr std::int64_t kNoon = 1'795'262'400'000;

struct Kept {
  testing::ScratchShop shop;
  testing::SeededRandom random{7};

  Exchange made(std::int64_t at_ms, const std::string& supplier, const std::string& operation,
                SupplyState outcome, std::int64_t latency_ms) {
    Exchange one;
    one.at_ms = at_ms;
    one.id = base::new_id(random, at_ms);
    one.order = OrderId("order-" + std::to_string(at_ms));
    one.attempt = AttemptId("Sattempt" + std::to_string(at_ms));
    one.supplier = supplier;
    one.operation = operation;
    one.request = R"({"account":"138****8000"})";
    one.response = R"({"state":"told"})";
    one.code = "CODE";
    one.outcome = to_word(outcome);
    one.latency_ms = latency_ms;
    one.trace = TraceId("t");
    return one;
  }
  void keep(const std::vector<Exchange>& all) {
    shop.db().write([&](storage::Tx& tx) {
      for (const Exchange& one : all) exchange_store::insert(tx, one);
      return true;
    });
  }
  Found found(const Search& wanted, const std::string& before = "", std::int64_t limit = 50) {
    Found out;
    shop.db().read([&](storage::Reader& reader) {
      out = exchange_store::search(reader, wanted, before, limit);
    });
    return out;
  }
};

TEST_CASE(
    "F006: exchanges are found by supplier, deed, outcome, number, time and how long it took") {
  Kept kept;
  kept.keep({kept.made(kNoon, "reloadly", "submit", SupplyState::unknown, 15'000),
             kept.made(kNoon + 1'000, "reloadly", "query", SupplyState::succeeded, 80),
             kept.made(kNoon + 2'000, "juhe", "submit", SupplyState::rejected, 300),
             kept.made(kNoon + 3'000, "juhe", "submit", SupplyState::accepted, 1'000)});
  const auto times = [&kept](const Search& wanted) {
    std::vector<std::int64_t> out;
    for (const Exchange& one : kept.found(wanted).rows) out.push_back((one.at_ms - kNoon) / 1'000);
    return out;
  };
  using Times = std::vector<std::int64_t>;
  CHECK(times({}) == Times{3, 2, 1, 0});
  CHECK(times({.supplier = "reloadly"}) == Times{1, 0});
  CHECK(times({.operation = "submit"}) == Times{3, 2, 0});
  CHECK(times({.outcome = "unknown"}) == Times{0});
  CHECK(times({.slow_ms = 1'000}) == Times{3, 0});
  CHECK(times({.from_ms = kNoon + 1'000}) == Times{3, 2, 1});
  CHECK(times({.to_ms = kNoon + 2'000}) == Times{1, 0});
  CHECK(times({.supplier = "juhe", .from_ms = kNoon + 2'001, .to_ms = kNoon + 9'000}) == Times{3});
  CHECK(times({.number = "order-" + std::to_string(kNoon + 2'000)}) == Times{2});
  CHECK(times({.number = "order-of-nobody"}).empty());
  CHECK(times({.supplier = "dtone"}).empty());
  const Exchange newest = kept.found({}).rows.front();
  CHECK(newest.request == R"({"account":"138****8000"})");
  CHECK(newest.latency_ms == 1'000);
  CHECK(kept.found({}).before.empty());
}

TEST_CASE("F006: page after page gives each exchange once, newest first, whatever the limit") {
  Kept kept;
  std::vector<Exchange> all;
  for (int i = 0; i < 137; ++i)
    all.push_back(
        kept.made(kNoon + i / 3, i % 2 == 0 ? "juhe" : "dtone", "query", SupplyState::accepted, i));
  kept.keep(all);
  for (const std::int64_t limit : {1, 7, 50, 137, 200}) {
    CAPTURE(limit);
    std::vector<std::string> seen;
    std::string before;
    int pages = 0;
    do {
      const Found page = kept.found({.supplier = "juhe"}, before, limit);
      CHECK(std::ssize(page.rows) <= limit);
      for (const Exchange& one : page.rows) seen.push_back(one.id);
      before = page.before;
    } while (!before.empty() && ++pages < 200);
    CHECK(before.empty());
    CHECK(seen.size() == 69);
    CHECK(std::is_sorted(seen.rbegin(), seen.rend()));
    CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
  }
}

TEST_CASE("F006: an answer looks at so many rows, says how far it came, and goes on from there") {
  Kept kept;
  kept.shop.db().write([&](storage::Tx& tx) {
    tx.script(R"sql(
      INSERT INTO supplier_exchanges (exchange_id, order_id, attempt_id, supplier, operation, request, response,
                                      code, outcome, latency_ms, trace_id, at_ms)
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20500)
      SELECT '01K' || CAST(1000000 + i AS TEXT), 'o', 'S', 'juhe', 'query', '{}', '{}', '',
             CASE WHEN i = 1 THEN 'rejected' ELSE 'accepted' END, 1, 't', i FROM n)sql");
    return true;
  });
  const Found first = kept.found({.outcome = "rejected"});
  CHECK(first.rows.empty());
  CHECK(first.reached_ms == 20'500 - exchange_store::kMaxWalked + 1);
  REQUIRE(!first.before.empty());
  const Found second = kept.found({.outcome = "rejected"}, first.before);
  REQUIRE(second.rows.size() == 1);
  CHECK(second.rows[0].at_ms == 1);
  CHECK(second.before.empty());
}

}  // namespace
}  // namespace topup::suppliers
