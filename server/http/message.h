// HTTP/1.1 messages as bytes, without sockets: where a head ends, its fields, and how an answer is
// written. Pure; used by the door, by judge() and by every Site. Nothing here decides whether a
// request is allowed: judge() (front.h) does.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/http/front.h"
#include "server/http/router.h"

namespace topup::http {

// Sent with every answer of ours, whatever its kind.
inline constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kSafetyHeaders = {{
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "strict-origin-when-cross-origin"},
    {"X-Frame-Options", "DENY"},
}};

// The pieces of a head as sent; views into it. Values are trimmed of blanks and tabs; nothing is
// judged.
struct HeadParts {
  std::string_view method;
  std::string_view target;
  std::string_view version;
  std::vector<std::pair<std::string_view, std::string_view>> fields;
};

// One past the end of the head in `bytes`, or npos while more bytes are needed. `from` is how many
// bytes earlier calls have seen. Bytes that no head may begin or end a line with end it at once, so
// that judge() refuses them without a wait.
std::size_t head_end(std::string_view bytes, std::size_t from);

// Nothing when a line has no colon or the first line has not three parts.
std::optional<HeadParts> split_head(std::string_view head);

// For a head that judge() has passed.
WireRequest wire_request(std::string_view head);
std::size_t content_length(const WireRequest& request);  // 0 when absent
std::string_view header_of(const WireRequest& request, std::string_view lower_case_name);
std::string_view path_of(std::string_view target);   // without the query
std::string_view query_of(std::string_view target);  // without the question mark; "" when absent

bool same_word(std::string_view a, std::string_view b);  // ASCII, ignoring case
bool lists_word(std::string_view comma_list,
                std::string_view word);  // e.g. Connection: keep-alive, Upgrade

// Percent-decodes; nothing for a broken escape, a control byte or bytes that are not UTF-8.
// `plus_is_blank` for queries.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank = false);

std::string_view reason_phrase(int status);

// The status line and Connection; fields, Content-Length and the body follow it.
std::string answer_start(int status, bool keep_alive);

// A whole answer with Content-Length and the safety headers. Fields that hold CR, LF or NUL are
// left out.
std::string answer_bytes(const Response& response, bool keep_alive, bool head_only = false);

// For answers that are written already. `line` ends with CR LF.
void add_field(std::string& bytes, std::string_view line);
// Takes a promise to keep the connection back.
void say_close(std::string& bytes);

bool is_clean_header(std::string_view name, std::string_view value);

}  // namespace topup::http
