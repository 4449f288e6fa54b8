// UTF-8, one character at a time, for texts from anywhere: never past the end, never half a
// character. RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace topup {

inline constexpr char32_t kNotUtf8 = 0xFFFF'FFFF;

struct Utf8Character {
  char32_t code = kNotUtf8;
  std::size_t bytes = 1;  // 1 for what is not UTF-8, so that reading goes on behind it
};

Utf8Character utf8_at(std::string_view text, std::size_t at);  // at < text.size()
void append_utf8(std::string& out, char32_t code);             // a code that utf8_at() gave

}  // namespace topup
