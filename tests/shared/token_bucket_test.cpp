#include "shared/token_bucket.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <limits>
#include <utility>
#include <vector>

using namespace topup;

namespace {
constexpr TokenBucketPolicy kFivePerSecond{10, 5, 1'000};
}  // namespace

TEST_CASE("token bucket: a full one gives its capacity at once, then as fast as it refills") {
  TokenBucket bucket = full_bucket(kFivePerSecond, 0);
  for (int i = 0; i < 10; ++i) CHECK(take(kFivePerSecond, bucket, 0, 1).allowed);
  CHECK(take(kFivePerSecond, bucket, 0, 1).retry_after_ms == 200);
  CHECK(take(kFivePerSecond, bucket, 199, 1).retry_after_ms == 1);
  CHECK(take(kFivePerSecond, bucket, 200, 1).allowed);
  CHECK(take(kFivePerSecond, bucket, 200, 10).retry_after_ms == 2'000);
}

TEST_CASE("token bucket: a refused taking takes nothing, and one above the capacity never will") {
  TokenBucket bucket = full_bucket(kFivePerSecond, 0);
  const TokenAnswer never = take(kFivePerSecond, bucket, 0, 11);
  CHECK_FALSE(never.allowed);
  CHECK(never.retry_after_ms == -1);
  CHECK(take(kFivePerSecond, bucket, 0, 10).allowed);
  CHECK(take(kFivePerSecond, bucket, 0, 0).allowed);
}

TEST_CASE("token bucket: a clock that goes back gives nothing, not even on its way forth again") {
  TokenBucket bucket = full_bucket(kFivePerSecond, 10'000);
  CHECK(take(kFivePerSecond, bucket, 10'000, 10).allowed);
  const TokenAnswer back = take(kFivePerSecond, bucket, 4'000, 1);
  CHECK_FALSE(back.allowed);
  CHECK(back.retry_after_ms == 6'200);
  CHECK_FALSE(take(kFivePerSecond, bucket, 10'000, 1).allowed);
  CHECK(take(kFivePerSecond, bucket, 10'200, 1).allowed);
}

TEST_CASE("token bucket: decades of rest and the ends of time overflow nothing") {
  const TokenBucketPolicy widest{kMaxTokens, kMaxTokens, kMaxIntervalMs};
  TokenBucket bucket = full_bucket(widest, 0);
  CHECK(take(widest, bucket, 0, kMaxTokens).allowed);
  CHECK(take(widest, bucket, 100LL * 366 * 86'400'000, kMaxTokens).allowed);
  CHECK(bucket.units == 0);
  constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  bucket = {0, kFirst};
  CHECK(take(widest, bucket, kLast, kMaxTokens).allowed);
  CHECK(take(widest, bucket, kFirst, 1).retry_after_ms > 0);
  const TokenBucketPolicy slowest{1, 1, kMaxIntervalMs};
  bucket = {0, 0};
  CHECK(take(slowest, bucket, kMaxIntervalMs - 1, 1).retry_after_ms == 1);
  CHECK(take(slowest, bucket, kMaxIntervalMs, 1).allowed);
}

TEST_CASE("token bucket: a state of another policy is cut to the capacity") {
  TokenBucket bucket{kMaxTokens * kMaxIntervalMs, 0};
  CHECK(take(kFivePerSecond, bucket, 0, 10).allowed);
  CHECK_FALSE(take(kFivePerSecond, bucket, 0, 1).allowed);
  bucket = {-5, 0};
  CHECK(take(kFivePerSecond, bucket, 200, 1).allowed);
}

TEST_CASE("token bucket: a policy out of its bounds is our own mistake") {
  TokenBucket bucket;
  CHECK_THROWS_AS(take({0, 1, 1}, bucket, 0, 1), InvariantBroken);
  CHECK_THROWS_AS(take({1, 1, 0}, bucket, 0, 1), InvariantBroken);
  CHECK_THROWS_AS(take({1, kMaxTokens + 1, 1}, bucket, 0, 1), InvariantBroken);
  CHECK_THROWS_AS(take(kFivePerSecond, bucket, 0, -1), InvariantBroken);
}

TEST_CASE("token bucket: no window gets more than the capacity and its refill") {
  CHECK(rc::check("whatever the clock does", [] {
    const TokenBucketPolicy policy{*rc::gen::inRange(1, 20), *rc::gen::inRange(1, 50),
                                   *rc::gen::inRange(1, 2'000)};
    TokenBucket bucket = full_bucket(policy, 0);
    std::vector<std::pair<std::int64_t, std::int64_t>> given;  // when, how many
    std::int64_t now = 0;
    for (int i = 0; i < 60; ++i) {
      now += *rc::gen::inRange(-200, 500);
      const std::int64_t tokens = *rc::gen::inRange(0, 5);
      if (take(policy, bucket, now, tokens).allowed) given.emplace_back(bucket.at_ms, tokens);
    }
    for (std::size_t from = 0; from < given.size(); ++from) {
      std::int64_t sum = 0;
      for (std::size_t to = from; to < given.size(); ++to) {
        sum += given[to].second;
        const std::int64_t window = given[to].first - given[from].first;
        RC_ASSERT(sum * policy.interval_ms <=
                  policy.capacity * policy.interval_ms + window * policy.refill);
      }
    }
  }));
  CHECK(rc::check("the wait that was told is exact", [] {
    const TokenBucketPolicy policy{*rc::gen::inRange(1, 20), *rc::gen::inRange(1, 50),
                                   *rc::gen::inRange(1, 2'000)};
    TokenBucket bucket{0, 1'000};
    const std::int64_t tokens = *rc::gen::inRange<std::int64_t>(1, policy.capacity + 1);
    const std::int64_t now = *rc::gen::inRange(0, 2'000);
    const TokenAnswer first = take(policy, bucket, now, tokens);
    if (first.allowed) return;
    TokenBucket early = bucket;
    RC_ASSERT_FALSE(take(policy, early, now + first.retry_after_ms - 1, tokens).allowed);
    RC_ASSERT(take(policy, bucket, now + first.retry_after_ms, tokens).allowed);
  }));
}
