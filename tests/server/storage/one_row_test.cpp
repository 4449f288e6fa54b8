#include "server/storage/one_row.h"

#include <doctest/doctest.h>

namespace topup::storage {
namespace {

TEST_CASE("storage: only what adds one row in any case goes ahead without its answer") {
  CHECK(adds_one_row("INSERT INTO notes (id, body) VALUES ($1, $2)"));
  CHECK(adds_one_row(
      "\n  INSERT INTO notes VALUES ($1, ')', (SELECT seq FROM head WHERE id = 1))\n"));
  CHECK(adds_one_row("INSERT INTO b VALUES ($1) ON CONFLICT (id) DO UPDATE SET n = b.n + 1"));
  CHECK_FALSE(adds_one_row("INSERT INTO notes VALUES ($1) ON CONFLICT (id) DO NOTHING"));
  CHECK_FALSE(
      adds_one_row("INSERT INTO b VALUES ($1) ON CONFLICT (id) DO UPDATE SET n = 1 WHERE b.n < 1"));
  CHECK_FALSE(adds_one_row("INSERT INTO notes VALUES ($1), ($2)"));
  CHECK_FALSE(adds_one_row("INSERT INTO notes VALUES ($1) RETURNING id"));
  CHECK_FALSE(adds_one_row("INSERT INTO notes SELECT id FROM others"));
  CHECK_FALSE(adds_one_row("UPDATE notes SET body = $1 WHERE id = 1"));
  CHECK_FALSE(adds_one_row("SELECT 1"));
  CHECK_FALSE(adds_one_row(""));
}

}  // namespace
}  // namespace topup::storage
