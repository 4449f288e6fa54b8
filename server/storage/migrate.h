// Numbered, embedded, checksummed migrations. Each runs in one transaction together with its
// version row, so a kill at any point leaves either the step done or not begun. Refuses (SqlError)
// a database that is newer than this program, and one whose applied steps are not the ones this
// program knows.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

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

// Returns how many steps were applied. Safe to repeat.
int migrate(Db& db, std::int64_t now_ms);

}  // namespace topup::storage
