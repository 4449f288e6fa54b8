// F037: a fund flow folded into lines, brought to the words of the trade bill, and paired with what
// people booked. Pure.
#include "server/reconcile/funds.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "shared/time_point.h"

using namespace topup;
using namespace topup::reconcile;
using payments::FundKind;
using payments::FundLine;

namespace {

constexpr std::int64_t kFrom = 1'763'654'400'000;  // 2025-11-21 00:00 in China
constexpr std::int64_t kNoon = kFrom + kDayMs / 2;

// Movements in their order, each with the balance that it leaves.
struct Flow {
  std::vector<FundLine> lines;
  std::int64_t balance = 1'000;

  Flow& add(FundKind kind, const std::string& number, std::int64_t minor) {
    FundLine line;
    line.kind = kind;
    line.flow_no = "F" + std::to_string(lines.size());
    line.business_no = number.empty() ? "" : "wx-" + number;
    line.number = number;
    line.word = "word";
    line.amount = fen(minor);
    line.balance = fen(balance += minor);
    line.at_ms = kNoon;
    lines.push_back(line);
    return *this;
  }
};

TradeSaid said(std::int64_t fee, std::int64_t lines = 1) {
  TradeSaid out;
  out.lines = lines;
  out.fee_minor = fee;
  out.at_ms = kNoon;
  return out;
}

Ours record(Side side, const std::string& number, std::int64_t booked) {
  Ours out;
  out.side = side;
  out.number = number;
  out.amount = out.booked = fen(booked);
  out.stand = booked == 0 ? Stand::pending : Stand::done;
  out.at_ms = kNoon;
  return out;
}

Terms terms() {
  Terms out;
  out.from_ms = kFrom;
  out.until_ms = kFrom + kDayMs;
  out.moves_fees = true;
  return out;
}

Matched compare(const std::vector<FundLine>& lines, const std::vector<Ours>& records,
                const Trade& trade) {
  std::vector<Ours> ours;
  for (const Ours& one : records) {
    const auto known = trade.find({one.side, one.number});
    ours.push_back(as_accounted(one, known == trade.end() ? TradeSaid{} : known->second));
  }
  return match(as_traded(fold_funds(lines), trade), ours, {}, terms());
}

}  // namespace

