// Rows of users, sessions, staff and staff_sessions. Tokens are stored as their SHA-256 only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::auth::auth_store {

void insert_guest(storage::Tx& tx, const UserId& user, std::string_view token_hash,
                  std::int64_t now_ms, std::int64_t expires_at_ms);
std::optional<UserId> find_session(storage::Reader& reader, std::string_view token_hash,
                                   std::int64_t now_ms);

struct StaffRow {
  StaffId id;
  std::string name, role, password;
  std::int64_t failures = 0;
  std::int64_t locked_until_ms = 0;
};
bool any_staff(storage::Reader& reader);
void insert_staff(storage::Tx& tx, const StaffRow& staff, std::int64_t now_ms);
std::optional<StaffRow> find_staff(storage::Reader& reader, std::string_view name);
void clear_failures(storage::Tx& tx, const StaffId& staff);
std::int64_t count_failure(storage::Tx& tx,
                           const StaffId& staff);  // the number after counting this one
void lock_until(storage::Tx& tx, const StaffId& staff, std::int64_t locked_until_ms);
void insert_staff_session(storage::Tx& tx, const StaffId& staff, std::string_view token_hash,
                          std::int64_t now_ms, std::int64_t expires_at_ms);
std::optional<StaffRow> find_staff_session(storage::Reader& reader, std::string_view token_hash,
                                           std::int64_t now_ms);
void end_staff_session(storage::Tx& tx, std::string_view token_hash, std::int64_t now_ms);

}  // namespace topup::auth::auth_store
