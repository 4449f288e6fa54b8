// The small text forms the rehearsed parties share on the wire: percent-encoding, forms, times,
// origins and HTML text. Pure; thread-safe. What a hostile caller may send is refused with nothing,
// never repaired.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace topup::rehearsal {

using Pairs = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::size_t kMaxFormFields = 64;  // later ones are not read

// Nothing when a '%' is not followed by two hex digits. `plus_is_space` for forms and queries.
std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space);
std::string percent_encoded(std::string_view text);  // all but RFC 3986 unreserved characters
Pairs form_fields(std::string_view text);            // malformed pairs are left out
std::vector<std::string> path_segments(std::string_view path);  // decoded; "" for a malformed one

std::string html_text(std::string_view text);  // safe as text and inside a double-quoted attribute

// "2026-11-21T15:30:00+08:00": seconds, always in the time zone of China.
std::string rfc3339_china(std::int64_t wall_ms);
std::string compact_china(std::int64_t wall_ms);                    // "20261121153000"
std::string spaced_time(std::int64_t wall_ms, int offset_minutes);  // "2026-11-21 15:30:00"
// Seconds with an optional fraction and a required zone ("Z" or "+08:00"); nothing for anything
// else.
std::optional<std::int64_t> parse_rfc3339(std::string_view text);

// The parts of an absolute http or https address. Nothing for other schemes, user names, blanks,
// control characters, backslashes or an empty host.
struct WebAddress {
  std::string origin;  // "http://127.0.0.1:8080"
  std::string host;    // "127.0.0.1", lower case, without the port
  std::string target;  // "/pay/back?id=1", at least "/"
  bool is_https = false;
};
std::optional<WebAddress> parse_web_address(std::string_view text);
bool is_loopback_host(std::string_view host);  // localhost, 127.x.x.x, [::1]

// "13.90000" for 1390000: money of the Reloadly wallet is kept in 1/100,000 of a dollar.
inline constexpr std::int64_t kE5 = 100'000;
std::string e5_text(std::int64_t amount_e5);
// At most five decimals and twelve digits before the point, no sign and no exponent; nothing
// otherwise.
std::optional<std::int64_t> parse_e5(std::string_view text);

}  // namespace topup::rehearsal
