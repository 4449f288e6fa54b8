// What the checks of typed fields share: a verdict at each key, and the spelling that a Chinese or
// English keyboard leaves behind (full-width letters, wide blanks, long dashes, invisible marks of
// copied text) folded to the plain character that was meant. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace topup {

// Longer input is impossible without being read.
inline constexpr std::size_t kMaxTypedBytes = 320;

enum class FieldVerdict : std::uint8_t {
  empty,       // nothing typed yet
  incomplete,  // a valid beginning
  valid,
  impossible,  // no continuation can be valid; bad_at says where it went wrong
};
std::string_view to_word(FieldVerdict verdict);  // "empty" …

struct FieldCheck {
  FieldVerdict verdict = FieldVerdict::empty;
  std::string text;         // what was kept of the input, in its canonical spelling
  int bad_at = -1;          // index into `text` (in characters) of what cannot stand there; may be
                            // one behind its end; -1 unless impossible
  std::string_view reason;  // "" unless impossible; some checks also say what is missing
};

inline constexpr char32_t kInvisible = 0;
// The plain character that was meant; kInvisible for marks nobody sees; kNotUtf8 and everything
// else as they are. '。' is folded to '.', because a Chinese keyboard types it for a point.
char32_t plain_character(char32_t code);

void reject(FieldCheck& check, std::size_t at, const char* reason);  // makes it impossible

// Reads what was typed, one plain character after the other, without the invisible marks. A zero
// byte and what is not UTF-8 read as kNotUtf8.
class TypedText {
 public:
  explicit TypedText(std::string_view text) : text_(text) {}
  bool next();         // false at the end
  char32_t code = 0;   // the plain character
  char32_t typed = 0;  // as it was typed

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

struct TypedDigits {
  std::string digits;  // up to the first character that cannot be meant
  bool has_bad_character = false;
};
// Skips blanks and hyphens.
TypedDigits typed_digits(std::string_view typed);

constexpr bool is_digit(char32_t code) { return code >= '0' && code <= '9'; }
constexpr bool is_letter(char32_t code) {
  return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z');
}
constexpr bool is_chinese(char32_t code) {  // Unicode 15: Han in use, with 〇
  return (code >= 0x4E00 && code <= 0x9FFF) || (code >= 0x3400 && code <= 0x4DBF) ||
         code == 0x3007 || (code >= 0xF900 && code <= 0xFAFF) ||
         (code >= 0x2'0000 && code <= 0x3'23AF);
}
bool all_digits(std::string_view text);  // ASCII; true for ""

}  // namespace topup
