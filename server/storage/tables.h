// The tables of a shop as its SQLite schema lists them, and a checksum of a table's rows that is
// the same on every engine: for whatever copies a shop and must prove that nothing got lost.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "server/storage/db.h"

namespace topup::storage {

struct Column {
  std::string name;
  std::string type;  // BIGINT, TEXT or BYTEA: what a migration for both engines may say
};
struct Table {
  std::string name;
  std::vector<Column> columns;
  std::string names() const;  // "order_id, user_id, …"
};
// In the order in which they were made; without the list of migrations. SQLite only.
std::vector<Table> tables_of(Reader& sqlite);

// How many rows each of them has, in the same order. SQLite only.
std::vector<std::pair<std::string, std::int64_t>> count_rows(Reader& sqlite);

struct MovedTable {
  std::string name;
  std::int64_t rows = 0;
  std::string checksum;  // of all rows whatever their order, as hexadecimal
};
// The sum of the hashes of all rows: the same whatever the order, another when any byte differs.
class TableSum {
 public:
  void add(const Row& row, const Table& table);
  MovedTable of(const std::string& table) const;

 private:
  std::array<std::uint64_t, 4> parts_{};
  std::int64_t rows_ = 0;
};

}  // namespace topup::storage
