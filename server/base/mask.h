// What may be shown of a personal value: one function for pages, exports, the audit trail and the
// log. A masked text never holds more than seven digits of the value, whatever it was. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace topup::base {

enum class Kind : std::uint8_t {
  phone,      // the first three and the last four digits: 138****5678
  id_number,  // the first three and the last four: 110***********0013
  bank_card,  // the last four: ****1234
  plate,      // the first two characters and the last: 京A****8
  email,      // the first letter and the domain: a****@example.com
  name,       // the first character: 王**
  address,    // of a client: 203.0.*.*, or the first group of IPv6
  opaque,     // an identifier given by a platform: its last four characters
  secret,     // nothing: ****
};
inline constexpr std::size_t kMaxShownDigits = 7;

std::string mask(Kind kind, std::string_view text);

// Takes what looks like a mainland mobile number, a resident's id number or a bank card (15 to 19
// digits that pass Luhn) out of a longer text, each masked as its kind. A net below the callers,
// who mask first.
std::string scrub(std::string_view text);

}  // namespace topup::base
