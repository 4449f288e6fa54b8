// Operation records, the state of their chain, how staff signed in, and what each permission opens.
#include <array>
#include <map>

#include "server/audit/audit_log.h"
#include "server/audit/audit_search.h"
#include "server/auth/staff_session_store.h"
#include "server/base/csv.h"
#include "server/http/routes/mounts.h"
#include "server/http/routes/people.h"

namespace topup::http::routes {
namespace {

using base::Json;

constexpr std::int64_t kRowsPage = 50;
constexpr std::int64_t kExportRows = 5'000;
constexpr std::int64_t kMaxLiveSessions = 200;
constexpr std::int64_t kMaxStaffShown = 200;
constexpr std::size_t kMaxWord = 64;
constexpr std::int64_t kMaxWallMs = 4'102'444'800'000;
constexpr std::string_view kStaff = "staff:";

Result<std::int64_t> moment_in(const Request& request, const char* name) {
  const std::string text(request.query_value(name));
  if (text.empty()) return std::int64_t{0};
  if (text.size() > 13 || text.find_first_not_of("0123456789") != std::string::npos ||
      std::stoll(text) > kMaxWallMs)
    return refuse(Code::invalid_argument, "out_of_range", name, "milliseconds since 1970");
  return std::stoll(text);
}

Result<audit::Search> search_in(const Request& request) {
  audit::Search wanted;
  for (const char* name : {"actor", "action", "subject"}) {
    if (request.query_value(name).size() > kMaxWord)
      return refuse(Code::invalid_argument, "out_of_range", name);
  }
  wanted.actor = request.query_value("actor");
  wanted.action = request.query_value("action");
  wanted.subject = request.query_value("subject");
  wanted.staff_only = request.query_value("scope") != "all";
  const auto from = moment_in(request, "from_ms");
  if (!from) return tl::unexpected<Error>(from.error());
  const auto to = moment_in(request, "to_ms");
  if (!to) return tl::unexpected<Error>(to.error());
  wanted.from_ms = *from;
  wanted.to_ms = *to;
  return wanted;
}

std::string name_of(const audit::Search& wanted) {
  return "audit/" + wanted.actor + "/" + wanted.action + "/" + wanted.subject + "/" +
         (wanted.staff_only ? "s" : "a") + (wanted.sign_ins ? "i" : "") + "/" +
         std::to_string(wanted.from_ms) + "/" + std::to_string(wanted.to_ms);
}

Json row_json(const audit::Row& row, const std::map<std::string, std::string>& names) {
  Json out = {{"seq", row.seq},
              {"at_ms", row.at_ms},
              {"actor", row.actor},
              {"action", row.action},
              {"subject", row.subject},
              {"detail", row.detail},
              {"before", row.before},
              {"after", row.after},
              {"address", row.address_masked},
              {"device", row.device},
              {"session", row.session_prefix},
              {"trace_id", row.trace_id},
              {"hash", row.hash}};
  const auto known = names.find(row.actor);
  if (known != names.end()) out["actor_name"] = known->second;
  const auto meant = names.find(std::string(kStaff) + row.subject);
  if (meant != names.end()) out["subject_name"] = meant->second;
  return out;
}

class AuditRoutes {
 public:
  AuditRoutes(const PeopleDesk& desk, const Router& router) : desk_(desk), router_(router) {}

  Result<Response> list(const Request& request) const {
    const auto wanted = search_in(request);
    if (!wanted) return tl::unexpected<Error>(wanted.error());
    return page(*wanted, request);
  }

  // Names of nobody's are not kept with a refused sign-in; `staff_id` narrows to one person.
  Result<Response> sign_ins(const Request& request) const {
    audit::Search wanted;
    wanted.sign_ins = true;
    const std::string_view outcome = request.query_value("outcome");
    if (outcome == "refused") {
      wanted.action = "staff.sign_in_refused";
    } else if (outcome == "signed_in") {
      wanted.action = "staff.signed_in";
    } else if (!outcome.empty()) {
      return refuse(Code::invalid_argument, "out_of_range", "outcome");
    }
    return page(wanted, request);
  }

  Result<Response> export_csv(const Request& request) const {
    const auto wanted = search_in(request);
    if (!wanted) return tl::unexpected<Error>(wanted.error());
    audit::Found found;
    desk_.db.read(
        [&](storage::Reader& reader) { found = audit::search(reader, *wanted, 0, kExportRows); });
    Response response;
    response.content_type = "text/csv; charset=utf-8";
    response.headers.emplace_back("Content-Disposition", "attachment; filename=\"audit.csv\"");
    response.body = "\xEF\xBB\xBF" +
                    base::csv_line({"seq", "at_ms", "actor", "action", "subject", "detail",
                                    "before", "after", "address", "device", "trace_id", "hash"});
    for (const audit::Row& row : found.rows) {
      response.body +=
          base::csv_line({std::to_string(row.seq), std::to_string(row.at_ms), row.actor, row.action,
                          row.subject, row.detail, row.before, row.after, row.address_masked,
                          row.device, row.trace_id, row.hash});
    }
    return response;
  }

  Result<Response> chain(const Request&) const { return Response::json(chain_json()); }

  Result<Response> verify(const Request& request) const {
    if (!desk_.chain.start()) return Response::json(chain_json(), 202);
    desk_.db.write([&](storage::Tx& tx) {
      audit::append(
          tx,
          {std::string(kStaff) + request.staff.text, "audit.verification_started", "audit_log", ""},
          request.trace, desk_.clock.wall_ms());
      return true;
    });
    return Response::json(chain_json(), 202);
  }

