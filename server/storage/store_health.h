// Whether the store still takes writes. While the last write failed, each look (at most one a
// second) tries a small real one, so that a shop heals by itself when space returns or the database
// is back. Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>
#include <string_view>

#include "server/base/clock.h"
#include "server/storage/db.h"

namespace topup::storage {

inline constexpr std::int64_t kWriterStuckMs = 15'000;

class StoreHealth {
 public:
  StoreHealth(Db& db, const base::Clock& clock) : db_(db), clock_(clock) {}

  // "" when all is well, else "store_writes" (refused) or "store_stuck" (one write does not end).
  std::string_view trouble();

 private:
  bool try_write();

  Db& db_;
  const base::Clock& clock_;
  std::mutex mutex_;
  std::int64_t next_try_mono_ms_ = 0;
};

}  // namespace topup::storage
