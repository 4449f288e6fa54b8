// Amounts as people say them, read from an even text (spoken_text.h): a number (numerals.h) with a
// currency word before or after it and parts of the unit: "¥50", "fifty bucks", 十块五毛 = 10.50,
// 三块半, "twenty five dollars fifty" = 25.50. What is not clearly one amount (一百多, "100abc",
// 十块五十, -5) is read to its end and is not certain. Pure; thread-safe; no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "shared/money.h"
#include "shared/numerals.h"

namespace topup {

enum class SpokenUnit : std::uint8_t {
  none,     // no currency was said
  local,    // 块, 元, ¥, "bucks": the money of the place
  named,    // one currency: `currency`
  dollar,   // some dollar
  rupee,    // some rupee
  dong,     // 盾: of Vietnam or Indonesia
  counter,  // no money at all: a time, a date, gigabytes, 个 …
  quantity  // how many of it: 次, 张, "times"
};

struct SpokenAmount {
  std::size_t size = 0;  // bytes read; 0: no number starts here
  SpokenNumber number;   // with the parts below one unit (毛, 分, cents) added to its thousandths
  SpokenUnit unit = SpokenUnit::none;
  Currency currency = Currency::cny;
};

SpokenAmount read_amount(const char* at, bool reads_w);

// An exact number of minor units, or nothing.
std::optional<Money> to_money(std::int64_t thousandths, Currency currency);

}  // namespace topup
