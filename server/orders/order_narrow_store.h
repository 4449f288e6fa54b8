// Orders of one channel, supplier or kind of goods. No index leads there: a bounded number of
// orders is looked at, newest first along an index that does, and whoever asks goes on from where
// the look ended. So one request costs the same however many orders there are and however few fit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/orders/order_store.h"
#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::orders::order_narrow_store {

inline constexpr std::int64_t kMostLookedAt = 2'000;  // orders, by one request

struct Narrow {  // every member that is not empty narrows
  std::string channel, supplier;
  std::string products;  // "|id|id|": those of a kind
  bool is_none() const { return channel.empty() && supplier.empty() && products.empty(); }
};
struct Found {
  std::vector<OrderId> ids;  // newest first
  OrderId looked_to;         // go on before it; empty: there is nothing further
};
// `wanted.states`: at most one.
Found list(storage::Reader& reader, const order_store::Selection& wanted, const Narrow& narrow,
           const OrderId& before, std::int64_t limit);
// What `list` runs, first without the product: tests ask the engine how it would.
std::string window_sql(const order_store::Selection& wanted, bool with_product = true);

}  // namespace topup::orders::order_narrow_store
