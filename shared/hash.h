// A fast 64-bit hash of numbers and texts, the same on every machine: fingerprints and checksums
// that find accidents and differences. Not for secrets: anybody can make two inputs collide.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace topup {

class Hash {
 public:
  constexpr Hash& number(std::uint64_t value) {
    state_ = (state_ ^ value) * 0x9E3779B97F4A7C15ULL;
    state_ ^= state_ >> 29;
    return *this;
  }
  // Eight bytes at a time, little-endian, then the length: "ab","c" and "a","bc" differ.
  Hash& text(std::string_view bytes) {
    std::size_t left = bytes.size();
    const char* from = bytes.data();
    for (; left >= 8; left -= 8, from += 8) number(word_at(from, 8));
    return number(word_at(from, left)).number(bytes.size());
  }
  constexpr std::uint64_t value() const {
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 32)) * 0xD6E8FEB86659FD93ULL;
    return mixed ^ (mixed >> 32);
  }

 private:
  static std::uint64_t word_at(const char* from, std::size_t size) {
    static_assert(std::endian::native == std::endian::little, "the first byte is the lowest");
    std::uint64_t word = 0;
    std::memcpy(&word, from, size);
    return word;
  }
  std::uint64_t state_ = 0xA0761D6478BD642FULL;
};

inline std::string hex_text(std::uint64_t value) {  // 16 digits
  constexpr char kHex[] = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = 0; i < 16; ++i) text[i] = kHex[(value >> (60 - 4 * i)) & 15];
  return text;
}

}  // namespace topup
