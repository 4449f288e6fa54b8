// Is this UTF-8? RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace topup::base {

// Bytes (1 to 4) of the well-formed character that starts at `at`, which must be inside `text`; 0
// if there is none.
std::size_t utf8_length_at(std::string_view text, std::size_t at);
bool is_utf8(std::string_view text);

}  // namespace topup::base
