#include "shared/phone_plan.h"

#include "shared/phone_tables.h"

namespace topup {
namespace {

constexpr unsigned kLastEdge = PhoneTables::kLastEdge, kAccepts = PhoneTables::kAccepts;
constexpr unsigned kAnyDigit = 0x3FF;

bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }

// The first place whose calling code is not smaller.
std::size_t first_place(unsigned code) {
  const PhoneTables& tables = phone_tables();
  std::size_t low = 0, high = tables.countries;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (tables.rows[middle].calling_code < code) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

bool has_code_between(unsigned from, unsigned end) {
  const PhoneTables& tables = phone_tables();
  const std::size_t place = first_place(from);
  return place < tables.countries && tables.rows[place].calling_code < end;
}

unsigned number_of(std::string_view digits) {
  unsigned value = 0;
  for (char digit : digits) value = value * 10 + static_cast<unsigned>(digit - '0');
  return value;
}

}  // namespace

const PhoneCountry* find_country(std::string_view iso2) {
  if (iso2.size() != 2 || !is_capital(iso2[0]) || !is_capital(iso2[1])) return nullptr;
  const PhoneTables& tables = phone_tables();
  const std::size_t place = tables.by_iso[PhoneTables::place_of_iso(iso2)];
  return place == 0 ? nullptr : &tables.rows[place - 1];
}

PhonePlaces places_of_code(unsigned calling_code) {
  const PhoneTables& tables = phone_tables();
  const std::size_t first = first_place(calling_code);
  std::size_t end = first;
  while (end < tables.countries && tables.rows[end].calling_code == calling_code) ++end;
  return {first, end};
}

const PhoneCountry& country_at(std::size_t place) { return phone_tables().rows[place]; }

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
  const PhoneTables& tables = phone_tables();
  const std::uint16_t *targets = tables.targets, *bits = tables.bits;
  std::size_t state = country.start;
  std::size_t read = 0;
  for (; read < digits.size(); ++read) {
    const unsigned digit = 1U << static_cast<unsigned>(digits[read] - '0');
    std::size_t edge = state;
    while ((bits[edge] & (digit | kLastEdge)) == 0) ++edge;
    if ((bits[edge] & digit) == 0) break;
    state = targets[edge];
  }
  return {.read = read,
          .is_whole = read == digits.size() && (bits[state] & kAccepts) != 0,
          .takes_more = (bits[state] & kAnyDigit) != 0};
}

}  // namespace topup
