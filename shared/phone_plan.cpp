#include "shared/phone_plan.h"

#include <iterator>

namespace topup {
namespace {

// A state is the index of its first edge; state 0 is dead. Of edge i, kPhoneTargets[i] is where it
// leads; kPhoneBits[i] are the digits that take it (bits 0 to 9) and two marks.
constexpr unsigned kLastEdge = 1U << 10U, kAccepts = 1U << 11U, kAnyDigit = 0x3FF;

#include <phone_tables.inc>

constexpr std::size_t kCountries = std::size(kPhoneStarts);
static_assert(kCountries == std::size(kPhoneCodeSteps) && kCountries < 0xFF);
static_assert(2 * kCountries + 1 == sizeof kPhoneIsos && kCountries + 1 == sizeof kPhoneTrunks);
static_assert(std::size(kPhoneTargets) == std::size(kPhoneBits));

constexpr std::size_t kLetters = 26;

// The rows are put together when the first number is checked: the tables are downloaded, and small.
struct Plans {
  PhoneCountry countries[kCountries] = {};        // by calling code, the main country first
  std::uint8_t by_iso[kLetters * kLetters] = {};  // one more than the place, 0 for no country

  Plans() {
    unsigned code = 0;
    for (std::size_t i = 0; i < kCountries; ++i) {
      PhoneCountry& country = countries[i];
      country.iso[0] = kPhoneIsos[2 * i];
      country.iso[1] = kPhoneIsos[2 * i + 1];
      const char trunk = kPhoneTrunks[i];
      if (trunk == '6') {
        country.trunk[0] = '0';
        country.trunk[1] = '6';
      } else if (trunk != '-') {
        country.trunk[0] = trunk;
      }
      code += kPhoneCodeSteps[i];
      country.calling_code = static_cast<std::uint16_t>(code);
      country.start = kPhoneStarts[i];
      by_iso[place_of_iso(country.iso_text())] = static_cast<std::uint8_t>(i + 1);
    }
  }
  static std::size_t place_of_iso(std::string_view iso2) {  // two capitals
    return static_cast<std::size_t>(iso2[0] - 'A') * kLetters +
           static_cast<std::size_t>(iso2[1] - 'A');
  }
};

const Plans& plans() {
  static const Plans kPlans;
  return kPlans;
}

bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }

// The first place whose calling code is not smaller.
std::size_t first_place(unsigned code) {
  std::size_t low = 0, high = kCountries;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (country_at(middle).calling_code < code) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

bool has_code_between(unsigned from, unsigned end) {
  const std::size_t place = first_place(from);
  return place < kCountries && country_at(place).calling_code < end;
}

unsigned number_of(std::string_view digits) {
  unsigned value = 0;
  for (char digit : digits) value = value * 10 + static_cast<unsigned>(digit - '0');
  return value;
}

}  // namespace

const PhoneCountry* find_country(std::string_view iso2) {
  if (iso2.size() != 2 || !is_capital(iso2[0]) || !is_capital(iso2[1])) return nullptr;
  const std::size_t place = plans().by_iso[Plans::place_of_iso(iso2)];
  return place == 0 ? nullptr : &plans().countries[place - 1];
}

PhonePlaces places_of_code(unsigned calling_code) {
  const std::size_t first = first_place(calling_code);
  std::size_t end = first;
  while (end < kCountries && country_at(end).calling_code == calling_code) ++end;
  return {first, end};
}

const PhoneCountry& country_at(std::size_t place) { return plans().countries[place]; }

std::size_t calling_code_size(std::string_view digits) {
  if (digits.starts_with('0')) return 0;
  for (std::size_t size = 1; size <= kLongestCallingCode && size <= digits.size(); ++size) {
    const unsigned code = number_of(digits.substr(0, size));
    if (has_code_between(code, code + 1)) return size;
  }
  return 0;
}

bool may_be_calling_code(std::string_view digits) {
  if (digits.starts_with('0')) return false;
  if (calling_code_size(digits) != 0) return true;
  unsigned code = number_of(digits.substr(0, kLongestCallingCode)), end = code + 1;
  for (std::size_t size = digits.size(); size < kLongestCallingCode; ++size) {
    code *= 10;
    end *= 10;
    if (has_code_between(code, end)) return true;
  }
  return digits.empty();
}

CallingCodeText::CallingCodeText(unsigned code) {
  for (unsigned rest = code; rest != 0; rest /= 10) ++size_;
  for (std::size_t i = size_; i-- > 0; code /= 10) digits_[i] = static_cast<char>('0' + code % 10);
}

PlanWalk walk_plan(const PhoneCountry& country, std::string_view digits) {
  std::size_t state = country.start;
  std::size_t read = 0;
  for (; read < digits.size(); ++read) {
    const unsigned digit = 1U << static_cast<unsigned>(digits[read] - '0');
    std::size_t edge = state;
    while ((kPhoneBits[edge] & (digit | kLastEdge)) == 0) ++edge;
    if ((kPhoneBits[edge] & digit) == 0) break;
    state = kPhoneTargets[edge];
  }
  return {.read = read,
          .is_whole = read == digits.size() && (kPhoneBits[state] & kAccepts) != 0,
          .takes_more = (kPhoneBits[state] & kAnyDigit) != 0};
}

}  // namespace topup
