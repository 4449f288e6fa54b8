// Where a user belongs: the shard that keeps the user's rows, and the side of an experiment. Both
// are hashes that every build and every machine agrees on for ever: rows lie where they say, so
// what is written here is stored; do not change. Not for secrets. Pure.
//
// stable_hash: FNV-1a 64 over the bytes (offset 0xCBF29CE484222325, prime 0x100000001B3), then the
// finaliser of splitmix64, because the low bits of FNV alone are uneven on short texts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shared/check.h"

namespace topup {

inline constexpr std::uint32_t kMaxShards = 4'096;
inline constexpr std::uint32_t kBucketPoints = 10'000;  // an experiment divides basis points
inline constexpr std::size_t kMaxBuckets = 16;

// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014: one output.
constexpr std::uint64_t splitmix64(std::uint64_t state) {
  state += 0x9E3779B97F4A7C15ULL;
  state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9ULL;
  state = (state ^ (state >> 27)) * 0x94D049BB133111EBULL;
  return state ^ (state >> 31);
}

constexpr std::uint64_t fnv1a(std::string_view text, std::uint64_t state = 0xCBF29CE484222325ULL) {
  for (const char c : text) {
    state = (state ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  }
  return state;
}

constexpr std::uint64_t stable_hash(std::string_view text) { return splitmix64(fnv1a(text)); }

// 0 to shards - 1; 1 <= shards <= kMaxShards. Another number of shards moves most users.
inline std::uint32_t shard_of(std::string_view user_id, std::uint32_t shards) {
  check(shards >= 1 && shards <= kMaxShards, "the number of shards is within its bounds");
  return static_cast<std::uint32_t>(stable_hash(user_id) % shards);
}

// A user's place among the 10,000 points of the experiment `salt`; one place per experiment. A zero
// byte stands between, so that salt "a" with user "bc" is not salt "ab" with user "c".
constexpr std::uint32_t ab_point(std::string_view salt, std::string_view user_id) {
  const std::uint64_t salted = fnv1a(std::string_view("\0", 1), fnv1a(salt));
  return static_cast<std::uint32_t>(splitmix64(fnv1a(user_id, salted)) % kBucketPoints);
}

// The bucket, from 0, whose share of the points holds the user's; -1 for a user outside of all
// shares. Raising the last share alone moves nobody who was inside. `weights_bp` are `size` shares
// in basis points, none below 0.
constexpr int ab_bucket(std::string_view salt, std::string_view user_id,
                        const std::int64_t* weights_bp, std::size_t size) {
  std::int64_t left = ab_point(salt, user_id);
  for (std::size_t i = 0; i < size; ++i) {
    if (left < weights_bp[i]) return static_cast<int>(i);
    left -= weights_bp[i];
  }
  return -1;
}

}  // namespace topup
