// The scale-out engine of the port: PostgreSQL 15 or newer (or a service that speaks its protocol),
// shared by any number of nodes. A bounded pool of connections; writes are SERIALIZABLE and run
// again when they met another; a COMMIT whose answer was lost is looked up, so a body that was
// committed never runs twice and one that was not is run again. While the database is away calls
// fail quickly with SqlError.is_unavailable, and work again once it is back. The url may name
// several servers, a primary and its standbys: the one that takes writes is used, and a promoted
// one is found by itself.
#pragma once

#include <cstddef>
#include <memory>

#include "server/base/clock.h"
#include "server/storage/db.h"
#include "server/storage/postgres_connection.h"

namespace topup::storage {

inline constexpr std::size_t kDefaultConnections = 16;
inline constexpr std::size_t kMaxConnections = 200;

// Opens the first connection. Throws SqlError in words for the operator when the database cannot
// be reached, is a read-only standby, or does not keep what it acknowledged (see
// PostgresConnection).
std::unique_ptr<Db> open_postgres(PostgresTarget target, std::size_t connections,
                                  const base::Clock& clock);

}  // namespace topup::storage
