// Whose number it is in the rehearsal: the mainland by its segments, elsewhere an operator of the
// catalogue chosen by the number's first digits, always the same one. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/rehearsal/catalogue.h"

namespace topup::rehearsal {

// Indexes into catalogue_operators() of those of a country that serve phones.
std::vector<std::size_t> phone_operators(std::string_view country);

struct NumberOwner {
  std::string country;
  std::size_t operator_index = 0;
};
// What a number's last four digits ask of a look-up, the same at every supplier abroad.
enum class LookupWish : std::uint8_t {
  none,
  unknown,    // 9081: nobody knows
  held,       // 9082: the answer is held for kLookupHeldMs
  ported,     // 9083: it has moved to the next operator of its country; number_owner() says so
  elsewhere,  // 9084: an operator that nobody lists
};
inline constexpr std::string_view kLookupMeaning =
    "look-ups: 9081 unknown, 9082 held for 20 s, 9083 ported, 9084 an operator that nobody lists";
inline constexpr std::int64_t kLookupHeldMs = 20'000;
LookupWish lookup_wish(std::string_view number);

// `number` in E.164 form; nothing for what is no phone number of a listed country.
std::optional<NumberOwner> number_owner(std::string_view number);

}  // namespace topup::rehearsal
