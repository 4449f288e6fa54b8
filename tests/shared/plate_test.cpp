#include "shared/plate.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

using namespace topup;

TEST_CASE("number plate: each kind and each reason, at the first place that is wrong") {
  struct Row {
    std::string_view typed;
    std::string_view verdict;
    std::string_view kind;
    std::string_view text;
    int bad_at;
    std::string_view reason;
  };
  constexpr Row kRows[] = {
      {"", "empty", "unknown", "", -1, ""},
      {"粤", "incomplete", "unknown", "粤", -1, ""},
      {"粤B", "incomplete", "unknown", "粤B", -1, ""},
      {"粤B12345", "valid", "usual", "粤B12345", -1, ""},
      {"粤b·12 345", "valid", "usual", "粤B12345", -1, ""},
      {"京Ａ－Ｆ００１２", "valid", "usual", "京AF0012", -1, ""},
      {"粤BD12345", "valid", "new_energy", "粤BD12345", -1, ""},
      {"粤BF1234A", "impossible", "unknown", "粤BF1234A", 7, "plate_new_energy_wrong"},
      {"粤BDA1234", "valid", "new_energy", "粤BDA1234", -1, ""},
      {"粤B12345D", "valid", "new_energy", "粤B12345D", -1, ""},
      {"粤B1234AD", "impossible", "unknown", "粤B1234AD", 6, "plate_new_energy_wrong"},
      {"粤BP12345", "impossible", "unknown", "粤BP12345", 2, "plate_new_energy_wrong"},
      {"粤A1234警", "valid", "police", "粤A1234警", -1, ""},
      {"鲁B1234挂", "valid", "trailer", "鲁B1234挂", -1, ""},
      {"京A1234学", "valid", "school", "京A1234学", -1, ""},
      {"粤ZA123港", "valid", "hong_kong", "粤ZA123港", -1, ""},
      {"粤ZA123澳", "valid", "macau", "粤ZA123澳", -1, ""},
      {"粤BA123港", "impossible", "unknown", "粤BA123", 6, "plate_bad_character"},
      {"B", "impossible", "unknown", "", 0, "plate_province_unknown"},
      {"使014578", "impossible", "unknown", "", 0, "plate_province_unknown"},
      {"粤1", "impossible", "unknown", "粤", 1, "plate_letter_missing"},
      {"粤I", "impossible", "unknown", "粤", 1, "plate_letter_unused"},
      {"粤B1O", "impossible", "unknown", "粤B1", 3, "plate_letter_unused"},
      {"粤B1警", "impossible", "unknown", "粤B1", 3, "plate_bad_character"},
      {"粤B1234警5", "impossible", "unknown", "粤B1234警", 7, "plate_too_long"},
      {"粤BD123456", "impossible", "unknown", "粤BD12345", 8, "plate_too_long"},
      {"粤B1\xF0\x9F", "impossible", "unknown", "粤B1", 3, "plate_bad_character"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.typed);
    const PlateCheck got = check_plate(row.typed);
    CHECK(to_word(got.verdict) == row.verdict);
    CHECK(to_word(got.kind) == row.kind);
    CHECK(got.text == row.text);
    CHECK(got.bad_at == row.bad_at);
    CHECK(got.reason == row.reason);
  }
  CHECK(check_plate(std::string(kMaxTypedBytes + 1, ' ')).reason == "plate_too_long");
}

TEST_CASE("number plate: what is impossible stays so") {
  CHECK(rc::check("more typing mends nothing", [] {
    const auto parts = *rc::gen::container<std::vector<std::string>>(
        rc::gen::element<std::string>("粤", "Z", "B", "D", "1", "2", "港", "警", "I", " "));
    std::string typed = *rc::gen::element<std::string>("粤Z", "京A");
    bool was_impossible = false;
    for (const std::string& part : parts) {
      typed += part;
      const auto verdict = check_plate(typed).verdict;
      if (was_impossible) RC_ASSERT(verdict == FieldVerdict::impossible);
      was_impossible = verdict == FieldVerdict::impossible;
    }
  }));
}
