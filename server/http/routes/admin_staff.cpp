// Accounts of staff: who there is, what each may do, and changing it.
#include "server/auth/rbac.h"
#include "server/http/routes/mounts.h"

namespace topup::http::routes {
namespace {

using auth::staff_store::Staff;
using base::Json;

constexpr std::int64_t kStaffPage = 50;
constexpr std::size_t kMaxStaffBody = 2'048;
constexpr std::size_t kMaxRoles = auth::kRoles.size();

Json permissions_json(std::span<const std::string> roles) {
  Json out = Json::array();
  for (const auth::Permission& permission : auth::kPermissions) {
    if (!auth::may(roles, permission.word)) continue;
    Json from = Json::array();
    for (const std::string& role : roles) {
      if (!permission.for_everybody && auth::allows(role, permission.word)) from.push_back(role);
    }
    out.push_back({{"permission", permission.word},
                   {"writes", permission.writes},
                   {"step_up", permission.step_up},
                   {"from_roles", std::move(from)}});
  }
  return out;
}

Json staff_json(const Staff& staff) {
  return {{"staff_id", staff.id.text},
          {"name", staff.name},
          {"enabled", staff.is_enabled},
          {"roles", staff.roles},
          {"must_change_password", staff.must_change_password},
          {"has_totp", !staff.totp_sealed.empty()},
          {"created_at_ms", staff.created_at_ms}};
}

Result<std::vector<std::string>> roles_in(const Json& body) {
  const auto at = body.find("roles");
  if (at == body.end()) return refuse(Code::invalid_argument, "missing_field", "roles");
  if (!at->is_array()) return refuse(Code::invalid_argument, "wrong_type", "roles");
  if (at->size() > kMaxRoles) return refuse(Code::invalid_argument, "out_of_range", "roles");
  std::vector<std::string> roles;
  for (const Json& role : *at) {
    if (!role.is_string()) return refuse(Code::invalid_argument, "wrong_type", "roles");
    roles.push_back(role.get<std::string>());
  }
  return roles;
}

StaffId target_of(const Request& request) {
  return StaffId(std::string(request.capture("staff_id")));
}

class StaffRoutes {
 public:
  explicit StaffRoutes(const StaffDesk& desk) : desk_(desk) {}

  Result<Response> list(const Request& request) const {
    auto page = desk_.accounts.list(request.query_value("cursor"), kStaffPage + 1);
    Json out = {{"staff", Json::array()}};
    if (page.size() > static_cast<std::size_t>(kStaffPage)) {
      page.pop_back();
      out["next_cursor"] = page.back().name;
    }
    for (const Staff& staff : page) out["staff"].push_back(staff_json(staff));
    return Response::json(out);
  }

  Result<Response> add(const Request& request) const {
    const auto body = base::json_in(request.body);
    if (!body) return tl::unexpected<Error>(body.error());
    const auto known = base::only_fields(*body, {"name", "roles"});
    if (!known) return tl::unexpected<Error>(known.error());
    const auto name = base::text_in(*body, "name", 64);
    if (!name) return tl::unexpected<Error>(name.error());
    auto roles = roles_in(*body);
    if (!roles) return tl::unexpected<Error>(roles.error());
    const auto author = author_of(request);
    if (!author) return tl::unexpected<Error>(author.error());
    return with_password(desk_.grants.add(*author, *name, std::move(*roles)), 201);
  }

  Result<Response> set_roles(const Request& request) const {
    const auto body = base::json_in(request.body);
    if (!body) return tl::unexpected<Error>(body.error());
    const auto known = base::only_fields(*body, {"roles"});
    if (!known) return tl::unexpected<Error>(known.error());
    auto roles = roles_in(*body);
    if (!roles) return tl::unexpected<Error>(roles.error());
    const auto staff = desk_.sessions.who(request.session_id);
    if (!staff) return tl::unexpected<Error>(staff.error());
    const admin::Person asker{staff->id, staff->session_id, request.trace};
    const auto author = author_of(request);
    if (!author) return tl::unexpected<Error>(author.error());
    const auto waiting =
        desk_.grants.set_roles(*author, asker, target_of(request), std::move(*roles));
    if (!waiting) return tl::unexpected<Error>(waiting.error());
    if (*waiting) return Response::json({{"approval_id", (*waiting)->id}}, 202);
    return shown(target_of(request));
  }

  Result<Response> disable(const Request& request) const {
    return changed(request, &auth::StaffAccounts::disable);
  }
  Result<Response> enable(const Request& request) const {
    return changed(request, &auth::StaffAccounts::enable);
  }
  Result<Response> reset_totp(const Request& request) const {
    return changed(request, &auth::StaffAccounts::reset_totp);
  }

  Result<Response> reset_password(const Request& request) const {
    const auto author = author_of(request);
    if (!author) return tl::unexpected<Error>(author.error());
    return with_password(desk_.accounts.reset_password(*author, target_of(request)), 200);
  }

  Result<Response> end_sessions(const Request& request) const {
    const auto author = author_of(request);
    if (!author) return tl::unexpected<Error>(author.error());
    const auto ended = desk_.accounts.end_sessions(*author, target_of(request));
    if (!ended) return tl::unexpected<Error>(ended.error());
    return Response::json({{"ended", *ended}});
  }