TEST_CASE("a fund flow folds: each fee with its payment or refund, the rest by itself") {
  Flow flow;
  flow.add(FundKind::payment, "T1", 9'950).add(FundKind::fee, "T1", -60);
  flow.add(FundKind::refund, "R1", -1'000).add(FundKind::fee, "R1", 6);
  flow.add(FundKind::withdrawal, "W1", -5'000);
  flow.add(FundKind::other, "", 77).add(FundKind::fee, "NOBODY", -1);
  const auto lines = fold_funds(flow.lines);
  REQUIRE(lines.size() == 5);
  CHECK(lines[0].side == Side::payment);
  CHECK(lines[0].number == "T1");
  CHECK(lines[0].their_number == "wx-T1");
  CHECK(lines[0].amount == fen(9'950));
  CHECK(lines[0].fee == fen(-60));
  CHECK(lines[1].side == Side::refund);
  CHECK(lines[1].amount == fen(-1'000));
  CHECK(lines[1].fee == fen(6));
  CHECK(lines[2].side == Side::withdrawal);
  CHECK(lines[2].number.empty());
  CHECK(lines[2].their_number == "F4");
  CHECK(lines[3].side == Side::movement);
  CHECK(lines[4].side == Side::movement);
  CHECK(lines[4].amount == fen(-1));
  CHECK(fold_funds({}).empty());
}

TEST_CASE("a payment listed twice keeps both lines, each with its fee") {
  Flow flow;
  for (int i = 0; i < 2; ++i) flow.add(FundKind::payment, "T1", 500).add(FundKind::fee, "T1", -3);
  const auto lines = fold_funds(flow.lines);
  REQUIRE(lines.size() == 2);
  for (const Theirs& line : lines) CHECK(line.fee == fen(-3));
}

TEST_CASE("a fee finds its payment or its refund where one number stands for both") {
  Flow flow;
  flow.add(FundKind::refund, "T1", -1'000).add(FundKind::fee, "T1", 6);
  flow.add(FundKind::payment, "T1", 9'950).add(FundKind::fee, "T1", -60);
  flow.add(FundKind::refund, "T1", -500).add(FundKind::fee, "T1", 3);
  const auto lines = fold_funds(flow.lines);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].fee == fen(6));
  CHECK(lines[1].fee == fen(-60));
  CHECK(lines[2].fee == fen(3));
  // A refund alone, whose fee goes the other way, as one that a channel takes for giving back.
  Flow odd;
  odd.add(FundKind::refund, "R1", -1'000).add(FundKind::fee, "R1", -5);
  CHECK(fold_funds(odd.lines)[0].fee == fen(-5));
}

TEST_CASE("the ends of the balance do not depend on how lines of one moment stand") {
  CHECK_FALSE(ends_of({}));
  Flow flow;
  flow.add(FundKind::payment, "T1", 500).add(FundKind::fee, "T1", -3);
  flow.add(FundKind::payment, "T2", 200).add(FundKind::withdrawal, "", -600);
  std::sort(flow.lines.begin(), flow.lines.end(),
            [](const auto& a, const auto& b) { return a.amount.minor < b.amount.minor; });
  do {
    const auto ends = ends_of(flow.lines);
    REQUIRE(ends);
    CHECK(ends->opening == fen(1'000));
    CHECK(ends->closing == fen(1'097));
  } while (std::next_permutation(
      flow.lines.begin(), flow.lines.end(),
      [](const auto& a, const auto& b) { return a.amount.minor < b.amount.minor; }));
  // A balance that does not follow from the movements: first and last line as they stand.
  Flow torn;
  torn.add(FundKind::payment, "T1", 500);
  torn.balance += 40;
  torn.add(FundKind::payment, "T2", 200);
  CHECK(ends_of(torn.lines)->opening == fen(1'000));
  CHECK(ends_of(torn.lines)->closing == fen(1'740));
}

TEST_CASE("a refund that carries its payment's number is the one of its amount and moment") {
  struct Line {
    std::int64_t minor, after_ms;
    const char* number;     // that it must get
    const char* said = "";  // "" for the payment's
  };
  struct Row {
    const char* name;
    std::vector<std::pair<const char*, std::int64_t>> refunds;  // one second after the other
    std::vector<Line> lines;
  };
  const Row rows[] = {
      {"one", {{"R1", -500}}, {{-500, 3, "R1"}}},
      {"of another amount", {{"R1", -500}}, {{-400, 3, "R1"}}},
      {"two, in any order", {{"R1", -500}, {"R2", -700}}, {{-700, 0, "R2"}, {-500, 0, "R1"}}},
      {"one that differs takes no other's place",
       {{"R1", -500}, {"R2", -700}},
       {{-600, 0, "R2"}, {-500, 0, "R1"}}},
      {"alike, by their moments",
       {{"R1", -500}, {"R2", -500}},
       {{-500, 1'010, "R2"}, {-500, 10, "R1"}}},
      {"alike, and one is missing", {{"R1", -500}, {"R2", -500}}, {{-500, 1'000, "R2"}}},
      {"listed twice",
       {{"R1", -500}, {"R2", -700}},
       {{-500, 0, "R1"}, {-500, 0, "R1"}, {-700, 0, "R2"}}},
      {"one too many of another amount", {{"R1", -500}}, {{-500, 0, "R1"}, {-1, 0, "T1"}}},
      {"one has its own number",
       {{"R1", -500}, {"R2", -500}},
       {{-500, 0, "R2"}, {-500, 0, "R1", "R1"}}},
      {"none is known", {}, {{-500, 0, "T1"}}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    // As the trade bill has them; as our own record has them where the trade bill has none.
    for (const bool is_listed : {true, false}) {
      Trade trade;
      std::int64_t at_ms = kNoon;
      for (const auto& [number, minor] : row.refunds) {
        TradeSaid& refund = trade[{Side::refund, number}] = said(0, is_listed ? 1 : 0);
        refund.amount_minor = minor;
        refund.at_ms = at_ms;
        at_ms += 1'000;
        (is_listed ? refund.their_number : refund.payment) = is_listed ? "wx-T1" : "T1";
      }
      trade[{Side::refund, "R-OF-ANOTHER"}].their_number = "wx-T2";
      trade[{Side::payment, "T1"}].their_number = "wx-T1";
      std::vector<Theirs> lines;
      for (const Line& wanted : row.lines) {
        Theirs line;
        line.side = Side::refund;
        line.number = std::string_view(wanted.said).empty() ? "T1" : wanted.said;
        line.their_number = "wx-T1";
        line.amount = fen(wanted.minor);
        line.fee = fen(0);
        line.at_ms = kNoon + wanted.after_ms;
        lines.push_back(line);
      }
      const auto named = as_traded(lines, trade);
      REQUIRE(named.size() == row.lines.size());
      for (std::size_t i = 0; i < named.size(); ++i) CHECK(named[i].number == row.lines[i].number);
    }
  }
}

TEST_CASE("a reference of the fund flow agrees, or is of the kind that fits") {
  struct Row {
    const char* name;
    std::vector<std::int64_t> moved;  // amounts, a fee after each
    std::int64_t booked;
    TradeSaid trade;
    const char* kind;  // "" for agreed
    std::int64_t move;
  };
  TradeSaid carried = said(-60), waived = said(-60), twice = said(-120, 2), fee = said(-70);
  carried.carried_minor = -9'950;
  waived.waived_minor = 30;
  twice.carried_minor = 9'950;
  fee.waived_fee_minor = -10;
  TradeSaid gone = said(0, 0), unheard = said(-60);
  gone.waived_minor = -9'950;
  unheard.waived_minor = 9'950;
  const std::vector<Row> rows = {
      {"as the trade bill", {9'950, -60}, 9'950, said(-60), "", 0},
      {"another amount", {9'900, -60}, 9'950, said(-60), "amount_differs", -50},
      {"another amount and fee", {9'900, -59}, 9'950, said(-60), "amount_differs", -49},
      {"another fee", {9'950, -61}, 9'950, said(-60), "fee_differs", -1},
      {"no fee", {9'950, 0}, 9'950, said(-60), "fee_differs", 60},
      {"not there", {}, 9'950, said(-60), "missing_theirs", -9'890},
      {"there, but left out of the trade bill",
       {9'950, -60},
       9'950,
       carried,
       "amount_differs",
       9'950},
      {"twice in both", {9'950, -60, 9'950, -60}, 9'950, twice, "", 0},
      {"twice in the trade bill alone", {9'950, -60}, 9'950, twice, "amount_differs", -9'890},
      {"twice here alone", {9'950, -60, 9'950, -60}, 9'950, said(-60), "duplicate_theirs", 9'890},
      {"what was taken back, repeated", {9'980, -60}, 9'950, waived, "", 0},
      {"what was taken back, mended", {9'950, -60}, 9'950, waived, "", 0},
      {"neither of them", {9'960, -60}, 9'950, waived, "amount_differs", 10},
      {"a fee that was taken back, repeated", {9'950, -70}, 9'950, fee, "", 0},
      {"a fee that was taken back, mended", {9'950, -60}, 9'950, fee, "", 0},
      {"missing in both, taken back", {}, 9'950, gone, "", 0},
      {"missing in the trade bill alone, taken back", {9'950, 0}, 9'950, gone, "", 0},
      {"unpaid with us, taken back, repeated", {9'950, -60}, 0, unheard, "", 0},
      {"unpaid with us, taken back, mended", {}, 0, unheard, "missing_theirs", 60},
      {"paid here alone", {9'950, -60}, 0, said(0, 0), "state_differs", 9'890},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Flow flow;
    for (std::size_t i = 0; i < row.moved.size(); ++i)
      flow.add(i % 2 == 0 ? FundKind::payment : FundKind::fee, "T1", row.moved[i]);
    Trade trade;
    trade[{Side::payment, "T1"}] = row.trade;
    const Matched matched = compare(flow.lines, {record(Side::payment, "T1", row.booked)}, trade);
    if (*row.kind == '\0') {
      CHECK(matched.differences.empty());
      continue;
    }
    REQUIRE(matched.differences.size() == 1);
    CHECK(to_word(matched.differences[0].kind) == row.kind);
    CHECK(matched.differences[0].move == fen(row.move));
  }
}

TEST_CASE("a refund on its way agrees though the books wait for its end") {
  Flow flow;
  flow.add(FundKind::refund, "R1", -1'000).add(FundKind::fee, "R1", 6);
  Trade trade;
  trade[{Side::refund, "R1"}] = said(6);
  for (const Stand stand : {Stand::pending, Stand::stuck}) {
    trade[{Side::refund, "R1"}].stand = stand;
    CHECK(compare(flow.lines, {record(Side::refund, "R1", 0)}, trade).differences.empty());
    CHECK(compare(flow.lines, {record(Side::refund, "R1", -1'000)}, trade).differences.empty());
  }
  trade[{Side::refund, "R1"}].stand = Stand::done;
  const auto matched = compare(flow.lines, {record(Side::refund, "R1", 0)}, trade);
  REQUIRE(matched.differences.size() == 1);
  CHECK(matched.differences[0].kind == Kind::refund_state_differs);
}

TEST_CASE("a payment without our number is found by theirs") {
  Flow flow;
  flow.add(FundKind::payment, "", 500);
  flow.lines[0].business_no = "wx-T1";
  Trade trade;
  trade[{Side::payment, "T1"}] = said(0);
  trade[{Side::payment, "T1"}].their_number = "wx-T1";
  CHECK(compare(flow.lines, {record(Side::payment, "T1", 500)}, trade).differences.empty());
}

TEST_CASE("movements and entries pair by side, amount and time, each once") {
  const auto one = [](const char* number, std::int64_t minor, std::int64_t at_ms,
                      Side side = Side::withdrawal) {
    return Unnamed{side, number, fen(minor), "", at_ms};
  };
  const std::vector<Unnamed> moved = {one("F1", -500, kNoon), one("F2", -500, kNoon + kDayMs),
                                      one("F3", -700, kNoon), one("F4", -9, kNoon, Side::movement)};
  struct Row {
    const char* name;
    std::vector<Unnamed> booked;
    std::map<std::string, std::string> pairs;
  };
  const std::vector<Row> rows = {
      {"nothing booked", {}, {}},
      {"booked the same morning", {one("J1", -500, kFrom)}, {{"F1", "J1"}}},
      {"booked a week later", {one("J1", -700, kFrom + 8 * kDayMs - 1)}, {{"F3", "J1"}}},
      {"booked too late", {one("J1", -700, kFrom + 8 * kDayMs)}, {}},
      {"booked the day before", {one("J1", -700, kFrom - 1)}, {}},
      {"another amount", {one("J1", -701, kNoon)}, {}},
      {"another side", {one("J1", -9, kNoon)}, {}},
      {"one entry is of one movement", {one("J1", -500, kNoon + kDayMs)}, {{"F1", "J1"}}},
      {"two of one amount, in order",
       {one("J2", -500, kNoon + 2 * kDayMs), one("J1", -500, kNoon + kDayMs)},
       {{"F1", "J1"}, {"F2", "J2"}}},
      {"a fee by hand", {one("J1", -9, kNoon, Side::movement)}, {{"F4", "J1"}}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    auto reversed = moved;
    std::reverse(reversed.begin(), reversed.end());
    CHECK(pair_unnamed(moved, row.booked) == row.pairs);
    CHECK(pair_unnamed(reversed, row.booked) == row.pairs);
  }
}

TEST_CASE("a balance that does not follow from the one before is a difference of its own") {
  Flow flow;
  flow.add(FundKind::payment, "T1", 500).add(FundKind::fee, "T1", -3);
  const auto lines = fold_funds(flow.lines);
  CHECK_FALSE(balance_difference(lines, fen(1'000), fen(1'497)));
  const auto found = balance_difference(lines, fen(1'000), fen(1'500));
  REQUIRE(found);
  CHECK(found->kind == Kind::balance_differs);
  CHECK(found->move == fen(3));
  CHECK(*found->ours == fen(1'497));
  CHECK(*found->theirs == fen(1'500));
}
