#include "server/base/utf8.h"

#include <doctest/doctest.h>

#include <string>

using namespace topup::base;

TEST_CASE("every code point but the surrogates is UTF-8, and its neighbours in length are not") {
  for (unsigned point = 0; point <= 0x10FFFF; ++point) {
    std::string text;
    const auto tail = [&](int shift) {
      text += static_cast<char>(0x80U | (point >> shift & 0x3FU));
    };
    if (point < 0x80) {
      text += static_cast<char>(point);
    } else if (point < 0x800) {
      text += static_cast<char>(0xC0U | point >> 6);
      tail(0);
    } else if (point < 0x10000) {
      text += static_cast<char>(0xE0U | point >> 12);
      tail(6);
      tail(0);
    } else {
      text += static_cast<char>(0xF0U | point >> 18);
      tail(12);
      tail(6);
      tail(0);
    }
    const bool is_surrogate = point >= 0xD800 && point <= 0xDFFF;
    if (is_utf8(text) == is_surrogate) FAIL(point);
    if (!is_surrogate && utf8_length_at(text, 0) != text.size()) FAIL(point);
    if (text.size() > 1 && is_utf8(text.substr(0, text.size() - 1))) FAIL(point);
  }
}

TEST_CASE("malformed forms are refused") {
  for (const char* text :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe", "\xff", "a\xc3(",
        "\xe4\xb8"
        "a"}) {
    CAPTURE(text);
    CHECK_FALSE(is_utf8(text));
  }
  CHECK(is_utf8(""));
}
