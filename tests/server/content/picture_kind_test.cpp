#include "server/content/picture_kind.h"

#include <doctest/doctest.h>

#include <string>

namespace topup::content {
namespace {

using namespace std::string_literals;

const std::string kPng =
    "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x06\0\0\0\0\0\0\0"s;
// SOI, an APP0 of four bytes, then SOF0: 480 high, 640 wide.
const std::string kJpeg = "\xFF\xD8\xFF\xE0\0\x04xx\xFF\xC0\0\x11\x08\x01\xE0\x02\x80\x03more"s;
const std::string kLossy = "RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9D\x01\x2A\x80\x02\xE0\x01"s;
const std::string kLossless = "RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2F\x7F\xC2\x77\0\0\0\0\0\0"s;
const std::string kExtended = "RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\x7F\x02\0\xDF\x01\0"s;

std::string told(const std::string& bytes) {
  const auto facts = picture_facts(bytes);
  if (!facts) return std::string(facts.error().reason);
  return std::string(facts->kind) + " " + std::to_string(facts->width) + "x" +
         std::to_string(facts->height);
}

TEST_CASE("F081: the bytes say what kind of picture it is and how large") {
  CHECK(told(kPng) == "png 640x480");
  CHECK(told(kJpeg) == "jpeg 640x480");
  CHECK(told(kLossy) == "webp 640x480");
  CHECK(told(kLossless) == "webp 640x480");
  CHECK(told(kExtended) == "webp 640x480");
}

TEST_CASE("F081: what is no picture, or would unpack into a flood, is refused") {
  for (const char* other : {"", "<svg xmlns='http://www.w3.org/2000/svg'/>", "GIF89a", "%PDF-1.7",
                            "<!doctype html><script>alert(1)</script>", "\x89PNG\r\n\x1a\n"})
    CHECK_MESSAGE(told(other) == "picture_kind_unknown", other);
  std::string wide = kPng;
  wide[17] = '\x01';
  CHECK(told(wide) == "picture_too_large");
  std::string none = kPng;
  none[18] = none[19] = '\0';
  CHECK(told(none) == "picture_kind_unknown");
  CHECK(told(kPng + std::string(kMaxPictureBytes, 'x')) == "picture_too_large");
}

TEST_CASE("F081: a picture cut anywhere is refused or read, never read beyond its end") {
  for (const std::string& whole : {kPng, kJpeg, kLossy, kLossless, kExtended}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const std::string cut = told(whole.substr(0, size));
      CHECK((cut == "picture_kind_unknown" || cut == told(whole)));
    }
  }
  // Lengths that lead nowhere, or back.
  CHECK(told("\xFF\xD8\xFF\xE0\xFF\xFFxxxxxxxxxxxx"s) == "picture_kind_unknown");
  CHECK(told("\xFF\xD8\xFF\xE0\0\0xxxxxxxxxxxx"s) == "picture_kind_unknown");
}

}  // namespace
}  // namespace topup::content
