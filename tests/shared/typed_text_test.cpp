#include "shared/typed_text.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "shared/utf8_text.h"

using namespace topup;

TEST_CASE("UTF-8: what is not well-formed is one bad byte, never more") {
  struct Row {
    const char* name;
    std::string_view bytes;
    char32_t code;
    std::size_t length;
  };
  const Row rows[] = {
      {"ASCII", "a", 'a', 1},
      {"a zero byte", std::string_view("\0", 1), 0, 1},
      {"two bytes", "\xC2\xA5", 0xA5, 2},
      {"three bytes", "\xE5\x85\x83", U'元', 3},
      {"the last code point", "\xF4\x8F\xBF\xBF", 0x10FFFF, 4},
      {"beyond the last", "\xF4\x90\x80\x80", kNotUtf8, 1},
      {"overlong, two bytes", "\xC0\x80", kNotUtf8, 1},
      {"overlong, three bytes", "\xE0\x9F\xBF", kNotUtf8, 1},
      {"overlong, four bytes", "\xF0\x8F\xBF\xBF", kNotUtf8, 1},
      {"half a surrogate pair", "\xED\xA0\x80", kNotUtf8, 1},
      {"a tail alone", "\x80", kNotUtf8, 1},
      {"cut short", "\xE5\x85", kNotUtf8, 1},
      {"a tail that is none",
       "\xE5\x85"
       "a",
       kNotUtf8, 1},
      {"a byte that never occurs", "\xFF", kNotUtf8, 1},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Utf8Character got = utf8_at(row.bytes, 0);
    CHECK(got.code == row.code);
    CHECK(got.bytes == row.length);
  }
  CHECK(rc::check("what is written is read again", [] {
    const auto code = static_cast<char32_t>(*rc::gen::inRange(0, 0x110000));
    if (code >= 0xD800 && code <= 0xDFFF) return;
    std::string text = "x";
    append_utf8(text, code);
    RC_ASSERT(utf8_at(text, 1).code == code);
    RC_ASSERT(utf8_at(text, 1).bytes + 1 == text.size());
  }));
}

TEST_CASE("typed text: what a keyboard leaves behind is folded to what was meant") {
  CHECK(plain_character(U'９') == '9');
  CHECK(plain_character(U'Ｘ') == 'X');
  CHECK(plain_character(U'　') == ' ');
  CHECK(plain_character(U'—') == '-');
  CHECK(plain_character(U'。') == '.');
  CHECK(plain_character(U'’') == '\'');
  CHECK(plain_character(0x202D) == kInvisible);
  CHECK(plain_character(0xFEFF) == kInvisible);
  CHECK(plain_character(U'元') == U'元');
  CHECK(plain_character(kNotUtf8) == kNotUtf8);
}

TEST_CASE("typed text: digits up to the first character that cannot be meant") {
  CHECK(typed_digits("１2 3-4").digits == "1234");
  CHECK_FALSE(typed_digits("１2 3-4").has_bad_character);
  CHECK(typed_digits("12x34").digits == "12");
  CHECK(typed_digits("12x34").has_bad_character);
}
