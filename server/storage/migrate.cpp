#include "server/storage/migrate.h"

#include <map>
#include <string>

#include "server/base/crypto.h"

namespace topup::storage {
namespace {

constexpr std::string_view kCreate = R"sql(
  CREATE TABLE IF NOT EXISTS schema_migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at_ms BIGINT NOT NULL))sql";
constexpr std::string_view kApplied = "SELECT number, checksum FROM schema_migrations";
constexpr std::string_view kRecord = R"sql(
  INSERT INTO schema_migrations (number, name, checksum, applied_at_ms) VALUES ($1, $2, $3, $4))sql";

std::map<std::int64_t, std::string> applied_steps(Db& db) {
  db.write([](Tx& tx) {
    tx.exec(kCreate, {});
    return true;
  });
  std::map<std::int64_t, std::string> applied;
  db.read([&applied](Reader& reader) {
    reader.query(kApplied, {},
                 [&applied](const Row& row) { applied[row.integer(0)] = row.text(1); });
  });
  return applied;
}

std::int64_t newest_known(const Db& db) {
  std::int64_t newest = 0;
  for (const EmbeddedMigration& step : embedded_migrations()) {
    if (step.engine.empty() || step.engine == db.engine()) newest = step.number;
  }
  return newest;
}

void refuse_newer(const Db& db, const std::map<std::int64_t, std::string>& applied) {
  const std::int64_t known = newest_known(db);
  if (applied.empty() || applied.rbegin()->first <= known) return;
  throw SqlError("this database was made by a newer program (schema " +
                     std::to_string(applied.rbegin()->first) +
                     ", known here: " + std::to_string(known) + ")",
                 false);
}

}  // namespace

int migrate(Db& db, std::int64_t now_ms) {
  const std::map<std::int64_t, std::string> applied = applied_steps(db);
  refuse_newer(db, applied);
  int count = 0;
  for (const EmbeddedMigration& step : embedded_migrations()) {
    if (!step.engine.empty() && step.engine != db.engine()) continue;
    const std::string checksum = base::hex(base::sha256(step.sql));
    const auto known = applied.find(step.number);
    if (known != applied.end()) {
      if (known->second != checksum) {
        throw SqlError("migration " + std::to_string(step.number) +
                           " in this database is not the one of this program",
                       false);
      }
      continue;
    }
    db.write([&](Tx& tx) {
      tx.script(step.sql);
      tx.exec(kRecord, {std::int64_t{step.number}, step.name, std::string_view(checksum), now_ms});
      return true;
    });
    ++count;
  }
  return count;
}

}  // namespace topup::storage
