// Whether an outside party is worth calling, judged by its last calls. Closed: every call goes.
// Open: none does, so that a party that is down costs its callers nothing. Half open: one probe
// each probe_every_ms, whose success closes. It opens with the error that makes half of the last
// window_calls bad, also before that many were made: ten errors are half of twenty whatever the
// other ten will be. Pure: the caller brings the time (Clock::mono_ms). Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace topup::base {

struct BreakerRules {
  int window_calls = 20;            // 1 to kMaxBreakerWindow
  int error_percent = 50;           // 1 to 100
  std::int64_t window_ms = 60'000;  // an older call counts no longer
  std::int64_t probe_every_ms = 30'000;
};
inline constexpr std::size_t kMaxBreakerWindow = 64;

class CircuitBreaker {
 public:
  enum class State : std::uint8_t { closed, half_open, open };
  enum class Pass : std::uint8_t { refused, normal, probe };

  explicit CircuitBreaker(const BreakerRules& rules = {});

  Pass ask(std::int64_t now_ms);
  // Each pass but a refused one ends in exactly one of these two. True: the state has changed.
  bool record(Pass pass, bool is_error, std::int64_t now_ms);
  void give_back(Pass pass);  // no call was made with it; a probe may be asked for again

  State state() const { return state_; }
  int calls(std::int64_t now_ms) const { return count(now_ms, false); }  // in the window
  int errors(std::int64_t now_ms) const { return count(now_ms, true); }

 private:
  struct Call {
    std::int64_t at_ms = 0;
    bool is_error = false;
  };
  int count(std::int64_t now_ms, bool only_errors) const;

  BreakerRules rules_;
  State state_ = State::closed;
  std::array<Call, kMaxBreakerWindow> calls_{};
  std::size_t made_ = 0;            // calls recorded since it last closed
  std::int64_t waits_from_ms_ = 0;  // since it opened, or since the last probe
};

std::string_view word_of(CircuitBreaker::State state);  // "closed", "half_open", "open"

}  // namespace topup::base
