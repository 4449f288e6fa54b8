#include "shared/phone.h"

#include <doctest/doctest.h>

#include <string>

using namespace topup;

TEST_CASE("forty spellings of one number become one canonical form") {
  const char* spellings[] = {"13812345678",
                             "138 1234 5678",
                             "138-1234-5678",
                             "138.1234.5678",
                             "(138)12345678",
                             "+8613812345678",
                             "+86 138 1234 5678",
                             "+86-138-1234-5678",
                             "8613812345678",
                             "86 13812345678",
                             "008613812345678",
                             "0086 138 1234 5678",
                             "0086-13812345678",
                             "+86(138)12345678",
                             " 13812345678 ",
                             "\t13812345678",
                             "１３８１２３４５６７８",
                             "＋８６１３８１２３４５６７８",
                             "138　1234　5678",
                             "138 1234 5678",
                             "+86 138 12345678",
                             "138‐1234‐5678",
                             "138–1234–5678",
                             "138—1234—5678",
                             "（138）12345678",
                             "86-138-1234-5678",
                             "0086(138)12345678",
                             "138/1234/5678",
                             "138 12345678",
                             "1381234 5678",
                             "1 3 8 1 2 3 4 5 6 7 8",
                             "+8 6138 1234 5678",
                             "+86.138.1234.5678",
                             "‭13812345678‬",
                             "13812345678 ",
                             "013812345678",
                             "１３８-１２３４-５６７８",
                             "+86　13812345678",
                             "138--1234--5678",
                             "+86/138/1234/5678"};
  CHECK(std::size(spellings) == 40);
  for (const char* typed : spellings) {
    CAPTURE(typed);
    const auto got = normalise_mainland_phone(typed);
    REQUIRE(got);
    CHECK(*got == "+8613812345678");
  }
}

TEST_CASE("each key press gets a verdict") {
  struct Row {
    const char* typed;
    PhoneVerdict verdict;
    MainlandOperator hint;
    int bad_at;
    const char* reason;
  };
  const Row rows[] = {
      {"", PhoneVerdict::empty, MainlandOperator::unknown, -1, ""},
      {"+", PhoneVerdict::incomplete, MainlandOperator::unknown, -1, ""},
      {"8", PhoneVerdict::incomplete, MainlandOperator::unknown, -1, ""},
      {"86", PhoneVerdict::incomplete, MainlandOperator::unknown, -1, ""},
      {"0", PhoneVerdict::incomplete, MainlandOperator::unknown, -1, ""},
      {"00", PhoneVerdict::incomplete, MainlandOperator::unknown, -1, ""},
      {"008", PhoneVerdict::incomplete, MainlandOperator::unknown, -1, ""},
      {"1", PhoneVerdict::incomplete, MainlandOperator::unknown, -1, ""},
      {"13", PhoneVerdict::incomplete, MainlandOperator::unknown, -1, ""},
      {"138", PhoneVerdict::incomplete, MainlandOperator::mobile, -1, ""},
      {"1349", PhoneVerdict::incomplete, MainlandOperator::telecom, -1, ""},
      {"1381234567", PhoneVerdict::incomplete, MainlandOperator::mobile, -1, ""},
      {"13812345678", PhoneVerdict::valid, MainlandOperator::mobile, -1, ""},
      {"13012345678", PhoneVerdict::valid, MainlandOperator::unicom, -1, ""},
      {"19212345678", PhoneVerdict::valid, MainlandOperator::broadnet, -1, ""},
      {"17012345678", PhoneVerdict::valid, MainlandOperator::virtual_operator, -1, ""},
      {"15412345678", PhoneVerdict::valid, MainlandOperator::unknown, -1, ""},
      {"2", PhoneVerdict::impossible, MainlandOperator::unknown, 0, "phone_not_mobile"},
      {"12", PhoneVerdict::impossible, MainlandOperator::unknown, 1, "phone_not_mobile"},
      {"01", PhoneVerdict::incomplete, MainlandOperator::unknown, -1, ""},
      {"0138", PhoneVerdict::incomplete, MainlandOperator::mobile, -1, ""},
      {"02", PhoneVerdict::impossible, MainlandOperator::unknown, 0, "phone_not_mobile"},
      {"1064", PhoneVerdict::impossible, MainlandOperator::unknown, 1, "phone_not_mobile"},
      {"140", PhoneVerdict::impossible, MainlandOperator::unknown, 2, "phone_segment_unassigned"},
      {"138123456789", PhoneVerdict::impossible, MainlandOperator::unknown, 11, "phone_too_long"},
      {"138a", PhoneVerdict::impossible, MainlandOperator::unknown, 3, "phone_bad_character"},
      {"13812345678+", PhoneVerdict::impossible, MainlandOperator::unknown, 11,
       "phone_bad_character"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.typed);
    const PhoneCheck got = check_mainland_phone(row.typed);
    CHECK(to_word(got.verdict) == to_word(row.verdict));
    CHECK(to_word(got.operator_hint) == to_word(row.hint));
    CHECK(got.bad_at == row.bad_at);
    CHECK(got.reason == row.reason);
  }
}

TEST_CASE("input beyond the cap is refused without being read") {
  const PhoneCheck got = check_mainland_phone(std::string(100'000, '1'));
  CHECK(got.verdict == PhoneVerdict::impossible);
  CHECK(got.reason == "phone_too_long");
}

TEST_CASE("normalising what is already canonical changes nothing") {
  const auto once = normalise_mainland_phone("138 1234 5678");
  REQUIRE(once);
  CHECK(*normalise_mainland_phone(*once) == *once);
}

TEST_CASE("a mask never shows more than seven digits") {
  CHECK(mask_phone("13812345678") == "138****5678");
  CHECK(mask_phone("+8613812345678") == "138****5678");
  for (const char* other : {"", "1381234567", "138123456789", "abcdefghijk", "+8513812345678"}) {
    CAPTURE(other);
    CHECK(mask_phone(other) == "****");
  }
}
