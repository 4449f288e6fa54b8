#include "server/storage/move.h"

#include <array>
#include <string_view>

#include "server/base/crypto.h"
#include "server/base/json.h"
#include "server/storage/migrate.h"
#include "server/storage/tables.h"

namespace topup::storage {
namespace {

constexpr std::size_t kRowsAtOnce = 500;
constexpr std::size_t kBytesAtOnce = 1U << 20;
// The first start of a shop writes into each of these.
constexpr std::array<std::string_view, 3> kSignsOfUse = {"SELECT 1 FROM staff LIMIT 1",
                                                         "SELECT 1 FROM users LIMIT 1",
                                                         "SELECT 1 FROM audit_log LIMIT 1"};

base::Json json_of(const Row& row, const Table& table) {
  base::Json object = base::Json::object();
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const int at = static_cast<int>(i);
    const Column& column = table.columns[i];
    if (row.is_null(at)) {
      object[column.name] = nullptr;
    } else if (column.type == "BIGINT") {
      object[column.name] = row.integer(at);
    } else {
      const bool is_bytes = column.type == "BYTEA";
      object[column.name] = is_bytes ? "\\x" + base::hex(row.text(at)) : row.text(at);
    }
  }
  return object;
}

MovedTable copy(Reader& source, Tx& target, const Table& table) {
  const std::string insert = "INSERT INTO " + table.name + " (" + table.names() + ") SELECT " +
                             table.names() + " FROM json_populate_recordset(NULL::" + table.name +
                             ", $1::json)";
  TableSum sum;
  std::string rows;
  std::size_t count = 0;
  const auto send = [&] {
    if (count == 0) return;
    const std::string array = "[" + rows + "]";
    target.exec(insert, {std::string_view(array)});
    rows.clear();
    count = 0;
  };
  source.query("SELECT " + table.names() + " FROM " + table.name, {}, [&](const Row& row) {
    sum.add(row, table);
    if (count > 0) rows += ',';
    try {
      rows += json_of(row, table).dump();
    } catch (const base::Json::exception&) {
      throw SqlError("table " + table.name + " holds a text that is not UTF-8", false);
    }
    if (++count == kRowsAtOnce || rows.size() > kBytesAtOnce) send();
  });
  send();
  return sum.of(table.name);
}

// Through a cursor, because the answer may be larger than the memory.
MovedTable sum_of(Tx& target, const Table& table) {
  const std::string cursor = "moved_" + table.name;
  target.exec(
      "DECLARE " + cursor + " NO SCROLL CURSOR FOR SELECT " + table.names() + " FROM " + table.name,
      {});
  TableSum sum;
  const std::string fetch = "FETCH " + std::to_string(kRowsAtOnce) + " FROM " + cursor;
  while (target.query(fetch, {}, [&](const Row& row) { sum.add(row, table); }) > 0) {
  }
  target.exec("CLOSE " + cursor, {});
  return sum.of(table.name);
}

void refuse_used(Tx& target) {
  for (const std::string_view sign : kSignsOfUse) {
    if (target.query(sign, {}, [](const Row&) {}) == 0) continue;
    throw SqlError("the target is in use as a shop already; give an empty database", false);
  }
}

}  // namespace

std::vector<MovedTable> move_shop(Db& from, Db& to, std::int64_t now_ms,
                                  const std::function<void(const MovedTable&)>& told) {
  if (from.engine() != "sqlite" || to.engine() != "postgres") {
    throw SqlError("a shop moves from SQLite to PostgreSQL", false);
  }
  if (!has_shop(from)) throw SqlError("there is no shop to move", false);
  migrate(from, now_ms);
  migrate(to, now_ms);
  std::vector<MovedTable> moved;
  from.read([&](Reader& source) {
    const std::vector<Table> tables = tables_of(source);
    to.write([&](Tx& target) {
      moved.clear();
      refuse_used(target);
      // What the migrations put there comes from the source like everything else.
      for (auto table = tables.rbegin(); table != tables.rend(); ++table) {
        target.exec("DELETE FROM " + table->name, {});
      }
      for (const Table& table : tables) {
        moved.push_back(copy(source, target, table));
        const MovedTable kept = sum_of(target, table);
        if (kept.rows != moved.back().rows || kept.checksum != moved.back().checksum) {
          throw SqlError("table " + table.name + " differs after it was copied", false);
        }
        told(kept);
      }
      return true;
    });
  });
  return moved;
}

}  // namespace topup::storage
