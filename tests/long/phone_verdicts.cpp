// Answers each line "ISO2 national" of the standard input with 1 or 0: is this national number,
// just as it stands, a mobile number of the country? tests/long/phone.mjs asks.
#include <iostream>
#include <string>

#include "shared/phone.h"

int main() {
  std::ios::sync_with_stdio(false);
  std::string country, national, answers;
  while (std::cin >> country >> national) {
    const std::string typed = "+" + std::to_string(topup::calling_code_of(country)) + national;
    const topup::PhoneCheck check = topup::check_phone(typed, country);
    const bool is_valid = check.verdict == topup::PhoneVerdict::valid && check.national == national;
    answers += is_valid ? "1\n" : "0\n";
  }
  std::cout << answers;
}
