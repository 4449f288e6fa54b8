// For maps keyed by the text of a statement.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace topup::storage {

// Statements differ in length, beginning, middle or end: to read them whole for each run would be
// dear.
struct TextHash {
  std::size_t operator()(std::string_view text) const {
    const auto eight_at = [text](std::size_t at) {
      std::uint64_t value = 0;
      std::memcpy(&value, text.data() + at, std::min<std::size_t>(8, text.size() - at));
      return value;
    };
    std::uint64_t mixed = text.size() * 0x9E3779B97F4A7C15U;
    if (text.empty()) return static_cast<std::size_t>(mixed);
    if (text.size() > 16) mixed ^= eight_at(text.size() - 16) * 0xC2B2AE3D27D4EB4FU;
    if (text.size() > 8) mixed ^= eight_at(text.size() - 8) * 0x165667B19E3779F9U;
    mixed ^= (eight_at(text.size() / 2) ^ eight_at(0)) * 0xD6E8FEB86659FD93U;
    return static_cast<std::size_t>(mixed ^ mixed >> 32);
  }
};

}  // namespace topup::storage
