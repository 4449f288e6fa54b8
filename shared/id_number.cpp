#include "shared/id_number.h"

#include "shared/check.h"
#include "shared/province.h"

namespace topup {
namespace {

constexpr int kFirstYear = 1800;  // no living person is older; samples of the standard are of 1880

int number_at(std::string_view text, std::size_t at, std::size_t digits) {
  int value = 0;
  for (const char c : text.substr(at, digits)) value = value * 10 + (c - '0');
  return value;
}

// The two digits at `at`, or as much of them as was typed: the least number, from 1, they can
// become.
int least_pair(std::string_view text, std::size_t at) {
  if (text.size() <= at) return 1;
  const int tens = 10 * (text[at] - '0');
  if (text.size() == at + 1) return tens == 0 ? 1 : tens;
  return tens + text[at + 1] - '0';
}

// Judges the earliest date that the digits typed so far, 7 to 14 of the number, can become.
const char* birth_defect(std::string_view text, Date today) {
  int first_year = 0;
  int years = 1;  // how many years begin with these digits
  for (std::size_t at = 6; at < 10; ++at) {
    first_year = first_year * 10 + (at < text.size() ? text[at] - '0' : 0);
    if (at >= text.size()) years *= 10;
  }
  if (first_year + years <= kFirstYear) return "id_birth_impossible";
  const Date earliest{first_year < kFirstYear ? kFirstYear : first_year, least_pair(text, 10),
                      least_pair(text, 12)};
  if (!is_real(earliest)) return "id_birth_impossible";
  return today < earliest ? "id_birth_after_today" : nullptr;
}

// Of the foreigners' numbers only the leading 9 is known for certain.
bool is_area_possible(std::string_view text) {
  if (text[0] == '9') return true;
  return text.size() == 1 ? text[0] >= '1' && text[0] <= '8' : is_province_code(text.substr(0, 2));
}

// The first thing that the newest character of `text` makes impossible.
const char* newest_defect(std::string_view text, Date today) {
  const std::size_t at = text.size() - 1;
  if (at < 2 && !is_area_possible(text)) return "id_area_unknown";
  if (at == kIdNumberDigits - 1) {
    return text[at] == id_check_character(text.substr(0, at)) ? nullptr : "id_check_wrong";
  }
  return at >= 6 && at < 14 ? birth_defect(text, today) : nullptr;
}

}  // namespace

char id_check_character(std::string_view seventeen_digits) {
  constexpr int kWeights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  check(seventeen_digits.size() == 17, "an identity number has 17 digits before its check");
  int sum = 0;
  for (std::size_t i = 0; i < 17; ++i) sum += kWeights[i] * (seventeen_digits[i] - '0');
  return "10X98765432"[sum % 11];
}

IdCheck check_id_number(std::string_view typed, Date today) {
  IdCheck check;
  const char* defect = typed.size() > kMaxTypedBytes ? "id_too_long" : nullptr;
  TypedText text(typed);
  std::size_t kept = 0;  // the place of the character at hand
  while (defect == nullptr && text.next()) {
    const char32_t code = text.code == 'x' ? 'X' : text.code;
    if (code == ' ' || code == '-') continue;
    kept = check.text.size();
    const bool is_possible = is_digit(code) || (code == 'X' && kept == kIdNumberDigits - 1);
    if (kept == kIdNumberDigits) {
      defect = "id_too_long";
    } else if (!is_possible) {
      defect = "id_bad_character";
    } else {
      check.text += static_cast<char>(code);
      defect = newest_defect(check.text, today);
    }
  }
  if (defect != nullptr) {
    reject(check, kept, defect);
  } else if (check.text.size() == kIdNumberDigits) {
    check.verdict = FieldVerdict::valid;
    check.born = {number_at(check.text, 6, 4), number_at(check.text, 10, 2),
                  number_at(check.text, 12, 2)};
  } else if (!check.text.empty()) {
    check.verdict = FieldVerdict::incomplete;
  }
  return check;
}

int age_on(Date born, Date day) {
  const bool is_before_birthday =
      day.month != born.month ? day.month < born.month : day.day < born.day;
  return day.year - born.year - (is_before_birthday ? 1 : 0);
}

std::string mask_id_number(std::string_view number) {
  const bool is_number = number.size() == kIdNumberDigits && all_digits(number.substr(0, 17)) &&
                         (number[17] == 'X' || is_digit(static_cast<unsigned char>(number[17])));
  if (!is_number) return "****";
  return std::string(number.substr(0, 6)) + "********" + std::string(number.substr(14));
}

}  // namespace topup
