// Chance that is the same in every run with the same seed (splitmix64). Thread-safe; with several
// threads the bytes are the same, who gets which is not.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "server/base/random.h"

namespace topup::testing {

class SeededRandom final : public base::Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15U + 1) {}

  std::string bytes(std::size_t count) override {
    std::string out;
    while (out.size() < count) out += static_cast<char>(draw() & 0xFF);
    return out;
  }
  std::uint64_t draw() {
    const std::lock_guard hold(mutex_);
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }
  std::int64_t below(std::int64_t limit) {  // 0 … limit - 1
    return static_cast<std::int64_t>(draw() % static_cast<std::uint64_t>(limit));
  }
  bool percent(std::int64_t chance) { return below(100) < chance; }

 private:
  std::mutex mutex_;
  std::uint64_t state_;
};

}  // namespace topup::testing
