// Copies a whole shop from SQLite to PostgreSQL: every table in one transaction, counted and
// checksummed on both sides before it is kept. All or nothing, so it may simply be run again.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "server/storage/db.h"
#include "server/storage/tables.h"

namespace topup::storage {

// Both must be open for nobody else. Brings both to this program's schema first. Throws SqlError
// when the target has been in use as a shop (it has staff, users or an audit trail), holds other
// rows afterwards than the source, or cannot take a text (UTF-8 without NUL). `told` hears of each
// table once it has been copied and compared.
std::vector<MovedTable> move_shop(Db& from, Db& to, std::int64_t now_ms,
                                  const std::function<void(const MovedTable&)>& told);

}  // namespace topup::storage
