#include "server/suppliers/selection.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/seeded_random.h"

namespace topup::suppliers {
namespace {

const std::vector<Rate> kRates = {{Currency::usd, Currency::cny, 720'000'000},
                                  {Currency::eur, Currency::cny, 780'000'000}};

Candidate one(const std::string& name, Money cost, std::int64_t priority = 100) {
  Candidate candidate;
  candidate.supplier = name;
  candidate.cost = cost;
  candidate.priority = priority;
  return candidate;
}

std::string chosen_name(const std::vector<Candidate>& candidates,
                        std::optional<std::int64_t> most = std::nullopt) {
  const Selection selection = select(candidates, kRates, Currency::cny, most);
  const Judged* best = chosen_of(selection);
  return best == nullptr ? "" : candidates[best->candidate].supplier;
}

Verdict verdict_of(const std::vector<Candidate>& candidates, std::size_t which,
                   std::optional<std::int64_t> most = std::nullopt) {
  for (const Judged& judged : select(candidates, kRates, Currency::cny, most)) {
    if (judged.candidate == which) return judged.verdict;
  }
  return Verdict::disabled;
}

TEST_CASE("F001: the cheapest in the shop's money wins, whatever money the supplier is paid in") {
  CHECK(chosen_name({one("a", {700, Currency::usd}), one("b", {640, Currency::eur}),
                     one("c", fen(5'050))}) == "b");
  CHECK(chosen_name({one("a", {700, Currency::usd}), one("c", fen(5'039))}) == "c");
}

TEST_CASE("F001: among equals the lower priority number wins, then the name; unknown costs last") {
  CHECK(chosen_name({one("b", fen(100)), one("a", fen(100))}) == "a");
  CHECK(chosen_name({one("b", fen(100), 1), one("a", fen(100))}) == "b");
  CHECK(chosen_name({one("a", {}, 1), one("b", fen(100))}) == "b");
  CHECK(chosen_name({one("a", {100, Currency::thb}), one("b", fen(99'999))}) == "b");
}

TEST_CASE("F001: each reason that keeps a supplier away has its word") {
  std::vector<Candidate> all(9, one("x", fen(100)));
  all[0].was_tried = true;
  all[1].is_configured = false;
  all[2].is_enabled = false;
  all[3].offers_amount = false;
  all[4].cost = fen(201);
  all[5].balance = fen(99);
  all[6].line = LineState::closed;
  all[7].line = LineState::off;
  all[8].line = LineState::trial;
  const std::vector<Verdict> expected = {
      Verdict::tried_before,       Verdict::not_configured, Verdict::disabled,
      Verdict::amount_not_offered, Verdict::too_dear,       Verdict::low_balance,
      Verdict::line_down,          Verdict::closed,         Verdict::line_down};
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(verdict_of(all, i, 200) == expected[i]);
  const Selection selection = select(all, kRates, Currency::cny, 200);
  CHECK(chosen_of(selection) == nullptr);
  CHECK(may_wait(selection));
  CHECK_FALSE(may_wait(select({all[0], all[2]}, kRates, Currency::cny, 200)));
}

TEST_CASE("X15: a closed line whose trial is due is as good as an open one") {
  std::vector<Candidate> two = {one("a", fen(100)), one("b", fen(200))};
  two[0].line = LineState::closed;
  CHECK(chosen_name(two) == "b");
  two[0].is_trial_due = true;
  CHECK(chosen_name(two) == "a");
  two[0].line = LineState::off;
  CHECK(chosen_name(two) == "b");
}

TEST_CASE("X13: a balance in another money than the cost says nothing") {
  std::vector<Candidate> two = {one("a", fen(100)), one("b", fen(200))};
  two[0].balance = Money{1, Currency::usd};
  CHECK(chosen_name(two) == "a");
  two[0].balance = fen(100);
  CHECK(chosen_name(two) == "a");
  two[0].balance = fen(99);
  CHECK(chosen_name(two) == "b");
}

Candidate drawn(testing::SeededRandom& random, int number) {
  Candidate candidate = one("s" + std::to_string(number), {});
  const auto chance = [&random](std::int64_t of) { return random.below(of) == 0; };
  const Currency currencies[] = {Currency::cny, Currency::usd, Currency::eur, Currency::thb};
  if (!chance(5)) {
    candidate.cost = {1 + random.below(10'000), currencies[random.below(4)]};
  }
  candidate.priority = random.below(3);
  candidate.is_enabled = !chance(6);
  candidate.is_configured = !chance(8);
  candidate.offers_amount = !chance(8);
  candidate.was_tried = chance(8);
  candidate.line = static_cast<LineState>(random.below(6) < 3 ? 0 : random.below(4));
  candidate.is_trial_due = candidate.line != LineState::open && chance(2);
  if (chance(2)) candidate.balance = Money{random.below(10'000), candidate.cost.currency};
  return candidate;
}

TEST_CASE("F001: laws of the choice, on thousands of drawn shops") {
  int chosen_often = 0;
  for (std::uint64_t seed = 1; seed <= 3'000; ++seed) {
    testing::SeededRandom random(seed);
    std::vector<Candidate> candidates;
    const int count = static_cast<int>(random.below(7));
    for (int i = 0; i < count; ++i) candidates.push_back(drawn(random, i));
    const auto most = random.below(3) == 0 ? std::optional<std::int64_t>()
                                           : std::optional<std::int64_t>(random.below(60'000));
    const Selection selection = select(candidates, kRates, Currency::cny, most);
    CAPTURE(seed);
    REQUIRE(selection.size() == candidates.size());
    std::vector<bool> seen(candidates.size(), false);
    for (const Judged& judged : selection) seen[judged.candidate] = true;
    CHECK(std::count(seen.begin(), seen.end(), true) == count);
    CHECK(std::count_if(selection.begin(), selection.end(), [](const Judged& judged) {
            return judged.verdict == Verdict::chosen;
          }) == (chosen_of(selection) == nullptr ? 0 : 1));

    // The order in which they are listed changes nothing.
    std::vector<Candidate> turned(candidates.rbegin(), candidates.rend());
    CHECK(chosen_name(turned, most) == chosen_name(candidates, most));

    const Judged* best = chosen_of(selection);
    if (best == nullptr) continue;
    ++chosen_often;
    const Candidate& winner = candidates[best->candidate];
    CHECK((winner.is_enabled && winner.is_configured && winner.offers_amount && !winner.was_tried));
    CHECK(winner.line != LineState::off);
    CHECK((winner.line == LineState::open || winner.is_trial_due));
    if (most) CHECK(best->cost_minor <= *most);
    if (winner.balance && winner.balance->currency == winner.cost.currency)
      CHECK(winner.balance->minor >= winner.cost.minor);

    // One more never makes it dearer; taking the loser of all away changes nothing.
    std::vector<Candidate> more = candidates;
    more.push_back(drawn(random, 9));
    const Selection wider = select(more, kRates, Currency::cny, most);
    REQUIRE(chosen_of(wider) != nullptr);
    if (best->cost_minor >= 0) {
      CHECK(chosen_of(wider)->cost_minor >= 0);
      CHECK(chosen_of(wider)->cost_minor <= best->cost_minor);
    }
  }
  CHECK(chosen_often > 1'000);
}

TEST_CASE("selection: parts of an amount are scaled without overflow, rounded as told") {
  CHECK(scaled(100, 3, 2, Round::down) == 150);
  CHECK(scaled(101, 1, 2, Round::down) == 50);
  CHECK(scaled(101, 1, 2, Round::up) == 51);
  CHECK(scaled(kMaxMinor, 10'200, 10'000, Round::down) == kMaxMinor);
  CHECK(scaled(5, 5, 0, Round::up) == 0);
}

}  // namespace
}  // namespace topup::suppliers
