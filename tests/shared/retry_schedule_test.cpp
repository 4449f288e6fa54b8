#include "shared/retry_schedule.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <set>

using namespace topup;

TEST_CASE("retry: delays grow by the factor to the ceiling, and end after the last attempt") {
  const RetryPolicy policy{1'000, 200, 10'000, 6, 0};
  const std::int64_t delays[] = {1'000, 2'000, 4'000, 8'000, 10'000, 10'000};
  for (int attempt = 1; attempt <= 6; ++attempt) {
    CHECK(delay_ms(policy, attempt, 7) == delays[attempt - 1]);
  }
  CHECK_FALSE(delay_ms(policy, 7, 7));
  CHECK_FALSE(delay_ms({1'000, 200, 10'000, 0, 0}, 1, 7));
  CHECK(total_delay_bound_ms(policy) == 35'000);
}

TEST_CASE("retry: the steps of the server's worker, one second doubled eleven times") {
  const RetryPolicy worker{1'000, 200, 64 * 60'000, 12, 0};
  CHECK(delay_ms(worker, 1, 0) == 1'000);
  CHECK(delay_ms(worker, 11, 0) == 1'024'000);
  CHECK(delay_ms(worker, 12, 0) == 2'048'000);
}

TEST_CASE("retry: a factor of a fraction still grows from the smallest delay") {
  const RetryPolicy policy{1, 150, 100, 5, 0};
  const std::int64_t delays[] = {1, 2, 3, 5, 8};
  for (int attempt = 1; attempt <= 5; ++attempt) {
    CHECK(delay_ms(policy, attempt, 0) == delays[attempt - 1]);
  }
}

TEST_CASE("retry: the largest policy overflows nothing") {
  const RetryPolicy largest{kMaxRetryMs, 10'000, kMaxRetryMs, kMaxRetryAttempts, 100};
  CHECK(*delay_ms(largest, kMaxRetryAttempts, ~0ULL) <= kMaxRetryMs);
  CHECK(total_delay_bound_ms(largest) == kMaxRetryMs * kMaxRetryAttempts);
}

TEST_CASE("retry: golden delays, the same on every machine") {
  const RetryPolicy full{1'000, 200, 60'000, 8, 100};
  const RetryPolicy equal{1'000, 200, 60'000, 8, 50};
  CHECK(delay_ms(full, 1, 42) == 154);
  CHECK(delay_ms(full, 5, 42) == 9111);
  CHECK(delay_ms(equal, 5, 42) == 10298);
}

TEST_CASE("retry: a policy out of its bounds is our own mistake") {
  CHECK_THROWS_AS(delay_ms({0, 200, 10, 3, 0}, 1, 0), InvariantBroken);
  CHECK_THROWS_AS(delay_ms({11, 200, 10, 3, 0}, 1, 0), InvariantBroken);
  CHECK_THROWS_AS(delay_ms({1, 99, 10, 3, 0}, 1, 0), InvariantBroken);
  CHECK_THROWS_AS(delay_ms({1, 200, 10, 101, 0}, 1, 0), InvariantBroken);
  CHECK_THROWS_AS(delay_ms({1, 200, 10, 3, 101}, 1, 0), InvariantBroken);
  CHECK_THROWS_AS(delay_ms({1, 200, 10, 3, 0}, 0, 0), InvariantBroken);
}

TEST_CASE("retry: jitter stays within its share and spreads the crowd") {
  CHECK(rc::check("each delay is between its bounds, and all are below the total", [] {
    RetryPolicy policy;
    policy.max_ms = *rc::gen::inRange(1, 1'000'000);
    policy.first_ms = *rc::gen::inRange<std::int64_t>(1, policy.max_ms + 1);
    policy.factor_percent = *rc::gen::inRange(100, 1'000);
    policy.max_attempts = *rc::gen::inRange(0, 20);
    policy.jitter_percent = *rc::gen::inRange(0, 101);
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    std::int64_t total = 0;
    for (int attempt = 1; attempt <= policy.max_attempts; ++attempt) {
      const std::int64_t longest = *longest_delay_ms(policy, attempt);
      const std::int64_t delay = *delay_ms(policy, attempt, seed);
      RC_ASSERT(longest <= policy.max_ms);
      RC_ASSERT(delay <= longest);
      RC_ASSERT(delay >= longest - longest * policy.jitter_percent / 100);
      RC_ASSERT(delay == *delay_ms(policy, attempt, seed));
      total += delay;
    }
    RC_ASSERT(total <= total_delay_bound_ms(policy));
    RC_ASSERT_FALSE(delay_ms(policy, policy.max_attempts + 1, seed));
  }));
  const RetryPolicy full{60'000, 100, 60'000, 1, 100};
  std::set<std::int64_t> delays;
  std::int64_t sum = 0;
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    delays.insert(*delay_ms(full, 1, seed));
    sum += *delay_ms(full, 1, seed);
  }
  CHECK(delays.size() > 950);
  CHECK(sum / 1'000 > 28'000);
  CHECK(sum / 1'000 < 32'000);
}
