// What the first page of the console counts: the orders of one day by hour and state, over the
// range of ids of that day and nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/storage/db.h"

namespace topup::orders::day_figures_store {

struct HourFigure {
  std::int64_t hour = 0;  // 0 to 23, counted from `from_ms`
  std::string state;
  std::int64_t orders = 0;
  std::int64_t payable_minor = 0;  // of those in CNY
};
// Orders placed in the 24 hours from `from_ms` on; hours and states without any are left out.
std::vector<HourFigure> hours_of(storage::Reader& reader, std::int64_t from_ms);
const std::string& hours_sql();

}  // namespace topup::orders::day_figures_store
