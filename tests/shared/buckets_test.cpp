#include "shared/buckets.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <string>

using namespace topup;

TEST_CASE("buckets: hashes with published values") {
  // FNV-1a 64: draft-eastlake-fnv, test vectors; splitmix64: first output of seed 0 and 1234567.
  CHECK(fnv1a("") == 0xCBF29CE484222325ULL);
  CHECK(fnv1a("a") == 0xAF63DC4C8601EC8CULL);
  CHECK(fnv1a("foobar") == 0x85944171F73967E8ULL);
  CHECK(splitmix64(0) == 0xE220A8397B1DCDAFULL);
  CHECK(splitmix64(1234567) == 6457827717110365317ULL);
}

TEST_CASE("buckets: golden values, as rows lie where they say") {
  CHECK(stable_hash("usr_01") == 0x8059111207D08A4CULL);
  CHECK(shard_of("usr_01", 4'096) == 2636);
  CHECK(shard_of("usr_02", 4'096) == 2651);
  CHECK(shard_of("", 4'096) == 3888);
  CHECK(shard_of("用户", 16) == 1);
  CHECK(ab_point("price-2026", "usr_01") == 48);
  CHECK(shard_of("anybody", 1) == 0);
}

TEST_CASE("buckets: a number of shards out of its bounds is our own mistake") {
  CHECK_THROWS_AS(shard_of("usr_01", 0), InvariantBroken);
  CHECK_THROWS_AS(shard_of("usr_01", 4'097), InvariantBroken);
}

TEST_CASE("buckets: shards are filled evenly") {
  std::array<int, 64> filled{};
  for (int i = 0; i < 64'000; ++i) ++filled[shard_of("usr_" + std::to_string(i), 64)];
  for (const int users : filled) {
    CHECK(users > 850);  // expected 1,000 with a standard deviation of 31
    CHECK(users < 1'150);
  }
}

TEST_CASE("buckets: shares are met, sides of two experiments are independent") {
  const std::int64_t halves[] = {5'000, 5'000};
  const std::int64_t shares[] = {1'000, 2'500, 0};
  int both = 0;
  std::array<int, 4> seen{};
  for (int i = 0; i < 40'000; ++i) {
    const std::string user = "usr_" + std::to_string(i);
    const int bucket = ab_bucket("share", user, shares, 3);
    ++seen[static_cast<std::size_t>(bucket + 1)];
    both += ab_bucket("one", user, halves, 2) & ab_bucket("two", user, halves, 2);
  }
  CHECK(std::abs(seen[1] - 4'000) < 300);   // 10 %
  CHECK(std::abs(seen[2] - 10'000) < 450);  // 25 %
  CHECK(seen[3] == 0);
  CHECK(std::abs(seen[0] - 26'000) < 500);  // outside
  CHECK(std::abs(both - 10'000) < 450);
}

TEST_CASE("buckets: a wider last share keeps everybody who was inside") {
  const std::int64_t narrow[] = {1'000, 500};
  const std::int64_t wide[] = {1'000, 9'000};
  for (int i = 0; i < 2'000; ++i) {
    const std::string user = std::to_string(i);
    const int before = ab_bucket("salt", user, narrow, 2);
    if (before >= 0) CHECK(ab_bucket("salt", user, wide, 2) == before);
    CHECK(ab_bucket("salt", user, wide, 2) >= 0);
  }
  CHECK(ab_bucket("salt", "usr_01", nullptr, 0) == -1);
}

TEST_CASE("buckets: salt and user do not run into each other") {
  CHECK(ab_point("a", "bc") != ab_point("ab", "c"));
}
