// Refunds of the whole shop, page by page: all of them, or those in one state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::payments::refund_list_store {

// Newest first, after `before` (empty: from the newest). `state` "" for every state.
std::vector<OutRefundNo> list(storage::Reader& reader, std::string_view state,
                              const OutRefundNo& before, std::int64_t limit);
const std::string& list_sql(bool in_one_state);  // what it runs: tests ask the engine how it would

}  // namespace topup::payments::refund_list_store
