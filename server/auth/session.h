// Who is asking. Buyers hold a guest session (a random 256-bit token, shown once, stored hashed);
// staff sign in with name and password and hold a cookie session. A wrong name and a wrong password
// take the same time and get the same answer; after kFreeFailures wrong passwords each further one
// locks the account longer, and never ends a session that exists. Errors:
// unauthenticated/session_missing, unauthenticated/session_ended,
// unauthenticated/credentials_wrong, rate_limited/locked_out (detail: seconds). Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/auth/auth_store.h"
#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/result.h"

namespace topup::auth {

inline constexpr std::int64_t kGuestSessionMs = 90LL * 24 * 3600 * 1000;
inline constexpr std::int64_t kStaffSessionMs = 12LL * 3600 * 1000;
inline constexpr std::int64_t kFreeFailures = 5;
inline constexpr std::int64_t kMaxLockMs = 30LL * 60 * 1000;

struct GuestSession {
  std::string token;
  UserId user;
  std::int64_t expires_at_ms = 0;
};
struct StaffIdentity {
  StaffId id;
  std::string name, role;
};
struct StaffSession {
  std::string token;
  StaffIdentity staff;
  std::int64_t expires_at_ms = 0;
};

class Sessions {
 public:
  Sessions(storage::Db& db, const base::Clock& clock, base::Random& random)
      : db_(db), clock_(clock), random_(random) {}

  GuestSession start_guest();
  Result<UserId> buyer(std::string_view token);

  // The first start: creates the owner with a random password and returns it, once; nothing when
  // staff exist.
  std::optional<std::string> create_owner();
  Result<StaffSession> sign_in(const std::string& name, const std::string& password,
                               const TraceId& trace);
  Result<StaffIdentity> staff(std::string_view token);
  void sign_out(std::string_view token, const StaffId& staff, const TraceId& trace);

 private:
  Result<StaffSession> refuse_sign_in(const std::optional<auth_store::StaffRow>& staff,
                                      const TraceId& trace);
  storage::Db& db_;
  const base::Clock& clock_;
  base::Random& random_;
};

}  // namespace topup::auth
