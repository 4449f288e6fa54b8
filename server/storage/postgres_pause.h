// Short waits between tries.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace topup::storage {

inline constexpr std::int64_t kMaxPauseMs = 64;

inline void pause_for(std::int64_t ms) {
  std::mutex nobody;
  std::condition_variable never;
  std::unique_lock hold(nobody);
  never.wait_for(hold, std::chrono::milliseconds(ms), [] { return false; });
}

// Grows with each try, and differs between threads so that they do not meet again.
inline void pause_before(int attempt) {
  const std::int64_t most =
      std::min<std::int64_t>(kMaxPauseMs, std::int64_t{1} << std::min(attempt, 10));
  const auto mixed = std::hash<std::thread::id>()(std::this_thread::get_id()) * 0x9E3779B97F4A7C15U;
  pause_for(1 + static_cast<std::int64_t>((mixed >> 40) % static_cast<std::uint64_t>(most)));
}

}  // namespace topup::storage
