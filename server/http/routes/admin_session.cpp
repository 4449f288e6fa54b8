// Signing in to the console.
#include "server/http/routes/mounts.h"

namespace topup::http::routes {
namespace {

using base::Json;

Json session_json(const auth::StaffIdentity& staff) {
  return {{"staff_id", staff.id.text}, {"name", staff.name}, {"role", staff.role}};
}

std::string cookie(std::string_view token, std::int64_t max_age_s) {
  return "topup_staff=" + std::string(token) +
         "; Path=/api/admin; HttpOnly; SameSite=Strict; Max-Age=" + std::to_string(max_age_s);
}

Result<Response> sign_in(auth::Sessions& sessions, const Request& request) {
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  const auto name = base::text_in(*body, "name", 64);
  if (!name) return tl::unexpected<Error>(name.error());
  const auto password = base::text_in(*body, "password", 256);
  if (!password) return tl::unexpected<Error>(password.error());
  const auto session = sessions.sign_in(*name, *password, request.trace);
  if (!session) return tl::unexpected<Error>(session.error());
  Response response = Response::json(session_json(session->staff));
  response.headers.emplace_back("Set-Cookie", cookie(session->token, auth::kStaffSessionMs / 1000));
  return response;
}

}  // namespace

void mount_admin_session(Router& router, auth::Sessions& sessions) {
  router.add({"POST", "/api/admin/session", Auth::none, "", Pool::store, 2'048, false,
              [&](const Request& request) { return sign_in(sessions, request); }});
  router.add({"GET", "/api/admin/session", Auth::staff, "session.own", Pool::compute, 0, false,
              [&](const Request& request) -> Result<Response> {
                const auto staff = sessions.staff(request.session_id);
                if (!staff) return tl::unexpected<Error>(staff.error());
                return Response::json(session_json(*staff));
              }});
  router.add({"DELETE", "/api/admin/session", Auth::staff, "session.own", Pool::store, 0, false,
              [&](const Request& request) -> Result<Response> {
                sessions.sign_out(request.session_id, request.staff, request.trace);
                Response response;
                response.status = 204;
                response.headers.emplace_back("Set-Cookie", cookie("", 0));
                return response;
              }});
}

}  // namespace topup::http::routes
