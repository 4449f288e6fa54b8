// Bank card numbers: 13 to 19 digits whose last one is the Luhn check (ISO/IEC 7812-1, annex B).
// Needed only where a refund goes to a card. Pure; thread-safe.
#pragma once

#include <string_view>

#include "shared/typed_text.h"

namespace topup {

struct BankCardCheck : FieldCheck {  // `text` is the digits
  bool unionpay = false;             // a hint: starts 62, and then has 16 digits or more
};

// A number of 13 to 18 digits that fails the check is incomplete, as longer cards exist. Reasons:
// bank_card_bad_character, bank_card_check_wrong, bank_card_too_long.
BankCardCheck check_bank_card(std::string_view typed);

bool passes_luhn(std::string_view digits);  // ASCII digits, at least one

}  // namespace topup
