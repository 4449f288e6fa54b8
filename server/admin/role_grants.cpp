#include "server/admin/role_grants.h"

#include <algorithm>

#include "server/auth/rbac.h"

namespace topup::admin {
namespace {

using Roles = std::vector<std::string>;

bool gains_power(const Roles& before, const Roles& after) {
  return std::any_of(after.begin(), after.end(), [&before](const std::string& role) {
    const auth::Role* known = auth::find_role(role);
    return known != nullptr && known->needs_second &&
           std::find(before.begin(), before.end(), role) == before.end();
  });
}

}  // namespace

RoleGrants::RoleGrants(storage::Db& db, auth::StaffAccounts& accounts, ApprovalService& approvals)
    : db_(db), accounts_(accounts), approvals_(approvals) {
  approvals.add({kSetRoles, "staff.roles", "staff.roles",
                 [this](storage::Tx& tx, const Approval& approval, const Person& second) {
                   return apply(tx, approval, second);
                 }});
}

Result<std::optional<Approval>> RoleGrants::set_roles(const auth::Author& author,
                                                      const Person& asker, const StaffId& target,
                                                      std::vector<std::string> roles) {
  const auto checked = auth::checked_roles(std::move(roles));
  if (!checked) return tl::unexpected<Error>(checked.error());
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<std::optional<Approval>> {
    const Roles before = auth::staff_store::roles_of(tx, target);
    if (!gains_power(before, *checked) || !approvals_.has_second(tx, kSetRoles, asker.id)) {
      const auto done = accounts_.set_roles(tx, author, target, *checked, "");
      if (!done) return tl::unexpected<Error>(done.error());
      return std::optional<Approval>();
    }
    const auto right = accounts_.roles_are_right(tx, author, target, *checked);
    if (!right) return tl::unexpected<Error>(right.error());
    auto approval = approvals_.request(tx, kSetRoles, target.text,
                                       {{"roles", *checked}, {"roles_before", before}}, asker);
    if (!approval) return tl::unexpected<Error>(approval.error());
    return std::optional<Approval>(std::move(*approval));
  });
}

Result<auth::NewPassword> RoleGrants::add(const auth::Author& author, const std::string& name,
                                          std::vector<std::string> roles) {
  bool can_ask = false;
  db_.read([&](storage::Reader& reader) {
    can_ask = approvals_.has_second(reader, kSetRoles, author.id);
  });
  if (can_ask && gains_power({}, roles))
    return refuse(Code::rejected, "role_needs_second", "roles");
  return accounts_.add(author, name, std::move(roles));
}

Result<bool> RoleGrants::apply(storage::Tx& tx, const Approval& approval, const Person& second) {
  const base::Json body = base::Json::parse(approval.body);
  const StaffId target(approval.subject);
  if (target == second.id) return refuse(Code::forbidden, "approval_own");
  const Roles roles = body.at("roles").get<Roles>();
  const Roles before = body.at("roles_before").get<Roles>();
  if (auth::staff_store::roles_of(tx, target) != before)
    return refuse(Code::conflict, "approval_stale");
  // Whoever asked must still be allowed to: an owner is made by an owner.
  const Roles askers = auth::staff_store::roles_of(tx, approval.requested_by);
  auth::Author author;
  author.id = second.id;
  author.is_owner = std::find(askers.begin(), askers.end(), "owner") != askers.end();
  author.trace = second.trace;
  return accounts_.set_roles(
      tx, author, target, roles,
      " (approval " + approval.id + ", asked by staff:" + approval.requested_by.text + ")");
}

}  // namespace topup::admin
