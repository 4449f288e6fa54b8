#include "server/suppliers/supplier_health.h"

#include <algorithm>

#include "server/base/log.h"
#include "server/suppliers/exchange_store.h"

namespace topup::suppliers {
namespace {

constexpr std::size_t kMaxWindows = 5'000;

// Held for reasons of our own: it says nothing about them.
bool is_ours(std::string_view code) {
  return code == "too_late" || code == "account_unreadable" || code == "supplier_not_configured";
}

}  // namespace

std::string trial_word(std::string_view line) { return "trial:" + std::string(line); }

void OutcomeWindow::note(std::int64_t at_ms, std::int64_t window_ms, bool is_good) {
  const std::int64_t number = at_ms / std::max<std::int64_t>(window_ms / kSlots, 1);
  Slot& slot = slots_[static_cast<std::size_t>(number % kSlots)];
  if (slot.number != number) slot = {number, {}};
  ++(is_good ? slot.count.good : slot.count.bad);
}

OutcomeWindow::Count OutcomeWindow::count(std::int64_t now_ms, std::int64_t window_ms) const {
  const std::int64_t number = now_ms / std::max<std::int64_t>(window_ms / kSlots, 1);
  Count sum;
  for (const Slot& slot : slots_) {
    // A clock that was put back leaves slots of the future behind: they say nothing.
    if (slot.number < 0 || slot.number > number || slot.number <= number - kSlots) continue;
    sum.good += slot.count.good;
    sum.bad += slot.count.bad;
  }
  return sum;
}

// A supplier that refuses does answer, and that is what its own window is about; whether an
// operator delivers is seen in final answers only.
SupplierHealth::Weighed SupplierHealth::weigh(const SupplyOutcome& outcome, bool was_submitted) {
  switch (outcome.state) {
    case SupplyState::succeeded:
      return {was_submitted ? Seen::good : Seen::nothing, Seen::good};
    case SupplyState::rejected:
      return {was_submitted ? Seen::good : Seen::nothing, Seen::bad};
    case SupplyState::accepted:
      return {was_submitted ? Seen::good : Seen::nothing, Seen::nothing};
    case SupplyState::held:
      if (is_ours(outcome.code)) return {};
      return {was_submitted ? Seen::bad : Seen::nothing, Seen::nothing};
    case SupplyState::unknown:
      return {was_submitted ? Seen::bad : Seen::nothing, was_submitted ? Seen::bad : Seen::nothing};
    case SupplyState::not_found:
      break;
  }
  return {};
}

void SupplierHealth::note(const SupplyAttempt& attempt, const SupplyOutcome& outcome,
                          bool was_submitted) {
  const Weighed seen = weigh(outcome, was_submitted);
  if (was_submitted) {
    const std::lock_guard hold(mutex_);
    ++counts_[{attempt.supplier, std::string(to_word(outcome.state))}];
  }
  judge(attempt.supplier, rules_.supplier, seen.supplier, attempt);
  judge(line_of(attempt.supplier, attempt.supplier_operator_id), rules_.line, seen.line, attempt);
}

bool SupplierHealth::tips(const std::string& line, const WindowRule& rule, Seen seen) {
  const std::int64_t now = clock_.wall_ms();
  const std::lock_guard hold(mutex_);
  if (windows_.size() >= kMaxWindows && windows_.find(line) == windows_.end()) windows_.clear();
  OutcomeWindow& window = windows_[line];
  window.note(now, rules_.window_ms, seen == Seen::good);
  if (seen == Seen::good) return false;
  const OutcomeWindow::Count count = window.count(now, rules_.window_ms);
  const std::int64_t all = count.good + count.bad;
  const bool is_too_much =
      all >= rule.least && count.bad * kBasisPointsPerWhole >= all * rule.bad_bp;
  if (is_too_much) window.clear();  // what comes after the closing is judged anew
  return is_too_much;
}

void SupplierHealth::judge(const std::string& line, const WindowRule& rule, Seen seen,
                           const SupplyAttempt& attempt) {
  if (seen == Seen::nothing) return;
  const bool was_trial = attempt.choice.find("\"" + trial_word(line) + "\"") != std::string::npos;
  const bool is_closing = tips(line, rule, seen);
  if (was_trial && seen == Seen::good) {
    const std::lock_guard hold(mutex_);
    windows_[line].clear();  // what led to the closing is settled
  }
  if (!was_trial && !is_closing) return;
  try {
    db_.write([&](storage::Tx& tx) {
      const auto stored = supplier_line_store::find(tx, line);
      SupplierLine known = stored.value_or(SupplierLine());
      known.line = line;
      if (known.state == LineState::trial && known.trial_attempt == attempt.id.text) {
        end_trial(tx, std::move(known), seen == Seen::good);
      } else if (is_closing && known.state == LineState::open) {
        close(tx, std::move(known), "error_window");
      }
      return true;
    });
  } catch (const storage::SqlError& failure) {
    base::log(base::Level::warn, "supplier_line_not_kept",
              {{"line", line}, {"why", failure.what()}});
  }
}

void SupplierHealth::close(storage::Tx& tx, SupplierLine line, std::string_view reason) const {
  const LineState before = line.state;
  std::int64_t closed_ms = rules_.closed_ms;
  for (std::int64_t i = 0; i < line.closings && closed_ms < rules_.longest_closed_ms; ++i) {
    closed_ms *= 2;
  }
  ++line.closings;
  line.state = LineState::closed;
  line.reason = reason;
  line.changed_at_ms = clock_.wall_ms();
  line.reopen_at_ms = line.changed_at_ms + std::min(closed_ms, rules_.longest_closed_ms);
  line.trial_attempt.clear();
  supplier_line_store::save(tx, line);
  if (told_) told_(tx, line, before);
}

void SupplierHealth::end_trial(storage::Tx& tx, SupplierLine line, bool is_good) const {
  if (!is_good) return close(tx, std::move(line), "trial_failed");
  line.state = LineState::open;
  line.reason = "trial_succeeded";
  line.closings = 0;
  line.changed_at_ms = clock_.wall_ms();
  line.reopen_at_ms = 0;
  line.trial_attempt.clear();
  supplier_line_store::save(tx, line);
  if (told_) told_(tx, line, LineState::trial);
}

bool SupplierHealth::set_by_hand(storage::Tx& tx, std::string_view line, bool is_open,
                                 std::string_view reason) {
  SupplierLine known = supplier_line_store::find(tx, line).value_or(SupplierLine());
  const LineState wanted = is_open ? LineState::open : LineState::off;
  if (known.state == wanted) return false;
  const LineState before = known.state;
  known.line = line;
  known.state = wanted;
  known.reason = reason;
  known.closings = 0;
  known.changed_at_ms = clock_.wall_ms();
  known.reopen_at_ms = 0;
  known.trial_attempt.clear();
  supplier_line_store::save(tx, known);
  if (told_) told_(tx, known, before);
  return true;
}

void SupplierHealth::keep_balance(std::string_view supplier, Money balance, bool is_low) {
  db_.write([&](storage::Tx& tx) {
    SupplierLine known = supplier_line_store::find(tx, supplier).value_or(SupplierLine());
    const bool was_low = known.is_low;
    known.line = supplier;
    known.balance = balance;
    known.balance_at_ms = clock_.wall_ms();
    known.is_low = is_low;
    supplier_line_store::save(tx, known);
    if (told_ && was_low != is_low) told_(tx, known, known.state);
    return true;
  });
}

std::vector<SupplierHealth::Figure> SupplierHealth::figures() const {
  const std::lock_guard hold(mutex_);
  std::vector<Figure> figures;
  for (const auto& [key, count] : counts_) figures.push_back({key.first, key.second, count});
  return figures;
}

}  // namespace topup::suppliers
