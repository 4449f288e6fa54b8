// Rows of a table as RFC 4180 text that a spreadsheet only shows (feature X21): a text that a
// spreadsheet would take for a formula gets an apostrophe in front, every cell is quoted, and no
// cell begins a line of its own. Pure.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "shared/money.h"

namespace topup::admin {

// Put in front of the first row: spreadsheets read the file as UTF-8 then.
inline constexpr std::string_view kCsvMark = "\xEF\xBB\xBF";

// Leading blanks do not hide a formula from every spreadsheet, so they do not hide it here; nor
// does the full-width form of a sign.
std::string inert(std::string_view text);
// Quoted, ended by CR LF. Each cell is made inert.
std::string csv_row(std::initializer_list<std::string> cells);
// An amount as a cell: "98.50" beside a column that names the currency. A minus would be taken for
// a formula, so what is negative comes in brackets, as accountants write it.
std::string csv_amount(Money amount);
// "2026-11-21 22:03:09" in Shanghai.
std::string csv_time(std::int64_t at_ms);

}  // namespace topup::admin
