// Rows of work_items: what a person must look at.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::orders {

struct WorkItem {
  std::string id, kind, subject;
  OrderId order;  // empty when no order is known
  std::string detail, state;
  std::int64_t created_at_ms = 0;
};

namespace work_item_store {

// False when (kind, subject) is there already.
bool insert(storage::Tx& tx, const WorkItem& item);
std::vector<WorkItem> of_order(storage::Reader& reader, const OrderId& order);
std::vector<WorkItem> open_items(storage::Reader& reader, std::int64_t limit);  // oldest first

}  // namespace work_item_store
}  // namespace topup::orders
