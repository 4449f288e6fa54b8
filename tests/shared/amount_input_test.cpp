#include "shared/amount_input.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

using namespace topup;

namespace {
AmountCheck yuan(std::string_view typed) { return check_amount(typed, fen(1), fen(kMaxMinor)); }
}  // namespace

TEST_CASE("typed amount: the spellings of a buyer") {
  struct Row {
    std::string_view typed;
    Currency currency;
    std::int64_t minor;
  };
  constexpr Row kRows[] = {
      {"100", Currency::cny, 10000},
      {"１００", Currency::cny, 10000},
      {"100元", Currency::cny, 10000},
      {"100 块钱", Currency::cny, 10000},
      {"¥98.5", Currency::cny, 9850},
      {"￥98.50", Currency::cny, 9850},
      {"1,000.00", Currency::cny, 100000},
      {"１，０００．５", Currency::cny, 100050},
      {"1,234,567", Currency::cny, 123456700},
      {"0.01", Currency::cny, 1},
      {".5", Currency::cny, 50},
      {"98。5", Currency::cny, 9850},
      {"RMB 100", Currency::cny, 10000},
      {"cny100", Currency::cny, 10000},
      {"¥100元", Currency::cny, 10000},
      {"100 CNY", Currency::cny, 10000},
      {" 100 ", Currency::cny, 10000},
      {"007", Currency::cny, 700},
      {"$5", Currency::usd, 500},
      {"US$5", Currency::usd, 500},
      {"HK$5", Currency::hkd, 500},
      {"5 USD", Currency::usd, 500},
      {"1200円", Currency::jpy, 1200},
      {"¥1,200", Currency::jpy, 1200},
      {"1.234", Currency::kwd, 1234},
      {"฿20", Currency::thb, 2000},
      {"50,000₫", Currency::vnd, 50000},
      {"9007199254740991", Currency::jpy, kMaxMinor},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.typed);
    const AmountCheck got = check_amount(row.typed, {1, row.currency}, {kMaxMinor, row.currency});
    CHECK(got.verdict == FieldVerdict::valid);
    CHECK(got.reason == "");
    CHECK(got.amount == Money{row.minor, row.currency});
  }
}

TEST_CASE("typed amount: each verdict and reason, at the first place that is wrong") {
  struct Row {
    std::string_view typed;
    std::string_view verdict;
    std::string_view text;
    int bad_at;
    std::string_view reason;
  };
  constexpr Row kRows[] = {
      {"", "empty", "", -1, ""},
      {"  ", "empty", "", -1, ""},
      {"¥", "incomplete", "", -1, ""},
      {"C", "incomplete", "", -1, ""},
      {"98.", "incomplete", "98.", -1, ""},
      {".", "incomplete", "0.", -1, "amount_below_least"},
      {"1,", "incomplete", "1", -1, ""},
      {"1,00", "incomplete", "100", -1, ""},
      {"100 C", "incomplete", "100", -1, ""},
      {"0", "incomplete", "0", -1, "amount_below_least"},
      {"0.00", "impossible", "0.00", 3, "amount_below_least"},
      {"0元", "impossible", "0", 0, "amount_below_least"},
      {"-1", "impossible", "", 0, "amount_negative"},
      {"1-1", "impossible", "1", 1, "amount_bad_character"},
      {"+1", "impossible", "", 0, "amount_bad_character"},
      {"1e3", "impossible", "1", 1, "amount_bad_character"},
      {"1 0", "impossible", "1", 1, "amount_bad_character"},
      {"1.2.", "impossible", "1.2", 3, "amount_bad_character"},
      {"元100元元", "impossible", "100", 3, "amount_bad_character"},
      {"100钱", "impossible", "100", 3, "amount_bad_character"},
      {"C1", "impossible", "", 0, "amount_bad_character"},
      {"$", "impossible", "", 0, "amount_other_currency"},
      {"100 U", "impossible", "100", 3, "amount_other_currency"},
      {"1,0000", "impossible", "1000", 4, "amount_grouping_wrong"},
      {"1,00.", "impossible", "100", 3, "amount_grouping_wrong"},
      {"1,00元", "impossible", "100", 3, "amount_grouping_wrong"},
      {"1,,", "impossible", "1", 1, "amount_grouping_wrong"},
      {"1000,", "impossible", "1000", 4, "amount_grouping_wrong"},
      {"1,000,00 ", "impossible", "100000", 6, "amount_grouping_wrong"},
      {",", "impossible", "", 0, "amount_bad_character"},
      {"1.234", "impossible", "1.23", 4, "amount_too_many_decimals"},
      {"90071992547409.92", "impossible", "90071992547409.9", 16, "amount_above_most"},
      {"99999999999999999999", "impossible", "999999999999999", 15, "amount_above_most"},
      {"一百", "impossible", "", 0, "amount_bad_character"},
      {"1\xFF", "impossible", "1", 1, "amount_bad_character"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.typed);
    const AmountCheck got = yuan(row.typed);
    CHECK(to_word(got.verdict) == row.verdict);
    CHECK(got.text == row.text);
    CHECK(got.bad_at == row.bad_at);
    CHECK(got.reason == row.reason);
    CHECK(got.amount == fen(0));
  }
  CHECK(check_amount("1.", {1, Currency::jpy}, {100, Currency::jpy}).reason ==
        "amount_too_many_decimals");
  CHECK(yuan(std::string(kMaxTypedBytes + 1, '0')).reason == "amount_above_most");
}

