// Rows of erased_users, and who became part of whom.
#pragma once

#include <cstdint>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::privacy::data_request_store {

std::vector<UserId> merged_into(storage::Reader& reader, const UserId& user);
void insert_erased(storage::Tx& tx, const UserId& user, std::int64_t now_ms, std::int64_t removed);

}  // namespace topup::privacy::data_request_store
