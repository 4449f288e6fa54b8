// Numbers as people say and type them, read from an even text (spoken_text.h): digits ("1,000",
// "99.5", "2k", "1.5万", "3百5"), Chinese numerals (两百, 三百五 = 350, 一百零五 = 105, financial
// 壹佰贰拾), English words ("a hundred and fifty", "twenty-five"), and digits said one by one
// (一三八…, "one two three four"). No guess is made: what has more than one reading, or none, is
// read to its end and is not certain. Values are thousandths, so that every currency's minor unit
// is a whole number of them. Pure; thread-safe; no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace topup {

inline constexpr std::int64_t kThousandths = 1000;
inline constexpr std::size_t kMaxSaidDigits = 24;

struct SaidDigits {
  std::array<char, kMaxSaidDigits> text{};
  std::size_t size = 0;
  std::string_view view() const { return {text.data(), size}; }
  void push(char digit) { text[size++] = digit; }  // only below kMaxSaidDigits
};

struct SpokenNumber {
  std::size_t size = 0;          // bytes read; 0: no number starts here
  std::int64_t thousandths = 0;  // means nothing unless certain
  bool is_certain = true;
  bool is_one_word = false;    // a digit in words, 一 or "two": often no number is meant by it
  bool is_one_by_one = false;  // several digits in words, each said for itself
  SaidDigits said;             // the digits of a plain run, leading zeros kept; else empty
};

// `reads_w`: "1w" is 10,000, as Chinese typists mean it.
SpokenNumber read_number(const char* at, bool reads_w);

int chinese_digit(const char* at);  // 0 … 9, or -1
// The bytes of the digit or Chinese numeral at `at`; 0 if it is none.
std::size_t numeral_size(const char* at);

}  // namespace topup
