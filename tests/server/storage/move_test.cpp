#include "server/storage/move.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "server/audit/audit_log.h"
#include "server/ledger/ledger_store.h"
#include "server/storage/migrate.h"
#include "server/storage/postgres.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/scratch_shop.h"

namespace topup::storage {
namespace {

const base::SystemClock kClock;

struct Moving {
  Moving() {
    from = open_sqlite(folder.file("shop.sqlite"));
    to = open_postgres({database.url(), ""}, 4, kClock);
  }
  // A shop that has traded: every kind of value, and tables that guard themselves.
  void trade(int orders) {
    migrate(*from, 1);
    from->write([&](Tx& tx) {
      for (int i = 0; i < orders; ++i) {
        const std::string id = std::to_string(i);
        tx.exec("INSERT INTO users (user_id, created_at_ms) VALUES ($1, $2)",
                {std::string_view(id), std::int64_t{i}});
        ledger::post(tx, ledger::payment_received("T" + id, {"wechat"}, fen(100 + i)), OrderId(id),
                     TraceId(), i);
        audit::append(tx, {"system", "话费 \"paid\" \\ \n\t", id, ""}, TraceId(), i);
      }
      const std::string every_byte = [] {
        std::string bytes;
        for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
        return bytes;
      }();
      tx.exec(
          "INSERT INTO price_books (version, bytes, fingerprint, published_at_ms) VALUES (1, $1, "
          "'f', $2)",
          {Blob{every_byte}, INT64_MAX});
      tx.exec(
          "INSERT INTO sessions (token_hash, user_id, created_at_ms, expires_at_ms, ended_at_ms)"
          " VALUES ('h', '0', $1, 2, NULL)",
          {INT64_MIN});
      return true;
    });
  }
  std::string refusal() {
    try {
      move_shop(*from, *to, 1, [](const MovedTable&) {});
    } catch (const SqlError& error) {
      return error.why;
    }
    return "";
  }
  std::int64_t in_target(std::string_view sql) {
    std::int64_t found = 0;
    to->read([&](Reader& reader) {
      reader.query(sql, {}, [&found](const Row& row) { found = row.integer(0); });
    });
    return found;
  }

  testing::ScratchFolder folder;
  testing::ScratchDatabase database{false};
  std::unique_ptr<Db> from, to;
};

TEST_CASE("move: a shop arrives whole, counted and compared, and its books and audit chain hold") {
  static constexpr int kOrders = 1'200;
  Moving moving;
  moving.trade(kOrders);
  std::vector<std::string> told;
  const auto moved = move_shop(*moving.from, *moving.to, 1,
                               [&told](const MovedTable& table) { told.push_back(table.name); });
  CHECK(told.size() == moved.size());
  const auto rows = [&moved](std::string_view name) {
    const auto found = std::find_if(moved.begin(), moved.end(),
                                    [name](const MovedTable& table) { return table.name == name; });
    return found == moved.end() ? -1 : found->rows;
  };
  CHECK(rows("users") == kOrders);
  CHECK(rows("postings") == 2 * kOrders);
  CHECK(rows("audit_head") == 1);
  CHECK(rows("orders") == 0);
  moving.to->read([](Reader& reader) {
    CHECK(ledger::verify(reader).empty());
    const audit::ChainVerdict chain = audit::verify(reader);
    CHECK(chain.holds);
    CHECK(chain.rows == kOrders);
  });
  std::string bytes;
  moving.to->read([&bytes](Reader& reader) {
    reader.query("SELECT bytes FROM price_books", {},
                 [&bytes](const Row& row) { bytes = row.text(0); });
  });
  CHECK(bytes.size() == 256);
  CHECK(static_cast<unsigned char>(bytes[255]) == 255);
  CHECK(moving.in_target("SELECT created_at_ms FROM sessions") == INT64_MIN);
  CHECK(moving.in_target("SELECT COUNT(*) FROM sessions WHERE ended_at_ms IS NULL") == 1);
}

TEST_CASE("move: a target that is in use is refused and keeps what it has") {
  Moving moving;
  moving.trade(3);
  migrate(*moving.to, 1);
  moving.to->write([](Tx& tx) {
    return tx.exec("INSERT INTO users (user_id, created_at_ms) VALUES ('theirs', 1)", {}) == 1;
  });
  CHECK(moving.refusal().find("in use as a shop") != std::string::npos);
  CHECK(moving.in_target("SELECT COUNT(*) FROM users") == 1);
}

TEST_CASE("move: what the target cannot take leaves nothing there, and a later try succeeds") {
  Moving moving;
  moving.trade(3);
  moving.from->write([](Tx& tx) {
    return tx.exec("INSERT INTO users (user_id, created_at_ms) VALUES ($1, 1)",
                   {std::string_view("a\0b", 3)}) == 1;
  });
  CHECK(moving.refusal() != "");
  CHECK(moving.in_target("SELECT COUNT(*) FROM users") == 0);
  CHECK(moving.in_target("SELECT COUNT(*) FROM postings") == 0);
  moving.from->write([](Tx& tx) {
    return tx.exec("DELETE FROM users WHERE created_at_ms = 1 AND user_id <> '1'", {}) == 1;
  });
  CHECK(moving.refusal() == "");
  CHECK(moving.refusal().find("in use as a shop") != std::string::npos);
}

TEST_CASE("move: where there is no shop, nothing is made") {
  Moving moving;
  CHECK(moving.refusal().find("no shop to move") != std::string::npos);
  CHECK_FALSE(has_shop(*moving.to));
}

}  // namespace
}  // namespace topup::storage
