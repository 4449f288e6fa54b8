// What is typed may stand with or without calling code, trunk prefix and the like. Each of these
// readings is tried, and the best one is kept. A reading that is dead stays dead whatever is typed
// behind it, and so does the best of them. Pure; no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shared/phone_plan.h"

namespace topup {

struct PhoneReading {
  enum class Rank : std::uint8_t {
    dead,    // no continuation is a number of the country
    live,    // a beginning
    likely,  // a number that may be a fixed line
    whole,   // a mobile number
  };
  Rank rank = Rank::dead;
  const PhoneCountry* country = nullptr;  // nullptr while the calling code is not known
  std::string_view national;              // points into the digits typed, or into the readings
  std::size_t bad_at = 0;                 // dead: index into national
  bool is_too_long = false;               // dead: what stands before bad_at takes no further digit
  std::size_t reach = 0;                  // dead: digits typed that were understood
};

// The best of the readings tried so far; of equal ones the first, of dead ones the deepest. All
// `digits` are ASCII digits and an end of those given to the constructor, which outlive this.
class PhoneReadings {
 public:
  explicit PhoneReadings(std::string_view typed) : typed_(typed) {}
  PhoneReadings(const PhoneReadings&) = delete;
  PhoneReadings& operator=(const PhoneReadings&) = delete;

  const PhoneReading& best() const { return best_; }
  bool is_whole() const { return best_.rank == PhoneReading::Rank::whole; }

  // With or without what is dialled before a number inside of the country.
  void try_national(const PhoneCountry& country, std::string_view digits);
  // With the country's calling code; nothing is tried when another one stands there.
  void try_international(const PhoneCountry& country, std::string_view digits);
  // With any calling code. False when there is no such calling code.
  bool try_any_code(std::string_view digits);
  // Nothing but the beginning of a prefix stands there. nullptr: of any country.
  void try_beginning(const PhoneCountry* country);

 private:
  bool is_better(PhoneReading::Rank rank, std::size_t reach) const;
  void try_plain(const PhoneCountry& country, std::string_view digits);
  void try_behind(const PhoneCountry& country, std::string_view digits, std::string_view prefix);
  void try_brazilian(const PhoneCountry& country, std::string_view digits);
  void try_argentine(const PhoneCountry& country, std::string_view digits);
  void try_argentine_area(const PhoneCountry& country, std::string_view digits, std::size_t area);

  std::string_view typed_;
  PhoneReading best_;
  char rewritten_[kLongestNational] = {};
};

}  // namespace topup
