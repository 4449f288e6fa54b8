#include "server/http/cursor.h"

#include <doctest/doctest.h>

#include <string>

#include "server/base/crypto.h"

namespace topup::http {
namespace {

Cursors cursors(const std::string& key = "key") {
  return Cursors([key](std::string_view text) { return base::hex(base::hmac_sha256(key, text)); });
}

std::string place_in(const std::string& cursor, std::string_view list = "orders",
                     std::string_view owner = "user-1") {
  const auto place = cursors().place_of(list, owner, cursor);
  if (place) return *place;
  CHECK(place.error().code == Code::invalid_argument);
  CHECK(place.error().field == "cursor");
  return std::string(place.error().reason);
}

TEST_CASE("cursor: a place comes back as it was, for its list and its owner only") {
  const std::string cursor = cursors().make("orders", "user-1", "01JD0000000000000000000000");
  CHECK(place_in(cursor) == "01JD0000000000000000000000");
  CHECK(place_in("") == "");
  CHECK(cursor.find("01JD") == std::string::npos);
  CHECK(cursor.size() <= kMaxCursorBytes);
  CHECK(place_in(cursor, "refunds") == "cursor_malformed");
  CHECK(place_in(cursor, "orders", "user-2") == "cursor_malformed");
  CHECK_FALSE(cursors("another key").place_of("orders", "user-1", cursor));
  // Where one part ends and the next begins counts, too.
  CHECK(place_in(cursors().make("orders", "u", "ser-1x"), "orders", "user-1") ==
        "cursor_malformed");
  CHECK(cursors().make("a", "bc", "d") != cursors().make("ab", "c", "d"));
}

TEST_CASE("cursor: any changed, cut, added or made-up character is refused") {
  const std::string cursor = cursors().make("orders", "user-1", "place");
  for (std::size_t i = 0; i < cursor.size(); ++i) {
    std::string changed = cursor;
    changed[i] = changed[i] == '0' ? '1' : '0';
    CHECK(place_in(changed) == "cursor_malformed");
    CHECK(place_in(cursor.substr(0, i + 1) + "0" + cursor.substr(i + 1)) == "cursor_malformed");
    if (i > 0) CHECK(place_in(cursor.substr(0, i)) == "cursor_malformed");
  }
  for (const std::string& text :
       {std::string("1"), std::string("01JD0000000000000000000000"), std::string(24, '0'),
        std::string(26, '0'), std::string(kMaxCursorBytes + 1, 'a'), std::string(100'000, 'a'),
        std::string("' OR 1=1 --"), std::string("../../etc/passwd"), std::string(40, '\0')}) {
    CHECK(place_in(text) == "cursor_malformed");
  }
}

}  // namespace
}  // namespace topup::http
