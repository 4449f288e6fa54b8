// Numbered, embedded, checksummed migrations. Each runs in one transaction together with its
// version row, so a kill at any point leaves either the step done or not begun; nodes that start
// at once on one PostgreSQL take turns. A text without an engine in its name is read by both: write
// BIGINT (an INTEGER of PostgreSQL has 32 bits), TEXT and BYTEA. Refuses (SqlError)
// a database that is newer than this program, and one whose applied steps are not the ones this
// program knows.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "server/storage/db.h"

namespace topup::storage {

struct EmbeddedMigration {
  int number;
  std::string_view name;
  std::string_view engine;  // "" for all, else "sqlite" or "postgres"
  std::string_view sql;
};
std::span<const EmbeddedMigration>
embedded_migrations();  // generated from migrations/*.sql by scripts/embed_sql.cmake

// Whether some migration has run here before: this is no new shop.
bool has_shop(Db& db);

// Returns how many steps were applied. Safe to repeat. `told` hears of each before it begins.
int migrate(Db& db, std::int64_t now_ms,
            const std::function<void(const EmbeddedMigration&)>& told = {});

struct Schema {
  std::int64_t applied = 0;  // the newest step of this database; 0 for one that is no shop yet
  std::int64_t known = 0;    // the newest step of this program
  std::vector<const EmbeddedMigration*> waiting;  // what migrate() would do
};
// Changes nothing, and refuses (SqlError) what migrate() would refuse.
Schema schema_of(Db& db);

}  // namespace topup::storage
