#include "server/storage/tables.h"

#include <cstring>
#include <string_view>

#include "server/base/crypto.h"
#include "shared/check.h"

namespace topup::storage {
namespace {

constexpr std::string_view kTables = R"sql(
  SELECT name FROM sqlite_master
   WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'schema_migrations' ORDER BY rowid)sql";
constexpr std::string_view kColumns = "SELECT name, type FROM pragma_table_info($1) ORDER BY cid";

}  // namespace

std::string Table::names() const {
  std::string list;
  for (const Column& column : columns) list += (list.empty() ? "" : ", ") + column.name;
  return list;
}

std::vector<Table> tables_of(Reader& sqlite) {
  std::vector<Table> tables;
  sqlite.query(kTables, {}, [&tables](const Row& row) { tables.push_back({row.text(0), {}}); });
  for (Table& table : tables) {
    sqlite.query(kColumns, {std::string_view(table.name)}, [&table](const Row& row) {
      table.columns.push_back({row.text(0), row.text(1)});
    });
    check(!table.columns.empty(), "a table has columns");
  }
  return tables;
}

std::vector<std::pair<std::string, std::int64_t>> count_rows(Reader& sqlite) {
  std::vector<std::pair<std::string, std::int64_t>> counts;
  for (const Table& table : tables_of(sqlite)) {
    sqlite.query("SELECT COUNT(*) FROM " + table.name, {},
                 [&](const Row& row) { counts.emplace_back(table.name, row.integer(0)); });
  }
  return counts;
}

void TableSum::add(const Row& row, const Table& table) {
  std::string bytes;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const int column = static_cast<int>(i);
    const std::string text = row.is_null(column) ? "" : row.text(column);
    bytes += row.is_null(column) ? "-" : std::to_string(text.size());
    bytes += ':' + text;
  }
  const std::string hash = base::sha256(bytes);
  std::array<std::uint64_t, 4> parts{};
  check(hash.size() == sizeof parts, "a hash has 32 bytes");
  std::memcpy(parts.data(), hash.data(), sizeof parts);
  for (std::size_t i = 0; i < parts.size(); ++i) parts_[i] += parts[i];
  ++rows_;
}

MovedTable TableSum::of(const std::string& table) const {
  std::string bytes(sizeof parts_, '\0');
  std::memcpy(bytes.data(), parts_.data(), bytes.size());
  return {table, rows_, base::hex(bytes)};
}

}  // namespace topup::storage
