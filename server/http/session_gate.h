// Sessions on the wire: the buyer's bearer token and the staff cookie become an identity on the
// request. A staff request that changes something must come from a page of ours: its Origin has to
// name the host it was sent to. Over https the cookie carries the prefix __Host-, which no other
// host and no plain connection can set; then no other cookie counts. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/auth/buyer_sessions.h"
#include "server/auth/caller.h"
#include "server/auth/staff_sessions.h"
#include "server/http/router.h"

namespace topup::http {

class SessionGate final : public Sessions {
 public:
  // `is_https`: the shop's public origin is.
  SessionGate(auth::BuyerSessions& buyers, auth::StaffSessions& staff, bool is_https)
      : buyers_(buyers), staff_(staff), is_https_(is_https) {}
  // unauthenticated/session_missing, session_ended; forbidden/permission_missing, origin_foreign,
  // password_change_needed, totp_enrolment_needed, step_up_needed.
  Result<bool> authenticate(Auth auth, std::string_view permission, Request& request) override;

 private:
  Result<bool> buyer(Request& request);
  Result<bool> staff(std::string_view permission, Request& request);
  auth::BuyerSessions& buyers_;
  auth::StaffSessions& staff_;
  bool is_https_;
};

// The Set-Cookie line of a staff session; "" and 0 take it away.
std::string staff_cookie(std::string_view token, std::int64_t max_age_s, bool is_https);
// "" when the request has none.
std::string_view staff_token(const Request& request, bool is_https);
// From where somebody signs in, as the trail keeps it.
auth::Caller caller_of(const Request& request);
// Whether the request says that a page of this shop sent it.
bool is_own_origin(const Request& request);

}  // namespace topup::http
