// How many orders and cases stand where: for whoever watches the shop. Counted over the index of
// states, never over finished orders, of which there are millions.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "server/storage/db.h"

namespace topup::orders::order_counts_store {

inline constexpr std::int64_t kMostCounted = 100'000;  // per state; more is shown as this

// Every state that is not an end, also those without orders.
std::vector<std::pair<std::string, std::int64_t>> unfinished_orders(storage::Reader& reader);
// By kind; those that hold money are there also without a case.
std::vector<std::pair<std::string, std::int64_t>> open_work_items(storage::Reader& reader);

}  // namespace topup::orders::order_counts_store
