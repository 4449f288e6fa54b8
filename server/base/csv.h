// Comma-separated values (RFC 4180) as spreadsheets write and read them. A cell that a spreadsheet
// would take for a formula is written with an apostrophe before it, and read without it. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "shared/result.h"

namespace topup::base {

struct CsvRow {
  std::size_t line = 0;  // of the text, from 1
  std::vector<std::string> cells;
};
inline constexpr std::size_t kMaxCsvCells = 64;  // of one row

// Blank lines are left out, a byte order mark is skipped. Errors: invalid_argument/csv_malformed
// (detail: the line), csv_too_long.
Result<std::vector<CsvRow>> csv_rows(std::string_view text, std::size_t max_rows);

std::string csv_cell(std::string_view text);
// A whole line with its end.
std::string csv_line(const std::vector<std::string>& cells);

}  // namespace topup::base
