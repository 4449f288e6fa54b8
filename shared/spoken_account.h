// Phone and card numbers inside a spoken order, read from an even text (spoken_text.h): digits with
// blanks, hyphens or points between them ("138 1234 5678", "+66 81 234 5678"), or digits said one
// by one. Only their shape is judged: what the number is worth, check_phone() and
// check_fuel_card() say. Pure; thread-safe; no allocation.
#pragma once

#include <cstddef>
#include <cstdint>

#include "shared/numerals.h"

namespace topup {

inline constexpr std::size_t kMaxAccountDigits = 19;
static_assert(kMaxAccountDigits < kMaxSaidDigits);

enum class AccountShape : std::uint8_t {
  none,       // no account starts here
  mainland,   // eleven digits from 13 to 19, with or without +86
  foreign,    // with '+' or 00 before its calling code
  fuel_card,  // 16 digits from 9 on (PetroChina), 19 from 1000 on (Sinopec)
  other       // seven digits or more that are none of these
};

struct SpokenAccount {
  std::size_t size = 0;  // bytes read
  AccountShape shape = AccountShape::none;
  bool has_plus = false;
  SaidDigits said;
};

SpokenAccount read_account(const char* at);

}  // namespace topup
