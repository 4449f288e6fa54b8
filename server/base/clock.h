// Two faces of time. wall_ms() is UTC and may jump: for stored times and signatures. mono_ms()
// never goes back (CLOCK_BOOTTIME, counts while the machine sleeps): for durations and deadlines.
// Everything takes a Clock&; nothing else in the server may read a clock (a check enforces it).
// Thread-safe.
#pragma once

#include <cstdint>

namespace topup::base {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::int64_t wall_ms() const = 0;
  virtual std::int64_t mono_ms() const = 0;
  virtual std::int64_t mono_us() const {
    return mono_ms() * 1'000;
  }  // for measuring, not for deadlines
};

class SystemClock final : public Clock {
 public:
  std::int64_t wall_ms() const override;
  std::int64_t mono_ms() const override;
  std::int64_t mono_us() const override;
};

}  // namespace topup::base
