#include "server/http/message.h"

#include <algorithm>
#include <charconv>

#include "shared/check.h"

namespace topup::http {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes the next line off `rest`, without its line end.
std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find("\r\n");
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
  return line;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char low = lower(c);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

// How many bytes the UTF-8 sequence at the front has; 0 for an invalid, overlong or surrogate one.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const unsigned char second = byte(1);
  if (lead == 0xE0 && second < 0xA0) return 0;
  if (lead == 0xED && second > 0x9F) return 0;
  if (lead == 0xF0 && second < 0x90) return 0;
  if (lead == 0xF4 && second > 0x8F) return 0;
  return length;
}

bool is_plain_text(std::string_view text) {
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t length = utf8_length(text);
    if (length == 0 || first < 0x20 || first == 0x7F) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace

std::size_t head_end(std::string_view bytes, std::size_t from) {
  // A method begins with a capital letter; a TLS hello or an empty line does not.
  if (!bytes.empty() && (bytes[0] < 'A' || bytes[0] > 'Z'))
    return std::min<std::size_t>(bytes.size(), 2);
  for (std::size_t at = bytes.find('\n', from); at != std::string_view::npos;
       at = bytes.find('\n', at + 1)) {
    if (at == 0 || bytes[at - 1] != '\r') return at + 1;
    if (at >= 3 && bytes[at - 2] == '\n') return at + 1;
  }
  return std::string_view::npos;
}

std::optional<HeadParts> split_head(std::string_view head) {
  HeadParts parts;
  const std::string_view first = take_line(head);
  const std::size_t method_end = first.find(' ');
  const std::size_t target_end = first.rfind(' ');
  if (method_end == std::string_view::npos || method_end == target_end) return std::nullopt;
  parts.method = first.substr(0, method_end);
  parts.target = first.substr(method_end + 1, target_end - method_end - 1);
  parts.version = first.substr(target_end + 1);
  for (std::string_view line = take_line(head); !line.empty(); line = take_line(head)) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    parts.fields.emplace_back(line.substr(0, colon), trim(line.substr(colon + 1)));
  }
  return parts;
}

WireRequest wire_request(std::string_view head) {
  const std::optional<HeadParts> parts = split_head(head);
  check(parts.has_value(), "a judged head has parts");
  WireRequest request;
  request.method = parts->method;
  request.target = parts->target;
  request.keep_alive = parts->version == "HTTP/1.1";
  request.headers.reserve(parts->fields.size());
  for (const auto& [name, value] : parts->fields) {
    std::string low(name);
    std::transform(low.begin(), low.end(), low.begin(), lower);
    if (low == "connection" && lists_word(value, "close")) request.keep_alive = false;
    request.headers.emplace_back(std::move(low), std::string(value));
  }
  return request;
}

std::size_t content_length(const WireRequest& request) {
  const std::string_view text = header_of(request, "content-length");
  std::size_t length = 0;
  std::from_chars(text.data(), text.data() + text.size(), length);
  return length;
}

std::string_view header_of(const WireRequest& request, std::string_view lower_case_name) {
  for (const auto& [name, value] : request.headers) {
    if (name == lower_case_name) return value;
  }
  return {};
}

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

std::string_view query_of(std::string_view target) {
  const std::size_t mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
}

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

bool lists_word(std::string_view comma_list, std::string_view word) {
  while (!comma_list.empty()) {
    const std::size_t comma = comma_list.find(',');
    if (same_word(trim(comma_list.substr(0, comma)), word)) return true;
    if (comma == std::string_view::npos) return false;
    comma_list.remove_prefix(comma + 1);
  }
  return false;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += plus_is_blank && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    plain += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (!is_plain_text(plain)) return std::nullopt;
  return plain;
}

std::string_view reason_phrase(int status) {
  static constexpr std::pair<int, std::string_view> kPhrases[] = {
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {303, "See Other"},
      {304, "Not Modified"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {411, "Length Required"},
      {413, "Payload Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {422, "Unprocessable Content"},
      {426, "Upgrade Required"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
  };
  for (const auto& [code, phrase] : kPhrases) {
    if (code == status) return phrase;
  }
  return "Unknown";
}

std::string answer_start(int status, bool keep_alive) {
  std::string start = "HTTP/1.1 ";
  start += std::to_string(status);
  start += ' ';
  start += reason_phrase(status);
  start += keep_alive ? "\r\nConnection: keep-alive\r\n" : "\r\nConnection: close\r\n";
  return start;
}

std::string answer_bytes(const Response& response, bool keep_alive, bool head_only) {
  std::string bytes = answer_start(response.status, keep_alive);
  const auto field = [&bytes](std::string_view name, std::string_view value) {
    if (!is_clean_header(name, value)) return;
    bytes.append(name).append(": ").append(value).append("\r\n");
  };
  const bool has_body = response.status != 204 && response.status != 304;
  if (has_body) {
    field("Content-Type", response.content_type);
    field("Content-Length", std::to_string(response.body.size()));
  }
  for (const auto& [name, value] : response.headers) field(name, value);
  for (const auto& [name, value] : kSafetyHeaders) field(name, value);
  bytes += "\r\n";
  if (has_body && !head_only) bytes += response.body;
  return bytes;
}

void add_field(std::string& bytes, std::string_view line) {
  const std::size_t end = bytes.find("\r\n");
  if (end != std::string::npos) bytes.insert(end + 2, line);
}

void say_close(std::string& bytes) {
  std::size_t at = bytes.find("\r\n");
  if (at == std::string::npos) return;
  for (at += 2; bytes.compare(at, 2, "\r\n") != 0;) {
    const std::size_t end = bytes.find("\r\n", at);
    if (end == std::string::npos) return;
    const std::string_view line = std::string_view(bytes).substr(at, end - at);
    const std::string_view name = line.substr(0, line.find(':'));
    if (same_word(name, "connection") || same_word(name, "keep-alive")) {
      bytes.erase(at, end + 2 - at);
    } else {
      at = end + 2;
    }
  }
  add_field(bytes, "Connection: close\r\n");
}

bool is_clean_header(std::string_view name, std::string_view value) {
  constexpr std::string_view kBreaks("\r\n\0", 3);
  return !name.empty() && name.find_first_of(": \t\r\n") == std::string_view::npos &&
         value.find_first_of(kBreaks) == std::string_view::npos;
}

}  // namespace topup::http
