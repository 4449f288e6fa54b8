#include "server/payments/bill_text.h"

#include <algorithm>

#include "server/payments/wechat_text.h"

namespace topup::payments {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kMostWholeDigits = 12;
constexpr std::size_t kDecimals = 5;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool all_digits(std::string_view text) { return std::all_of(text.begin(), text.end(), is_digit); }

}  // namespace

std::optional<std::vector<std::string_view>> bill_lines(std::string_view text, std::size_t most) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.empty()) continue;
    if (lines.size() == most) return std::nullopt;
    lines.push_back(line);
  }
  return lines;
}

std::optional<std::int64_t> bill_time_ms(std::string_view text) {
  constexpr std::size_t kDate = 10, kWhole = 19;
  if (text.size() != kWhole || text[kDate] != ' ') return std::nullopt;
  std::string stamp(text);
  stamp[kDate] = 'T';
  const std::int64_t at = parse_wechat_time_ms(stamp + "+08:00");
  if (at <= 0) return std::nullopt;
  return at;
}

std::optional<std::int64_t> bill_parts(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view rest =
      point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  if (whole.empty() || whole.size() > kMostWholeDigits || !all_digits(whole)) return std::nullopt;
  if (point != std::string_view::npos && (rest.empty() || rest.size() > kDecimals)) {
    return std::nullopt;
  }
  if (!all_digits(rest)) return std::nullopt;
  std::int64_t parts = 0;
  for (const char c : whole) parts = parts * 10 + (c - '0');
  for (std::size_t i = 0; i < kDecimals; ++i)
    parts = parts * 10 + (i < rest.size() ? rest[i] - '0' : 0);
  return is_negative ? -parts : parts;
}

std::optional<Money> fen_of_parts(std::int64_t parts) {
  const std::int64_t minor = parts / kPartsPerFen;
  if (parts % kPartsPerFen != 0 || minor > kMaxMinor || minor < -kMaxMinor) return std::nullopt;
  return fen(minor);
}

std::optional<std::int64_t> bill_count(std::string_view text) {
  if (text.empty() || text.size() > 9 || !all_digits(text)) return std::nullopt;
  std::int64_t count = 0;
  for (const char c : text) count = count * 10 + (c - '0');
  return count;
}

std::optional<std::string> bill_word(std::string_view text, std::size_t most) {
  const bool is_plain =
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
  if (!is_plain || text.size() > most) return std::nullopt;
  return std::string(text);
}

}  // namespace topup::payments
