// Rows of supplier_attempts: one submission to a supplier under one id of ours, for ever.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/money.h"
#include "shared/price_book.h"

namespace topup::suppliers {

// Stored words.
namespace supply_state {
inline constexpr std::string_view kCreated = "created";  // durable, not sent
inline constexpr std::string_view kSent = "sent";        // marked before the first byte leaves
inline constexpr std::string_view kAccepted = "accepted";
inline constexpr std::string_view kUnknown = "unknown";
inline constexpr std::string_view kSucceeded = "succeeded";
inline constexpr std::string_view kRejected = "rejected";
inline constexpr std::string_view kReversed = "reversed";  // delivered, then taken back
}  // namespace supply_state

struct SupplyAttempt {
  AttemptId id;
  OrderId order;
  std::int64_t attempt_no = 1;
  std::string supplier, supplier_operator_id, country, state;
  std::string supplier_order_id, code;
  std::int64_t queries = 0, not_found_count = 0;
  std::optional<Money> cost;
  std::int64_t created_at_ms = 0, updated_at_ms = 0;
  std::string sku = {};
  ProductKind kind = ProductKind::airtime;
  Money most_cost = {};     // above it the supplier is not asked; 0: no bound
  std::string choice = {};  // JSON text: why this supplier and none of the others
};

namespace supplier_store {

void insert(storage::Tx& tx, const SupplyAttempt& attempt);
std::optional<SupplyAttempt> find(storage::Reader& reader, const AttemptId& id);
std::vector<SupplyAttempt> attempts_of(storage::Reader& reader,
                                       const OrderId& order);  // oldest first
void save(
    storage::Tx& tx,
    const SupplyAttempt& attempt);  // state, supplier_order_id, code, counts, cost, updated_at_ms

}  // namespace supplier_store
}  // namespace topup::suppliers
