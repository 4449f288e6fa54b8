// Days and clock texts from a number of milliseconds; no clock here. Offsets are fixed (Shanghai
// has no summer time). Pure.
#pragma once

#include <cstdint>
#include <string>

namespace topup {

inline constexpr std::int64_t kDayMs = 86'400'000;
inline constexpr std::int64_t kShanghaiOffsetMs = 8 * 3'600'000;

// 00:00 local of the day that `at_ms` (UTC) falls on, as UTC milliseconds. Also right before 1970.
constexpr std::int64_t start_of_day_ms(std::int64_t at_ms, std::int64_t offset_ms) {
  const std::int64_t local = at_ms + offset_ms;
  std::int64_t days = local / kDayMs;
  if (local % kDayMs < 0) --days;
  return days * kDayMs - offset_ms;
}

std::string day_text(std::int64_t at_ms, std::int64_t offset_ms);  // "2026-11-21"

}  // namespace topup
