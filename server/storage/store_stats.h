// What a store knows about itself, counted where it happens and read by whoever shows it. Writing
// costs a few relaxed additions. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace topup::storage {

struct StoreStats {
  using Count = std::atomic<std::int64_t>;
  static constexpr std::array<std::int64_t, 10> kWriteBoundsUs = {
      500, 1'000, 2'500, 5'000, 10'000, 25'000, 50'000, 100'000, 500'000, 2'500'000};

  // From handing a change over until it is durable, as its caller felt it.
  std::array<Count, kWriteBoundsUs.size() + 1> writes_within{};  // not cumulative
  Count write_us{0};
  Count failed_writes{0};     // the engine refused: full, away, broken
  Count retries{0};           // runs of a body that met another (PostgreSQL)
  Count queue_depth{0};       // bodies that wait for the writer, or for their turn
  Count connections_used{0};  // SQLite: of its readers; PostgreSQL: of its pool
  Count connections_most{0};
  Count connection_waits{0};                 // borrowings that had to wait
  std::atomic<bool> is_failing{false};       // the last write that reached the engine was refused
  std::atomic<bool> is_unreplicated{false};  // one of several servers, and no other has a copy yet
  Count busy_since_mono_ms{0};  // SQLite's writer: since when it works on one group; 0: idle

  void count_write(std::int64_t us) {
    std::size_t at = 0;
    while (at < kWriteBoundsUs.size() && us > kWriteBoundsUs[at]) ++at;
    writes_within[at].fetch_add(1, std::memory_order_relaxed);
    write_us.fetch_add(us, std::memory_order_relaxed);
  }
};

}  // namespace topup::storage
