// How the suppliers fare. Outcomes are counted in a sliding window, once for the supplier and once
// for each of its operators; too many bad ones close that line for everybody (feature X15). A
// closed line lets one order through as a trial when its time has come: a good one opens it, a bad
// one closes it for twice as long. A line that a person switched off stays off. Windows are this
// process's own and start empty; closed lines are rows (supplier_line_store.h), shared by all
// nodes. Balances are asked for and kept here, too (feature X13). Thread-safe; never called inside
// a transaction.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/storage/db.h"
#include "server/suppliers/supplier.h"
#include "server/suppliers/supplier_line_store.h"
#include "server/suppliers/supplier_store.h"

namespace topup::suppliers {

struct WindowRule {
  std::int64_t least = 8;       // outcomes before anything is judged
  std::int64_t bad_bp = 5'000;  // of them, in ten-thousandths
};
struct HealthRules {
  std::int64_t window_ms = 10 * 60'000;
  WindowRule supplier = {8, 5'000};
  WindowRule line = {12, 8'000};    // refusals count here: buyers mistype numbers, too
  std::int64_t closed_ms = 60'000;  // the first time; twice as long with each closing in a row
  std::int64_t longest_closed_ms = 30 * 60'000;
  std::int64_t trial_ms = 10 * 60'000;  // a trial nobody heard of again makes room for another
  std::int64_t closings_to_tell = 3;    // in a row: then a person should look
};

class OutcomeWindow {
 public:
  struct Count {
    std::int64_t good = 0, bad = 0;
  };
  void note(std::int64_t at_ms, std::int64_t window_ms, bool is_good);
  Count count(std::int64_t now_ms, std::int64_t window_ms) const;
  void clear() { slots_ = {}; }

 private:
  static constexpr std::int64_t kSlots = 10;
  struct Slot {
    std::int64_t number = -1;
    Count count;
  };
  std::array<Slot, kSlots> slots_;
};

class SupplierHealth {
 public:
  // In the transaction of the change; `before` the state it leaves.
  using Told = std::function<void(storage::Tx&, const SupplierLine&, LineState before)>;

  SupplierHealth(storage::Db& db, const base::Clock& clock, HealthRules rules = {}, Told told = {})
      : db_(db), clock_(clock), rules_(rules), told_(std::move(told)) {}

  // What a supplier said of an attempt, to its submission or to a question. Answers to questions
  // count only when they are final: one stuck order is asked about hundreds of times.
  void note(const SupplyAttempt& attempt, const SupplyOutcome& outcome, bool was_submitted);
  // A person's word: shut until opened again, or open at once. False when it is so already.
  bool set_by_hand(storage::Tx& tx, std::string_view line, bool is_open, std::string_view reason);
  // Keeps what the supplier has of ours. `is_low` as the caller judges it.
  void keep_balance(std::string_view supplier, Money balance, bool is_low);

  struct Figure {
    std::string supplier, state;
    std::int64_t count = 0;
  };
  std::vector<Figure> figures() const;  // outcomes of submissions since the process started
  const HealthRules& rules() const { return rules_; }

 private:
  enum class Seen : std::uint8_t { nothing, good, bad };
  struct Weighed {
    Seen supplier = Seen::nothing, line = Seen::nothing;
  };
  static Weighed weigh(const SupplyOutcome& outcome, bool was_submitted);
  bool tips(const std::string& line, const WindowRule& rule, Seen seen);
  void judge(const std::string& line, const WindowRule& rule, Seen seen,
             const SupplyAttempt& attempt);
  void close(storage::Tx& tx, SupplierLine line, std::string_view reason) const;
  void end_trial(storage::Tx& tx, SupplierLine line, bool is_good) const;

  storage::Db& db_;
  const base::Clock& clock_;
  const HealthRules rules_;
  const Told told_;
  mutable std::mutex mutex_;
  std::map<std::string, OutcomeWindow> windows_;
  std::map<std::pair<std::string, std::string>, std::int64_t> counts_;
};

// Stands in SupplyAttempt::choice of the attempt that is the trial of this line.
std::string trial_word(std::string_view line);

}  // namespace topup::suppliers
