#include "server/storage/save.h"

#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include "server/storage/migrate.h"
#include "shared/check.h"

namespace topup::storage {
namespace {

constexpr std::size_t kMostColumns = 32;  // as many values as a statement may have
constexpr std::string_view kSnapshot =
    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE";
constexpr std::string_view kTriggers =
    "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY rowid";
constexpr std::string_view kNewest = "SELECT MAX(number) FROM schema_migrations";

using Cells = std::array<Value, kMostColumns>;
template <std::size_t... At>
void exec_first(Tx& tx, const std::string& sql, const Cells& cells, std::index_sequence<At...>) {
  tx.exec(sql, {cells[At]...});
}
// The port takes its values as a list in the text of the program; how many they are is known only
// when a table's columns have been read.
template <std::size_t Count = kMostColumns>
void exec_with(Tx& tx, const std::string& sql, const Cells& cells, std::size_t count) {
  if constexpr (Count > 0) {
    if (count == Count) return exec_first(tx, sql, cells, std::make_index_sequence<Count>());
    exec_with<Count - 1>(tx, sql, cells, count);
  }
}

std::string insert_into(const Table& table) {
  std::string marks;
  for (std::size_t i = 1; i <= table.columns.size(); ++i)
    marks += (i == 1 ? "$" : ", $") + std::to_string(i);
  return "INSERT INTO " + table.name + " (" + table.names() + ") VALUES (" + marks + ")";
}

void insert(Tx& tx, const std::string& sql, const Row& row, const Table& table) {
  Cells cells;
  std::array<std::string, kMostColumns> texts;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const int at = static_cast<int>(i);
    if (row.is_null(at)) {
      cells[i] = nullptr;
    } else if (table.columns[i].type == "BIGINT") {
      cells[i] = row.integer(at);
    } else {
      texts[i] = row.text(at);
      if (table.columns[i].type == "BYTEA") {
        cells[i] = Blob{texts[i]};
      } else {
        cells[i] = std::string_view(texts[i]);
      }
    }
  }
  exec_with(tx, sql, cells, table.columns.size());
}

MovedTable copy(Reader& source, Tx& target, const Table& table) {
  check(table.columns.size() <= kMostColumns, "a table has more columns than a statement values");
  const std::function<void(const Row&)> ignore = [](const Row&) {};
  const std::string cursor = "saved_" + table.name;
  source.query(
      "DECLARE " + cursor + " NO SCROLL CURSOR FOR SELECT " + table.names() + " FROM " + table.name,
      {}, ignore);
  TableSum sum;
  const std::string fetch = "FETCH 500 FROM " + cursor;
  const std::string sql = insert_into(table);
  const std::function<void(const Row&)> keep = [&](const Row& row) {
    sum.add(row, table);
    insert(target, sql, row, table);
  };
  while (source.query(fetch, {}, keep) > 0) {
  }
  source.query("CLOSE " + cursor, {}, ignore);
  return sum.of(table.name);
}

MovedTable sum_of(Tx& target, const Table& table) {
  TableSum sum;
  target.query("SELECT " + table.names() + " FROM " + table.name, {},
               [&](const Row& row) { sum.add(row, table); });
  return sum.of(table.name);
}

std::int64_t newest(Reader& reader) {
  std::int64_t number = 0;
  reader.query(kNewest, {}, [&number](const Row& row) { number = row.integer(0); });
  return number;
}

// The guards judge events as they happen, such as a posting into a journal that is sealed; here the
// rows of each table come at once, and those of PostgreSQL judged them already.
std::vector<std::string> take_guards_away(Tx& target) {
  std::vector<std::string> guards, names;
  target.query(kTriggers, {}, [&](const Row& row) {
    names.push_back(row.text(0));
    guards.push_back(row.text(1));
  });
  for (const std::string& name : names) target.script("DROP TRIGGER " + name);
  return guards;
}

}  // namespace

std::vector<MovedTable> save_shop(Db& from, const std::string& to_path, std::int64_t now_ms,
                                  const std::function<void(const MovedTable&)>& told) {
  if (from.engine() != "postgres") throw SqlError("a shop is saved from PostgreSQL", false);
  const std::unique_ptr<Db> to = open_sqlite(to_path);
  migrate(*to, now_ms);
  std::vector<MovedTable> saved;
  from.read([&](Reader& source) {
    source.query(kSnapshot, {}, [](const Row&) {});
    to->write([&](Tx& target) {
      saved.clear();
      if (newest(source) != newest(target))
        throw SqlError("the database has another schema than this program: run topup migrate",
                       false);
      target.script("PRAGMA defer_foreign_keys=ON");
      const std::vector<std::string> guards = take_guards_away(target);
      const std::vector<Table> tables = tables_of(target);
      for (auto table = tables.rbegin(); table != tables.rend(); ++table)
        target.exec("DELETE FROM " + table->name, {});
      for (const Table& table : tables) {
        saved.push_back(copy(source, target, table));
        const MovedTable kept = sum_of(target, table);
        if (kept.rows != saved.back().rows || kept.checksum != saved.back().checksum)
          throw SqlError("table " + table.name + " differs after it was copied", false);
        told(kept);
      }
      for (const std::string& guard : guards) target.script(guard);
      return true;
    });
  });
  return saved;
}

}  // namespace topup::storage
