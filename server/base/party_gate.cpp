#include "server/base/party_gate.h"

#include <algorithm>
#include <utility>

#include "server/base/log.h"

namespace topup::base {
namespace {

std::mutex gates_mutex;
std::vector<const PartyGate*>& gates() {  // guarded by gates_mutex
  static auto* const all = new std::vector<const PartyGate*>;
  return *all;
}

}  // namespace

std::vector<OutboundHealth> outbound_health() {
  std::vector<OutboundHealth> all;
  const std::lock_guard lock(gates_mutex);
  all.reserve(gates().size());
  for (const PartyGate* gate : gates()) all.push_back(gate->health());
  return all;
}

PartyGate::PartyGate(std::string party, const BreakerRules& rules, const Clock* clock)
    : party_(std::move(party)), clock_(clock != nullptr ? *clock : system_clock_), breaker_(rules) {
  const std::lock_guard lock(gates_mutex);
  gates().push_back(this);
}

PartyGate::~PartyGate() {
  const std::lock_guard lock(gates_mutex);
  std::erase(gates(), this);
}

CircuitBreaker::Pass PartyGate::ask() {
  const std::lock_guard lock(mutex_);
  const CircuitBreaker::Pass pass = breaker_.ask(clock_.mono_ms());
  if (pass == CircuitBreaker::Pass::probe) {
    changed_wall_ms_ = clock_.wall_ms();
    log(Level::info, "breaker", {{"party", party_}, {"state", word_of(breaker_.state())}});
  }
  return pass;
}

void PartyGate::record(CircuitBreaker::Pass pass, bool is_error) {
  const std::lock_guard lock(mutex_);
  const std::int64_t now = clock_.mono_ms();
  if (!breaker_.record(pass, is_error, now)) return;
  changed_wall_ms_ = clock_.wall_ms();
  const bool is_open = breaker_.state() != CircuitBreaker::State::closed;
  if (is_open) ++opened_;
  log(is_open ? Level::error : Level::info, "breaker",
      {{"party", party_},
       {"state", word_of(breaker_.state())},
       {"recent_calls", breaker_.calls(now)},
       {"recent_errors", breaker_.errors(now)}});
}

void PartyGate::give_back(CircuitBreaker::Pass pass) {
  const std::lock_guard lock(mutex_);
  breaker_.give_back(pass);
}

OutboundHealth PartyGate::health() const {
  const std::lock_guard lock(mutex_);
  const std::int64_t now = clock_.mono_ms();
  OutboundHealth seen;
  seen.party = party_;
  seen.breaker = breaker_.state();
  seen.changed_wall_ms = changed_wall_ms_;
  seen.recent_calls = breaker_.calls(now);
  seen.recent_errors = breaker_.errors(now);
  seen.in_flight = in_flight;
  seen.waiting = waiting;
  seen.opened = opened_;
  return seen;
}

}  // namespace topup::base
