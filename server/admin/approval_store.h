// Rows of approvals.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::admin {

struct Approval {
  std::string id, action, subject;
  std::string body;       // canonical JSON, without personal data
  std::string body_hash;  // SHA-256 of action, subject and body; what the second person agrees to
  std::string state;      // waiting, approved, rejected
  StaffId requested_by;
  std::string requested_in;  // the session
  std::int64_t created_at_ms = 0, expires_at_ms = 0;
  StaffId decided_by;  // empty while it waits
  std::string decided_in;
  std::int64_t decided_at_ms = 0;
};

namespace approval_store {

void insert(storage::Tx& tx, const Approval& approval);
std::optional<Approval> find(storage::Reader& reader, std::string_view id);
// Waiting and not expired, of the same hash.
std::optional<Approval> find_waiting(storage::Reader& reader, std::string_view body_hash,
                                     std::int64_t now_ms);
std::int64_t count_waiting(storage::Reader& reader, const StaffId& requested_by,
                           std::int64_t now_ms);
// Newest first, those before `before_id` ("" for the newest).
std::vector<Approval> list(storage::Reader& reader, std::string_view before_id, std::int64_t limit);
// Those that wait and have not expired, the oldest first, after `after_id` ("" from the oldest).
// `by`: asked for by this one; empty: by anybody.
std::vector<Approval> list_waiting(storage::Reader& reader, std::int64_t now_ms,
                                   std::string_view after_id, const StaffId& by,
                                   std::int64_t limit);
// False when it no longer waits.
bool decide(storage::Tx& tx, std::string_view id, std::string_view state, const StaffId& by,
            std::string_view session_id, std::int64_t now_ms);

}  // namespace approval_store
}  // namespace topup::admin
