#include "server/ledger/day_results.h"

#include <optional>

namespace topup::ledger {
namespace {

std::optional<Money> in_shop(Money amount, const std::vector<Rate>& rates, Currency shop) {
  if (amount.currency == shop) return amount;
  if (amount.minor == 0) return Money{0, shop};
  for (const Rate& rate : rates) {
    if (rate.from != amount.currency || rate.to != shop) continue;
    const auto exchanged = convert(amount, rate, Round::half_up);
    return exchanged ? std::optional(*exchanged) : std::nullopt;
  }
  return std::nullopt;
}

void add_to(DayResult& result, const browse_store::Earned& earned, const std::vector<Rate>& rates) {
  const auto sales = in_shop(earned.sales, rates, result.sales.currency);
  const auto cost = in_shop(earned.cost, rates, result.cost.currency);
  const auto all_sales = sales ? add(result.sales, *sales) : Result<Money>(result.sales);
  const auto all_cost = cost ? add(result.cost, *cost) : Result<Money>(result.cost);
  if (!sales || !cost || !all_sales || !all_cost) {
    result.is_whole = false;
    return;
  }
  result.sales = *all_sales;
  result.cost = *all_cost;
  if (earned.sales.currency != result.sales.currency) result.is_converted = true;
}

}  // namespace

std::vector<DayResult> results_of(const std::vector<browse_store::Earned>& earned,
                                  const std::vector<Rate>& rates, Currency shop) {
  std::vector<DayResult> results;
  for (const browse_store::Earned& one : earned) {
    if (results.empty() || results.back().day != one.day) {
      results.push_back({one.day, {0, shop}, {0, shop}});
    }
    add_to(results.back(), one, rates);
  }
  return results;
}

}  // namespace topup::ledger
