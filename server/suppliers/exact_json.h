// Suppliers write money as JSON numbers: 49.5, 10, 3105.03200. Here such a number keeps its literal
// text and never becomes a double, in both directions. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "server/base/json.h"
#include "shared/money.h"

namespace topup::suppliers {

// As base::json_in(), with every number that has a fraction, an exponent or too many digits turned
// into a JSON string of its literal text. Errors: those of base::json_in().
Result<base::Json> exact_json_in(std::string_view bytes);

// The literal text of a number (or of a string that holds one); "" for anything else.
std::string literal_text(const base::Json& value);

// object[key] in `currency`, rounded as told; nullopt when absent or not a plain decimal.
std::optional<Money> amount_in(const base::Json& object, const char* key, Currency currency,
                               Round round);

// Only an amount that `currency` can hold without rounding: 10.0 JPY is 10, 49.505 USD is nullopt.
std::optional<Money> exact_amount(const base::Json& value, Currency currency);

// What is sent: literal("49.50") marks digits, dump_exact() writes them as a bare number. Text with
// a character U+0001 must have been refused before, since that is the mark.
base::Json literal(const std::string& digits);
std::string dump_exact(const base::Json& value);

}  // namespace topup::suppliers