  Result<Response> live_sessions(const Request&) const {
    Json out = Json::array();
    const std::int64_t now = desk_.clock.wall_ms();
    for (const auto& staff : desk_.accounts.list("", kMaxStaffShown)) {
      for (const auto& view : desk_.sessions.list(staff.id, "")) {
        if (out.size() == static_cast<std::size_t>(kMaxLiveSessions)) break;
        out.push_back({{"session_id", view.session.session_id},
                       {"staff_id", staff.id.text},
                       {"name", staff.name},
                       {"device", view.session.device},
                       {"address", view.session.address_masked},
                       {"created_at_ms", view.session.created_at_ms},
                       {"seen_at_ms", view.session.seen_at_ms}});
      }
    }
    return Response::json({{"sessions", std::move(out)}, {"now_ms", now}});
  }

  // For whoever stands before a closed door, and for whoever asks what a role opens.
  Result<Response> permissions(const Request&) const {
    Json all = Json::array();
    for (const auth::Permission& permission : auth::kPermissions) {
      Json roles = Json::array();
      for (const auth::Role& role : auth::kRoles) {
        if (!permission.for_everybody && auth::allows(role.word, permission.word))
          roles.push_back(role.word);
      }
      all.push_back({{"permission", permission.word},
                     {"writes", permission.writes},
                     {"step_up", permission.step_up},
                     {"guarded", permission.guarded},
                     {"for_everybody", permission.for_everybody},
                     {"roles", std::move(roles)},
                     {"routes", routes_of(permission.word)}});
    }
    Json givers = Json::array();
    for (const auto& staff : desk_.accounts.list("", kMaxStaffShown)) {
      if (staff.is_enabled && auth::may(staff.roles, "staff.roles")) givers.push_back(staff.name);
    }
    return Response::json({{"permissions", std::move(all)}, {"givers", std::move(givers)}});
  }

 private:
  Result<Response> page(const audit::Search& wanted, const Request& request) const {
    const std::string name = name_of(wanted);
    const auto place = desk_.cursors.place_of(name, "", request.query_value("cursor"));
    if (!place) return tl::unexpected<Error>(place.error());
    const std::int64_t before = place->empty() ? 0 : std::stoll(*place);
    audit::Found found;
    desk_.db.read(
        [&](storage::Reader& reader) { found = audit::search(reader, wanted, before, kRowsPage); });
    const auto names = names_of(found.rows);
    Json out = {{"rows", Json::array()}, {"reached_ms", found.reached_ms}};
    for (const audit::Row& row : found.rows) out["rows"].push_back(row_json(row, names));
    if (found.before_seq > 0)
      out["next_cursor"] = desk_.cursors.make(name, "", std::to_string(found.before_seq));
    return Response::json(out);
  }

  std::map<std::string, std::string> names_of(const std::vector<audit::Row>& rows) const {
    std::map<std::string, std::string> names;
    const auto learn = [&](const std::string& id) {
      const std::string key = std::string(kStaff) + id;
      if (names.contains(key)) return;
      if (const auto staff = desk_.accounts.find(StaffId(id))) names[key] = staff->name;
    };
    for (const audit::Row& row : rows) {
      if (row.actor.starts_with(kStaff)) learn(row.actor.substr(kStaff.size()));
      if (row.action.starts_with("staff.")) learn(row.subject);
    }
    return names;
  }

  Json routes_of(std::string_view permission) const {
    Json out = Json::array();
    for (const Route& route : router_.routes()) {
      if (route.auth == Auth::staff && route.permission == permission)
        out.push_back(std::string(route.method) + " " + std::string(route.pattern));
    }
    return out;
  }

  Json chain_json() const {
    const audit::ChainStatus now = desk_.chain.status();
    audit::Head head;
    desk_.db.read([&head](storage::Reader& reader) { head = audit::head_of(reader); });
    return {{"state", now.state},
            {"rows", now.rows},
            {"of", now.of},
            {"last_seq", now.last_seq},
            {"first_bad_seq", now.first_bad_seq},
            {"why", now.why},
            {"signed_heads", now.signed_heads},
            {"started_at_ms", now.started_at_ms},
            {"finished_at_ms", now.finished_at_ms},
            {"head_seq", head.seq},
            {"head_hash", head.hash}};
  }

  PeopleDesk desk_;
  const Router& router_;
};

}  // namespace

void mount_admin_audit(Router& router, const PeopleDesk& desk) {
  const AuditRoutes routes(desk, router);
  using Member = Result<Response> (AuditRoutes::*)(const Request&) const;
  const auto read = [&](std::string_view pattern, std::string_view permission, Rate rate,
                        Member member) {
    router.add({"GET", pattern, Auth::staff, permission, Pool::compute, 0, false, rate, Audited::no,
                Level::maintenance,
                [routes, member](const Request& request) { return (routes.*member)(request); }});
  };
  read("/api/admin/audit", "audit.read", Rate::read, &AuditRoutes::list);
  read("/api/admin/audit/export", "audit.read", Rate::costly, &AuditRoutes::export_csv);
  read("/api/admin/audit/chain", "audit.read", Rate::read, &AuditRoutes::chain);
  read("/api/admin/staff/sign-ins", "staff.read", Rate::read, &AuditRoutes::sign_ins);
  read("/api/admin/staff/sessions", "staff.read", Rate::read, &AuditRoutes::live_sessions);
  read("/api/admin/permissions", "session.own", Rate::read, &AuditRoutes::permissions);
  router.add({"POST", "/api/admin/audit/chain/verify", Auth::staff, "audit.read", Pool::store, 0,
              false, Rate::costly, Audited::yes, Level::maintenance,
              [routes](const Request& request) { return routes.verify(request); }});
}

}  // namespace topup::http::routes
