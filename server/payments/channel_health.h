// How each payment channel fares, as its own calls tell it: green, amber, or red. Red is where no
// new payment should begin; what has begun there stays there. A red channel comes back by trial:
// two good answers in a row. The circuit breaker before its connections counts as well. Kept per
// process. Thread-safe; never blocks for long.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/payments/channel.h"

namespace topup::payments {

enum class Health : std::uint8_t { green, amber, red };
std::string_view to_word(Health health);  // "green" …

struct HealthReport {
  std::string channel;
  Health health = Health::green;
  std::string_view why = "";  // no_answers, errors, slow, own_trouble, breaker_open, recovering
  int calls = 0, bad = 0;     // of the last kHealthWindowMs
  std::int64_t p95_ms = 0;
  std::int64_t since_wall_ms = 0;  // when it became so; 0: it always was
};

inline constexpr std::int64_t kHealthWindowMs = 120'000;
inline constexpr std::size_t kMaxHealthCalls = 64;  // the last of each channel
inline constexpr int kRedBadCalls = 5;              // and at least half of all
inline constexpr int kRedOwnTroubles = 2;           // in a row
inline constexpr int kTrialsToRecover = 2;          // good answers in a row
inline constexpr std::int64_t kTrialEveryMs = 3'000;
inline constexpr std::int64_t kSlowMs = 4'000;  // of the slowest twentieth

class ChannelHealth {
 public:
  enum class Heard : std::uint8_t {
    good,
    bad,         // no answer, or none that can be believed
    own_trouble  // an answer about the shop's standing there: the next call meets it too
  };

  explicit ChannelHealth(const base::Clock& clock) : clock_(clock) {}
  // `party`: whose breaker stands before it, as base::outbound_health() names it.
  void add(std::string channel, std::string party);
  void record(std::string_view channel, Heard heard, std::int64_t elapsed_ms);
  HealthReport report(std::string_view channel) const;  // green for one that was never added
  std::vector<HealthReport> all() const;                // in the order of the names
  // Red channels whose next trial is due; each is named once per kTrialEveryMs.
  std::vector<std::string> due_trials();
  void look();  // logs what has changed since the last look: the breaker changes by itself

 private:
  struct Call {
    std::int64_t at_ms, elapsed_ms;
    bool is_bad;
  };
  struct Watched {
    std::string party;
    std::deque<Call> calls;
    bool is_red = false;
    std::string_view red_why = "";
    int good_run = 0, trouble_run = 0;
    std::int64_t tried_ms = 0;
    Health shown = Health::green;
    std::int64_t since_wall_ms = 0;
  };
  HealthReport judge(const std::string& channel, const Watched& watched) const;
  void note(const std::string& channel, Watched& watched);

  const base::Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Watched, std::less<>> watched_;
};

// The same channel, with each call's outcome and time told to `health`, which must outlive it.
std::unique_ptr<PayChannel> watched(std::unique_ptr<PayChannel> channel, ChannelHealth& health,
                                    const base::Clock& clock);
// A harmless question whose answer shows that the channel works: after a number nobody ever used.
void try_channel(PayChannel& channel);

}  // namespace topup::payments
