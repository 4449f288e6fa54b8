// What a business day earned, in the shop's currency: suppliers are paid in theirs, and an operator
// asks for one number. Feature F040; the books themselves keep the currencies apart.
#pragma once

#include <string>
#include <vector>

#include "server/ledger/browse_store.h"
#include "shared/money.h"

namespace topup::ledger {

struct DayResult {
  std::string day;
  Money sales, cost;          // in the shop's currency
  bool is_converted = false;  // part of it by an exchange rate of now, so about
  bool is_whole = true;       // false: a currency without a rate is left out of it
};
// One result a day, in the order of `earned`, which is by day. `rates` are into `shop`. An amount
// too large to convert is treated as one without a rate.
std::vector<DayResult> results_of(const std::vector<browse_store::Earned>& earned,
                                  const std::vector<Rate>& rates, Currency shop);

}  // namespace topup::ledger
