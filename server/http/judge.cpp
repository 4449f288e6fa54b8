// The verdict on a head. Every rule closes a way in which two readers of the same bytes could
// disagree, or in which a client could make us work or wait without limit; what browsers,
// mini-programs and payment channels send passes.
#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "server/http/front.h"
#include "server/http/message.h"

namespace topup::http {
namespace {

constexpr Verdict kPass{};
constexpr std::size_t kMaxLengthDigits = 9;
constexpr std::size_t kMaxHostBytes = 255;
constexpr std::size_t kWebSocketKeyBytes = 24;  // RFC 6455 §4.1: 16 bytes in base64.

using Field = std::pair<std::string_view, std::string_view>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The one name with an underscore that a party of ours sends (DingConnect, to its rehearsed self);
// no route of the shop reads it or a name like it.
constexpr std::string_view kUnderscored = "api_key";

// A token of RFC 9110 §5.6.2 without the underscore: CGI-like readers take x_y and x-y for one
// name.
bool is_name(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return is_digit(c) || is_letter(c) || kMarks.find(c) != std::string_view::npos;
  });
}

bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Line ends are CR LF and nothing else; no other control byte but the tab appears anywhere.
bool has_clean_bytes(std::string_view head) {
  for (std::size_t i = 0; i < head.size(); ++i) {
    const auto byte = static_cast<unsigned char>(head[i]);
    if (byte == '\r' && (i + 1 >= head.size() || head[i + 1] != '\n')) return false;
    if (byte == '\n' && (i == 0 || head[i - 1] != '\r')) return false;
    if (byte == 0x7F || (byte < 0x20 && byte != '\r' && byte != '\n' && byte != '\t')) return false;
  }
  return true;
}

Verdict judge_size(std::string_view head, const Limits& limits) {
  const std::string_view line = head.substr(0, head.find('\n'));
  constexpr std::size_t kAroundTarget = 24;  // The longest method, two blanks, the version, CR.
  if (line.size() > limits.max_target_bytes + kAroundTarget) return {414, "target_too_long"};
  if (head.size() > limits.max_head_bytes) return {431, "head_too_large"};
  const auto lines = static_cast<std::size_t>(std::count(head.begin(), head.end(), '\n'));
  if (lines > limits.max_headers + 2) return {431, "too_many_headers"};
  return kPass;
}

bool is_target(std::string_view target) {
  if (target.empty() || target.front() != '/') return false;
  for (std::size_t i = 0; i < target.size(); ++i) {
    const auto byte = static_cast<unsigned char>(target[i]);
    if (byte <= 0x20 || byte >= 0x7F || byte == '#') return false;
    if (byte != '%') continue;
    if (i + 2 >= target.size() || !is_hex(target[i + 1]) || !is_hex(target[i + 2])) return false;
    if (target[i + 1] == '0' && target[i + 2] == '0') return false;
  }
  return true;
}

Verdict judge_request_line(const HeadParts& parts, const Limits& limits) {
  constexpr std::array<std::string_view, 5> kMethods = {"GET", "POST", "PUT", "DELETE", "HEAD"};
  if (!is_name(parts.method)) return {400, "head_malformed"};
  if (parts.version != "HTTP/1.1" && parts.version != "HTTP/1.0") return {400, "version_refused"};
  if (std::find(kMethods.begin(), kMethods.end(), parts.method) == kMethods.end()) {
    return {405, "method_not_allowed"};
  }
  if (parts.target.size() > limits.max_target_bytes) return {414, "target_too_long"};
  if (!is_target(parts.target)) return {400, "target_malformed"};
  return kPass;
}

// cpp-httplib decodes %0d %0a %00 in values (CVE-2026-45372); nothing honest sends them.
bool hides_line_end(std::string_view value) {
  for (std::size_t at = value.find('%'); at != std::string_view::npos;
       at = value.find('%', at + 1)) {
    const std::string_view escape = value.substr(at, 3);
    if (same_word(escape, "%0d") || same_word(escape, "%0a") || escape == "%00") return true;
  }
  return false;
}

