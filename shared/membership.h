// Member levels. A buyer's growth is what was delivered to them within the last year, one point for
// each whole unit of the shop's money; the level is the highest that this growth reaches. Nothing
// is bought or stored: the same orders give the same level. Pure; thread-safe.
#pragma once

#include <cstdint>

#include "shared/price_book.h"
#include "shared/time_point.h"

namespace topup {

inline constexpr std::int64_t kGrowthWindowMs = 365 * kDayMs;

inline std::int64_t growth_of(std::int64_t delivered_minor, Currency currency) {
  std::int64_t unit = 1;
  for (int i = 0; i < minor_digits(currency); ++i) unit *= 10;
  return delivered_minor > 0 ? delivered_minor / unit : 0;
}

// nullptr: none, or none above. Of levels with the same threshold the first id counts.
struct Standing {
  const Benefit* level = nullptr;
  const Benefit* next = nullptr;
};
inline Standing standing_at(const PriceBook& book, std::int64_t growth) {
  Standing found;
  for (const Benefit& one : book.benefits) {
    if (one.is_card) continue;
    const bool is_reached = one.growth_from <= growth;
    if (is_reached && (found.level == nullptr || one.growth_from > found.level->growth_from))
      found.level = &one;
    if (!is_reached && (found.next == nullptr || one.growth_from < found.next->growth_from))
      found.next = &one;
  }
  return found;
}

}  // namespace topup
