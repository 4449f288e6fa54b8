#include "server/payments/wechat_text.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <optional>

#include "server/base/utf8.h"

namespace topup::payments {
namespace {

constexpr std::int64_t kBeijingOffsetMs = 8 * 3600 * 1000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes `text` apart by a pattern in which d stands for a digit and any other character for itself.
std::optional<std::string> digits_by(std::string_view text, std::string_view pattern) {
  if (text.size() < pattern.size()) return std::nullopt;
  std::string digits;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == 'd' ? !is_digit(text[i]) : text[i] != pattern[i]) return std::nullopt;
    if (pattern[i] == 'd') digits.push_back(text[i]);
  }
  return digits;
}

int number(const std::string& digits, std::size_t from, std::size_t count) {
  return std::stoi(digits.substr(from, count));
}

std::optional<int> offset_minutes(std::string_view zone) {
  if (zone == "Z") return 0;
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-')) return std::nullopt;
  const auto digits = digits_by(zone.substr(1), "dd:dd");
  if (!digits) return std::nullopt;
  const int minutes = number(*digits, 0, 2) * 60 + number(*digits, 2, 2);
  return zone[0] == '-' ? -minutes : minutes;
}

}  // namespace

std::string wechat_clean_text(std::string_view text, std::size_t max_bytes) {
  std::string clean;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = base::utf8_length_at(text, at);
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::string_view character = text.substr(at, length);
    at += length == 0 ? 1 : length;
    if (length == 0 || length == 4 || lead < 0x20 || lead == 0x7F) continue;
    if (clean.size() + length > max_bytes) break;
    clean.append(character);
  }
  return clean;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kPlain = "-._~";
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (is_letter || is_digit(c) || kPlain.find(c) != std::string_view::npos) {
      out.push_back(c);
    } else {
      out.append({'%', kDigits[byte >> 4U], kDigits[byte & 0xFU]});
    }
  }
  return out;
}

std::string wechat_time(std::int64_t ms) {
  using namespace std::chrono;
  const sys_time<milliseconds> at{milliseconds(ms + kBeijingOffsetMs)};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss time{floor<seconds>(at - day)};
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d+08:00",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()));
  return text.data();
}

std::int64_t parse_wechat_time_ms(std::string_view text) {
  using namespace std::chrono;
  constexpr std::string_view kPattern = "dddd-dd-ddTdd:dd:dd";
  const auto digits = digits_by(text, kPattern);
  if (!digits) return 0;
  text.remove_prefix(kPattern.size());
  if (text.substr(0, 1) == ".") {
    text.remove_prefix(1);
    while (!text.empty() && is_digit(text[0])) text.remove_prefix(1);
  }
  const auto offset = offset_minutes(text);
  const year_month_day date{year(number(*digits, 0, 4)),
                            month(static_cast<unsigned>(number(*digits, 4, 2))),
                            day(static_cast<unsigned>(number(*digits, 6, 2)))};
  const int hour = number(*digits, 8, 2);
  const int minute = number(*digits, 10, 2);
  const int second = number(*digits, 12, 2);
  if (!offset || !date.ok() || hour > 23 || minute > 59 || second > 60) return 0;
  const auto at = sys_days(date) + hours(hour) + minutes(minute - *offset) + seconds(second);
  return duration_cast<milliseconds>(at.time_since_epoch()).count();
}

}  // namespace topup::payments
