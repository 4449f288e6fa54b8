// The two-digit codes of mainland provinces and of Hong Kong, Macau and Taiwan. Source: GB/T 2260;
// 83 is Taiwan on residence permits.
#pragma once

#include <string_view>

namespace topup {

// `digits` are two ASCII digits.
constexpr bool is_province_code(std::string_view digits) {
  constexpr std::string_view kCodes =
      "11121314152122233132333435363741424344454650515253546162636465718182"
      "83";
  for (std::size_t at = 0; at < kCodes.size(); at += 2) {
    if (kCodes.substr(at, 2) == digits) return true;
  }
  return false;
}

}  // namespace topup
