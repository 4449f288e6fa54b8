#include "server/base/circuit_breaker.h"

#include <algorithm>

#include "shared/check.h"

namespace topup::base {

CircuitBreaker::CircuitBreaker(const BreakerRules& rules) : rules_(rules) {
  check(rules.window_calls >= 1 &&
            static_cast<std::size_t>(rules.window_calls) <= kMaxBreakerWindow &&
            rules.error_percent >= 1 && rules.error_percent <= 100 && rules.window_ms > 0 &&
            rules.probe_every_ms > 0,
        "breaker rules within their bounds");
}

CircuitBreaker::Pass CircuitBreaker::ask(std::int64_t now_ms) {
  if (state_ == State::closed) return Pass::normal;
  if (now_ms - waits_from_ms_ < rules_.probe_every_ms) return Pass::refused;
  state_ = State::half_open;
  waits_from_ms_ = now_ms;
  return Pass::probe;
}

bool CircuitBreaker::record(Pass pass, bool is_error, std::int64_t now_ms) {
  check(pass != Pass::refused, "a refused call has no outcome");
  const State before = state_;
  if (pass == Pass::probe) {
    // A later probe may already be on its way; whichever ends well closes.
    state_ = is_error ? State::open : State::closed;
    if (!is_error) made_ = 0;
    return state_ != before;
  }
  // What began before it opened tells nothing that is not known.
  if (state_ != State::closed) return false;
  calls_[made_++ % static_cast<std::size_t>(rules_.window_calls)] = {now_ms, is_error};
  if (is_error && errors(now_ms) * 100 >= rules_.window_calls * rules_.error_percent) {
    state_ = State::open;
    waits_from_ms_ = now_ms;
  }
  return state_ != before;
}

void CircuitBreaker::give_back(Pass pass) {
  if (pass != Pass::probe || state_ != State::half_open) return;
  waits_from_ms_ -= rules_.probe_every_ms;
}

int CircuitBreaker::count(std::int64_t now_ms, bool only_errors) const {
  const std::size_t kept = std::min(made_, static_cast<std::size_t>(rules_.window_calls));
  return static_cast<int>(std::count_if(
      calls_.begin(), calls_.begin() + static_cast<long>(kept), [&](const Call& call) {
        return now_ms - call.at_ms < rules_.window_ms && (call.is_error || !only_errors);
      }));
}

std::string_view word_of(CircuitBreaker::State state) {
  switch (state) {
    case CircuitBreaker::State::closed:
      return "closed";
    case CircuitBreaker::State::half_open:
      return "half_open";
    case CircuitBreaker::State::open:
      return "open";
  }
  return "open";
}

}  // namespace topup::base
