// The chart of accounts. Stored words; a debit is positive, a credit negative. Balances of asset
// and cost accounts are therefore positive, of liability and revenue accounts negative.
#pragma once

#include <string_view>

namespace topup::ledger::account {

inline constexpr std::string_view kChannelClearing =
    "asset.channel_clearing";  // money a payment channel holds for us
inline constexpr std::string_view kSupplierPrepaid =
    "asset.supplier_prepaid";  // our balance at a supplier
inline constexpr std::string_view kCustomerLiability =
    "liability.customer_orders";  // paid, not yet delivered or refunded
inline constexpr std::string_view kSuspense =
    "liability.suspense";  // money nobody has explained yet
inline constexpr std::string_view kRevenue = "revenue.sales";
inline constexpr std::string_view kCostOfSales = "cost.sales";

}  // namespace topup::ledger::account
