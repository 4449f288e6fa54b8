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

TEST_CASE("L-02: sums are checked for currency and range") {
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

TEST_CASE("currencies: letters and digits by ISO 4217, both ways") {
  struct Row {
    const char* word;
    int digits;
  };
  const Row rows[] = {{"AED", 2}, {"BHD", 3}, {"CLP", 0}, {"CNY", 2}, {"IDR", 2}, {"IQD", 3},
                      {"ISK", 0}, {"JPY", 0}, {"KRW", 0}, {"KWD", 3}, {"LAK", 2}, {"MMK", 2},
                      {"OMR", 3}, {"PYG", 0}, {"THB", 2}, {"TND", 3}, {"TRY", 2}, {"UGX", 0},
                      {"VND", 0}, {"XAF", 0}, {"XPF", 0}, {"ZMW", 2}, {"ZWG", 2}};
  for (const Row& row : rows) {
    CAPTURE(row.word);
    const auto currency = parse_currency(row.word);
    REQUIRE(currency);
    CHECK(to_word(*currency) == row.word);
    CHECK(minor_digits(*currency) == row.digits);
  }
  for (std::size_t i = 0; i < kCurrencyCount; ++i) {
    const auto currency = static_cast<Currency>(i);
    CHECK(parse_currency(to_word(currency)) == currency);
  }
  for (const char* word : {"", "C", "CN", "CNYY", "cny", "ZZZ", "AAA", "XXX"}) {
    CAPTURE(word);
    CHECK_FALSE(parse_currency(word));
  }
}

TEST_CASE("rates: exact text, one rounding, every pair of digits") {
  struct Row {
    const char* name;
    Money amount;
    const char* rate;
    Currency to;
    Round round;
    std::int64_t minor;
  };
  const Row rows[] = {
      {"dollars to yuan", {1'999, Currency::usd}, "7.1234", Currency::cny, Round::half_up, 14'240},
      {"the same, down", {1'999, Currency::usd}, "7.1234", Currency::cny, Round::down, 14'239},
      {"yen to yuan", {1'000, Currency::jpy}, "0.04756", Currency::cny, Round::half_up, 4'756},
      {"yuan to yen", {4'756, Currency::cny}, "21.02607", Currency::jpy, Round::half_up, 1'000},
      {"yuan to dinars", {10'000, Currency::cny}, "0.04321", Currency::kwd, Round::half_up, 4'321},
      {"dinars to yen", {1, Currency::kwd}, "499.99999999", Currency::jpy, Round::half_up, 0},
      {"half goes up", {1, Currency::kwd}, "500", Currency::jpy, Round::half_up, 1},
      {"negative", {-1'999, Currency::usd}, "7.1234", Currency::cny, Round::half_up, -14'240},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto rate = parse_rate(row.rate, row.amount.currency, row.to);
    REQUIRE(rate);
    CHECK(rate_text(*rate) == row.rate);
    const auto worth = convert(row.amount, *rate, row.round);
    REQUIRE(worth);
    CHECK(*worth == Money{row.minor, row.to});
  }
  CHECK(convert(fen(1), {Currency::usd, Currency::cny, kRateOne}, Round::down).error().reason ==
        "currency_mismatch");
  CHECK(convert(fen(1), {Currency::cny, Currency::usd, 0}, Round::down).error().reason ==
        "rate_out_of_range");
  CHECK(convert(fen(kMaxMinor), {Currency::cny, Currency::kwd, kMaxRateScaled}, Round::down)
            .error()
            .reason == "amount_overflow");
  for (const char* text : {"0", "-1", "1000000.00000001", "0.000000001", "1e3", ""}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rate(text, Currency::usd, Currency::cny));
  }
}
