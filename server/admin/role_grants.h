// Giving roles. A role that hands out power or releases money (rbac.h: needs_second) is given when
// a second person agrees, as soon as there is a second person who could; the first owner of a new
// shop has nobody to ask. Taking roles away is never held up. Thread-safe. Errors: those of
// staff_accounts.h and approval_service.h; conflict/approval_stale when the roles have changed
// since.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/admin/approval_service.h"
#include "server/auth/staff_accounts.h"

namespace topup::admin {

inline constexpr std::string_view kSetRoles = "staff.set_roles";

class RoleGrants {
 public:
  // Adds its deed to `approvals`.
  RoleGrants(storage::Db& db, auth::StaffAccounts& accounts, ApprovalService& approvals);

  // The approval that it waits for, or nothing when it is done.
  Result<std::optional<Approval>> set_roles(const auth::Author& author, const Person& asker,
                                            const StaffId& target, std::vector<std::string> roles);
  // Refuses a new account that would begin with a role for which somebody can be asked:
  // rejected/role_needs_second.
  Result<auth::NewPassword> add(const auth::Author& author, const std::string& name,
                                std::vector<std::string> roles);

 private:
  Result<bool> apply(storage::Tx& tx, const Approval& approval, const Person& second);
  storage::Db& db_;
  auth::StaffAccounts& accounts_;
  ApprovalService& approvals_;
};

}  // namespace topup::admin
