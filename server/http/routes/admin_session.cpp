// Signing in to the console, and what members of staff do about their own account.
#include "server/auth/rbac.h"
#include "server/auth/staff_password.h"
#include "server/http/routes/mounts.h"
#include "server/http/session_gate.h"

namespace topup::http::routes {
namespace {

using auth::StaffIdentity;
using auth::StaffSession;
using auth::StaffSessions;
using base::Json;

constexpr std::size_t kMaxPasswordBody = 2'048;
constexpr std::string_view kOwn = "session.own";
constexpr std::string_view kSecure = "session.secure";

Json session_json(const StaffIdentity& staff) {
  Json permissions = Json::array();
  for (const auth::Permission& permission : auth::kPermissions) {
    if (auth::may(staff.roles, permission.word)) permissions.push_back(permission.word);
  }
  return {{"staff_id", staff.id.text},
          {"name", staff.name},
          {"roles", staff.roles},
          {"permissions", std::move(permissions)},
          {"session_id", staff.session_id},
          {"must_change_password", staff.must_change_password},
          {"has_totp", staff.has_totp},
          {"must_enrol", staff.must_enrol},
          {"step_up_until_ms", staff.step_up_until_ms},
          {"expires_at_ms", staff.expires_at_ms}};
}

Response no_content() {
  Response response;
  response.status = 204;
  return response;
}

class SessionRoutes {
 public:
  SessionRoutes(StaffSessions& sessions, bool is_https)
      : sessions_(sessions), is_https_(is_https) {}

  Result<Response> sign_in(const Request& request) const {
    // Another site must not sign somebody in to an account of its own; a program has no Origin.
    if (!request.header("origin").empty() && !is_own_origin(request))
      return refuse(Code::forbidden, "origin_foreign", "Origin");
    const auto body = fields(request, {"name", "password", "code"});
    if (!body) return tl::unexpected<Error>(body.error());
    const auto name = base::text_in(*body, "name", 64);
    if (!name) return tl::unexpected<Error>(name.error());
    const auto password = base::text_in(*body, "password", auth::kMaxPassword);
    if (!password) return tl::unexpected<Error>(password.error());
    auth::StaffSignIn given{*name, *password, ""};
    if (body->contains("code")) {
      const auto code = base::text_in(*body, "code", 64);
      if (!code) return tl::unexpected<Error>(code.error());
      given.code = *code;
    }
    const auto session =
        sessions_.sign_in(given, caller_of(request), staff_token(request, is_https_));
    if (!session) return tl::unexpected<Error>(session.error());
    return with_cookie(*session, session_json(session->staff));
  }

  Result<Response> show(const Request& request) const {
    const auto staff = sessions_.who(request.session_id);
    if (!staff) return tl::unexpected<Error>(staff.error());
    Json out = session_json(*staff);
    if (staff->has_totp) out["recovery_codes_left"] = sessions_.recovery_codes_left(staff->id);
    return Response::json(out);
  }

  Result<Response> sign_out(const Request& request) const {
    const auto staff = sessions_.who(request.session_id);
    if (!staff) return tl::unexpected<Error>(staff.error());
    sessions_.sign_out(request.session_id, *staff, request.trace);
    Response response = no_content();
    response.headers.emplace_back("Set-Cookie", staff_cookie("", 0, is_https_));
    return response;
  }

  Result<Response> step_up(const Request& request) const {
    const auto body = fields(request, {"password", "code"});
    if (!body) return tl::unexpected<Error>(body.error());
    auth::StepUp given;
    for (const auto& [key, out] : {std::pair{"password", &given.password}, {"code", &given.code}}) {
      if (!body->contains(key)) continue;
      const auto text = base::text_in(*body, key, auth::kMaxPassword);
      if (!text) return tl::unexpected<Error>(text.error());
      *out = *text;
    }
    const auto until = sessions_.step_up(request.session_id, given, request.trace);
    if (!until) return tl::unexpected<Error>(until.error());
    return Response::json({{"step_up_until_ms", *until}});
  }

  Result<Response> change_password(const Request& request) const {
    const auto body = fields(request, {"old_password", "new_password"});
    if (!body) return tl::unexpected<Error>(body.error());
    const auto old_password = base::text_in(*body, "old_password", auth::kMaxPassword);
    if (!old_password) return tl::unexpected<Error>(old_password.error());
    const auto new_password = base::text_in(*body, "new_password", auth::kMaxPassword);
    if (!new_password) return tl::unexpected<Error>(new_password.error());
    const auto session =
        sessions_.change_password(request.session_id, *old_password, *new_password, request.trace);
    if (!session) return tl::unexpected<Error>(session.error());
    return with_cookie(*session, session_json(session->staff));
  }

  Result<Response> offer_totp(const Request& request) const {
    const auto staff = sessions_.who(request.session_id);
    if (!staff) return tl::unexpected<Error>(staff.error());
    const auth::TotpOffer offer = sessions_.offer_totp(*staff, request.trace);
    return Response::json({{"secret", offer.secret}, {"uri", offer.uri}});
  }

