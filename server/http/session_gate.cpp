#include "server/http/session_gate.h"

#include "server/auth/rbac.h"

namespace topup::http {
namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kCookie = "topup_staff=";

std::string_view cookie_value(std::string_view cookies) {
  while (!cookies.empty()) {
    const std::size_t end = cookies.find(';');
    std::string_view pair = cookies.substr(0, end);
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.starts_with(kCookie)) return pair.substr(kCookie.size());
    cookies = end == std::string_view::npos ? std::string_view() : cookies.substr(end + 1);
  }
  return {};
}

bool is_own_origin(const Request& request) {
  std::string_view origin = request.header("origin");
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos) return false;
  origin.remove_prefix(scheme + 3);
  return !origin.empty() && origin == request.header("host");
}

}  // namespace

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
  const Result<UserId> user = sessions_.buyer(token);
  if (!user) return tl::unexpected<Error>(user.error());
  request.user = *user;
  request.session_id = token;
  return true;
}

Result<bool> SessionGate::staff(std::string_view permission, Request& request) {
  const std::string_view token = cookie_value(request.header("cookie"));
  if (token.empty()) return refuse(Code::unauthenticated, "session_missing");
  const auto staff = sessions_.staff(token);
  if (!staff) return tl::unexpected<Error>(staff.error());
  if (!auth::allows(staff->role, permission)) return refuse(Code::forbidden, "permission_missing");
  if (request.method != "GET" && !is_own_origin(request))
    return refuse(Code::forbidden, "origin_foreign", "Origin");
  request.staff = staff->id;
  request.session_id = token;
  return true;
}

}  // namespace topup::http
