// Reading Reloadly's operator objects: one network is several of them, for airtime, data and PINs.
// Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/base/json.h"
#include "server/suppliers/supplier.h"

namespace topup::suppliers::reloadly {

void append_products(const base::Json& row, const std::string& country, Currency wallet,
                     std::vector<ListedProduct>& products);

// What an order of `face`, in local currency, takes from the wallet, rounded up; nothing when the
// operator does not sell it or does not say.
std::optional<Money> cost_of(const base::Json& row, Money face, Currency wallet);

}  // namespace topup::suppliers::reloadly
