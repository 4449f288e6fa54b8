#include "server/http/cursor.h"

#include "server/base/crypto.h"
#include "shared/check.h"

namespace topup::http {
namespace {

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool is_hex(std::string_view text) {
  for (const char c : text) {
    if (digit_of(c) < 0) return false;
  }
  return true;
}

}  // namespace

std::string Cursors::mark_of(std::string_view list, std::string_view owner,
                             std::string_view place) const {
  // Each part is preceded by its length, so that no two different cursors mark the same bytes.
  std::string text;
  for (const std::string_view part : {list, owner, place}) {
    text += std::to_string(part.size());
    text.append(":").append(part);
  }
  return mark_(text).substr(0, kCursorMarkDigits);
}

std::string Cursors::make(std::string_view list, std::string_view owner,
                          std::string_view place) const {
  check(!place.empty() && place.size() <= kMaxPlaceBytes, "a place in a list is short");
  return base::hex(place) + mark_of(list, owner, place);
}

Result<std::string> Cursors::place_of(std::string_view list, std::string_view owner,
                                      std::string_view cursor) const {
  if (cursor.empty()) return std::string();
  const auto malformed = [] {
    return refuse(Code::invalid_argument, "cursor_malformed", "cursor",
                  "the next_cursor of the page before, unchanged");
  };
  if (cursor.size() <= kCursorMarkDigits || cursor.size() > kMaxCursorBytes) return malformed();
  const std::string_view digits = cursor.substr(0, cursor.size() - kCursorMarkDigits);
  if (digits.size() % 2 != 0 || !is_hex(digits)) return malformed();
  std::string place;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    place += static_cast<char>(16 * digit_of(digits[i]) + digit_of(digits[i + 1]));
  }
  const std::string_view mark = cursor.substr(digits.size());
  if (!base::constant_time_equal(mark, mark_of(list, owner, place))) return malformed();
  return place;
}

}  // namespace topup::http
