// Mainland Chinese mobile numbers: what is typed becomes one canonical form, and each key press
// gets a verdict. Source of the segments: MIIT number-segment table as of 2023-03-31. Portability
// (since 2019) makes the operator a hint only: never refuse an order because of it. Pure;
// thread-safe; no allocation beyond the returned strings.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "shared/result.h"

namespace topup {

enum class PhoneVerdict : std::uint8_t {
  empty,       // nothing typed yet
  incomplete,  // a valid beginning
  valid,       // 11 digits of an assigned or assignable mobile segment
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
  MainlandOperator operator_hint =
      MainlandOperator::unknown;  // known from the third digit on where the segment allows it
  std::string national;           // digits kept so far, at most 11, without +86
  int bad_at = -1;  // index into `national` of the first impossible digit; 11 when there are too
                    // many; -1 otherwise
  std::string_view reason;  // "", phone_too_long, phone_not_mobile, phone_bad_character,
                            // phone_segment_unassigned
};

inline constexpr std::size_t kMaxPhoneInput =
    64;  // longer input is impossible / phone_too_long without being read

// Accepts blanks, hyphens, dots, brackets, full-width digits (UTF-8), and a leading +86, 0086
// or 86.
PhoneCheck check_mainland_phone(std::string_view typed);

std::string_view to_word(PhoneVerdict verdict);
std::string_view to_word(
    MainlandOperator op);  // "unknown", "mobile", "unicom", "telecom", "broadnet", "virtual"

// The canonical form "+8613812345678". Errors: account_number_invalid (the reason is in `detail`).
Result<std::string> normalise_mainland_phone(std::string_view typed);
// "138****5678" from national or E.164 form; anything that is not such a number becomes "****".
std::string mask_phone(std::string_view number);

}  // namespace topup
