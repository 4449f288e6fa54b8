// Rows of sign_ins. Only sign_in_log.cpp calls this.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "server/auth/sign_in_log.h"
#include "server/storage/db.h"

namespace topup::auth::sign_in_log_store {

struct Failures {
  std::int64_t count = 0;
  std::int64_t last_ms = 0;
};
// Since the last success, and not before `since_ms`.
Failures failures_of(storage::Reader& reader, std::string_view subject_index,
                     std::int64_t since_ms);
Failures failures_from(storage::Reader& reader, std::string_view address_index,
                       std::int64_t since_ms);
void insert(storage::Tx& tx, std::string_view id, const SignIn& entry,
            std::string_view address_index, const TraceId& trace);
std::vector<SignIn> list(storage::Reader& reader, const UserId& user, std::int64_t limit);

}  // namespace topup::auth::sign_in_log_store
