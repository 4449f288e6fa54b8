// Rows of users and of buyers' sessions. Tokens are stored as their SHA-256 only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::auth::buyer_session_store {

struct SessionRow {
  std::string token_hash, session_id;
  UserId user;
  std::string proof, device, address_masked;
  std::int64_t created_at_ms = 0, seen_at_ms = 0, expires_at_ms = 0, ends_by_ms = 0;
  std::string device_code = {};
};

void insert_user(storage::Tx& tx, const UserId& user, std::int64_t now_ms);
void insert(storage::Tx& tx, const SessionRow& session);
// Only one that is neither ended nor over.
std::optional<SessionRow> find(storage::Reader& reader, std::string_view token_hash,
                               std::int64_t now_ms);
void touch(storage::Tx& tx, std::string_view token_hash, std::int64_t seen_at_ms,
           std::int64_t expires_at_ms);
// Those that live, the one seen last first.
std::vector<SessionRow> list(storage::Reader& reader, const UserId& user, std::int64_t now_ms);
void end(storage::Tx& tx, std::string_view token_hash, std::string_view why, std::int64_t now_ms);
// All of the user but the one with this hash ("" for all); how many.
int end_all(storage::Tx& tx, const UserId& user, std::string_view but_hash, std::string_view why,
            std::int64_t now_ms);

}  // namespace topup::auth::buyer_session_store
