#include "server/base/clock.h"

#include <time.h>

#include "shared/check.h"

namespace topup::base {
namespace {

std::int64_t read_us(clockid_t id) {
  timespec now{};
  check(clock_gettime(id, &now) == 0, "the system clock cannot be read");
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
}

}  // namespace

std::int64_t SystemClock::wall_ms() const { return read_us(CLOCK_REALTIME) / 1'000; }

std::int64_t SystemClock::mono_ms() const { return read_us(CLOCK_BOOTTIME) / 1'000; }

std::int64_t SystemClock::mono_us() const { return read_us(CLOCK_BOOTTIME); }

}  // namespace topup::base
