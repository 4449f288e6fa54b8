#include "shared/phone_reading.h"

#include <algorithm>

namespace topup {
namespace {

using Rank = PhoneReading::Rank;

// Spellings that the trunk prefix does not cover: digits that may stand before a national number.
struct Habit {
  char iso[3];
  char prefix[4];
};
constexpr Habit kHabits[] = {
    {"BY", "0"},    // and 80, its trunk prefix followed by the old area prefix
    {"BY", "80"},   //
    {"LT", "8"},    // the trunk prefix until 2025
    {"MX", "1"},    // between calling code and number until 2019
    {"MX", "01"},   // trunk prefix until 2019
    {"MX", "044"},  // to a mobile nearby until 2019
    {"MX", "045"},  // to a mobile far away until 2019
};

}  // namespace

bool PhoneReadings::is_better(Rank rank, std::size_t reach) const {
  if (rank != Rank::dead || best_.rank != Rank::dead) return rank > best_.rank;
  return best_.country == nullptr || reach > best_.reach;
}

void PhoneReadings::try_beginning(const PhoneCountry* country) {
  if (!is_better(Rank::live, 0)) return;
  best_.rank = Rank::live;
  best_.country = country;
  best_.national = {};
}

void PhoneReadings::try_plain(const PhoneCountry& country, std::string_view digits) {
  const PlanWalk walk = walk_plan(country, digits);
  const Rank rank = walk.is_whole               ? Rank::whole
                    : walk.read < digits.size() ? Rank::dead
                                                : Rank::live;
  const std::size_t reach = typed_.size() - digits.size() + walk.read;
  if (!is_better(rank, reach)) return;
  best_ = {.rank = rank,
           .country = &country,
           .national = digits,
           .bad_at = walk.read,
           .is_too_long = !walk.takes_more,
           .reach = reach};
}

void PhoneReadings::try_behind(const PhoneCountry& country, std::string_view digits,
                               std::string_view prefix) {
  if (digits.starts_with(prefix)) {
    try_plain(country, digits.substr(prefix.size()));
  } else if (prefix.starts_with(digits)) {
    try_beginning(&country);
  }
}

void PhoneReadings::try_national(const PhoneCountry& country, std::string_view digits) {
  try_plain(country, digits);
  if (is_whole()) return;
  if (const std::string_view trunk = country.trunk_text(); !trunk.empty()) {
    try_behind(country, digits, trunk);
  }
  for (const Habit& habit : kHabits) {
    if (country.is(habit.iso)) try_behind(country, digits, habit.prefix);
  }
  if (country.is("BR")) try_brazilian(country, digits);
  if (country.is("AR")) {
    try_argentine(country, digits);
    if (digits.starts_with('0')) try_argentine(country, digits.substr(1));
  }
}

void PhoneReadings::try_international(const PhoneCountry& country, std::string_view digits) {
  const CallingCodeText code(country.calling_code);
  if (digits.starts_with(code.text())) {
    try_national(country, digits.substr(code.text().size()));
  } else if (code.text().starts_with(digits)) {
    try_beginning(&country);
  }
}

bool PhoneReadings::try_any_code(std::string_view digits) {
  const std::size_t size = calling_code_size(digits);
  if (size == 0) {
    if (!may_be_calling_code(digits)) return false;
    try_beginning(nullptr);
    return true;
  }
  unsigned code = 0;
  for (char digit : digits.substr(0, size)) code = code * 10 + static_cast<unsigned>(digit - '0');
  const PhonePlaces places = places_of_code(code);
  for (std::size_t place = places.first; place < places.end && !is_whole(); ++place) {
    try_national(country_at(place), digits.substr(size));
  }
  return true;
}

// 0, two digits of a carrier, number.
void PhoneReadings::try_brazilian(const PhoneCountry& country, std::string_view digits) {
  constexpr std::size_t kBeforeNumber = 3;
  if (!digits.starts_with('0')) return;
  const std::string_view carrier = digits.substr(1, kBeforeNumber - 1);
  if (carrier.find('0') != std::string_view::npos) return;
  if (digits.size() <= kBeforeNumber) {
    try_beginning(&country);
  } else {
    try_plain(country, digits.substr(kBeforeNumber));
  }
}

// Area, 15, number stands for 9, area, number. Without 9 and 15 it may be a fixed line.
void PhoneReadings::try_argentine(const PhoneCountry& country, std::string_view digits) {
  constexpr std::size_t kShortestArea = 2, kLongestArea = 4;
  try_argentine_area(country, digits, digits.size());
  for (std::size_t area = kShortestArea; area <= kLongestArea; ++area) {
    try_argentine_area(country, digits, area);
  }
}

void PhoneReadings::try_argentine_area(const PhoneCountry& country, std::string_view digits,
                                       std::size_t area) {
  constexpr std::string_view kMark = "15";
  area = std::min(area, digits.size());
  const std::string_view behind = digits.substr(area);
  const bool has_mark = behind.starts_with(kMark);
  if (!has_mark && !kMark.starts_with(behind)) return;
  const std::string_view rest = has_mark ? behind.substr(kMark.size()) : std::string_view();
  const std::size_t size = 1 + area + rest.size();
  if (size > kLongestNational) return;
  char number[kLongestNational] = {'9'};
  std::copy_n(digits.data(), area, number + 1);
  std::copy_n(rest.data(), rest.size(), number + 1 + area);
  const PlanWalk walk = walk_plan(country, {number, size});
  const Rank rank = walk.read < size ? Rank::dead
                    : !walk.is_whole ? Rank::live
                    : has_mark       ? Rank::whole
                                     : Rank::likely;
  if (rank <= best_.rank) return;
  best_.rank = rank;
  best_.country = &country;
  best_.national = digits;  // as typed, as long as it is being typed
  if (rank == Rank::live) return;
  std::copy_n(number, size, rewritten_);
  best_.national = {rewritten_, size};
}

}  // namespace topup
