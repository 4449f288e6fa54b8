#include "shared/id_number.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>

using namespace topup;

namespace {
constexpr Date kToday{2026, 11, 22};

std::string any_number() {  // valid, of a person born before today
  std::string text =
      *rc::gen::element<std::string>("110105", "440524", "540102", "810000", "931156");
  const int year = *rc::gen::inRange(1900, 2026);
  const int month = *rc::gen::inRange(1, 13);
  const int day = *rc::gen::inRange(1, days_in_month(year, month) + 1);
  const int order = *rc::gen::inRange(0, 1000);
  const auto padded = [](int value, std::size_t size) {
    const std::string digits = std::to_string(value);
    return std::string(size - digits.size(), '0') + digits;
  };
  text += padded(year, 4) + padded(month, 2) + padded(day, 2) + padded(order, 3);
  return text + id_check_character(text);
}
}  // namespace

TEST_CASE("identity number: each verdict and reason, at the first place that is wrong") {
  struct Row {
    std::string_view typed;
    std::string_view verdict;
    int bad_at;
    std::string_view reason;
  };
  constexpr Row kRows[] = {
      {"", "empty", -1, ""},
      {"110105", "incomplete", -1, ""},
      {"11010519491231002X", "valid", -1, ""},
      {"11010519491231002x", "valid", -1, ""},
      {"１１０１０５ 19491231 002Ｘ", "valid", -1, ""},
      {"440524188001010014", "valid", -1, ""},
      {"440524188001010013", "impossible", 17, "id_check_wrong"},
      {"11010519491231002", "incomplete", -1, ""},
      {"0", "impossible", 0, "id_area_unknown"},
      {"16", "impossible", 1, "id_area_unknown"},
      {"1x", "impossible", 1, "id_bad_character"},
      {"1101053", "impossible", 6, "id_birth_after_today"},
      {"1101050", "impossible", 6, "id_birth_impossible"},
      {"11010517", "impossible", 7, "id_birth_impossible"},
      {"110105203", "impossible", 8, "id_birth_after_today"},
      {"1101052027", "impossible", 9, "id_birth_after_today"},
      {"11010519902", "impossible", 10, "id_birth_impossible"},
      {"110105199000", "impossible", 11, "id_birth_impossible"},
      {"110105199013", "impossible", 11, "id_birth_impossible"},
      {"110105202612", "impossible", 11, "id_birth_after_today"},
      {"1101051990023", "impossible", 12, "id_birth_impossible"},
      {"11010519900229", "impossible", 13, "id_birth_impossible"},
      {"11010520000229", "incomplete", -1, ""},
      {"11010520261122", "incomplete", -1, ""},
      {"11010520261123", "impossible", 13, "id_birth_after_today"},
      {"11010519491231002X1", "impossible", 18, "id_too_long"},
      {"11\xED\xA0\x80", "impossible", 2, "id_bad_character"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.typed);
    const IdCheck got = check_id_number(row.typed, kToday);
    CHECK(to_word(got.verdict) == row.verdict);
    CHECK(got.bad_at == row.bad_at);
    CHECK(got.reason == row.reason);
  }
  CHECK(check_id_number(std::string(kMaxTypedBytes + 1, '-'), kToday).reason == "id_too_long");
  const IdCheck valid = check_id_number("11010519491231002x", kToday);
  CHECK(valid.text == "11010519491231002X");
  CHECK(valid.born == Date{1949, 12, 31});
}

TEST_CASE("identity number: full years on a day, also for the twenty-ninth of February") {
  CHECK(age_on({1990, 11, 22}, kToday) == 36);
  CHECK(age_on({1990, 11, 23}, kToday) == 35);
  CHECK(age_on({2000, 2, 29}, {2026, 2, 28}) == 25);
  CHECK(age_on({2000, 2, 29}, {2026, 3, 1}) == 26);
  CHECK(age_on({2026, 11, 23}, kToday) == -1);
}

TEST_CASE("identity number: the mask hides the birthday, and all of anything else") {
  CHECK(mask_id_number("11010519491231002X") == "110105********002X");
  CHECK(mask_id_number("11010519491231002x") == "****");
  CHECK(mask_id_number("1101051949123100") == "****");
}

TEST_CASE("identity number: no single slip of the hand stays unseen") {
  CHECK(rc::check("a typed number has no false alarm on its way", [] {
    const std::string number = any_number();
    for (std::size_t size = 1; size < number.size(); ++size) {
      RC_ASSERT(check_id_number(number.substr(0, size), kToday).verdict ==
                FieldVerdict::incomplete);
    }
    RC_ASSERT(check_id_number(number, kToday).verdict == FieldVerdict::valid);
  }));
  CHECK(rc::check("one wrong digit is caught", [] {
    const std::string number = any_number();
    for (std::size_t at = 0; at < number.size(); ++at) {
      for (const char digit : std::string("0123456789X")) {
        std::string wrong = number;
        wrong[at] = digit;
        if (wrong == number) continue;
        RC_ASSERT(check_id_number(wrong, kToday).verdict == FieldVerdict::impossible);
      }
    }
  }));
  CHECK(rc::check("two neighbours in the wrong order are caught", [] {
    const std::string number = any_number();
    for (std::size_t at = 1; at < number.size(); ++at) {
      std::string wrong = number;
      std::swap(wrong[at - 1], wrong[at]);
      if (wrong == number) continue;
      RC_ASSERT(check_id_number(wrong, kToday).verdict == FieldVerdict::impossible);
    }
  }));
}

TEST_CASE("date: only days that were are dates") {
  CHECK(parse_date("2026-11-22") == Date{2026, 11, 22});
  CHECK(parse_date("2000-02-29"));
  for (const char* text :
       {"", "2026-11-2", "2026-11-31", "2026-13-01", "2026-00-01", "2026-01-00", "1900-02-29",
        "2026/11/22", "2026-11-22 ", "2026-1--22", "０２６-11-22"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_date(text));
  }
  CHECK(Date{2026, 11, 22} < Date{2026, 12, 1});
  CHECK_FALSE(Date{2027, 1, 1} < Date{2026, 12, 31});
}
