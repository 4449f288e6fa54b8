#include "server/payments/alipay_text.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "server/base/utf8.h"
#include "server/payments/wechat_text.h"

namespace topup::payments {
namespace {

constexpr std::int64_t kBeijingOffsetMs = 8 * 3600 * 1000;
constexpr std::size_t kMaxAmountText = 64;
constexpr std::string_view kRefused = "/=&,";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> form_decoded(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out.push_back(text[at] == '+' ? ' ' : text[at]);
      continue;
    }
    if (at + 2 >= text.size()) return std::nullopt;
    const int high = hex_value(text[at + 1]);
    const int low = hex_value(text[at + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high * 16 + low));
    at += 2;
  }
  if (!base::is_utf8(out)) return std::nullopt;
  return out;
}

// Digits, at most one point with digits on both sides, an optional minus.
bool is_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  const auto all_digits = [](std::string_view part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), is_digit);
  };
  if (point == std::string_view::npos) return all_digits(text);
  return all_digits(text.substr(0, point)) && all_digits(text.substr(point + 1));
}

}  // namespace

std::string alipay_clean_text(std::string_view text, std::size_t max_bytes) {
  std::string clean;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = base::utf8_length_at(text, at);
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::string_view character = text.substr(at, length);
    at += length == 0 ? 1 : length;
    const bool is_refused = length == 1 && kRefused.find(character) != std::string_view::npos;
    if (length == 0 || length == 4 || lead < 0x20 || lead == 0x7F || is_refused) continue;
    if (clean.size() + length > max_bytes) break;
    clean.append(character);
  }
  return clean;
}

std::string alipay_time(std::int64_t ms) {
  using namespace std::chrono;
  const sys_time<milliseconds> at{milliseconds(ms + kBeijingOffsetMs)};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss time{floor<seconds>(at - day)};
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02d:%02d:%02d",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()));
  return text.data();
}

std::int64_t parse_alipay_time_ms(std::string_view text) {
  if (text.size() != 19 || text[10] != ' ') return 0;
  std::string zoned(text);
  zoned[10] = 'T';
  return parse_wechat_time_ms(zoned + "+08:00");
}

std::optional<AlipayAmount> parse_alipay_amount(std::string_view text) {
  if (text.size() > kMaxAmountText || !is_number(text)) return std::nullopt;
  const auto money = parse_decimal(text, Currency::cny);
  if (!money || money->minor < 0) return AlipayAmount{fen(0), false};
  return AlipayAmount{*money, true};
}

std::optional<AlipayParams> alipay_form_in(std::string_view body) {
  AlipayParams params;
  while (!body.empty()) {
    const std::size_t end = std::min(body.find('&'), body.size());
    const std::string_view field = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    const std::size_t equals = field.find('=');
    if (equals == std::string_view::npos || params.size() >= kMaxAlipayFields) return std::nullopt;
    auto name = form_decoded(field.substr(0, equals));
    auto value = form_decoded(field.substr(equals + 1));
    if (!name || !value || name->empty()) return std::nullopt;
    const bool is_known = std::any_of(params.begin(), params.end(),
                                      [&](const auto& known) { return known.first == *name; });
    if (is_known) return std::nullopt;
    params.emplace_back(std::move(*name), std::move(*value));
  }
  return params;
}

std::string alipay_form(const AlipayParams& params) {
  std::string text;
  for (const auto& [name, value] : params) {
    if (!text.empty()) text.push_back('&');
    text.append(percent_encode(name)).append("=").append(percent_encode(value));
  }
  return text;
}

std::string alipay_value(const AlipayParams& params, std::string_view name) {
  for (const auto& [key, value] : params) {
    if (key == name) return value;
  }
  return "";
}

}  // namespace topup::payments
