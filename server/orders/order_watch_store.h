// What a node asks about orders that its pages follow while other nodes change them. PostgreSQL
// only: a file has one node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"

namespace topup::orders::order_watch_store {

inline constexpr std::int64_t kMostMoved = 1'000;

struct Moved {
  std::string order_id, user_id;
  std::int64_t event_seq = 0;
};
// Each list is ids with commas between. The orders named, and those of the users named that were
// made since `from_ms` and changed since `since_ms`; at most kMostMoved of these.
std::vector<Moved> seqs_of(storage::Reader& reader, std::string_view orders);
std::vector<Moved> moved_of(storage::Reader& reader, std::string_view users, std::int64_t from_ms,
                            std::int64_t since_ms);

}  // namespace topup::orders::order_watch_store