  Result<Response> sessions(const Request& request) const {
    const auto staff = desk_.accounts.find(target_of(request));
    if (!staff) return tl::unexpected<Error>(staff.error());
    return Response::json({{"sessions", sessions_json(desk_.sessions.list(staff->id, ""))}});
  }

  Result<Response> permissions(const Request& request) const {
    const auto staff = desk_.accounts.find(target_of(request));
    if (!staff) return tl::unexpected<Error>(staff.error());
    return Response::json({{"staff_id", staff->id.text},
                           {"name", staff->name},
                           {"enabled", staff->is_enabled},
                           {"roles", staff->roles},
                           {"permissions", permissions_json(staff->roles)}});
  }

  static Result<Response> roles(const Request&) {
    Json all = Json::array();
    for (const auth::Role& role : auth::kRoles) {
      Json permissions = Json::array();
      for (const auth::Permission& permission : auth::kPermissions) {
        if (!permission.for_everybody && auth::allows(role.word, permission.word))
          permissions.push_back(permission.word);
      }
      all.push_back({{"role", role.word},
                     {"needs_second", role.needs_second},
                     {"permissions", std::move(permissions)}});
    }
    Json separated = Json::array();
    for (const auth::Separated& pair : auth::kSeparated)
      separated.push_back({pair.one, pair.other});
    return Response::json({{"roles", std::move(all)}, {"separated", std::move(separated)}});
  }

 private:
  Result<auth::Author> author_of(const Request& request) const {
    const auto staff = desk_.sessions.who(request.session_id);
    if (!staff) return tl::unexpected<Error>(staff.error());
    auth::Author author;
    author.id = staff->id;
    for (const std::string& role : staff->roles)
      author.is_owner = author.is_owner || role == "owner";
    author.trace = request.trace;
    return author;
  }

  Result<Response> shown(const StaffId& id) const {
    const auto staff = desk_.accounts.find(id);
    if (!staff) return tl::unexpected<Error>(staff.error());
    return Response::json(staff_json(*staff));
  }

  Result<Response> with_password(const Result<auth::NewPassword>& made, int status) const {
    if (!made) return tl::unexpected<Error>(made.error());
    const auto staff = desk_.accounts.find(made->id);
    if (!staff) return tl::unexpected<Error>(staff.error());
    Json out = staff_json(*staff);
    out["password"] = made->password;
    return Response::json(out, status);
  }

  using Change = Result<bool> (auth::StaffAccounts::*)(const auth::Author&, const StaffId&);
  Result<Response> changed(const Request& request, Change change) const {
    const auto author = author_of(request);
    if (!author) return tl::unexpected<Error>(author.error());
    const auto done = (desk_.accounts.*change)(*author, target_of(request));
    if (!done) return tl::unexpected<Error>(done.error());
    return shown(target_of(request));
  }

  StaffDesk desk_;
};

}  // namespace

void mount_admin_staff(Router& router, const StaffDesk& desk) {
  const StaffRoutes routes(desk);
  using Member = Result<Response> (StaffRoutes::*)(const Request&) const;
  const auto read = [&](std::string_view pattern, Member member) {
    router.add({"GET", pattern, Auth::staff, "staff.read", Pool::compute, 0, false, Rate::read,
                Audited::no, Level::maintenance,
                [routes, member](const Request& request) { return (routes.*member)(request); }});
  };
  const auto write = [&](std::string_view method, std::string_view pattern,
                         std::string_view permission, std::size_t body_limit, Member member) {
    router.add({method, pattern, Auth::staff, permission, Pool::store, body_limit, false,
                Rate::write, Audited::yes, Level::maintenance,
                [routes, member](const Request& request) { return (routes.*member)(request); }});
  };
  read("/api/admin/staff", &StaffRoutes::list);
  read("/api/admin/staff/{staff_id}/permissions", &StaffRoutes::permissions);
  read("/api/admin/staff/{staff_id}/sessions", &StaffRoutes::sessions);
  router.add({"GET", "/api/admin/roles", Auth::staff, "staff.read", Pool::compute, 0, false,
              Rate::read, Audited::no, Level::maintenance, StaffRoutes::roles});
  write("POST", "/api/admin/staff", "staff.write", kMaxStaffBody, &StaffRoutes::add);
  write("PUT", "/api/admin/staff/{staff_id}/roles", "staff.roles", kMaxStaffBody,
        &StaffRoutes::set_roles);
  write("POST", "/api/admin/staff/{staff_id}/disable", "staff.write", 0, &StaffRoutes::disable);
  write("POST", "/api/admin/staff/{staff_id}/enable", "staff.write", 0, &StaffRoutes::enable);
  write("POST", "/api/admin/staff/{staff_id}/reset-password", "staff.write", 0,
        &StaffRoutes::reset_password);
  write("POST", "/api/admin/staff/{staff_id}/reset-totp", "staff.write", 0,
        &StaffRoutes::reset_totp);
  write("DELETE", "/api/admin/staff/{staff_id}/sessions", "staff.write", 0,
        &StaffRoutes::end_sessions);
}

}  // namespace topup::http::routes
