// A buyer's sessions. A token is when it was made and 256 random bits, shown once, stored as that
// time and the hash of all of it: nothing in it can be forged. Each sign-in gets a new one and ends
// the one it came with, so that a token planted before is worth nothing after. A session that is
// used lives on for kSessionIdleMs, up to kSessionMostMs after it began; when it was seen is
// written at most once in kSeenEveryMs. An ended or expired token is refused from that moment on,
// on every node. Errors: unauthenticated/session_missing, unauthenticated/session_ended,
// not_found/session_not_found. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/auth/caller.h"
#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/result.h"

namespace topup::auth {

inline constexpr std::int64_t kSessionIdleMs = 90LL * 24 * 3600 * 1000;
inline constexpr std::int64_t kSessionMostMs = 365LL * 24 * 3600 * 1000;
inline constexpr std::int64_t kSeenEveryMs = 3'600'000;
inline constexpr std::size_t kMaxSessionsPerUser =
    20;  // a further sign-in ends the one unseen longest
inline constexpr std::string_view kGuestProof = "guest";

struct StartedSession {
  std::string token;
  std::string session_id;
  UserId user;
  std::int64_t expires_at_ms = 0;
};
struct SessionView {
  std::string session_id, proof, device, address_masked;
  std::int64_t created_at_ms = 0, seen_at_ms = 0, expires_at_ms = 0;
  bool is_current = false;
};

class BuyerSessions {
 public:
  BuyerSessions(storage::Db& db, const base::Clock& clock, base::Random& random)
      : db_(db), clock_(clock), random_(random) {}

  StartedSession start_guest(const Caller& caller);
  Result<UserId> buyer(std::string_view token);

  // Inside the transaction of a sign-in: ends the session of `replaced` ("" for none) and begins
  // one of this user.
  StartedSession open(storage::Tx& tx, const UserId& user, std::string_view proof,
                      const Caller& caller, std::string_view replaced);
  // Who holds this token, inside a transaction; nothing for an ended one.
  std::optional<UserId> holder(storage::Reader& reader, std::string_view token) const;

  std::vector<SessionView> list(const UserId& user, std::string_view current_token);
  Result<bool> end(const UserId& user, const std::string& session_id, const TraceId& trace);
  int end_others(const UserId& user, std::string_view current_token, const TraceId& trace);

 private:
  storage::Db& db_;
  const base::Clock& clock_;
  base::Random& random_;
};

}  // namespace topup::auth
