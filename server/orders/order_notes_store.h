// What staff write beside an order. Sealed, because people write numbers and names; never altered.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/privacy/pii.h"
#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::orders {

inline constexpr std::size_t kMaxNoteBytes = 1'000;
inline constexpr std::int64_t kMaxNotes = 200;  // of one order

struct OrderNote {
  std::string id;
  OrderId order;
  StaffId staff;
  std::string text;
  std::int64_t at_ms = 0;
};

namespace order_notes {

// False when the order has kMaxNotes already.
bool insert(storage::Tx& tx, const privacy::Pii& pii, const OrderNote& note);
// Oldest first. One that does not open any more has no text.
std::vector<OrderNote> of_order(storage::Reader& reader, const privacy::Pii& pii,
                                const OrderId& order);

}  // namespace order_notes
}  // namespace topup::orders
