// The numbering plans of all territories as scripts/phonegen compiles them: which national numbers
// a country has for mobiles, what stands before them, and who shares a calling code. Pure;
// thread-safe; no allocation (18 KB of tables are unpacked at the first use, in less than 1 ms).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace topup {

inline constexpr std::size_t kLongestCallingCode = 3;
inline constexpr std::size_t kLongestNational = 15;  // ITU-T E.164

struct PhoneCountry {
  char iso[2];
  char trunk[2];  // what is dialled before a national number; padded with zeros
  std::uint16_t calling_code;
  std::uint16_t start;  // state of the automaton

  std::string_view iso_text() const { return {iso, 2}; }
  std::string_view trunk_text() const {
    return {trunk, trunk[0] == 0 ? std::size_t{0} : trunk[1] == 0 ? std::size_t{1} : 2};
  }
  bool is(const char* other) const { return iso[0] == other[0] && iso[1] == other[1]; }
};

const PhoneCountry* find_country(std::string_view iso2);  // nullptr when there is none

// The countries of one calling code, its main country first, stand at places [first, end).
struct PhonePlaces {
  std::size_t first = 0, end = 0;
};
PhonePlaces places_of_code(unsigned calling_code);
const PhoneCountry& country_at(std::size_t place);
// Digits of the calling code that stands at the start of `digits`; 0 when there is none.
std::size_t calling_code_size(std::string_view digits);
// Whether a calling code starts with these digits or is at their start.
bool may_be_calling_code(std::string_view digits);

class CallingCodeText {  // in decimal digits
 public:
  explicit CallingCodeText(unsigned code);
  std::string_view text() const { return {digits_, size_}; }

 private:
  char digits_[kLongestCallingCode];
  std::size_t size_ = 0;
};

struct PlanWalk {
  std::size_t read = 0;     // digits that are the beginning of a mobile number
  bool is_whole = false;    // all of them were read, and they are one
  bool takes_more = false;  // some digit may follow those that were read
};
// `digits` are ASCII digits of a national number, without trunk prefix.
PlanWalk walk_plan(const PhoneCountry& country, std::string_view digits);

}  // namespace topup
