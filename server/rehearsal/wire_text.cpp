#include "server/rehearsal/wire_text.h"

#include <chrono>

namespace topup::rehearsal {
namespace {

constexpr int kChinaOffsetMinutes = 8 * 60;
constexpr std::int64_t kSecondMs = 1'000;
constexpr std::int64_t kMinuteMs = 60 * kSecondMs;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string two(unsigned value) {
  return {static_cast<char>('0' + value / 10 % 10), static_cast<char>('0' + value % 10)};
}

struct CivilTime {
  std::string year, month, day, hour, minute, second;
};

CivilTime civil(std::int64_t wall_ms, int offset_minutes) {
  using namespace std::chrono;
  const sys_time<milliseconds> at{milliseconds{wall_ms + offset_minutes * kMinuteMs}};
  const auto midnight = floor<days>(at);
  const year_month_day date{midnight};
  const hh_mm_ss<milliseconds> time{at - midnight};
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  return {two(year / 100) + two(year % 100),
          two(static_cast<unsigned>(date.month())),
          two(static_cast<unsigned>(date.day())),
          two(static_cast<unsigned>(time.hours().count())),
          two(static_cast<unsigned>(time.minutes().count())),
          two(static_cast<unsigned>(time.seconds().count()))};
}

// The number of `count` digits at `at`; -1 when they are not all digits.
int digits_at(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (!is_digit(text[i])) return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// Minutes east of Greenwich; nothing when the zone is missing or malformed.
std::optional<int> zone_minutes(std::string_view zone) {
  if (zone == "Z" || zone == "z") return 0;
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return {};
  const int hours = digits_at(zone, 1, 2), minutes = digits_at(zone, 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return {};
  return (zone[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] == '%') {
      if (i + 2 >= text.size()) return {};
      const int high = hex_value(text[i + 1]), low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return {};
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

Pairs form_fields(std::string_view text) {
  Pairs out;
  while (!text.empty() && out.size() < kMaxFormFields) {
    const auto end = text.find('&');
    const auto pair = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    const auto equals = pair.find('=');
    const auto name = percent_decoded(pair.substr(0, equals), true);
    const auto value = equals == std::string_view::npos
                           ? std::optional<std::string>("")
                           : percent_decoded(pair.substr(equals + 1), true);
    if (name && value && !name->empty()) out.emplace_back(*name, *value);
  }
  return out;
}

std::vector<std::string> path_segments(std::string_view path) {
  std::vector<std::string> out;
  if (!path.empty() && path.front() == '/') path.remove_prefix(1);
  while (!path.empty()) {
    const auto end = path.find('/');
    out.push_back(percent_decoded(path.substr(0, end), false).value_or(""));
    if (end == std::string_view::npos) break;
    path = path.substr(end + 1);
    if (path.empty()) out.emplace_back();
  }
  return out;
}

std::string html_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string rfc3339_china(std::int64_t wall_ms) {
  const CivilTime t = civil(wall_ms, kChinaOffsetMinutes);
  return t.year + "-" + t.month + "-" + t.day + "T" + t.hour + ":" + t.minute + ":" + t.second +
         "+08:00";
}

std::string compact_china(std::int64_t wall_ms) {
  const CivilTime t = civil(wall_ms, kChinaOffsetMinutes);
  return t.year + t.month + t.day + t.hour + t.minute + t.second;
}

std::string spaced_time(std::int64_t wall_ms, int offset_minutes) {
  const CivilTime t = civil(wall_ms, offset_minutes);
  return t.year + "-" + t.month + "-" + t.day + " " + t.hour + ":" + t.minute + ":" + t.second;
}

std::optional<std::int64_t> parse_rfc3339(std::string_view text) {
  constexpr std::size_t kZoneAt = 19;  // "2026-11-21T15:30:00"
  if (text.size() <= kZoneAt || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':') {
    return {};
  }
  const int year = digits_at(text, 0, 4), month = digits_at(text, 5, 2);
  const int day = digits_at(text, 8, 2), hour = digits_at(text, 11, 2);
  const int minute = digits_at(text, 14, 2), second = digits_at(text, 17, 2);
  if (year < 1970 || month < 1 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 59) {
    return {};
  }
  using namespace std::chrono;
  const year_month_day date{std::chrono::year{year},
                            std::chrono::month{static_cast<unsigned>(month)},
                            std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return {};
  auto rest = text.substr(kZoneAt);
  if (rest.front() == '.') {
    std::size_t end = 1;
    while (end < rest.size() && is_digit(rest[end])) ++end;
    if (end == 1) return {};
    rest = rest.substr(end);
  }
  const auto zone = zone_minutes(rest);
  if (!zone) return {};
  const std::int64_t midnight_s = duration_cast<seconds>(sys_days{date}.time_since_epoch()).count();
  return (midnight_s + hour * 3600 + (minute - *zone) * 60 + second) * kSecondMs;
}

std::optional<WebAddress> parse_web_address(std::string_view text) {
  WebAddress out;
  std::string_view rest = text;
  if (rest.substr(0, 8) == "https://") {
    out.is_https = true;
    rest.remove_prefix(8);
  } else if (rest.substr(0, 7) == "http://") {
    rest.remove_prefix(7);
  } else {
    return {};
  }
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '\\' || c == '"' || c == '<' || c == '>') return {};
  }
  const auto end = rest.find_first_of("/?#");
  const auto authority = rest.substr(0, end);
  if (authority.empty() || authority.find('@') != std::string_view::npos) return {};
  const auto colon =
      authority.front() == '[' ? authority.find(':', authority.find(']')) : authority.find(':');
  for (const char c : authority) {
    const char l = lower(c);
    const bool plain = is_digit(l) || (l >= 'a' && l <= 'z') || l == '.' || l == '-' || l == ':' ||
                       l == '[' || l == ']';
    if (!plain) return {};
    if (out.host.size() < colon) out.host += l;
  }
  if (out.host.empty()) return {};
  out.origin = std::string(out.is_https ? "https://" : "http://") + std::string(authority);
  out.target = end == std::string_view::npos ? "/" : std::string(rest.substr(end));
  if (out.target.front() != '/') out.target.insert(out.target.begin(), '/');
  if (const auto hash = out.target.find('#'); hash != std::string::npos) out.target.resize(hash);
  return out;
}

bool is_loopback_host(std::string_view host) {
  if (host == "localhost" || host == "[::1]") return true;
  if (host.substr(0, 4) != "127.") return false;
  for (const char c : host) {
    if (!is_digit(c) && c != '.') return false;
  }
  return true;
}

std::string e5_text(std::int64_t amount_e5) {
  const bool negative = amount_e5 < 0;
  const std::int64_t size = negative ? -amount_e5 : amount_e5;
  std::string decimals = std::to_string(size % kE5);
  decimals.insert(0, 5 - decimals.size(), '0');
  return (negative ? "-" : "") + std::to_string(size / kE5) + "." + decimals;
}

std::optional<std::int64_t> parse_e5(std::string_view text) {
  const auto point = text.find('.');
  const auto whole = text.substr(0, point);
  const auto decimals =
      point == std::string_view::npos ? std::string_view{} : text.substr(point + 1);
  if (whole.empty() || whole.size() > 12 || decimals.size() > 5) return {};
  if (point != std::string_view::npos && decimals.empty()) return {};
  std::int64_t value = 0;
  for (const char c : whole) {
    if (!is_digit(c)) return {};
    value = value * 10 + (c - '0');
  }
  for (std::size_t i = 0; i < 5; ++i) {
    const char c = i < decimals.size() ? decimals[i] : '0';
    if (!is_digit(c)) return {};
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace topup::rehearsal
