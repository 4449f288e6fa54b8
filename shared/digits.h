// Decimal digits of whole numbers. std::to_string would bring printf into the page: 4 KB.
#pragma once

#include <cstdint>
#include <string>

namespace topup {

inline void append_digits(std::string& out, std::int64_t value) {
  char reversed[20];
  int count = 0;
  // Negative numbers reach further than positive ones, so the digits are taken below zero.
  std::int64_t left = value < 0 ? value : -value;
  do {
    reversed[count++] = static_cast<char>('0' - left % 10);
    left /= 10;
  } while (left != 0);
  if (value < 0) out += '-';
  while (count > 0) out += reversed[--count];
}

inline std::string digits_of(std::int64_t value) {
  std::string text;
  append_digits(text, value);
  return text;
}

}  // namespace topup
