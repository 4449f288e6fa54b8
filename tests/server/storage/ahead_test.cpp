// What an engine may do ahead of an answer, on whichever engine the tests run: the outcome is that
// of one statement after the other.
#include "server/storage/ahead.h"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include "server/audit/audit_log.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/together.h"

namespace topup::storage {
namespace {

using testing::ScratchShop;

std::int64_t count(ScratchShop& shop, std::string_view sql) {
  std::int64_t found = -1;
  shop.db().read([&](Reader& reader) {
    reader.query(sql, {}, [&found](const Row& row) { found = row.integer(0); });
  });
  return found;
}

TEST_CASE("ahead: what was put is seen by the next question and kept") {
  ScratchShop shop;
  std::vector<std::int64_t> seen;
  shop.db().write([&](Tx& tx) {
    seen.clear();
    put(tx, "UPDATE audit_head SET hash = $1 WHERE id = 1", {std::string_view("x")});
    ask(tx, {{"SELECT COUNT(*) FROM audit_head WHERE hash = $1",
              {std::string_view("x")},
              [&seen](const Row& row) { seen.push_back(row.integer(0)); }},
             {"SELECT seq + 7 FROM audit_head", {}, [&seen](const Row& row) {
                seen.push_back(row.integer(0));
              }}});
    return true;
  });
  CHECK(seen == std::vector<std::int64_t>{1, 7});
  CHECK(count(shop, "SELECT COUNT(*) FROM audit_head WHERE hash = 'x'") == 1);
}

TEST_CASE("ahead: what refuses a change that was put takes back its body alone") {
  ScratchShop shop;
  std::atomic<int> refused{0};
  testing::together(8, [&](int thread) {
    for (int i = 0; i < 6; ++i) {
      try {
        shop.db().write([&](Tx& tx) {
          const std::string user = std::to_string(thread) + "-" + std::to_string(i);
          tx.exec("INSERT INTO users (user_id, created_at_ms) VALUES ($1, 1)",
                  {std::string_view(user)});
          audit::append(tx, {"system", "test", user, ""}, TraceId(), 1);
          // The head is one row, and its id is fixed.
          if (i % 3 == 0) put(tx, "UPDATE ledger_head SET id = 2 WHERE id = 1", {});
          return true;
        });
      } catch (const SqlError& error) {
        CHECK(error.is_constraint);
        ++refused;
      }
    }
  });
  CHECK(refused == 16);
  CHECK(count(shop, "SELECT COUNT(*) FROM users") == 32);
}

TEST_CASE("ahead: a note is for the bodies after it, and goes when its body is taken back") {
  ScratchShop shop;
  std::atomic<int> kept{0};
  testing::together(8, [&](int thread) {
    for (int i = 0; i < 12; ++i) {
      try {
        shop.db().write([&](Tx& tx) {
          audit::append(tx, {"system", "test", std::to_string(thread), std::to_string(i)},
                        TraceId(), 1);
          audit::append(tx, {"system", "test", std::to_string(thread), "again"}, TraceId(), 1);
          if (i % 4 == 1) throw std::runtime_error("the body's own");
          return i % 4 != 2;
        });
        if (i % 4 != 2) ++kept;
      } catch (const std::runtime_error&) {
      }
    }
  });
  CHECK(kept == 48);
  audit::ChainVerdict verdict;
  shop.db().read([&](Reader& reader) { verdict = audit::verify(reader, {}); });
  CHECK(verdict.holds);
  CHECK(verdict.rows == 96);
}

}  // namespace
}  // namespace topup::storage
