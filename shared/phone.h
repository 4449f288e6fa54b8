// Mobile numbers of all 245 territories: what is typed becomes one canonical form, and each key
// press gets a verdict. Once impossible, more digits never make it possible again.
// Sources: the numbering plans that scripts/phonegen compiles into one shared automaton; for
// mainland China the MIIT table of number segments as of 2023-03-31. Portability makes the
// mainland operator a hint only: never refuse an order because of it.
// Pure; thread-safe; no allocation beyond the returned strings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "shared/result.h"

namespace topup {

enum class PhoneVerdict : std::uint8_t {
  empty,       // nothing typed yet
  incomplete,  // a valid beginning
  possible,    // a whole number that cannot be excluded: an unassigned mainland segment, or an
               // Argentine number that does not say whether it is mobile. Sellable.
  valid,       // a whole number that the numbering plan knows as mobile; it may still grow
  impossible,  // no continuation can be valid; bad_at says which digit
};

enum class MainlandOperator : std::uint8_t {
  unknown,
  mobile,
  unicom,
  telecom,
  broadnet,
  virtual_operator
};

struct PhoneCheck {
  PhoneVerdict verdict = PhoneVerdict::empty;
  std::string_view country;  // ISO 3166 alpha-2, static text; "" while a guess knows none
  int calling_code = 0;      // 0 while it is not known
  std::string national;  // digits kept so far, at most 15, without calling code and trunk prefix;
                         // as typed when the calling code is the wrong one
  MainlandOperator operator_hint =
      MainlandOperator::unknown;  // mainland only, from the third digit on
  int bad_at = -1;  // index into `national` of the first impossible digit, its length when there
                    // are too many or one is no digit; -1 otherwise
  std::string_view reason;  // "", phone_too_long, phone_not_mobile, phone_bad_character,
                            // phone_segment_unassigned, phone_other_country (a number of another
                            // country was typed), phone_country_unknown
  std::string_view other_country;  // with phone_other_country: whose number it is, as far as known
};

inline constexpr std::size_t kMaxPhoneInput =
    64;  // longer input is impossible / phone_too_long without being read

// `country` is what the buyer chose, ISO 3166 alpha-2 in capitals; it wins over a calling code that
// countries share. With "" the country is guessed from the calling code (its + may be missing).
// Accepts blanks, hyphens, dots, brackets, full-width digits (UTF-8), the calling code with +, 00
// or nothing before it, and the trunk prefix. Where both readings are whole numbers, the one
// without a calling code counts.
PhoneCheck check_phone(std::string_view typed, std::string_view country);
PhoneCheck check_mainland_phone(std::string_view typed);  // check_phone(typed, "CN")

// The canonical form "+66812345678" of a valid or possible number; repeating it changes nothing.
// Errors: account_number_invalid (the reason is in `detail`).
Result<std::string> normalise_phone(std::string_view typed, std::string_view country);
Result<std::string> normalise_mainland_phone(std::string_view typed);

// "138****5678" for a mainland number in national or E.164 form, "+66 81****678" for another E.164
// number: at least four digits stay hidden. Anything else becomes "****".
std::string mask_phone(std::string_view number);

bool is_country(std::string_view iso2);
int calling_code_of(std::string_view iso2);  // 0 for no country

std::string_view to_word(PhoneVerdict verdict);
std::string_view to_word(
    MainlandOperator op);  // "unknown", "mobile", "unicom", "telecom", "broadnet", "virtual"

}  // namespace topup
