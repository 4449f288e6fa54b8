// Rows of supplier_exchanges: every request to a supplier and its answer, as a record (feature
// F006). Insert-only. Summaries are JSON text in which accounts are masked and PINs are counted,
// never shown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "server/suppliers/supplier.h"
#include "shared/ids.h"

namespace topup::suppliers {

struct Exchange {
  std::string id;  // begins with its time
  OrderId order;
  AttemptId attempt;
  std::string supplier;
  std::string operation;          // submit or query
  std::string request, response;  // JSON text
  std::string code;               // the supplier's own word
  std::string outcome;            // what we take it for: a word of SupplyState
  std::int64_t latency_ms = 0;
  TraceId trace;
  std::int64_t at_ms = 0;
};

std::string_view to_word(SupplyState state);  // "accepted" …

namespace exchange_store {

inline constexpr std::int64_t kMostShown = 200;

void insert(storage::Tx& tx, const Exchange& exchange);
// Oldest first; the last kMostShown of the order.
std::vector<Exchange> of_order(storage::Reader& reader, const OrderId& order);

}  // namespace exchange_store
}  // namespace topup::suppliers
