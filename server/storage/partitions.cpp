#include "server/storage/partitions.h"

namespace topup::storage {
namespace {

constexpr std::string_view kMake = "SELECT topup_make_partitions($1, $2)";
constexpr std::string_view kStrays = "SELECT topup_stray_rows()";

}  // namespace

Partitions make_partitions(Db& db, std::int64_t now_ms) {
  Partitions partitions;
  if (db.engine() != "postgres") return partitions;
  db.write([&](Tx& tx) {
    tx.query(kMake, {now_ms, kMonthsAhead + 1},
             [&](const Row& row) { partitions.made = row.integer(0); });
    return partitions.made > 0;
  });
  partitions.strays = stray_rows(db);
  return partitions;
}

std::int64_t stray_rows(Db& db) {
  std::int64_t strays = 0;
  if (db.engine() != "postgres") return strays;
  db.read([&](Reader& reader) {
    reader.query(kStrays, {}, [&strays](const Row& row) { strays = row.integer(0); });
  });
  return strays;
}

}  // namespace topup::storage
