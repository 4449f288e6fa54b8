#include "server/auth/staff_accounts.h"

#include <algorithm>

#include "server/audit/audit_log.h"
#include "server/auth/lockout.h"
#include "server/auth/rbac.h"
#include "server/auth/staff_password.h"

namespace topup::auth {
namespace {

constexpr std::size_t kMaxName = 64;
constexpr std::string_view kOwner = "owner";

bool has(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxName || name.front() == ' ' || name.back() == ' ')
    return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7F;
  });
}

bool is_last_owner(storage::Reader& reader, const staff_store::Staff& staff) {
  if (!staff.is_enabled || !has(staff.roles, kOwner)) return false;
  const auto owners = staff_store::enabled_with_role(reader, kOwner);
  return std::none_of(owners.begin(), owners.end(),
                      [&staff](const StaffId& owner) { return owner != staff.id; });
}

}  // namespace

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

Result<std::vector<std::string>> checked_roles(std::vector<std::string> roles) {
  std::sort(roles.begin(), roles.end());
  roles.erase(std::unique(roles.begin(), roles.end()), roles.end());
  for (const std::string& role : roles) {
    if (find_role(role) == nullptr) return refuse(Code::invalid_argument, "role_unknown", "roles");
  }
  if (const Separated* pair = conflict_in(roles)) {
    return refuse(Code::rejected, "roles_conflict", "roles",
                  std::string(pair->one) + " " + std::string(pair->other));
  }
  return roles;
}

std::optional<std::string> StaffAccounts::create_owner() {
  bool exists = false;
  db_.read([&exists](storage::Reader& reader) { exists = staff_store::any(reader); });
  if (exists) return std::nullopt;
  const std::int64_t now = clock_.wall_ms();
  std::string password = random_password(random_);
  staff_store::Staff owner;
  owner.id = StaffId(base::new_id(random_, now));
  owner.name = kOwner;
  const auto hash = hashed(password, random_);
  if (!hash) return std::nullopt;
  owner.password = *hash;
  owner.created_at_ms = now;
  owner.roles = {std::string(kOwner)};
  bool made = false;
  db_.write([&](storage::Tx& tx) {
    made = !staff_store::any(tx);  // another node may have been first
    if (!made) return false;
    staff_store::insert(tx, owner);
    audit::append(tx, {"system", "staff.owner_created", owner.id.text, "first start"}, TraceId(),
                  now);
    return true;
  });
  if (!made) return std::nullopt;
  return password;
}

Result<NewPassword> StaffAccounts::add(const Author& author, const std::string& name,
                                       std::vector<std::string> roles) {
  if (!is_name(name)) return refuse(Code::invalid_argument, "name_malformed", "name");
  auto checked = checked_roles(std::move(roles));
  if (!checked) return tl::unexpected<Error>(checked.error());
  if (has(*checked, kOwner) && !author.is_owner)
    return refuse(Code::forbidden, "owner_only", "roles");
  NewPassword made{StaffId(base::new_id(random_, clock_.wall_ms())), random_password(random_)};
  const auto hash = hashed(made.password, random_);
  if (!hash) return tl::unexpected<Error>(hash.error());
  staff_store::Staff staff;
  staff.id = made.id;
  staff.name = name;
  staff.password = *hash;
  staff.must_change_password = true;
  staff.created_at_ms = clock_.wall_ms();
  staff.roles = *checked;
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<NewPassword> {
    if (staff_store::find_by_name(tx, name)) return refuse(Code::conflict, "name_taken", "name");
    staff_store::insert(tx, staff);
    audit::append(tx, {author.actor(), "staff.added", staff.id.text, joined(staff.roles)},
                  author.trace, staff.created_at_ms);
    return made;
  });
}

Result<staff_store::Staff> StaffAccounts::target(storage::Reader& reader, const Author& author,
                                                 const StaffId& id) const {
  auto staff = staff_store::find(reader, id);
  if (!staff) return refuse(Code::not_found, "staff_not_found", "staff_id");
  if (staff->id == author.id) return refuse(Code::rejected, "own_account", "staff_id");
  if (has(staff->roles, kOwner) && !author.is_owner) return refuse(Code::forbidden, "owner_only");
  return std::move(*staff);
}

Result<bool> StaffAccounts::write(
    const Author& author, const StaffId& id, std::string_view action,
    const std::function<Result<bool>(storage::Tx&, const staff_store::Staff&, std::int64_t)>&
        change) {
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<bool> {
    const auto staff = target(tx, author, id);
    if (!staff) return tl::unexpected<Error>(staff.error());
    const auto changed = change(tx, *staff, now);
    if (!changed) return changed;
    audit::append(tx, {author.actor(), action, id.text, staff->name}, author.trace, now);
    return true;
  });
}

Result<bool> StaffAccounts::enable(const Author& author, const StaffId& id) {
  return write(author, id, "staff.enabled",
               [&](storage::Tx& tx, const staff_store::Staff&, std::int64_t) -> Result<bool> {
                 staff_store::save_enabled(tx, id, true);
                 return true;
               });
}

