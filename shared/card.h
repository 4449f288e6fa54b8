// Fuel cards by the number printed on them: Sinopec 19 digits that start 100011, PetroChina 16
// digits that start 9. Neither issuer publishes a check digit, and real numbers fail Luhn, so a
// wrong digit inside cannot be seen: a buyer types the number twice, and same_card() compares as
// the second is typed. A recharge to a wrong card cannot be recalled. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/result.h"
#include "shared/typed_text.h"

namespace topup {

enum class CardIssuer : std::uint8_t { none, sinopec, petrochina };  // stored; do not renumber
std::string_view to_word(CardIssuer issuer);  // "none", "sinopec", "petrochina"
std::optional<CardIssuer> parse_card_issuer(std::string_view word);

using CardVerdict = FieldVerdict;

struct CardCheck {
  CardVerdict verdict = CardVerdict::empty;
  std::string digits;       // kept so far, at most as many as the issuer's cards have
  int bad_at = -1;          // index into `digits` of the first digit that cannot stand there; their
                            // number for a bad or surplus character; -1 otherwise
  std::string_view reason;  // "", card_bad_character, card_prefix_wrong, card_other_issuer,
                            // card_too_long
  CardIssuer issuer = CardIssuer::none;  // the one asked for, or the guess
  // Doubts are to be asked about, never refused: the rules behind them are hearsay.
  bool province_doubtful = false;  // Sinopec: digits 7 and 8 are no province of GB/T 2260
  bool prefix_doubtful = false;    // PetroChina: the second digit is not the usual 0
};

// Blanks, hyphens and full-width digits are fine. `none` guesses the issuer by the first digit.
CardCheck check_fuel_card(std::string_view typed, CardIssuer issuer);

// The digits alone. Errors: account_number_invalid; its detail is the reason of the check, or
// card_incomplete, or card_issuer_missing for `none`, which is never guessed where money follows.
Result<std::string> normalise_fuel_card(std::string_view typed, CardIssuer issuer);

enum class SameCard : std::uint8_t { incomplete, match, differs };
std::string_view to_word(SameCard same);
struct CardComparison {
  SameCard verdict = SameCard::incomplete;
  int differs_at = -1;  // index of the first digit of `second` that is not the one of `first`
};
// The second typing against the first, as it is typed. Anything but digits, blanks and hyphens
// differs.
CardComparison same_card(std::string_view first, std::string_view second);

// "1000****1234" from 13 to 19 digits, also those of a bank card; "****" from anything else.
std::string mask_card(std::string_view digits);

}  // namespace topup
