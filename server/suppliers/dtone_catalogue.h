// Reading DT One's product objects. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/json.h"
#include "server/suppliers/supplier.h"

namespace topup::suppliers::dtone {

// Of a ranged product the sku is their id with this after it, since they are ordered differently.
inline constexpr std::string_view kRangeMark = "r";

// Adds what the shop can sell: mobile products of `country` that want nothing but the number.
void append_product(const base::Json& row, const std::string& country, Currency wallet,
                    std::vector<ListedProduct>& products);

// prices.wholesale with its fee, rounded up; nothing when it is not in the wallet's currency.
std::optional<Money> wholesale_cost(const base::Json& object, Currency wallet);
// {unit_type: "CURRENCY", unit, amount} as money, rounded down.
std::optional<Money> currency_value(const base::Json& object, const char* key);

}  // namespace topup::suppliers::dtone