Result<bool> StaffAccounts::disable(const Author& author, const StaffId& id) {
  return write(
      author, id, "staff.disabled",
      [&](storage::Tx& tx, const staff_store::Staff& staff, std::int64_t now) -> Result<bool> {
        if (is_last_owner(tx, staff)) return refuse(Code::rejected, "last_owner");
        staff_store::save_enabled(tx, id, false);
        staff_session_store::end_all_but(tx, id, "", "disabled", now);
        return true;
      });
}

Result<NewPassword> StaffAccounts::reset_password(const Author& author, const StaffId& id) {
  NewPassword made{id, random_password(random_)};
  const auto hash = hashed(made.password, random_);
  if (!hash) return tl::unexpected<Error>(hash.error());
  const auto done =
      write(author, id, "staff.password_reset",
            [&](storage::Tx& tx, const staff_store::Staff&, std::int64_t now) -> Result<bool> {
              staff_store::save_password(tx, id, *hash, true);
              staff_session_store::end_all_but(tx, id, "", "password_reset", now);
              lockout::clear(tx, lockout::kName, id.text);
              lockout::clear(tx, lockout::kStepUp, id.text);
              return true;
            });
  if (!done) return tl::unexpected<Error>(done.error());
  return made;
}

Result<bool> StaffAccounts::reset_totp(const Author& author, const StaffId& id) {
  return write(author, id, "staff.totp_reset",
               [&](storage::Tx& tx, const staff_store::Staff&, std::int64_t now) -> Result<bool> {
                 staff_store::save_totp(tx, id, "", 0);
                 staff_session_store::end_all_but(tx, id, "", "totp_reset", now);
                 return true;
               });
}

Result<int> StaffAccounts::end_sessions(const Author& author, const StaffId& id) {
  int ended = 0;
  const auto done =
      write(author, id, "staff.sessions_ended",
            [&](storage::Tx& tx, const staff_store::Staff&, std::int64_t now) -> Result<bool> {
              ended = staff_session_store::end_all_but(tx, id, "", "ended_by_staff", now);
              return true;
            });
  if (!done) return tl::unexpected<Error>(done.error());
  return ended;
}

Result<bool> StaffAccounts::roles_are_right(storage::Reader& reader, const Author& author,
                                            const StaffId& id,
                                            const std::vector<std::string>& roles) const {
  const auto staff = target(reader, author, id);
  if (!staff) return tl::unexpected<Error>(staff.error());
  if (has(roles, kOwner) && !author.is_owner) return refuse(Code::forbidden, "owner_only", "roles");
  if (!has(roles, kOwner) && is_last_owner(reader, *staff))
    return refuse(Code::rejected, "last_owner");
  return true;
}

Result<bool> StaffAccounts::set_roles(storage::Tx& tx, const Author& author, const StaffId& id,
                                      std::vector<std::string> roles, std::string_view note) {
  const auto checked = checked_roles(std::move(roles));
  if (!checked) return tl::unexpected<Error>(checked.error());
  const auto right = roles_are_right(tx, author, id, *checked);
  if (!right) return right;
  const std::int64_t now = clock_.wall_ms();
  const std::string before = joined(staff_store::roles_of(tx, id));
  staff_store::save_roles(tx, id, *checked, now);
  // A token that was worth less or more a moment ago is worth nothing now.
  staff_session_store::end_all_but(tx, id, "", "roles_changed", now);
  const std::string detail = before + " -> " + joined(*checked) + std::string(note);
  audit::append(tx, {author.actor(), "staff.roles_changed", id.text, detail}, author.trace, now);
  return true;
}

Result<bool> StaffAccounts::set_roles(const Author& author, const StaffId& id,
                                      std::vector<std::string> roles) {
  return storage::with_tx(db_,
                          [&](storage::Tx& tx) { return set_roles(tx, author, id, roles, ""); });
}

Result<staff_store::Staff> StaffAccounts::find(const StaffId& id) {
  std::optional<staff_store::Staff> staff;
  db_.read([&](storage::Reader& reader) { staff = staff_store::find(reader, id); });
  if (!staff) return refuse(Code::not_found, "staff_not_found", "staff_id");
  return std::move(*staff);
}

std::optional<StaffId> StaffAccounts::id_of(std::string_view name) {
  std::optional<staff_store::Staff> staff;
  db_.read([&](storage::Reader& reader) { staff = staff_store::find_by_name(reader, name); });
  if (!staff) return std::nullopt;
  return staff->id;
}

std::vector<staff_store::Staff> StaffAccounts::list(std::string_view after_name,
                                                    std::int64_t limit) {
  std::vector<staff_store::Staff> all;
  db_.read([&](storage::Reader& reader) { all = staff_store::list(reader, after_name, limit); });
  return all;
}

}  // namespace topup::auth
