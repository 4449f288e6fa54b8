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
// An answer of search() looks at so many rows at most and says how far back it has come, so that no
// question costs more than another.
inline constexpr std::int64_t kMaxWalked = 20'000;

struct Search {  // "" and 0: whatever it is
  std::string supplier = {}, operation = {}, outcome = {};
  std::string number = {};              // an order's or an attempt's id
  std::int64_t slow_ms = 0;             // answered after at least so long
  std::int64_t from_ms = 0, to_ms = 0;  // to_ms itself is not in it
};
struct Found {
  std::vector<Exchange> rows;   // newest first
  std::string before;           // where the next page begins; "" at the end
  std::int64_t reached_ms = 0;  // when the oldest one that was looked at was made
};

void insert(storage::Tx& tx, const Exchange& exchange);
// Oldest first; the last kMostShown of the order.
std::vector<Exchange> of_order(storage::Reader& reader, const OrderId& order);
// `before` "": from the newest.
Found search(storage::Reader& reader, const Search& wanted, std::string_view before,
             std::int64_t limit);

}  // namespace exchange_store
}  // namespace topup::suppliers
