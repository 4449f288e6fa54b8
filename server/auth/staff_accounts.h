// The accounts of staff. Each change is one transaction with one row of the audit trail. A random
// password is shown once, by whoever gets it from here, and must be changed at the first sign-in.
// What would shut everybody out or let somebody rise by themselves is refused: the last enabled
// owner stays an enabled owner, nobody changes their own account here, only an owner touches an
// owner or makes one, and no two separated roles meet in one person. Thread-safe. Errors:
// not_found/staff_not_found; invalid_argument/role_unknown, name_malformed; conflict/name_taken;
// rejected/roles_conflict (detail: the pair), last_owner, own_account; forbidden/owner_only;
// unavailable/sign_in_busy.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/auth/staff_session_store.h"
#include "server/auth/staff_store.h"
#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/result.h"

namespace topup::auth {

// Who changes an account: a member of staff, or whoever sits at the machine.
struct Author {
  StaffId id;  // empty at the machine
  bool is_owner = false;
  TraceId trace;
  std::string actor() const { return id.empty() ? "machine" : "staff:" + id.text; }
  static Author at_the_machine() { return {StaffId(), true, TraceId()}; }
};

struct NewPassword {
  StaffId id;
  std::string password;  // shown once
};

class StaffAccounts {
 public:
  StaffAccounts(storage::Db& db, const base::Clock& clock, base::Random& random)
      : db_(db), clock_(clock), random_(random) {}

  // The first start: creates the owner with a random password and returns it, once; nothing when
  // staff exist.
  std::optional<std::string> create_owner();

  Result<NewPassword> add(const Author& author, const std::string& name,
                          std::vector<std::string> roles);
  Result<bool> enable(const Author& author, const StaffId& id);
  Result<bool> disable(const Author& author, const StaffId& id);  // ends every session
  Result<NewPassword> reset_password(const Author& author, const StaffId& id);  // lifts the lock
  Result<bool> reset_totp(const Author& author, const StaffId& id);
  Result<int> end_sessions(const Author& author, const StaffId& id);  // how many
  Result<bool> set_roles(const Author& author, const StaffId& id, std::vector<std::string> roles);
  // The same inside a transaction; `note` goes into the row of the audit trail.
  Result<bool> set_roles(storage::Tx& tx, const Author& author, const StaffId& id,
                         std::vector<std::string> roles, std::string_view note);
  // What set_roles() would refuse, without doing it.
  Result<bool> roles_are_right(storage::Reader& reader, const Author& author, const StaffId& id,
                               const std::vector<std::string>& roles) const;

  Result<staff_store::Staff> find(const StaffId& id);
  std::optional<StaffId> id_of(std::string_view name);
  std::vector<staff_store::Staff> list(std::string_view after_name, std::int64_t limit);

 private:
  Result<staff_store::Staff> target(storage::Reader& reader, const Author& author,
                                    const StaffId& id) const;
  Result<bool> write(const Author& author, const StaffId& id, std::string_view action,
                     const std::function<Result<bool>(storage::Tx&, const staff_store::Staff&,
                                                      std::int64_t now_ms)>& change);
  storage::Db& db_;
  const base::Clock& clock_;
  base::Random& random_;
};

// Sorted and without doubles; each known, no two of them separated.
Result<std::vector<std::string>> checked_roles(std::vector<std::string> roles);
std::string joined(const std::vector<std::string>& words);

}  // namespace topup::auth
