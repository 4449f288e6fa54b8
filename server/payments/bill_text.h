// The text of a bill, cut into cells under the titles of their columns. Pure; thread-safe. Nothing
// here throws for what a file holds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/money.h"

namespace topup::payments {

// Lines without their ends (LF, CRLF), blank ones left out, a byte order mark cut off. nullopt:
// more than `most` lines.
std::optional<std::vector<std::string_view>> bill_lines(std::string_view text, std::size_t most);

// "2026-11-21 23:59:59" in China's time zone, as UTC milliseconds.
std::optional<std::int64_t> bill_time_ms(std::string_view text);

// "12.30", "-0.00500", "¥1" is not one: yuan with up to five decimals, as 1/100,000 of a yuan.
inline constexpr std::int64_t kPartsPerFen = 1'000;
std::optional<std::int64_t> bill_parts(std::string_view text);
// A whole number of fen, within Money's bounds.
std::optional<Money> fen_of_parts(std::int64_t parts);

// Decimal digits only, at most nine of them.
std::optional<std::int64_t> bill_count(std::string_view text);

// Ids and words of a bill: printable ASCII without blanks, at most `most` bytes; else nullopt.
std::optional<std::string> bill_word(std::string_view text, std::size_t most = 64);

}  // namespace topup::payments
