// An amount as a buyer types it ("100", "１００", "100元", "¥98.5", "1,000.00") and a verdict at
// each key. Full-width characters are fine; a comma groups three digits, a point or '。' starts the
// decimals; one sign or code of the wanted currency may stand before the number and one behind it.
// Pure; thread-safe.
#pragma once

#include <string_view>

#include "shared/money.h"
#include "shared/typed_text.h"

namespace topup {

// `text` is the plain number so far, "1000.5": no grouping, no sign. `amount` is that of a valid
// one. An amount below the least is incomplete as long as another digit can mend it, and the reason
// is given already. Reasons: amount_bad_character, amount_other_currency, amount_negative,
// amount_grouping_wrong, amount_too_many_decimals, amount_above_most, amount_below_least.
struct AmountCheck : FieldCheck {
  Money amount;
};

// Both bounds are allowed amounts, of the currency wanted; 0 <= least <= most.
AmountCheck check_amount(std::string_view typed, Money least, Money most);

}  // namespace topup
