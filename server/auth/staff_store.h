// Rows of staff, staff_roles, staff_recovery_codes and staff_failures.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::auth::staff_store {

struct Staff {
  StaffId id;
  std::string name, password;
  bool is_enabled = true;
  bool must_change_password = false;
  std::string totp_sealed, totp_next_sealed;  // "" for none
  std::int64_t totp_last_step = 0;
  std::int64_t created_at_ms = 0;
  std::vector<std::string> roles;  // sorted
};

bool any(storage::Reader& reader);
void insert(storage::Tx& tx, const Staff& staff);  // with its roles
std::optional<Staff> find(storage::Reader& reader, const StaffId& id);
std::optional<Staff> find_by_name(storage::Reader& reader, std::string_view name);
// In order of their names, those after `after_name`.
std::vector<Staff> list(storage::Reader& reader, std::string_view after_name, std::int64_t limit);
std::vector<std::string> roles_of(storage::Reader& reader, const StaffId& id);
std::vector<StaffId> enabled_with_role(storage::Reader& reader, std::string_view role);

void save_password(storage::Tx& tx, const StaffId& id, std::string_view password, bool must_change);
void save_enabled(storage::Tx& tx, const StaffId& id, bool is_enabled);
void save_roles(storage::Tx& tx, const StaffId& id, const std::vector<std::string>& roles,
                std::int64_t now_ms);
void save_next_totp(storage::Tx& tx, const StaffId& id, std::string_view sealed);
// "" takes the second factor away, with its recovery codes.
void save_totp(storage::Tx& tx, const StaffId& id, std::string_view sealed, std::int64_t last_step);
// False when this step or a later one was used meanwhile.
bool use_totp_step(storage::Tx& tx, const StaffId& id, std::int64_t step);

void replace_recovery_codes(storage::Tx& tx, const StaffId& id,
                            const std::vector<std::string>& hashes);
bool use_recovery_code(storage::Tx& tx, const StaffId& id, std::string_view hash,
                       std::int64_t now_ms);  // false for an unknown or used one
std::int64_t unused_recovery_codes(storage::Reader& reader, const StaffId& id);

std::int64_t locked_until(storage::Reader& reader, std::string_view kind, std::string_view subject);
// The number after counting this one; it begins anew when the last was before `forget_before_ms`.
std::int64_t count_failure(storage::Tx& tx, std::string_view kind, std::string_view subject,
                           std::int64_t now_ms, std::int64_t forget_before_ms);
void lock_until(storage::Tx& tx, std::string_view kind, std::string_view subject,
                std::int64_t until_ms);
void clear_failures(storage::Tx& tx, std::string_view kind, std::string_view subject);
void forget_failures(storage::Tx& tx, std::int64_t before_ms);

}  // namespace topup::auth::staff_store
