// Staff at the door of the console: signing in, staying signed in, and proving it again. A token is
// 256 random bits, shown once and stored as its hash. It changes at sign-in, at a new password and
// at a new second factor; the one before is refused at once. A session ends kStaffIdleMs after it
// was last seen and kStaffSessionMs after it began. Who somebody is and what they may do is read
// from the store at each request: nothing is cached, so a disabled person or a role taken away
// counts from the next request on, on every node. A wrong name and a wrong password cost the same
// and get the same answer; a lock refuses known and unknown names alike and ends no session.
// Thread-safe. Errors: unauthenticated/session_missing, session_ended, credentials_wrong,
// totp_needed, totp_wrong; rate_limited/locked_out (detail: seconds); unavailable/sign_in_busy;
// forbidden/permission_missing, password_change_needed, totp_enrolment_needed, step_up_needed;
// not_found/session_not_found; those of staff_password.h and staff_totp.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/auth/caller.h"
#include "server/auth/lockout.h"
#include "server/auth/staff_session_store.h"
#include "server/auth/staff_totp.h"
#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/privacy/pii.h"
#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/result.h"

namespace topup::auth {

inline constexpr std::int64_t kStaffSessionMs = 12LL * 3600 * 1000;
inline constexpr std::int64_t kStaffIdleMs = 30LL * 60 * 1000;
inline constexpr std::int64_t kStaffSeenEveryMs = 60'000;  // how exactly being seen is written
inline constexpr std::int64_t kStepUpMs = 5LL * 60 * 1000;
inline constexpr std::int64_t kStaffSessionsKeptMs = 90LL * 24 * 3600 * 1000;
inline constexpr std::size_t kMaxStaffSessions = 20;  // a further sign-in ends the oldest

struct StaffRules {
  bool totp_required = true;     // for everybody who holds a guarded permission
  std::string issuer = "Topup";  // what an authenticator app shows
};

struct StaffIdentity {
  StaffId id;
  std::string name, session_id;
  std::vector<std::string> roles;
  bool must_change_password = false;
  bool has_totp = false;
  bool must_enrol = false;            // TOTP is wanted of these roles and not there
  std::int64_t step_up_until_ms = 0;  // until then what asks for a step-up goes through
  std::int64_t expires_at_ms = 0;
};
struct StaffSession {
  std::string token;
  StaffIdentity staff;
};
struct StaffSignIn {
  std::string name, password;
  std::string code;  // of the app, or a recovery code; "" when not asked for yet
};
struct StepUp {
  std::string password, code;  // the code of whoever has a second factor, else the password
};
struct StaffSessionView {
  staff_session_store::Session session;
  bool is_current = false;
};

class StaffSessions {
 public:
  StaffSessions(storage::Db& db, const base::Clock& clock, base::Random& random,
                const privacy::Pii& pii, StaffRules rules);

  // `replaced`: the token that came with the request, "" for none; it ends.
  Result<StaffSession> sign_in(const StaffSignIn& given, const Caller& caller,
                               std::string_view replaced);
  Result<StaffIdentity> who(std::string_view token);
  // Whether this person may do now what the permission names.
  Result<bool> may_now(const StaffIdentity& staff, std::string_view permission) const;
  void sign_out(std::string_view token, const StaffIdentity& staff, const TraceId& trace);

  std::vector<StaffSessionView> list(const StaffId& staff, std::string_view current_session);
  Result<bool> end(const StaffIdentity& staff, const std::string& session_id, const TraceId& trace);

  Result<std::int64_t> step_up(std::string_view token, const StepUp& given,
                               const TraceId& trace);  // until when
  // Every other session of this person ends.
  Result<StaffSession> change_password(std::string_view token, const std::string& old_password,
                                       const std::string& new_password, const TraceId& trace);
  TotpOffer offer_totp(const StaffIdentity& staff, const TraceId& trace);
  struct Enrolled {
    StaffSession session;
    std::vector<std::string> recovery_codes;
  };
  Result<Enrolled> confirm_totp(std::string_view token, const std::string& code,
                                const TraceId& trace);
  std::vector<std::string> renew_recovery_codes(const StaffIdentity& staff, const TraceId& trace);
  std::int64_t recovery_codes_left(const StaffId& staff);

 private:
  struct Attempt;  // one sign-in on its way
  std::optional<Error> locked(const Attempt& attempt);
  Error refused(const Attempt& attempt, const Caller& caller, std::string_view reason);
  Result<StaffSession> open_session(const Attempt& attempt, const StaffSignIn& given,
                                    const Caller& caller, std::string_view replaced);
  StaffIdentity identity_of(const staff_session_store::Holder& holder) const;
  // Counts a wrong proof of somebody who is signed in already.
  Error wrong_proof(const StaffIdentity& staff, std::string_view reason, std::string_view field,
                    const TraceId& trace);
  std::optional<Error> proof_locked(const StaffId& staff);
  StaffSession renewed(storage::Tx& tx, std::string_view token, const StaffIdentity& staff);

  storage::Db& db_;
  const base::Clock& clock_;
  base::Random& random_;
  const privacy::Pii& pii_;
  StaffRules rules_;
  StaffTotp totp_;
};

}  // namespace topup::auth
