// Where a list goes on: the place after which the next page begins, sealed so that a page sends it
// back but cannot read it, make one up, or use it for another list or as somebody else. Every list
// of the API takes its `cursor` through here. Thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "shared/result.h"

namespace topup::http {

inline constexpr std::size_t kMaxPlaceBytes = 96;
inline constexpr std::size_t kCursorMarkDigits = 24;  // 96 bits of the keyed hash
inline constexpr std::size_t kMaxCursorBytes = 2 * kMaxPlaceBytes + kCursorMarkDigits;

class Cursors {
 public:
  // A keyed hash in hex digits, at least kCursorMarkDigits of them; the same on every node.
  using Mark = std::function<std::string(std::string_view)>;
  explicit Cursors(Mark mark) : mark_(std::move(mark)) {}

  // `list` names the list and its filter, `owner` whose it is ("" for lists of the whole shop).
  std::string make(std::string_view list, std::string_view owner, std::string_view place) const;
  // The place again; "" for no cursor. Errors: invalid_argument/cursor_malformed, field `cursor`.
  Result<std::string> place_of(std::string_view list, std::string_view owner,
                               std::string_view cursor) const;

 private:
  std::string mark_of(std::string_view list, std::string_view owner, std::string_view place) const;
  Mark mark_;
};

}  // namespace topup::http
