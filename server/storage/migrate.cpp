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
constexpr std::string_view kIsThere = "SELECT number FROM schema_migrations WHERE number = $1";
// Two nodes that start at once: the second waits here, then finds the step done.
constexpr std::string_view kTakeTurns = "LOCK TABLE schema_migrations IN EXCLUSIVE MODE";
constexpr std::string_view kTakeTurnsToCreate = "SELECT pg_advisory_xact_lock(7064712)";
constexpr std::string_view kHasTableSqlite =
    "SELECT 1 FROM sqlite_master WHERE name = 'schema_migrations'";
constexpr std::string_view kHasTablePostgres =
    "SELECT 1 WHERE to_regclass('schema_migrations') IS NOT NULL";

std::string checksum_of(const EmbeddedMigration& step) { return base::hex(base::sha256(step.sql)); }

// Returns false when another node has made the step meanwhile.
bool apply_step(Db& db, const EmbeddedMigration& step, std::string_view checksum,
                std::int64_t now_ms) {
  bool applied = false;
  db.write([&](Tx& tx) {
    if (tx.engine() == "postgres") tx.script(kTakeTurns);
    applied = tx.query(kIsThere, {std::int64_t{step.number}}, [](const Row&) {}) == 0;
    if (!applied) return false;
    tx.script(step.sql);
    tx.exec(kRecord, {std::int64_t{step.number}, step.name, checksum, now_ms});
    return true;
  });
  return applied;
}

void make_list(Db& db) {
  if (has_shop(db)) return;
  db.write([](Tx& tx) {
    if (tx.engine() == "postgres") tx.script(kTakeTurnsToCreate);
    tx.exec(kCreate, {});
    return true;
  });
}

std::map<std::int64_t, std::string> applied_steps(Db& db) {
  if (!has_shop(db)) return {};
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
                     std::to_string(applied.rbegin()->first) + ", known here: " +
                     std::to_string(known) + "): use that program, or restore an older backup",
                 false);
}

}  // namespace

bool has_shop(Db& db) {
  int rows = 0;
  const std::string_view sql = db.engine() == "sqlite" ? kHasTableSqlite : kHasTablePostgres;
  db.read([&](Reader& reader) { rows = reader.query(sql, {}, [](const Row&) {}); });
  return rows > 0;
}

Schema schema_of(Db& db) {
  const std::map<std::int64_t, std::string> applied = applied_steps(db);
  refuse_newer(db, applied);
  Schema schema{applied.empty() ? 0 : applied.rbegin()->first, newest_known(db), {}};
  for (const EmbeddedMigration& step : embedded_migrations()) {
    if (!step.engine.empty() && step.engine != db.engine()) continue;
    const auto known = applied.find(step.number);
    if (known == applied.end()) {
      schema.waiting.push_back(&step);
    } else if (known->second != checksum_of(step)) {
      throw SqlError("migration " + std::to_string(step.number) +
                         " in this database is not the one of this program",
                     false);
    }
  }
  return schema;
}

int migrate(Db& db, std::int64_t now_ms,
            const std::function<void(const EmbeddedMigration&)>& told) {
  const Schema schema = schema_of(db);
  make_list(db);
  int count = 0;
  for (const EmbeddedMigration* step : schema.waiting) {
    if (told) told(*step);
    if (apply_step(db, *step, checksum_of(*step), now_ms)) ++count;
  }
  return count;
}

}  // namespace topup::storage