Verdict judge_field(const Field& field) {
  const auto& [name, value] = field;
  constexpr std::array<std::string_view, 4> kReserved = {"remote-addr", "remote-port", "local-addr",
                                                         "local-port"};
  if (!is_name(name) && name != kUnderscored) return {400, "header_name_refused"};
  for (const std::string_view reserved : kReserved) {
    if (same_word(name, reserved)) return {400, "header_name_refused"};
  }
  if (hides_line_end(value)) return {400, "header_value_refused"};
  if (same_word(name, "transfer-encoding")) return {501, "transfer_encoding_refused"};
  if (same_word(name, "content-encoding")) return {415, "content_encoding_refused"};
  if (same_word(name, "range") || same_word(name, "if-range")) return {400, "range_refused"};
  if (same_word(name, "expect")) return {400, "expect_refused"};
  // No route takes a form of parts; a certificate or a table comes as one body.
  constexpr std::string_view kParts = "multipart/";
  if (same_word(name, "content-type") && same_word(value.substr(0, kParts.size()), kParts)) {
    return {415, "multipart_refused"};
  }
  return kPass;
}

// The only one of its name; sets `repeated` when there are two.
const Field* only(const HeadParts& parts, std::string_view name, bool* repeated) {
  const Field* found = nullptr;
  for (const Field& field : parts.fields) {
    if (!same_word(field.first, name)) continue;
    if (found != nullptr) *repeated = true;
    found = &field;
  }
  return found;
}

bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= kMaxHostBytes &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return is_digit(c) || is_letter(c) ||
                  std::string_view(".-:[]").find(c) != std::string_view::npos;
         });
}

Verdict judge_length(const HeadParts& parts, const Field* length) {
  const bool takes_body = parts.method == "POST" || parts.method == "PUT";
  if (length == nullptr) return takes_body ? Verdict{411, "length_missing"} : kPass;
  const std::string_view digits = length->second;
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) {
    return {400, "length_malformed"};
  }
  if (digits.size() > kMaxLengthDigits) return {413, "body_too_large"};
  const bool is_zero = digits.find_first_not_of('0') == std::string_view::npos;
  if (!takes_body && !is_zero) return {400, "body_not_allowed"};
  return kPass;
}

// Only a whole WebSocket handshake (RFC 6455 §4.1) may ask for another protocol.
Verdict judge_upgrade(const HeadParts& parts) {
  constexpr Verdict kRefused{400, "upgrade_refused"};
  bool repeated = false;
  const Field* upgrade = only(parts, "upgrade", &repeated);
  const Field* key = only(parts, "sec-websocket-key", &repeated);
  const Field* version = only(parts, "sec-websocket-version", &repeated);
  if (repeated) return kRefused;
  if (upgrade == nullptr) return kPass;
  if (parts.method != "GET" || parts.version != "HTTP/1.1") return kRefused;
  if (!same_word(upgrade->second, "websocket")) return kRefused;
  if (key == nullptr || key->second.size() != kWebSocketKeyBytes) return kRefused;
  if (version == nullptr || version->second != "13") return kRefused;
  const bool connected = std::any_of(parts.fields.begin(), parts.fields.end(), [](const Field& f) {
    return same_word(f.first, "connection") && lists_word(f.second, "upgrade");
  });
  return connected ? kPass : kRefused;
}

Verdict judge_fields(const HeadParts& parts) {
  for (const Field& field : parts.fields) {
    const Verdict verdict = judge_field(field);
    if (verdict.status != 0) return verdict;
  }
  bool repeated = false;
  const Field* host = only(parts, "host", &repeated);
  const Field* length = only(parts, "content-length", &repeated);
  for (const std::string_view single :
       {"content-type", "authorization", "cookie", "idempotency-key", "origin", "traceparent"}) {
    only(parts, single, &repeated);
  }
  if (repeated) return {400, "header_repeated"};
  if (host == nullptr && parts.version == "HTTP/1.1") return {400, "host_refused"};
  if (host != nullptr && !is_host(host->second)) return {400, "host_refused"};
  const Verdict verdict = judge_length(parts, length);
  return verdict.status != 0 ? verdict : judge_upgrade(parts);
}

}  // namespace

Verdict judge(std::string_view head, const Limits& limits) {
  Verdict verdict = judge_size(head, limits);
  if (verdict.status != 0) return verdict;
  // A blank or tab that begins a line would continue the one before (obs-fold).
  const bool folded =
      head.find("\n ") != std::string_view::npos || head.find("\n\t") != std::string_view::npos;
  const bool ends_once = head.size() > 4 && head.find("\r\n\r\n") == head.size() - 4;
  if (!has_clean_bytes(head) || !ends_once || folded) {
    return {400, "head_malformed"};
  }
  const std::optional<HeadParts> parts = split_head(head);
  if (!parts) return {400, "head_malformed"};
  verdict = judge_request_line(*parts, limits);
  return verdict.status != 0 ? verdict : judge_fields(*parts);
}

}  // namespace topup::http
