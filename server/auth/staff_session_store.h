// Rows of staff_sessions. A token is stored as its SHA-256 only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::auth::staff_session_store {

struct Session {
  std::string token_hash, session_id;
  StaffId staff;
  std::string device, address_masked;
  std::int64_t created_at_ms = 0, expires_at_ms = 0, seen_at_ms = 0, stepped_up_at_ms = 0;
};
// A live session, and of its holder what each request must know afresh.
struct Holder {
  Session session;
  std::string name;
  bool must_change_password = false;
  bool has_totp = false;
  std::vector<std::string> roles;
};

void insert(storage::Tx& tx, const Session& session);
// Nothing when it has ended, is past its time, was unseen since `seen_after_ms`, or its holder is
// disabled.
std::optional<Holder> find(storage::Reader& reader, std::string_view token_hash,
                           std::int64_t now_ms, std::int64_t seen_after_ms);
// Live ones, newest first.
std::vector<Session> list_of(storage::Reader& reader, const StaffId& staff, std::int64_t now_ms,
                             std::int64_t seen_after_ms);
void save_seen(storage::Tx& tx, std::string_view token_hash, std::int64_t now_ms);
void save_step_up(storage::Tx& tx, std::string_view token_hash, std::int64_t now_ms);
// The session goes on under another token; the old one is worth nothing from now on.
void save_token(storage::Tx& tx, std::string_view token_hash, std::string_view new_hash);
// Each returns how many ended.
int end(storage::Tx& tx, std::string_view token_hash, std::string_view why, std::int64_t now_ms);
int end_one(storage::Tx& tx, const StaffId& staff, std::string_view session_id,
            std::string_view why, std::int64_t now_ms);
// "" ends all of them.
int end_all_but(storage::Tx& tx, const StaffId& staff, std::string_view kept_token_hash,
                std::string_view why, std::int64_t now_ms);
void forget(storage::Tx& tx, const StaffId& staff, std::int64_t expired_before_ms);

}  // namespace topup::auth::staff_session_store
