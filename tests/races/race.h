// What every scenario needs: a crowd that begins at one moment, time that runs out, and a list of
// what did not hold.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <latch>
#include <string>
#include <vector>

#include "tests/support/together.h"

namespace topup::races {

struct Effort {
  int threads = 64;
  std::int64_t ms = 5'000;  // a scenario begins no round after it
};

class Tally {
 public:
  explicit Tally(const Effort& effort)
      : end_(std::chrono::steady_clock::now() + std::chrono::milliseconds(effort.ms)) {}

  // Any thread. At least one round is played however short the time.
  bool time_left() const { return rounds == 0 || std::chrono::steady_clock::now() < end_; }
  // Only where no crowd runs.
  void expect(bool holds, const std::string& what) {
    if (!holds && wrong.size() < kMostTold) wrong.push_back(what);
    ++checks;
  }
  template <class A, class B>
  void same(const A& found, const B& wanted, const std::string& what) {
    expect(found == wanted, what + ": " + text_of(found) + " instead of " + text_of(wanted));
  }

  std::atomic<std::int64_t> acts{0};  // what the crowd did
  std::int64_t rounds = 0, checks = 0;
  std::vector<std::string> wrong;

 private:
  static constexpr std::size_t kMostTold = 5;
  static std::string text_of(const std::string& text) { return "'" + text + "'"; }
  static std::string text_of(std::int64_t number) { return std::to_string(number); }
  std::chrono::steady_clock::time_point end_;
};

// body(int thread) in `threads` threads that all begin when the last of them is there. Joins them;
// throws what one of them threw.
template <class Body>
void crowd(int threads, const Body& body) {
  std::latch all_here(threads);
  testing::together(threads, [&](int t) {
    all_here.arrive_and_wait();
    body(t);
  });
}

void callback_and_query(const Effort& effort, Tally& tally);
void refunds(const Effort& effort, Tally& tally);
void coupon_rush(const Effort& effort, Tally& tally);
void wallet_rush(const Effort& effort, Tally& tally);
void twins(const Effort& effort, Tally& tally);
void settings_beside_requests(const Effort& effort, Tally& tally);
void rotation_beside_reads(const Effort& effort, Tally& tally);
void shutdown_under_load(const Effort& effort, Tally& tally);

}  // namespace topup::races
