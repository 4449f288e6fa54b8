// The trail of sign-ins, successes and failures alike, and the lock that follows from it. What is
// kept of a person is masked; counting goes by blind indexes. After kFreeSignInFailures wrong codes
// for one number each further one is answered later, after kMostSignInFailures for half an hour;
// one network may fail kMaxNetworkFailures times an hour, whatever numbers it tries. A lock asks
// nothing about accounts, so it cannot tell whether there is one, and never ends a session. Errors:
// rate_limited/sign_in_locked (detail: seconds). Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/auth/caller.h"
#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/privacy/pii.h"
#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/result.h"

namespace topup::auth {

inline constexpr std::int64_t kFreeSignInFailures = 5;
inline constexpr std::int64_t kMostSignInFailures = 10;
inline constexpr std::int64_t kFirstSignInLockMs = 5'000;
inline constexpr std::int64_t kLongSignInLockMs = 30LL * 60 * 1000;
inline constexpr std::int64_t kFailuresCountMs = 24LL * 3600 * 1000;
inline constexpr std::int64_t kMaxNetworkFailures = 100;
inline constexpr std::int64_t kNetworkWindowMs = 3'600'000;
inline constexpr std::int64_t kMaxSignInsListed = 50;
inline constexpr std::int64_t kSignInsKeptMs = 400LL * 24 * 3600 * 1000;

struct SignIn {
  UserId user;  // empty when nobody is known to be meant
  std::string kind, outcome, reason, subject_index, subject_masked, address_masked, device;
  std::int64_t at_ms = 0;
};

class SignInLog {
 public:
  SignInLog(storage::Db& db, const base::Clock& clock, base::Random& random,
            const privacy::Pii& pii)
      : db_(db), clock_(clock), random_(random), pii_(pii) {}

  // Whether this subject ("" for one that is not known before) may be tried from there now.
  Result<bool> may_try(storage::Reader& reader, std::string_view subject_index,
                       const Caller& caller) const;
  void succeeded(storage::Tx& tx, const SignIn& entry, const Caller& caller) const;
  void failed(storage::Tx& tx, const SignIn& entry, std::string_view reason,
              const Caller& caller) const;
  void failed(const SignIn& entry, std::string_view reason, const Caller& caller) const;
  // The user's own, newest first, those of users merged into it included.
  std::vector<SignIn> list(const UserId& user) const;

 private:
  void append(storage::Tx& tx, SignIn entry, std::string_view outcome, std::string_view reason,
              const Caller& caller) const;
  storage::Db& db_;
  const base::Clock& clock_;
  base::Random& random_;
  const privacy::Pii& pii_;
};

}  // namespace topup::auth
