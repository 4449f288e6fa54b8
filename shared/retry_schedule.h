// When to try again: each delay is the one before times a factor, up to a ceiling, and a share of
// it is drawn from a seed, so that many callers that failed together do not return together. The
// same policy, attempt and seed give the same delay on every machine. Pure.
//
// jitter_percent 0: always the whole delay; 50 ("equal jitter"): between half of it and all of it;
// 100 ("full jitter"): between nothing and all of it.
#pragma once

#include <cstdint>
#include <optional>

#include "shared/buckets.h"
#include "shared/check.h"

namespace topup {

struct RetryPolicy {
  std::int64_t first_ms = 1'000;  // 1 to max_ms
  int factor_percent = 200;       // 100 to 10,000
  std::int64_t max_ms = 60'000;   // up to kMaxRetryMs
  int max_attempts = 5;           // 0 to kMaxRetryAttempts
  int jitter_percent = 50;        // 0 to 100
};
inline constexpr std::int64_t kMaxRetryMs = 7 * 86'400'000LL;
inline constexpr int kMaxRetryAttempts = 100;

constexpr bool is_sound(const RetryPolicy& policy) {
  return policy.first_ms >= 1 && policy.first_ms <= policy.max_ms && policy.max_ms <= kMaxRetryMs &&
         policy.factor_percent >= 100 && policy.factor_percent <= 10'000 &&
         policy.max_attempts >= 0 && policy.max_attempts <= kMaxRetryAttempts &&
         policy.jitter_percent >= 0 && policy.jitter_percent <= 100;
}

// The longest delay behind failure number `attempt`, from 1; nothing behind the last attempt.
inline std::optional<std::int64_t> longest_delay_ms(const RetryPolicy& policy, int attempt) {
  check(is_sound(policy) && attempt >= 1, "a retry policy within its bounds");
  if (attempt > policy.max_attempts) return std::nullopt;
  std::int64_t delay = policy.first_ms;
  for (int i = 1; i < attempt && delay < policy.max_ms; ++i) {
    delay = (delay * policy.factor_percent + 99) / 100;  // rounded up, so that it grows
  }
  return delay < policy.max_ms ? delay : policy.max_ms;
}

inline std::optional<std::int64_t> delay_ms(const RetryPolicy& policy, int attempt,
                                            std::uint64_t seed) {
  const std::optional<std::int64_t> longest = longest_delay_ms(policy, attempt);
  if (!longest) return std::nullopt;
  const std::int64_t span = *longest * policy.jitter_percent / 100;
  const std::uint64_t drawn = splitmix64(seed ^ splitmix64(static_cast<std::uint64_t>(attempt)));
  return *longest - static_cast<std::int64_t>(drawn % static_cast<std::uint64_t>(span + 1));
}

// No row of delays is longer than this in all.
inline std::int64_t total_delay_bound_ms(const RetryPolicy& policy) {
  std::int64_t total = 0;
  for (int attempt = 1; attempt <= policy.max_attempts; ++attempt) {
    total += *longest_delay_ms(policy, attempt);
  }
  return total;
}

}  // namespace topup
