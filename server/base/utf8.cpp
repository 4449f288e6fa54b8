#include "server/base/utf8.h"

namespace topup::base {
namespace {

struct Form {  // a lead byte, and the range its first continuation byte must be in (RFC 3629,
               // section 4)
  unsigned char lead_from, lead_to, next_from, next_to;
  std::size_t length;
};

constexpr Form kForms[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
    {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
    {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

bool is_within(unsigned char byte, unsigned char from, unsigned char to) {
  return byte >= from && byte <= to;
}

}  // namespace

std::size_t utf8_length_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  if (byte(0) < 0x80) return 1;
  for (const Form& form : kForms) {
    if (!is_within(byte(0), form.lead_from, form.lead_to)) continue;
    if (text.size() - at < form.length) return 0;
    if (!is_within(byte(1), form.next_from, form.next_to)) return 0;
    for (std::size_t i = 2; i < form.length; ++i) {
      if (!is_within(byte(i), 0x80, 0xBF)) return 0;
    }
    return form.length;
  }
  return 0;
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length_at(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

}  // namespace topup::base
