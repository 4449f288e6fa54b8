// Copies a shop that lives in PostgreSQL into a new SQLite file, from one snapshot in which no
// transaction that could still fail takes part (SERIALIZABLE READ ONLY DEFERRABLE): the shop goes
// on working. Every table is counted and checksummed on both sides.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "server/storage/db.h"
#include "server/storage/tables.h"

namespace topup::storage {

// `to_path` must not exist yet. Throws SqlError in words. `told` hears of each table once it has
// been copied and compared.
std::vector<MovedTable> save_shop(Db& from, const std::string& to_path, std::int64_t now_ms,
                                  const std::function<void(const MovedTable&)>& told);

}  // namespace topup::storage
