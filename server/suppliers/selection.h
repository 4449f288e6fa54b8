// Which supplier gets an order: pure choice among the ways to deliver one product. What is switched
// off, not wired, tried before, too dear, short of balance or shut falls away; of the rest the
// cheapest wins, in the shop's currency, then the lowest priority number, then the name. Every
// candidate gets a reason. Laws (selection_test.cpp): the order of the candidates changes nothing;
// one more candidate never makes the choice dearer; whoever is chosen has nothing against it.
// Pure; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/money.h"

namespace topup::suppliers {

enum class LineState : std::uint8_t { open, closed, trial, off };  // stored as words
std::string_view to_word(LineState state);                         // "open" …
std::optional<LineState> parse_line_state(std::string_view word);

struct Candidate {
  std::string supplier;
  Money cost;  // of the amount that is wanted; 0: not known
  std::int64_t priority = 100;
  bool is_enabled = true;
  bool is_configured = true;  // the shop has this supplier
  bool offers_amount = true;
  bool was_tried = false;            // it has refused this order
  LineState line = LineState::open;  // the worse of the supplier's and the operator's
  bool is_trial_due = false;         // of a closed line: one order may try
  std::optional<Money> balance;      // at the supplier; nullopt: not known
};

enum class Verdict : std::uint8_t {
  chosen,
  standby,  // could take it, another is better
  tried_before,
  not_configured,
  disabled,
  amount_not_offered,
  too_dear,
  low_balance,
  line_down,  // closed by its errors, or its one trial is under way
  closed,     // by a person
};
std::string_view to_word(Verdict verdict);
// What the next minutes may heal without anybody touching the order.
bool may_pass(Verdict verdict);

struct Judged {
  std::size_t candidate = 0;  // index into what was asked about
  Verdict verdict = Verdict::standby;
  std::int64_t cost_minor = -1;  // in the shop's currency; -1: not known
};
// The best first; the chosen one, if any, is the first.
using Selection = std::vector<Judged>;

// `most_minor` in the shop's currency, above it a known cost is too dear; nullopt: no bound. A cost
// that no rate converts counts as not known: it is bounded by nobody and comes after all known
// ones.
Selection select(const std::vector<Candidate>& candidates, const std::vector<Rate>& rates,
                 Currency shop, std::optional<std::int64_t> most_minor);
const Judged* chosen_of(const Selection& selection);  // nullptr: nobody can
bool may_wait(const Selection& selection);            // nobody can now, and somebody may soon

// In `shop`, rounded up, because it is somebody's claim on us; nullopt without a rate.
std::optional<std::int64_t> in_shop_currency(Money amount, const std::vector<Rate>& rates,
                                             Currency shop);
// amount × by / of, for what scales with a part of a price; rounded as told; 0 of `of` is 0.
std::int64_t scaled(std::int64_t amount, std::int64_t by, std::int64_t of, Round round);

}  // namespace topup::suppliers
