#include "shared/time_point.h"

#include <chrono>

#include "shared/digits.h"

namespace topup {

std::string day_text(std::int64_t at_ms, std::int64_t offset_ms) {
  const std::int64_t local_days = (start_of_day_ms(at_ms, offset_ms) + offset_ms) / kDayMs;
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{local_days}}};
  const auto two = [](unsigned value) { return (value < 10 ? "0" : "") + digits_of(value); };
  return digits_of(static_cast<int>(date.year())) + "-" + two(static_cast<unsigned>(date.month())) +
         "-" + two(static_cast<unsigned>(date.day()));
}

}  // namespace topup
