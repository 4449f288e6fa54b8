// Rows of work_items: what a person must look at. One row for each (kind, subject): what was closed
// and happens again is opened again. `held` is the money in suspense that an item stands for; the
// sum over the open ones is the balance of liability.suspense, always.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/money.h"

namespace topup::orders {

namespace work_item_state {
inline constexpr std::string_view kOpen = "open";
inline constexpr std::string_view kResolved = "resolved";
}  // namespace work_item_state

struct WorkItem {
  std::string id, kind, subject;
  OrderId order;  // empty when no order is known
  std::string detail, state;
  std::int64_t created_at_ms = 0;  // when it was opened last
  Money held;                      // 0: no money in suspense hangs on it
  StaffId owner;                   // whoever took it; empty: nobody has
  std::int64_t claimed_at_ms = 0;
  std::string resolved_by;  // an actor, as in audit::Entry
  std::int64_t resolved_at_ms = 0;
  std::string resolution;
  std::int64_t times = 1;  // how often it was opened
};

namespace work_item_store {

struct Filter {
  std::string_view state = work_item_state::kOpen;  // "" for all
  std::string_view kind;                            // "" for all
  std::string_view owner;                           // a staff id; "" for all; "-" for nobody's
};

// False when it is open already.
bool insert(storage::Tx& tx, const WorkItem& item);
std::optional<WorkItem> find(storage::Reader& reader, std::string_view id);
std::optional<WorkItem> find_open(storage::Reader& reader, std::string_view kind,
                                  std::string_view subject);
std::vector<WorkItem> of_order(storage::Reader& reader, const OrderId& order);
std::vector<WorkItem> open_items(storage::Reader& reader, std::int64_t limit);  // oldest first
// Oldest first, after (created_at_ms, id) of `after` when there is one.
std::vector<WorkItem> list(storage::Reader& reader, const Filter& filter, const WorkItem* after,
                           std::int64_t limit);
const std::string& list_sql(bool in_one_state);  // tests ask the engine how it would run it
// False when it is not open, or another has it.
bool claim(storage::Tx& tx, std::string_view id, const StaffId& owner, std::int64_t now_ms);
bool give_back(storage::Tx& tx, std::string_view id, const StaffId& owner);
// False when it is not open.
bool resolve(storage::Tx& tx, std::string_view id, std::string_view by, std::string_view resolution,
             std::int64_t now_ms);

}  // namespace work_item_store
}  // namespace topup::orders