TEST_CASE("typed amount: between its bounds, and hopeless only when no digit can help") {
  struct Row {
    std::string_view typed;
    std::string_view verdict;
    std::string_view reason;
  };
  constexpr Row kRows[] = {
      {"1", "incomplete", "amount_below_least"},
      {"10", "incomplete", "amount_below_least"},
      {"30", "impossible", "amount_below_least"},
      {"50", "valid", ""},
      {"200", "valid", ""},
      {"200.5", "impossible", "amount_above_most"},
      {"201", "impossible", "amount_above_most"},
      {"49", "impossible", "amount_below_least"},
      {"49.9", "impossible", "amount_below_least"},
      {"2", "incomplete", "amount_below_least"},
      {"20元", "impossible", "amount_below_least"},
      {"200.0", "valid", ""},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.typed);
    const AmountCheck got = check_amount(row.typed, fen(5000), fen(20000));
    CHECK(to_word(got.verdict) == row.verdict);
    CHECK(got.reason == row.reason);
  }
  CHECK(check_amount("0", fen(0), fen(100)).verdict == FieldVerdict::valid);
}

TEST_CASE("typed amount: decimal text comes back as the same amount") {
  CHECK(rc::check("round trip", [] {
    const auto currency = *rc::gen::element(Currency::cny, Currency::jpy, Currency::kwd);
    const Money amount{*rc::gen::inRange<std::int64_t>(1, kMaxMinor), currency};
    const std::string text = decimal_text(amount);
    const AmountCheck got = check_amount(text, {1, currency}, {kMaxMinor, currency});
    RC_ASSERT(got.verdict == FieldVerdict::valid);
    RC_ASSERT(got.amount == amount);
    RC_ASSERT(got.text == text);
  }));
}

TEST_CASE("typed amount: a verdict keeps its word") {
  const auto part = rc::gen::element<std::string>("0", "1", "2", "9", ".", ",", " ", "元", "¥", "C",
                                                  "N", "Y", "块", "-");
  CHECK(rc::check("what is impossible stays so", [&] {
    const auto parts = *rc::gen::container<std::vector<std::string>>(part);
    const Money least = fen(*rc::gen::inRange(0, 3000));
    const Money most = fen(least.minor + *rc::gen::inRange(0, 300000));
    std::string typed;
    bool was_impossible = false;
    for (const std::string& piece : parts) {
      typed += piece;
      const AmountCheck got = check_amount(typed, least, most);
      if (was_impossible) RC_ASSERT(got.verdict == FieldVerdict::impossible);
      was_impossible = got.verdict == FieldVerdict::impossible;
      if (got.verdict == FieldVerdict::valid) {
        RC_ASSERT(got.amount.minor >= least.minor && got.amount.minor <= most.minor);
        RC_ASSERT(parse_decimal(got.text, Currency::cny).value() == got.amount);
      }
    }
  }));
  CHECK(rc::check("plain digits are hopeless only when no plain digits can follow", [] {
    const std::int64_t least = *rc::gen::inRange(1, 400);
    const std::int64_t most = *rc::gen::inRange<std::int64_t>(least, 2000);
    const Currency yen = Currency::jpy;
    const std::int64_t typed = *rc::gen::inRange(1, 500);
    const auto got = check_amount(std::to_string(typed), {least, yen}, {most, yen});
    bool can_be = false;
    for (std::int64_t whole = 1; whole <= most; ++whole) {
      const bool begins = std::to_string(whole).starts_with(std::to_string(typed));
      can_be = can_be || (begins && whole >= least);
    }
    RC_ASSERT((got.verdict == FieldVerdict::impossible) == !can_be);
  }));
}
