#include "server/admin/csv.h"

#include <array>
#include <cstdint>

#include "shared/time_point.h"

namespace topup::admin {
namespace {

// What spreadsheets begin a formula with, and what breaks a row where quoting is not understood.
constexpr std::array<std::string_view, 10> kStarts = {
    "=", "+", "-", "@", "\t", "\r", "\n", "\xEF\xBC\x9D", "\xEF\xBC\x8B", "|"};
constexpr std::array<std::string_view, 2> kWideStarts = {"\xEF\xBC\x8D", "\xEF\xBC\xA0"};

bool begins_a_formula(std::string_view text) {
  for (const std::string_view start : kStarts) {
    if (text.starts_with(start)) return true;
  }
  for (const std::string_view start : kWideStarts) {
    if (text.starts_with(start)) return true;
  }
  return false;
}

std::string two(std::int64_t value) { return (value < 10 ? "0" : "") + std::to_string(value); }

}  // namespace

std::string inert(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  const bool is_live = first != std::string_view::npos && begins_a_formula(text.substr(first));
  return (is_live ? "'" : "") + std::string(text);
}

std::string csv_row(std::initializer_list<std::string> cells) {
  std::string row;
  for (const std::string& cell : cells) {
    if (!row.empty()) row += ',';
    row += '"';
    for (const char one : inert(cell)) {
      if (one == '"') row += '"';
      if (one != '\0') row += one;
    }
    row += '"';
  }
  return row + "\r\n";
}

std::string csv_amount(Money amount) {
  if (amount.minor >= 0) return decimal_text(amount);
  return "(" + decimal_text({-amount.minor, amount.currency}) + ")";
}

std::string csv_time(std::int64_t at_ms) {
  const std::int64_t second = (at_ms - start_of_day_ms(at_ms, kShanghaiOffsetMs)) / 1'000;
  return day_text(at_ms, kShanghaiOffsetMs) + " " + two(second / 3'600) + ":" +
         two(second / 60 % 60) + ":" + two(second % 60);
}

}  // namespace topup::admin
