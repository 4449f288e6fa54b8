// What comes through the door: heads, paths, bodies, cursors, cookies.
#include <array>

#include "server/base/crypto.h"
#include "server/base/json.h"
#include "server/http/address.h"
#include "server/http/cursor.h"
#include "server/http/front.h"
#include "server/http/message.h"
#include "server/http/router.h"
#include "shared/json_read.h"
#include "tests/fuzz/fuzz.h"

namespace topup::fuzz {
namespace {

bool has_line_break(std::string_view text) { return text.find_first_of("\r\n") != text.npos; }

// However the bytes come in, the head ends at one place.
void check_split(std::string_view input, std::size_t end) {
  // What cannot begin a head is refused with what has come of it.
  if (input.empty() || input[0] < 'A' || input[0] > 'Z') return;
  const std::size_t half = input.size() / 2;
  const std::size_t early = http::head_end(input.substr(0, half), 0);
  if (early != std::string_view::npos) {
    holds(early == end, "a head ends where it ended before more bytes came");
  } else {
    holds(http::head_end(input, half) == end, "a head ends at one place however it is cut");
  }
}

void run_head(std::string_view input) {
  const std::size_t end = http::head_end(input, 0);
  check_split(input, end);
  if (end == std::string_view::npos) return;
  holds(end <= input.size(), "a head lies in its bytes");
  const http::Limits limits;
  const std::string head(input.substr(0, end));
  const http::Verdict said = http::judge(head, limits);
  holds(said.status == http::judge(head, limits).status, "a verdict is a verdict");
  if (said.status != 0) {
    holds(said.status >= 400 && said.status < 600, "a refusal is a refusal");
    return;
  }
  const http::WireRequest request = http::wire_request(head);
  holds(request.headers.size() <= limits.max_headers, "headers are counted");
  holds(request.target.size() <= limits.max_target_bytes && request.target.starts_with("/"),
        "a target is a path");
  for (const auto& [name, value] : request.headers) {
    holds(http::is_clean_header(name, value), "what passed can be sent on");
    holds(name != "transfer-encoding", "no body of unknown length");
  }
  holds(http::content_length(request) <= 999'999'999, "a length has nine digits");
}

void run_path(std::string_view input) {
  const std::string_view path = http::path_of(input), query = http::query_of(input);
  if (const auto segments = http::path_segments(path)) {
    holds(segments->size() <= http::kMaxPathSegments, "segments are counted");
    for (const std::string& segment : *segments) {
      holds(segment != "." && segment != ".." && !segment.empty(), "no way out of the tree");
      holds(segment.find('\\') == segment.npos && segment.find('\0') == segment.npos,
            "no odd byte");
      holds(!has_line_break(segment), "no line break");
    }
  }
  if (const auto values = http::query_values(query)) {
    holds(values->size() <= http::kMaxQueryValues, "values are counted");
    for (const auto& [name, value] : *values)
      holds(!has_line_break(name) && value.find('\0') == value.npos, "no odd byte in a value");
  }
  if (const auto address = http::parse_address(input)) {
    const auto again = http::parse_address(http::to_text(*address));
    holds(again && http::to_text(*again) == http::to_text(*address), "an address is its own text");
  }
  (void)http::parse_range(input);
}

// Two readers that share no line must agree on what they both take.
void run_body(std::string_view input) {
  const auto body = base::json_in(input);
  const auto strict = JsonDocument::parse(input);
  if (!body || !body->is_object()) return;
  for (const char* key : {"amount_minor", "version", "product_id", "order"}) {
    const auto number = base::integer_in(*body, key, -kMaxMinor, kMaxMinor);
    const auto text = base::text_in(*body, key, 64);
    holds(!(number && text), "a value has one type");
    if (text) holds(text->size() <= 64, "a text has a bound");
    if (!strict) continue;
    const JsonValue other = strict->root()[key];
    if (number && other.integer()) holds(*other.integer() == *number, "two readers, one number");
    if (text && other.text()) holds(*other.text() == *text, "two readers, one text");
  }
  if (const auto money = base::money_in(*body, "amount"))
    holds(money->minor >= -kMaxMinor && money->minor <= kMaxMinor, "an amount has a bound");
  holds(base::json_in(body->dump()).has_value(), "what was read can be written and read");
}

std::string mark(std::string_view text) { return base::hex(base::hmac_sha256("a key", text)); }

void run_cursor(std::string_view input) {
  static const http::Cursors cursors(mark);
  const std::string_view text = input.substr(0, std::min<std::size_t>(input.size(), 300));
  const auto place = cursors.place_of("orders", "buyer-1", text);
  if (place && !text.empty())
    holds(cursors.make("orders", "buyer-1", *place) == text, "only what was made is taken");
  if (text.empty()) return;
  const std::string own = cursors.make("orders", "buyer-1", text.substr(0, http::kMaxPlaceBytes));
  const auto back = cursors.place_of("orders", "buyer-1", own);
  holds(text.empty() || (back && *back == text.substr(0, http::kMaxPlaceBytes)),
        "what was made is taken");
  if (!text.empty())
    holds(!cursors.place_of("orders", "buyer-2", own), "a cursor of somebody else is not");
}

void run_cookie(std::string_view input) {
  http::Request request;
  request.headers = {{"cookie", std::string(input)}, {"authorization", std::string(input)}};
  for (const char* name : {"topup_staff", "__Host-topup_staff", "a", ""}) {
    const std::string_view value = request.cookie(name);
    holds(value.size() <= input.size(), "a cookie lies in its header");
    holds(value.find(';') == value.npos, "a cookie ends at its end");
  }
  (void)http::is_opaque_word(input, 8, 64);
  (void)http::lists_word(input, "upgrade");
  (void)http::percent_decode(input, true);
  if (const auto bytes = base::from_base64(input))
    holds(base::base64(*bytes) == input, "base64 has one spelling");
}

std::vector<std::string> cursors_made() {
  const http::Cursors cursors(mark);
  return {cursors.make("orders", "buyer-1", "1700000000000.01JD"), cursors.make("orders", "", "1"),
          ""};
}

}  // namespace

std::span<const Target> door_targets() {
  static const std::array kAll = {
      Target{
          "head",
          110,
          run_head,
          nullptr,
          {"\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: 5\r\n", "Host: a\r\n", " ",
           "\r\n\r\n", "Expect: 100-continue\r\n", "Range: bytes=0-\r\n", "HTTP/1.1", "Upgrade: "}},
      Target{"path",
             110,
             run_path,
             nullptr,
             {"%2e", "%2f", "..", "//", "%00", "?", "&", "=", ";", "\\", "%c0%af", "::1", "/24"}},
      Target{"body",
             70,
             run_body,
             nullptr,
             {"\"amount_minor\":", "\"order\":{", "1.5", "1e2", "null", "\"\\ud800\"", "[[", "}"}},
      Target{"cursor", 40, run_cursor, cursors_made, {"0", "f", "."}},
      Target{"cookie",
             90,
             run_cookie,
             nullptr,
             {"topup_staff=", "; ", "=", "__Host-", "\"", "%3D", "Bearer ", "=="}},
  };
  return kAll;
}

}  // namespace topup::fuzz
