// Sessions on the wire: the buyer's bearer token and the staff cookie become an identity on the
// request. A staff request that changes something must come from a page of ours: its Origin has to
// name the host it was sent to. Thread-safe.
#pragma once

#include "server/auth/session.h"
#include "server/http/router.h"

namespace topup::http {

class SessionGate final : public Sessions {
 public:
  explicit SessionGate(auth::Sessions& sessions) : sessions_(sessions) {}
  // unauthenticated/session_missing, session_ended; forbidden/permission_missing, origin_foreign.
  Result<bool> authenticate(Auth auth, std::string_view permission, Request& request) override;

 private:
  Result<bool> buyer(Request& request);
  Result<bool> staff(std::string_view permission, Request& request);
  auth::Sessions& sessions_;
};

}  // namespace topup::http
