#include "shared/pricing.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

using namespace topup;

namespace {

PriceBook book_with(PriceRule rule, std::int64_t face_minor = 10'000) {
  PriceBook book;
  book.version = 7;
  book.rule = std::move(rule);
  book.operators.push_back(
      {"cn-mobile", "中国移动", "China Mobile", "CN", MainlandOperator::mobile});
  book.products.push_back(
      {ProductId("p1"), 0, ProductKind::airtime, fen(face_minor), fen(face_minor)});
  return book;
}

}  // namespace

TEST_CASE("quote: each rule, in order of precedence") {
  struct Row {
    const char* name;
    const char* product;
    const char* account;
    PriceRule rule;
    std::int64_t face, payable;
    const char* reason;
  };
  const Row rows[] = {
      {"unknown product", "p9", "x", {"r", 1, 9950, 0, 1}, 10000, 0, "product_not_found"},
      {"bad number", "p1", "138", {"r", 1, 9950, 0, 1}, 10000, 0, "account_number_invalid"},
      {"rate of zero", "p1", "13812345678", {"r", 1, 0, 0, 1}, 10000, 0, "price_rule_out_of_range"},
      {"rate above ten times face",
       "p1",
       "13812345678",
       {"r", 1, 100'001, 0, 1},
       10000,
       0,
       "price_rule_out_of_range"},
      {"step of zero",
       "p1",
       "13812345678",
       {"r", 1, 9950, 0, 0},
       10000,
       0,
       "price_rule_out_of_range"},
      {"negative fee",
       "p1",
       "13812345678",
       {"r", 1, 9950, -1, 1},
       10000,
       0,
       "price_rule_out_of_range"},
      {"overflow by rate",
       "p1",
       "13812345678",
       {"r", 1, 20'000, 0, 1},
       kMaxMinor,
       0,
       "amount_overflow"},
      {"overflow by fee",
       "p1",
       "13812345678",
       {"r", 1, 10'000, 5, 1},
       kMaxMinor,
       0,
       "amount_overflow"},
      {"rounds to nothing", "p1", "13812345678", {"r", 1, 1, 0, 1}, 1, 0, "payable_not_positive"},
      {"99.5 %", "p1", "13812345678", {"r", 1, 9950, 0, 1}, 10000, 9950, ""},
      {"half a fen rounds up", "p1", "13812345678", {"r", 1, 9950, 0, 1}, 100, 100, ""},
      {"to whole jiao", "p1", "13812345678", {"r", 1, 9950, 0, 10}, 1000, 1000, ""},
      {"with a fee", "p1", "13812345678", {"r", 1, 9950, 50, 1}, 10000, 10000, ""},
      {"above face", "p1", "13812345678", {"r", 1, 10'200, 0, 1}, 10000, 10200, ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto got = quote(book_with(row.rule, row.face), {ProductId(row.product), row.account});
    if (*row.reason != 0) {
      REQUIRE_FALSE(got);
      CHECK(got.error().reason == row.reason);
      continue;
    }
    REQUIRE(got);
    CHECK(got->payable == fen(row.payable));
  }
}

TEST_CASE("the lines add up to what is payable, and the text is canonical") {
  const auto got = quote(book_with({"r", 3, 9950, 30, 1}), {ProductId("p1"), "+86 138 1234 5678"});
  REQUIRE(got);
  std::int64_t sum = 0;
  for (const QuoteLine& line : got->lines) sum += line.effect.minor;
  CHECK(sum == got->payable.minor);
  CHECK(
      quote_text(*got) ==
      R"({"product_id":"p1","account_masked":"138****5678","face":{"minor":10000,"currency":"CNY"},)"
      R"("payable":{"minor":9980,"currency":"CNY"},"delivered":{"minor":10000,"currency":"CNY"},"lines":[)"
      R"({"word":"face","rule_id":"","rule_version":0,"rate_bp":0,"effect":{"minor":10000,"currency":"CNY"},"remainder":0},)"
      R"({"word":"rule","rule_id":"r","rule_version":3,"rate_bp":9950,"effect":{"minor":-50,"currency":"CNY"},"remainder":0},)"
      R"({"word":"fee","rule_id":"r","rule_version":3,"rate_bp":0,"effect":{"minor":30,"currency":"CNY"},"remainder":0}],)"
      R"("fingerprint":")" +
          got->fingerprint + R"(","price_book_version":7})");
}

TEST_CASE(
    "a fingerprint changes with the price and not with a book that changes nothing for this "
    "buyer") {
  const QuoteRequest request{ProductId("p1"), "13812345678"};
  const auto first = quote(book_with({"r", 1, 9950, 0, 1}), request);
  PriceBook next_book = book_with({"r", 1, 9950, 0, 1});
  next_book.version = 8;
  CHECK(quote(next_book, request)->fingerprint == first->fingerprint);
  CHECK(quote(book_with({"r", 1, 9951, 0, 1}), request)->fingerprint != first->fingerprint);
  CHECK(quote(book_with({"r", 1, 9950, 1, 1}), request)->fingerprint != first->fingerprint);
}

TEST_CASE(
    "property: 0 < payable, monotone in face, never more than half a step from the exact rate") {
  std::uint64_t seed = 42;
  const auto draw = [&seed](std::uint64_t below) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::int64_t>((seed >> 16) % below);
  };
  for (int i = 0; i < 20'000; ++i) {
    const PriceRule rule{"r", 1, 1 + draw(20'000), draw(500), 1 + draw(20)};
    const std::int64_t face = 1 + draw(10'000'000);
    const auto low = quote(book_with(rule, face), {ProductId("p1"), "13812345678"});
    const auto high =
        quote(book_with(rule, face + 1 + draw(1'000)), {ProductId("p1"), "13812345678"});
    if (!low) {
      CHECK(low.error().reason == "payable_not_positive");
      continue;
    }
    REQUIRE(high);
    CHECK(low->payable.minor > 0);
    CHECK(high->payable.minor >= low->payable.minor);
    const std::int64_t exact = face * rule.rate_bp + rule.fee_minor * kBasisPointsPerWhole;
    CHECK(std::abs(low->payable.minor * kBasisPointsPerWhole - exact) * 2 <=
          rule.step_minor * kBasisPointsPerWhole);
  }
}