  Result<Response> confirm_totp(const Request& request) const {
    const auto body = fields(request, {"code"});
    if (!body) return tl::unexpected<Error>(body.error());
    const auto code = base::text_in(*body, "code", 16);
    if (!code) return tl::unexpected<Error>(code.error());
    const auto done = sessions_.confirm_totp(request.session_id, *code, request.trace);
    if (!done) return tl::unexpected<Error>(done.error());
    Json out = session_json(done->session.staff);
    out["recovery_codes"] = done->recovery_codes;
    return with_cookie(done->session, out);
  }

  Result<Response> renew_codes(const Request& request) const {
    const auto staff = sessions_.who(request.session_id);
    if (!staff) return tl::unexpected<Error>(staff.error());
    if (!staff->has_totp) return refuse(Code::conflict, "totp_not_enrolled");
    return Response::json(
        {{"recovery_codes", sessions_.renew_recovery_codes(*staff, request.trace)}});
  }

  Result<Response> list(const Request& request) const {
    const auto staff = sessions_.who(request.session_id);
    if (!staff) return tl::unexpected<Error>(staff.error());
    return Response::json(
        {{"sessions", sessions_json(sessions_.list(staff->id, staff->session_id))}});
  }

  Result<Response> end(const Request& request) const {
    const auto staff = sessions_.who(request.session_id);
    if (!staff) return tl::unexpected<Error>(staff.error());
    const auto ended =
        sessions_.end(*staff, std::string(request.capture("session_id")), request.trace);
    if (!ended) return tl::unexpected<Error>(ended.error());
    return no_content();
  }

 private:
  static Result<Json> fields(const Request& request,
                             std::initializer_list<std::string_view> allowed) {
    auto body = base::json_in(request.body);
    if (!body) return body;
    const auto known = base::only_fields(*body, allowed);
    if (!known) return tl::unexpected<Error>(known.error());
    return body;
  }

  Result<Response> with_cookie(const StaffSession& session, const Json& body) const {
    Response response = Response::json(body);
    response.headers.emplace_back(
        "Set-Cookie", staff_cookie(session.token, auth::kStaffSessionMs / 1'000, is_https_));
    return response;
  }

  StaffSessions& sessions_;
  bool is_https_;
};

}  // namespace

Json sessions_json(const std::vector<auth::StaffSessionView>& views) {
  Json out = Json::array();
  for (const auth::StaffSessionView& view : views) {
    out.push_back({{"session_id", view.session.session_id},
                   {"device", view.session.device},
                   {"address", view.session.address_masked},
                   {"created_at_ms", view.session.created_at_ms},
                   {"seen_at_ms", view.session.seen_at_ms},
                   {"expires_at_ms", view.session.expires_at_ms},
                   {"is_current", view.is_current}});
  }
  return out;
}

void mount_admin_session(Router& router, auth::StaffSessions& sessions, bool is_https) {
  const SessionRoutes routes(sessions, is_https);
  using Member = Result<Response> (SessionRoutes::*)(const Request&) const;
  const auto to = [routes](Member member) {
    return [routes, member](const Request& request) { return (routes.*member)(request); };
  };
  router.add({"POST", "/api/admin/session", Auth::none, "", Pool::store, kMaxPasswordBody, false,
              Rate::sign_in, Audited::yes, Level::maintenance, to(&SessionRoutes::sign_in)});
  router.add({"GET", "/api/admin/session", Auth::staff, kOwn, Pool::compute, 0, false, Rate::read,
              Audited::no, Level::maintenance, to(&SessionRoutes::show)});
  router.add({"DELETE", "/api/admin/session", Auth::staff, kOwn, Pool::store, 0, false, Rate::write,
              Audited::yes, Level::maintenance, to(&SessionRoutes::sign_out)});
  router.add({"POST", "/api/admin/session/step-up", Auth::staff, kOwn, Pool::store,
              kMaxPasswordBody, false, Rate::sign_in, Audited::yes, Level::maintenance,
              to(&SessionRoutes::step_up)});
  router.add({"POST", "/api/admin/session/password", Auth::staff, kOwn, Pool::store,
              kMaxPasswordBody, false, Rate::sign_in, Audited::yes, Level::maintenance,
              to(&SessionRoutes::change_password)});
  router.add({"POST", "/api/admin/session/totp", Auth::staff, kSecure, Pool::store, 0, false,
              Rate::write, Audited::yes, Level::maintenance, to(&SessionRoutes::offer_totp)});
  router.add({"POST", "/api/admin/session/totp/confirm", Auth::staff, kSecure, Pool::store, 256,
              false, Rate::sign_in, Audited::yes, Level::maintenance,
              to(&SessionRoutes::confirm_totp)});
  router.add({"POST", "/api/admin/session/recovery-codes", Auth::staff, kSecure, Pool::store, 0,
              false, Rate::write, Audited::yes, Level::maintenance,
              to(&SessionRoutes::renew_codes)});
  router.add({"GET", "/api/admin/sessions", Auth::staff, kOwn, Pool::compute, 0, false, Rate::read,
              Audited::no, Level::maintenance, to(&SessionRoutes::list)});
  router.add({"DELETE", "/api/admin/sessions/{session_id}", Auth::staff, kOwn, Pool::store, 0,
              false, Rate::write, Audited::yes, Level::maintenance, to(&SessionRoutes::end)});
}

}  // namespace topup::http::routes
