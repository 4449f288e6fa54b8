// Inside of phone_plan.cpp: the plans as tables, unpacked from what scripts/phonegen packed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shared/phone_plan.h"

namespace topup {

// A state is the index of its first edge; state 0 is dead. Of edge i, targets[i] is where it leads;
// bits[i] are the digits that take it (bits 0 to 9) and two marks.
struct PhoneTables {
  static constexpr unsigned kLastEdge = 1U << 10U, kAccepts = 1U << 11U;
  static constexpr std::size_t kLetters = 26;

  const std::uint16_t* targets;
  const std::uint16_t* bits;
  const PhoneCountry* rows;  // by calling code, the main country first
  std::size_t countries;
  const std::uint8_t* by_iso;  // at place_of_iso(): one more than the place, 0 for no country

  static std::size_t place_of_iso(std::string_view iso2) {  // two capitals
    return static_cast<std::size_t>(iso2[0] - 'A') * kLetters +
           static_cast<std::size_t>(iso2[1] - 'A');
  }
};

// Unpacked at the first call. Thread-safe.
const PhoneTables& phone_tables();

}  // namespace topup
