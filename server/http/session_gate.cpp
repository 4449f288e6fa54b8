#include "server/http/session_gate.h"

#include "server/http/rate_limits.h"
#include "server/risk/subject.h"

namespace topup::http {
namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kCookie = "topup_staff";
constexpr std::string_view kHostCookie = "__Host-topup_staff";

}  // namespace

std::string staff_cookie(std::string_view token, std::int64_t max_age_s, bool is_https) {
  std::string line(is_https ? kHostCookie : kCookie);
  line.append("=").append(token).append(is_https ? "; Path=/; Secure" : "; Path=/api/admin");
  return line + "; HttpOnly; SameSite=Strict; Max-Age=" + std::to_string(max_age_s);
}

std::string_view staff_token(const Request& request, bool is_https) {
  return request.cookie(is_https ? kHostCookie : kCookie);
}

auth::Caller caller_of(const Request& request) {
  return {request.client_address, std::string(request.header("user-agent")), request.trace,
          risk::device_code(device_of(request))};
}

bool is_own_origin(const Request& request) {
  std::string_view origin = request.header("origin");
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos) return false;
  origin.remove_prefix(scheme + 3);
  return !origin.empty() && origin == request.header("host");
}

Result<bool> SessionGate::authenticate(Auth auth, std::string_view permission, Request& request) {
  switch (auth) {
    case Auth::none:
    case Auth::party:
      return true;
    case Auth::buyer:
      return buyer(request);
    case Auth::staff:
      return staff(permission, request);
  }
  return refuse(Code::forbidden, "permission_missing");
}

Result<bool> SessionGate::buyer(Request& request) {
  const std::string_view header = request.header("authorization");
  if (!header.starts_with(kBearer)) return refuse(Code::unauthenticated, "session_missing");
  const std::string_view token = header.substr(kBearer.size());
  const Result<UserId> user = buyers_.buyer(token);
  if (!user) return tl::unexpected<Error>(user.error());
  request.user = *user;
  request.session_id = token;
  return true;
}

Result<bool> SessionGate::staff(std::string_view permission, Request& request) {
  const std::string_view token = staff_token(request, is_https_);
  if (token.empty()) return refuse(Code::unauthenticated, "session_missing");
  const auto staff = staff_.who(token);
  if (!staff) return tl::unexpected<Error>(staff.error());
  if (request.method != "GET" && !is_own_origin(request))
    return refuse(Code::forbidden, "origin_foreign", "Origin");
  const auto allowed = staff_.may_now(*staff, permission);
  if (!allowed) return allowed;
  request.staff = staff->id;
  request.session_id = token;
  return true;
}

}  // namespace topup::http
