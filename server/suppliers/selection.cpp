#include "server/suppliers/selection.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace topup::suppliers {
namespace {

constexpr std::array<std::string_view, 4> kLineWords = {"open", "closed", "trial", "off"};
constexpr std::array<std::string_view, 10> kVerdictWords = {
    "chosen",   "standby",     "tried_before", "not_configured", "disabled", "amount_not_offered",
    "too_dear", "low_balance", "line_down",    "closed"};

Verdict judge(const Candidate& one, std::int64_t cost_minor,
              std::optional<std::int64_t> most_minor) {
  if (one.was_tried) return Verdict::tried_before;
  if (!one.is_configured) return Verdict::not_configured;
  if (!one.is_enabled) return Verdict::disabled;
  if (!one.offers_amount) return Verdict::amount_not_offered;
  if (most_minor && cost_minor > *most_minor) return Verdict::too_dear;
  if (one.line == LineState::off) return Verdict::closed;
  if (one.line != LineState::open && !one.is_trial_due) return Verdict::line_down;
  const bool is_short = one.balance && one.balance->currency == one.cost.currency &&
                        one.balance->minor < std::max<std::int64_t>(one.cost.minor, 1);
  return is_short ? Verdict::low_balance : Verdict::standby;
}

}  // namespace

std::string_view to_word(LineState state) { return kLineWords[static_cast<std::size_t>(state)]; }

std::optional<LineState> parse_line_state(std::string_view word) {
  for (std::size_t i = 0; i < kLineWords.size(); ++i) {
    if (kLineWords[i] == word) return static_cast<LineState>(i);
  }
  return std::nullopt;
}

std::string_view to_word(Verdict verdict) {
  return kVerdictWords[static_cast<std::size_t>(verdict)];
}

bool may_pass(Verdict verdict) {
  return verdict == Verdict::too_dear || verdict == Verdict::low_balance ||
         verdict == Verdict::line_down || verdict == Verdict::closed;
}

Selection select(const std::vector<Candidate>& candidates, const std::vector<Rate>& rates,
                 Currency shop, std::optional<std::int64_t> most_minor) {
  Selection judged;
  judged.reserve(candidates.size());
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& one = candidates[i];
    const std::int64_t cost =
        one.cost.minor > 0 ? in_shop_currency(one.cost, rates, shop).value_or(-1) : -1;
    judged.push_back({i, judge(one, cost, most_minor), cost});
  }
  const auto rank = [&](const Judged& one) {
    const Candidate& candidate = candidates[one.candidate];
    const int group = one.verdict == Verdict::standby ? 0 : may_pass(one.verdict) ? 1 : 2;
    return std::make_tuple(group, one.cost_minor < 0, one.cost_minor, candidate.priority,
                           std::string_view(candidate.supplier));
  };
  std::stable_sort(judged.begin(), judged.end(),
                   [&](const Judged& a, const Judged& b) { return rank(a) < rank(b); });
  if (!judged.empty() && judged.front().verdict == Verdict::standby)
    judged.front().verdict = Verdict::chosen;
  return judged;
}

const Judged* chosen_of(const Selection& selection) {
  const bool has_one = !selection.empty() && selection.front().verdict == Verdict::chosen;
  return has_one ? &selection.front() : nullptr;
}

bool may_wait(const Selection& selection) {
  return chosen_of(selection) == nullptr &&
         std::any_of(selection.begin(), selection.end(),
                     [](const Judged& one) { return may_pass(one.verdict); });
}

std::optional<std::int64_t> in_shop_currency(Money amount, const std::vector<Rate>& rates,
                                             Currency shop) {
  if (amount.currency == shop) return amount.minor;
  for (const Rate& rate : rates) {
    if (rate.from != amount.currency || rate.to != shop) continue;
    const Result<Money> converted = convert(amount, rate, Round::up);
    if (!converted) return std::nullopt;
    return converted->minor;
  }
  return std::nullopt;
}

std::int64_t scaled(std::int64_t amount, std::int64_t by, std::int64_t of, Round round) {
  if (of == 0) return 0;
  const __int128 product = static_cast<__int128>(amount) * by;
  const __int128 whole = product / of;
  const __int128 rest = product % of;
  const bool is_more = round == Round::up ? rest != 0 : round == Round::half_up && 2 * rest >= of;
  const __int128 result = whole + (is_more ? 1 : 0);
  return result > kMaxMinor ? kMaxMinor : static_cast<std::int64_t>(result);
}

}  // namespace topup::suppliers
