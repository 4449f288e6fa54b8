// The months that PostgreSQL keeps money tables in (migration 0009). They are made ahead; a row of
// a month that was not is kept all the same, in a partition that should stay empty. On SQLite there
// is nothing to do.
#pragma once

#include <cstdint>

#include "server/storage/db.h"

namespace topup::storage {

inline constexpr std::int64_t kMonthsAhead = 3;

struct Partitions {
  std::int64_t made = 0;
  std::int64_t strays = 0;  // rows outside every month, counted up to 1,000 in each table
};

// Makes the month of now_ms and kMonthsAhead more, where they are missing. Safe to repeat.
Partitions make_partitions(Db& db, std::int64_t now_ms);
std::int64_t stray_rows(Db& db);

}  // namespace topup::storage
