// What stands before the connections to one outside party: the circuit breaker, the count of those
// who wait for a connection, and what can be seen of both. Each change of the breaker leaves one
// log line, "breaker". Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/circuit_breaker.h"
#include "server/base/clock.h"

namespace topup::base {

struct OutboundHealth {
  std::string party;
  CircuitBreaker::State breaker = CircuitBreaker::State::closed;
  std::int64_t changed_wall_ms = 0;  // when the breaker last changed; 0: never
  int recent_calls = 0;              // those the breaker looks at
  int recent_errors = 0;
  int in_flight = 0;
  int waiting = 0;
  std::int64_t opened = 0;  // how often the breaker has opened
};
// Every party that has a client now, in no order; two clients of one party are two rows.
std::vector<OutboundHealth> outbound_health();

class PartyGate {
 public:
  // `clock` may be left out for the system's; it must outlive the gate.
  PartyGate(std::string party, const BreakerRules& rules, const Clock* clock);
  ~PartyGate();
  PartyGate(const PartyGate&) = delete;
  PartyGate& operator=(const PartyGate&) = delete;

  CircuitBreaker::Pass ask();
  void record(CircuitBreaker::Pass pass, bool is_error);
  void give_back(CircuitBreaker::Pass pass);
  OutboundHealth health() const;

  // Kept by the pool of connections.
  std::atomic<int> in_flight{0};
  std::atomic<int> waiting{0};

 private:
  const std::string party_;
  SystemClock system_clock_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  CircuitBreaker breaker_;
  std::int64_t changed_wall_ms_ = 0;
  std::int64_t opened_ = 0;
};

}  // namespace topup::base
