#include "shared/money.h"

#include <doctest/doctest.h>

#include <string>

using namespace topup;

TEST_CASE("decimal text and back: each currency keeps its own number of decimals") {
  struct Row {
    const char* name;
    std::int64_t minor;
    Currency currency;
    const char* text;
  };
  const Row rows[] = {
      {"fen", 9850, Currency::cny, "98.50"},
      {"below one yuan", 5, Currency::cny, "0.05"},
      {"zero", 0, Currency::cny, "0.00"},
      {"negative", -1, Currency::cny, "-0.01"},
      {"yen has no decimals", 1200, Currency::jpy, "1200"},
      {"fils have three", 1, Currency::kwd, "0.001"},
      {"the largest amount", kMaxMinor, Currency::cny, "90071992547409.91"},
      {"the smallest amount", -kMaxMinor, Currency::jpy, "-9007199254740991"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(decimal_text({row.minor, row.currency}) == row.text);
    const auto back = parse_decimal(row.text, row.currency);
    REQUIRE(back);
    CHECK(back->minor == row.minor);
  }
}

TEST_CASE("parse_decimal refuses everything that is not plainly an amount") {
  const char* rows[] = {"",     "-",  ".",     ".5", "5.", "+1",  "1e3", "1.234",
                        "0x10", "１", "1,000", " 1", "1 ", "NaN", "--1", "1.2.3"};
  for (const char* text : rows) {
    CAPTURE(text);
    const auto got = parse_decimal(text, Currency::cny);
    REQUIRE_FALSE(got);
    CHECK(got.error().reason == "amount_malformed");
  }
  for (const char* text : {"90071992547409.92", "99999999999999999999", "-90071992547409.92"}) {
    CAPTURE(text);
    const auto got = parse_decimal(text, Currency::cny);
    REQUIRE_FALSE(got);
    CHECK(got.error().reason == "amount_overflow");
  }
}

TEST_CASE("scale_bp settles the fraction as it is told, and says what was left") {
  struct Row {
    std::int64_t minor, bp;
    Round round;
    std::int64_t want, left;
  };
  const Row rows[] = {
      {10000, 9950, Round::half_up, 9950, 0},
      {1, 5000, Round::half_up, 1, -5000},
      {1, 4999, Round::half_up, 0, 4999},
      {1, 5000, Round::down, 0, 5000},
      {1, 1, Round::up, 1, -9999},
      {-1, 5000, Round::half_up, -1, 5000},
      {-1, 1, Round::down, 0, -1},
      {333, 3333, Round::half_up, 111, -111},
  };
  for (const Row& row : rows) {
    CAPTURE(row.minor);
    CAPTURE(row.bp);
    std::int64_t left = 0;
    const auto got = scale_bp(fen(row.minor), row.bp, row.round, &left);
    REQUIRE(got);
    CHECK(got->minor == row.want);
    CHECK(left == row.left);
  }
  CHECK(scale_bp(fen(kMaxMinor), 10'001, Round::down).error().reason == "amount_overflow");
}

TEST_CASE("sums are checked for currency and range") {
  CHECK(add(fen(1), fen(2))->minor == 3);
  CHECK(subtract(fen(1), fen(2))->minor == -1);
  CHECK(add(fen(1), {1, Currency::usd}).error().reason == "currency_mismatch");
  CHECK(add(fen(kMaxMinor), fen(1)).error().reason == "amount_overflow");
  CHECK(subtract(fen(-kMaxMinor), fen(1)).error().reason == "amount_overflow");
}

TEST_CASE("wallets that keep five decimals are settled to cents without floating point") {
  CHECK(parse_decimal_rounded("3105.03200", Currency::usd, Round::half_up)->minor == 310503);
  CHECK(parse_decimal_rounded("0.00500", Currency::usd, Round::half_up)->minor == 1);
  CHECK(parse_decimal_rounded("0.00499", Currency::usd, Round::half_up)->minor == 0);
  CHECK(parse_decimal_rounded("49.5", Currency::cny, Round::half_up)->minor == 4950);
  CHECK_FALSE(parse_decimal_rounded("1.1234567890123", Currency::usd, Round::half_up));
}

TEST_CASE("round_to_step goes to whole steps") {
  CHECK(round_to_step(fen(1234), 10, Round::half_up)->minor == 1230);
  CHECK(round_to_step(fen(1235), 10, Round::half_up)->minor == 1240);
  CHECK(round_to_step(fen(1231), 10, Round::up)->minor == 1240);
  CHECK_FALSE(round_to_step(fen(1), 0, Round::up));
}
