// Resident identity numbers of 18 characters, GB 11643-1999: six of an area, the date of birth,
// three of a sequence, a check character by ISO 7064 MOD 11-2. Numbers that start 9 belong to
// foreigners with permanent residence and are built the same. Ask for one only where a supplier
// demands it. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "shared/date.h"
#include "shared/typed_text.h"

namespace topup {

inline constexpr std::size_t kIdNumberDigits = 18;

struct IdCheck : FieldCheck {  // `text` is the number, with an upper-case X
  Date born;                   // of a valid number
};

// The verdict at each key. `today` is the last possible day of birth. Reasons: id_bad_character,
// id_area_unknown, id_birth_impossible, id_birth_after_today, id_check_wrong, id_too_long.
IdCheck check_id_number(std::string_view typed, Date today);

// The last character that the first 17 digits ask for: '0' to '9' or 'X'.
char id_check_character(std::string_view seventeen_digits);

// Full years on `day`; who was born on 29 February is a year older on 1 March. Negative before
// birth.
int age_on(Date born, Date day);

std::string mask_id_number(std::string_view number);  // "110105********002X"; otherwise "****"

}  // namespace topup
