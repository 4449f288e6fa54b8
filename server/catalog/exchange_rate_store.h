// Exchange rates that staff set by hand, over those of the configuration. A rate holds until the
// next one; past its validity it is stale, which is shown, and prices stay as they are. One that
// differs too much from the rate in force is refused: it is a slip, or goes in steps. Each change
// is a row and an audit row. Errors: invalid_argument/out_of_range, rejected/rate_drifts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/money.h"
#include "shared/result.h"

namespace topup::catalog::exchange_rates {

inline constexpr std::int64_t kMostDriftBp = 1'000;  // from the rate in force, at one change
inline constexpr std::int64_t kMostValidDays = 92;
inline constexpr std::int64_t kHistoryShown = 20;

struct Entry {
  Rate rate;
  std::int64_t set_at_ms = 0;  // 0: of the configuration
  std::int64_t valid_until_ms = 0;
  std::string source, reason, set_by;
};

// What holds for each currency, those of the configuration included; by currency.
std::vector<Entry> in_force(storage::Reader& reader, const std::vector<Rate>& configured);
// The same, as prices need it.
std::vector<Rate> rates_now(storage::Db& db, const std::vector<Rate>& configured);
// Newest first.
std::vector<Entry> history(storage::Reader& reader, Currency currency);
Result<bool> set(storage::Tx& tx, const std::vector<Rate>& configured, const Entry& entry,
                 const TraceId& trace);

}  // namespace topup::catalog::exchange_rates
