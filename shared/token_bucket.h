// A token bucket in whole numbers: `refill` tokens come in `interval_ms`, evenly, until `capacity`
// are there. So in any time t at most capacity + refill × t / interval_ms are given out. The caller
// brings the clock and keeps the state. A clock that goes back gives nothing and takes nothing: the
// bucket waits until the clock is past the latest time it has seen. Pure; not thread-safe on one
// state.
#pragma once

#include <cstdint>

#include "shared/check.h"

namespace topup {

struct TokenBucketPolicy {
  std::int64_t capacity = 1;         // 1 to kMaxTokens
  std::int64_t refill = 1;           // 1 to kMaxTokens
  std::int64_t interval_ms = 1'000;  // 1 to kMaxIntervalMs
};
inline constexpr std::int64_t kMaxTokens = 1'000'000;
inline constexpr std::int64_t kMaxIntervalMs = 86'400'000;

constexpr bool is_sound(const TokenBucketPolicy& policy) {
  return policy.capacity >= 1 && policy.capacity <= kMaxTokens && policy.refill >= 1 &&
         policy.refill <= kMaxTokens && policy.interval_ms >= 1 &&
         policy.interval_ms <= kMaxIntervalMs;
}

// One token is `interval_ms` units, so that a millisecond is worth exactly `refill` of them.
struct TokenBucket {
  std::int64_t units = 0;  // 0 to capacity × interval_ms
  std::int64_t at_ms = 0;  // the latest time seen
};

constexpr TokenBucket full_bucket(const TokenBucketPolicy& policy, std::int64_t now_ms) {
  return {policy.capacity * policy.interval_ms, now_ms};
}

struct TokenAnswer {
  bool allowed = false;
  std::int64_t retry_after_ms = 0;  // 0 when allowed; -1 when it can never be: above the capacity
};

// Takes `tokens` (>= 0) or none at all. A state of another policy is cut to this one's capacity.
inline TokenAnswer take(const TokenBucketPolicy& policy, TokenBucket& bucket, std::int64_t now_ms,
                        std::int64_t tokens) {
  check(is_sound(policy) && tokens >= 0, "a token bucket within its bounds");
  const std::int64_t most = policy.capacity * policy.interval_ms;
  if (bucket.units < 0) bucket.units = 0;
  if (bucket.units > most) bucket.units = most;
  std::uint64_t behind_ms = 0;  // how far the clock is behind the latest time seen
  if (now_ms > bucket.at_ms) {
    // Unsigned: any two times have a difference. Compared before it is multiplied.
    const auto passed =
        static_cast<std::uint64_t>(now_ms) - static_cast<std::uint64_t>(bucket.at_ms);
    const std::int64_t missing = most - bucket.units;
    const bool fills = passed > static_cast<std::uint64_t>(missing / policy.refill);
    bucket.units = fills ? most : bucket.units + static_cast<std::int64_t>(passed) * policy.refill;
    bucket.at_ms = now_ms;
  } else {
    behind_ms = static_cast<std::uint64_t>(bucket.at_ms) - static_cast<std::uint64_t>(now_ms);
  }
  if (tokens > policy.capacity) return {false, -1};
  const std::int64_t wanted = tokens * policy.interval_ms;
  if (wanted <= bucket.units) {
    bucket.units -= wanted;
    return {true, 0};
  }
  const std::int64_t wait = (wanted - bucket.units + policy.refill - 1) / policy.refill;
  constexpr auto kLongest = static_cast<std::uint64_t>(INT64_MAX / 2);
  return {false, wait + static_cast<std::int64_t>(behind_ms < kLongest ? behind_ms : kLongest)};
}

}  // namespace topup
