// Time that moves only when a test says so. Both faces move together; wall_ms() alone may be made
// to jump. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>

#include "server/base/clock.h"

namespace topup::testing {

class ManualClock final : public base::Clock {
 public:
  std::int64_t wall_ms() const override { return wall_; }
  std::int64_t mono_ms() const override { return mono_; }
  void advance(std::int64_t ms) {
    wall_ += ms;
    mono_ += ms;
  }
  void advance_to(std::int64_t wall_ms) {
    if (wall_ms > wall_) advance(wall_ms - wall_);
  }
  void jump_wall(std::int64_t ms) { wall_ += ms; }

 private:
  std::atomic<std::int64_t> wall_{1'795'219'200'000};  // 2026-11-21 00:00:00 UTC
  std::atomic<std::int64_t> mono_{1'000'000};
};

}  // namespace topup::testing
