#include "shared/bank_card.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>

using namespace topup;

TEST_CASE("bank card: each verdict and reason") {
  struct Row {
    std::string_view typed;
    std::string_view verdict;
    int bad_at;
    std::string_view reason;
    bool unionpay;
  };
  constexpr Row kRows[] = {
      {"", "empty", -1, "", false},
      {"6", "incomplete", -1, "", false},
      {"62", "incomplete", -1, "", true},
      {"4111 1111 1111 1111", "valid", -1, "", false},
      {"4222222222222", "valid", -1, "", false},
      {"4111111111111112", "incomplete", -1, "", false},
      {"6200000000000005", "valid", -1, "", true},
      {"62000000000009", "incomplete", -1, "", true},
      {"6222020000000000004", "impossible", 18, "bank_card_check_wrong", true},
      {"62220200000000000001", "impossible", 19, "bank_card_too_long", true},
      {"4111-1111-1111-111x", "impossible", 15, "bank_card_bad_character", false},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.typed);
    const BankCardCheck got = check_bank_card(row.typed);
    CHECK(to_word(got.verdict) == row.verdict);
    CHECK(got.bad_at == row.bad_at);
    CHECK(got.reason == row.reason);
    CHECK(got.unionpay == row.unionpay);
  }
  CHECK(check_bank_card("4111 1111 1111 1111").text == "4111111111111111");
}

TEST_CASE("bank card: Luhn as the standard's textbooks count it") {
  CHECK(passes_luhn("79927398713"));
  CHECK_FALSE(passes_luhn("79927398710"));
  CHECK_FALSE(passes_luhn(""));
  CHECK(rc::check("one wrong digit is caught", [] {
    std::string digits = *rc::gen::container<std::string>(15, rc::gen::inRange('0', ':'));
    digits += '0';
    while (!passes_luhn(digits)) ++digits.back();
    const auto at = *rc::gen::inRange<std::size_t>(0, digits.size());
    const int step = *rc::gen::inRange(1, 10);
    digits[at] = static_cast<char>('0' + (digits[at] - '0' + step) % 10);
    RC_ASSERT_FALSE(passes_luhn(digits));
  }));
}
