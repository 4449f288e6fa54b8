// The world around the shop in one run: virtual time, a queue of what will happen, chance from one
// seed, the trace of what happened, and the moments at which the shop's process may die. One thread
// at a time; a run with the same seed is the same run.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "tests/sim/faults.h"
#include "tests/support/manual_clock.h"
#include "tests/support/seeded_random.h"

namespace topup::sim {

class Bills;

// Not a std::exception, so that nothing in the product takes it for a failure of its own.
struct Crash {};

// A process of the shop. It may be dead while frames of it lie on the stack, and stand still while
// the others go on.
struct Life {
  std::string name;
  bool is_dead = false;  // until its last frame is gone
  int depth = 0;         // its threads at work
  std::int64_t frozen_until_ms = 0;
};

struct Counts {
  std::int64_t crashes = 0, faults = 0, statements = 0, commits = 0, events = 0, calls = 0;
  std::int64_t jobs = 0, forged = 0, duplicates = 0, orders = 0, manual = 0;
  std::int64_t asked_back = 0, taken_back = 0, given_back = 0, reviewed = 0, second_suppliers = 0,
               coupons = 0;
  std::int64_t pins = 0, frozen = 0, bills = 0, differences = 0, resolved = 0;
  std::int64_t wallet_orders = 0, wallet_short = 0, wallet_back = 0, wallet_sums = 0;
  std::map<std::string, std::int64_t> crash_points, fault_kinds;
  void add(const Counts& other);
};

struct Violation {
  std::string invariant;  // I1 … I12, or a word of the simulator's own
  std::string what;
};

class World {
 public:
  World(std::uint64_t seed, Faults faults, bool prints_trace);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Chance of the outside; crashes have a stream of their own.
  bool strikes(Fault fault);  // by its rate, and counted when it does
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return least + chance.below(most - least + 1);
  }

  std::int64_t now() const { return clock.mono_ms(); }
  void after(std::int64_t ms, std::function<void()> what);
  std::int64_t next_event_ms() const;  // INT64_MAX when nothing will happen
  void run_next_event();
  void advance_to(std::int64_t mono_ms);

  // Throws Crash when the process dies here. Nothing happens while nobody serves.
  void crash_point(std::string_view name, std::string_view place = {});
  // Other threads may go first here, now and then.
  void yield_point();
  // A thread of the process stands still while the world goes on; where the shop has two processes,
  // the whole process does, and true is the answer.
  bool stand_still(std::int64_t ms);
  Life* life = nullptr;  // whose code is running; none: the world's own
  bool is_dead() const { return life != nullptr && life->is_dead; }
  bool may_yield = false;  // a request or a job is running
  bool is_inside_transaction = false;

  void note(std::string_view what);  // into the trace: the same on every engine
  void fail(std::string_view invariant, std::string what);  // the first one stays
  bool has_failed() const { return !violation.invariant.empty(); }
  std::uint64_t trace_hash() const { return hash_; }

  std::int64_t age_ms() const { return now() - born_ms_; }
  // What the clocks of the parties show, however the shop's jumps.
  std::int64_t true_ms() const { return now() + kTrueOffsetMs; }
  static constexpr std::int64_t kTrueOffsetMs = 1'795'219'200'000 - 1'000'000;

  // Orders whose delivery is committed: only what was heard can be contradicted.
  std::set<std::string> heard_deliveries;
  // A bill says what it likes: from now on accounts may stand on the wrong side of zero.
  bool has_bills_begun = false;
  // The schedule's last run: when it ended, and what might have made it run again since.
  std::int64_t scheduled_at_ms = -1, scheduled_troubles = 0;

  Bills* bills = nullptr;  // what the parties print

  testing::ManualClock clock;
  testing::SeededRandom chance;
  Faults faults;
  Counts counts;
  Violation violation;
  std::function<void(std::int64_t until_mono_ms)> live_on;  // the shop and the world, meanwhile

 private:
  bool is_aimed_at(std::string_view name, std::string_view place);

  testing::SeededRandom crash_chance_;
  std::string_view aim_;       // one named point at which this run dies for certain
  std::int64_t aim_left_ = 0;  // when it comes there for this time; 0: it was there
  bool prints_trace_;
  std::uint64_t hash_ = 14695981039346656037U;
  std::int64_t born_ms_;
  std::int64_t sequence_ = 0;
  std::map<std::pair<std::int64_t, std::int64_t>, std::function<void()>> queue_;
};

}  // namespace topup::sim
