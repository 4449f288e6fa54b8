// F037, L-03: a day of 10,000 lines with every kind of difference planted once.
#include "server/reconcile/matcher.h"

#include <doctest/doctest.h>

#include <chrono>
#include <set>

#include "tests/support/seeded_random.h"

using namespace topup;
using namespace topup::reconcile;

namespace {

constexpr std::int64_t kFrom = 1'763'654'400'000;  // 2025-11-21 00:00 in China
constexpr std::int64_t kUntil = kFrom + 86'400'000;
constexpr std::int64_t kNoon = kFrom + 43'200'000;

Terms day() {
  Terms terms;
  terms.from_ms = kFrom;
  terms.until_ms = kUntil;
  terms.fee_bp = 60;
  return terms;
}

struct Day {
  std::vector<Theirs> theirs;
  std::vector<Ours> ours;
  std::vector<Neighbour> neighbours;

  void both(Side side, const std::string& number, std::int64_t minor, std::int64_t at_ms = kNoon) {
    const std::int64_t sign = side == Side::payment ? 1 : -1;
    Theirs line;
    line.side = side;
    line.number = number;
    line.their_number = "wx-" + number;
    line.amount = fen(sign * minor);
    line.fee = fen(side == Side::charge ? 0 : contract_fee(line.amount, 60));
    line.word = "SUCCESS";
    line.at_ms = at_ms;
    Ours own;
    own.side = side;
    own.number = number;
    own.order_id = "o-" + number;
    own.amount = own.booked = line.amount;
    own.word = "paid";
    own.stand = Stand::done;
    own.at_ms = at_ms;
    theirs.push_back(line);
    ours.push_back(own);
  }
  Theirs& line(const std::string& number) {
    for (Theirs& one : theirs)
      if (one.number == number) return one;
    FAIL("no such line");
    return theirs.front();
  }
  Ours& own(const std::string& number) {
    for (Ours& one : ours)
      if (one.number == number) return one;
    FAIL("no such record");
    return ours.front();
  }
  void forget_theirs(const std::string& number) {
    std::erase_if(theirs, [&](const Theirs& one) { return one.number == number; });
  }
  void forget_ours(const std::string& number) {
    std::erase_if(ours, [&](const Ours& one) { return one.number == number; });
  }
  Matched compare(const Terms& terms = day()) const {
    return match(theirs, ours, neighbours, terms);
  }
};

const Difference* find(const Matched& matched, const std::string& number) {
  for (const Difference& one : matched.differences)
    if (one.number == number) return &one;
  return nullptr;
}

std::int64_t moved(const Matched& matched) {
  std::int64_t sum = 0;
  for (const Difference& one : matched.differences) sum += one.move.minor;
  return sum;
}

// 9,000 payments and 1,000 refunds that agree.
Day big_day(testing::SeededRandom& random) {
  Day out;
  for (int i = 0; i < 10'000; ++i) {
    const auto drawn = static_cast<unsigned char>(random.bytes(1)[0]);
    out.both(i % 10 == 9 ? Side::refund : Side::payment, "N" + std::to_string(i), 100 + drawn * 37,
             kFrom + 3'600'000 + i * 5'000);
  }
  return out;
}

}  // namespace

TEST_CASE("F037, L-03: 10,000 lines with ten kinds planted: ten of ten found, none invented") {
  testing::SeededRandom random(7);
  Day shop = big_day(random);
  CHECK(shop.compare().differences.empty());
  CHECK(shop.compare().agreed == 10'000);

  std::vector<std::pair<std::string, Kind>> planted;
  const auto plant = [&](const std::string& number, Kind kind) {
    planted.push_back({number, kind});
  };
  shop.forget_ours("N10"), plant("N10", Kind::missing_ours);
  shop.forget_theirs("N20"), plant("N20", Kind::missing_theirs);
  shop.line("N30").amount = fen(shop.line("N30").amount.minor - 1),
  plant("N30", Kind::amount_differs);
  shop.theirs.push_back(shop.line("N40")), plant("N40", Kind::duplicate_theirs);
  shop.own("N59").stand = Stand::pending, shop.own("N59").booked = fen(0);
  plant("N59", Kind::refund_state_differs);
  shop.forget_theirs("N69"), plant("N69", Kind::refund_missing);
  shop.own("N70").at_ms = kUntil + 1'000, plant("N70", Kind::day_edge);
  shop.line("N80").fee.minor -= 3, plant("N80", Kind::fee_differs);
  shop.line("N90").payee = "1900000999", plant("N90", Kind::wrong_payee);
  shop.own("N100").stand = Stand::pending, shop.own("N100").booked = fen(0);
  plant("N100", Kind::state_differs);

  const auto began = std::chrono::steady_clock::now();
  const Matched matched = shop.compare();
  const auto took = std::chrono::steady_clock::now() - began;
  CHECK(took < std::chrono::seconds(5));
  CHECK(matched.differences.size() == planted.size());
  std::set<Kind> kinds;
  for (const auto& [number, kind] : planted) {
    CAPTURE(number);
    const Difference* found = find(matched, number);
    REQUIRE(found != nullptr);
    CHECK(to_word(found->kind) == to_word(kind));
    kinds.insert(found->kind);
  }
  CHECK(kinds.size() == kKinds - 1);  // a balance is of a whole day: funds_test.cpp
}

TEST_CASE("F037: the same day compared again, in any order of lines, gives the same differences") {
  testing::SeededRandom random(11);
  Day shop = big_day(random);
  shop.forget_ours("N3");
  shop.forget_theirs("N19");
  shop.theirs.push_back(shop.line("N4"));
  const Matched first = shop.compare();
  std::reverse(shop.theirs.begin(), shop.theirs.end());
  std::reverse(shop.ours.begin(), shop.ours.end());
  const Matched second = shop.compare();
  REQUIRE(first.differences.size() == second.differences.size());
  for (std::size_t i = 0; i < first.differences.size(); ++i) {
    CHECK(first.differences[i].kind == second.differences[i].kind);
    CHECK(first.differences[i].number == second.differences[i].number);
    CHECK(first.differences[i].move == second.differences[i].move);
  }
}

TEST_CASE("F038: the moves of all differences make our account agree with theirs to the fen") {
  testing::SeededRandom random(13);
  for (int round = 0; round < 50; ++round) {
    Day shop;
    for (int i = 0; i < 60; ++i) {
      const std::string number = "N" + std::to_string(i);
      shop.both(i % 4 == 3 ? Side::refund : Side::payment, number, 500 + i, kNoon);
      switch (static_cast<unsigned char>(random.bytes(1)[0]) % 12) {
        case 0:
          shop.forget_ours(number);
          break;
        case 1:
          shop.forget_theirs(number);
          break;
        case 2:
          shop.line(number).amount.minor += 7;
          break;
        case 3:
          shop.theirs.push_back(shop.line(number));
          break;
        case 4:
          shop.own(number).stand = Stand::failed;
          shop.own(number).booked = fen(0);
          break;
        case 5:
          shop.own(number).booked.minor += 2;
          break;
        case 6:
          shop.line(number).stand = Stand::failed;
          break;
        default:
          break;
      }
    }
    std::int64_t theirs = 0, ours = 0;
    for (const Theirs& line : shop.theirs)
      theirs += line.stand == Stand::failed ? 0 : line.amount.minor;
    for (const Ours& own : shop.ours) ours += own.booked.minor;
    Terms terms = day();
    terms.fee_bp = -1;
    CHECK(moved(shop.compare(terms)) == theirs - ours);
  }
}

TEST_CASE("F037: one second around midnight is a day edge, never missing money") {
  Day shop;
  shop.both(Side::payment, "LATE", 900, kUntil - 1);
  shop.forget_theirs("LATE");
  SUBCASE("the next day's bill is not there yet: it waits, without money") {
    const Matched matched = shop.compare();
    REQUIRE(matched.differences.size() == 1);
    CHECK(matched.differences[0].kind == Kind::day_edge);
    CHECK_FALSE(matched.differences[0].is_over);
    CHECK(matched.differences[0].move.minor == 0);
  }
  SUBCASE("the next day's bill has it: it is over") {
    shop.neighbours.push_back({Side::payment, "LATE"});
    Terms terms = day();
    terms.has_before = terms.has_after = true;
    const Matched matched = shop.compare(terms);
    REQUIRE(matched.differences.size() == 1);
    CHECK(matched.differences[0].kind == Kind::day_edge);
    CHECK(matched.differences[0].is_over);
  }
  SUBCASE("neither neighbour has it: it is missing") {
    Terms terms = day();
    terms.has_before = terms.has_after = true;
    const Matched matched = shop.compare(terms);
    REQUIRE(matched.differences.size() == 1);
    CHECK(matched.differences[0].kind == Kind::missing_theirs);
    CHECK(matched.differences[0].move == fen(-900));
  }
}

TEST_CASE("F037: a refund that the bill still calls PROCESSING is no difference") {
  Day shop;
  shop.both(Side::refund, "R1", 400);
  shop.line("R1").stand = Stand::pending;
  shop.line("R1").word = "PROCESSING";
  CHECK(shop.compare().differences.empty());
  shop.line("R1").stand = Stand::stuck;
  shop.line("R1").word = "ABNORMAL";
  const Matched matched = shop.compare();
  REQUIRE(matched.differences.size() == 1);
  CHECK(matched.differences[0].kind == Kind::refund_state_differs);
  CHECK(matched.differences[0].move.minor == 0);
}

TEST_CASE("F037: a supplier's charge that we know of as failed is a difference of its cost") {
  Day shop;
  shop.both(Side::charge, "S1", 690);
  shop.own("S1").stand = Stand::failed;
  shop.own("S1").booked = fen(0);
  const Matched matched = shop.compare();
  REQUIRE(matched.differences.size() == 1);
  CHECK(matched.differences[0].kind == Kind::state_differs);
  CHECK(matched.differences[0].move == fen(-690));
}
