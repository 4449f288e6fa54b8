// Rows of audit_log and its head. Only audit_log.cpp calls this.
#pragma once

#include <functional>

#include "server/audit/audit_log.h"

namespace topup::audit::audit_store {

struct Head {
  std::int64_t seq = 0;
  std::string hash;
};
Head load_head(storage::Reader& reader);
void insert(storage::Tx& tx, const Row& row);  // moves the head along
void each(storage::Reader& reader, std::int64_t after_seq,
          const std::function<void(const Row&)>& row);
std::vector<Row> list_of(storage::Reader& reader, std::string_view subject, std::int64_t limit);

}  // namespace topup::audit::audit_store
