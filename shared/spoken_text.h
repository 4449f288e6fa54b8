// Text as a recogniser or a hurried buyer leaves it, made even before it is read: ASCII in lower
// case, full-width letters, wide blanks and long dashes as plain_character() folds them, a
// full-width comma as ';' (it never groups digits), the traditional characters of this trade
// simplified, invisible marks dropped; fillers (嗯, 那个, 请, um, please …), control characters and
// runs of blanks become one blank. Where each byte came from is kept, so that a page can mark what
// was understood. An even text is read through a pointer: a blank stands before it and a NUL behind
// it, and neither it nor a word list has a NUL within, so no reader needs to know its bounds.
// Pure; thread-safe; no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace topup {

inline constexpr std::size_t kMaxSpokenBytes = 512;
inline constexpr std::size_t kChineseBytes = 3;  // of one Chinese character

struct SpokenText {
  std::array<char, kMaxSpokenBytes + 2> bytes;            // the blank, the text, the NUL
  std::array<std::uint16_t, kMaxSpokenBytes + 1> origin;  // of each byte, and of the end, in UTF-16
                                                          // code units of what was typed
  std::size_t size = 0;
  const char* begin() const { return bytes.data() + 1; }
  const char* end() const { return begin() + size; }
};

// False when `typed` is longer than kMaxSpokenBytes or is not UTF-8.
bool even_out(std::string_view typed, SpokenText& out);

// Readers. `at` is a place in an even text; they return the number of bytes that were matched.
// A word that begins or ends with a Latin letter is matched whole, never within another; a blank
// in it stands for a blank or a hyphen. A word ends at its '|' or NUL.
std::size_t match_one(const char* at, const char* word);
// The longest word of a list "fuel card|油卡"; `index` receives its place in the list.
std::size_t match_word(const char* at, const char* words, int* index = nullptr);
// The place of the Chinese character at `at` in a text of Chinese characters, or -1.
int match_glyph(const char* at, const char* glyphs);

inline const char* skip_blank(const char* at) { return *at == ' ' ? at + 1 : at; }
constexpr bool is_latin(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace topup
