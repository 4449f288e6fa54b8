#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "server/audit/audit_log.h"
#include "server/auth/staff_store.h"
#include "server/http/routes/setup.h"

namespace topup::http::routes {
namespace {

using base::Json;
using parties::PartyDesk;
using parties::PartyView;

constexpr std::size_t kMaxKeysBody = 64 * 1024;
constexpr std::size_t kMaxReason = 200;
constexpr std::string_view kRead = "keys.read";
constexpr std::string_view kManage = "keys.manage";

Json fields_json(const parties::Party& party) {
  Json out = Json::array();
  for (const parties::Field& field : party.fields) {
    out.push_back({{"name", field.name},
                   {"kind", parties::to_word(field.kind)},
                   {"secret", field.is_secret},
                   {"needed", field.is_needed},
                   {"preset", field.preset},
                   {"account", field.names_account},
                   {"most", field.most}});
  }
  return out;
}

Json party_json(const PartyView& view) {
  Json out = {
      {"party", view.party->word},
      {"kind", parties::to_word(view.party->kind)},
      {"notify_path", view.party->notify_path},
      {"state", view.state},
      {"after_restart", view.after_restart},
      {"switches_now", view.standing.switches_now},
      {"played", view.standing.is_played},
      {"in_file", view.standing.is_in_file},
      {"from_ms", view.from_ms},
      {"version", view.version},
      {"live_version", view.live_version},
      {"fields", fields_json(*view.party)},
      {"values", view.plain},
      {"secrets", view.secrets},
      {"tested",
       {{"at_ms", view.tested_at_ms}, {"ok", view.tested_well}, {"said", view.tested_said}}},
      {"checklist", Json::array()},
      {"may_go_live", view.may_go_live},
      {"may_go_back", view.may_go_back}};
  if (view.facts.end_ms > 0) {
    out["certificate"] = {{"serial", view.facts.serial},
                          {"subject", view.facts.subject},
                          {"begin_ms", view.facts.begin_ms},
                          {"end_ms", view.facts.end_ms}};
  }
  for (const parties::Missing& one : view.checklist)
    out["checklist"].push_back({{"what", one.what}, {"done", one.is_done}, {"detail", one.detail}});
  return out;
}

Json probe_json(const parties::ProbeReport& report) {
  Json out = {{"ok", report.is_well()},
              {"reach", parties::to_word(report.reach)},
              {"at_ms", report.at_ms},
              {"origin", report.origin},
              {"paths", Json::array()}};
  for (const parties::Probed& one : report.paths) {
    out["paths"].push_back({{"path", one.path},
                            {"ok", one.is_well},
                            {"step", one.step},
                            {"reason", one.reason},
                            {"detail", one.detail}});
  }
  return out;
}

class SetupRoutes {
 public:
  explicit SetupRoutes(const SetupDesk& desk) : desk_(desk) {}

  Result<Response> show(const Request& request) const {
    Json out = {{"public_origin", desk_.public_origin},
                {"rehearsal", desk_.has_rehearsal},
                {"shop", shop_json()},
                {"owner", owner_json(request.staff)},
                {"steps", Json::array()},
                {"parties", Json::array()}};
    for (const PartyView& view : desk_.desk.all()) out["parties"].push_back(party_json(view));
    if (const auto report = desk_.desk.last_probe()) out["notify"] = probe_json(*report);
    const auto noted = desk_.desk.steps();
    for (const std::string_view step : parties::kSteps) {
      Json row = {{"step", step}, {"state", is_done_anyway(step, out) ? "done" : "open"}};
      for (const auto& note : noted) {
        if (note.name != step) continue;
        if (row["state"] == "open") row["state"] = note.value;
        row["at_ms"] = note.set_at_ms;
      }
      out["steps"].push_back(std::move(row));
    }
    return Response::json(out);
  }

  Result<Response> set_step(const Request& request) const {
    const auto body = fields(request, {"mark"});
    if (!body) return tl::unexpected<Error>(body.error());
    const auto state = base::text_in(*body, "mark", 16);
    if (!state) return tl::unexpected<Error>(state.error());
    if (*state != "done" && *state != "skipped" && *state != "open")
      return refuse(Code::invalid_argument, "out_of_range", "mark");
    const auto done = desk_.desk.set_step(request.capture("step"), *state, author(request));
    if (!done) return tl::unexpected<Error>(done.error());
    return show(request);
  }

  Result<Response> set_shop(const Request& request) const {
    const auto body = fields(request, {"name", "time_zone", "language"});
    if (!body) return tl::unexpected<Error>(body.error());
    const auto name = base::text_in(*body, "name", parties::kMaxShopName);
    if (!name) return tl::unexpected<Error>(name.error());
    const auto zone = base::text_in(*body, "time_zone", 64);
    if (!zone) return tl::unexpected<Error>(zone.error());
    const auto language = base::text_in(*body, "language", 8);
    if (!language) return tl::unexpected<Error>(language.error());
    const auto done = desk_.desk.set_shop({*name, *zone, *language}, author(request));
    if (!done) return tl::unexpected<Error>(done.error());
    return show(request);
  }

  Result<Response> save(const Request& request) const {
    const auto body = fields(request, {"version", "fields"}, kMaxKeysBody);
    if (!body) return tl::unexpected<Error>(body.error());
    const auto seen = base::integer_in(*body, "version", 0, kMaxMinor);
    if (!seen) return tl::unexpected<Error>(seen.error());
    const auto given = base::object_in(*body, "fields");
    if (!given) return tl::unexpected<Error>(given.error());
    std::map<std::string, std::optional<std::string>> values;
    for (const auto& [name, value] : (*given)->items()) {
      if (!value.is_null() && !value.is_string())
        return refuse(Code::invalid_argument, "wrong_type", "fields", name);
      values[name] = value.is_null() ? std::nullopt : std::optional(value.get<std::string>());
    }
    std::vector<parties::Fault> faults;
    const auto saved =
        desk_.desk.save(request.capture("party"), *seen, values, author(request), &faults);
    if (saved) return Response::json(party_json(*saved));
    if (faults.empty()) return tl::unexpected<Error>(saved.error());
    Json errors = Json::array();
    for (const parties::Fault& one : faults)
      errors.push_back({{"field", one.field}, {"reason", one.reason}, {"detail", one.detail}});
    return problem_with(saved.error(), request.trace, {{"errors", std::move(errors)}});
  }

  Result<Response> try_keys(const Request& request) const {
    if (const auto plain = base::no_fields_in(request.body); !plain)
      return tl::unexpected<Error>(plain.error());
    return shown(desk_.desk.test(request.capture("party"), author(request)));
  }

  // The party's word is typed again: this is where real money begins.
  Result<Response> go(const Request& request) const {
    const auto body = fields(request, {"world", "reason", "confirm"});
    if (!body) return tl::unexpected<Error>(body.error());
    const auto world = base::text_in(*body, "world", 16);
    if (!world) return tl::unexpected<Error>(world.error());
    if (*world != "live" && *world != "rehearsed")
      return refuse(Code::invalid_argument, "out_of_range", "world");
    const auto reason = base::text_in(*body, "reason", kMaxReason);
    if (!reason || reason->find_first_not_of(" \t") == std::string::npos)
      return refuse(Code::invalid_argument, "reason_missing", "reason");
    const auto confirm = base::text_in(*body, "confirm", 64);
    if (!confirm || *confirm != request.capture("party"))
      return refuse(Code::invalid_argument, "confirm_differs", "confirm");
    return shown(desk_.desk.go(request.capture("party"), parties::parse_world(*world), *reason,
                               author(request)));
  }

  Result<Response> probe(const Request& request) const {
    if (const auto plain = base::no_fields_in(request.body); !plain)
      return tl::unexpected<Error>(plain.error());
    const auto report = desk_.probe.run(desk_.public_origin, desk_.desk.notify_paths());
    desk_.desk.keep_probe(report, author(request));
    return Response::json(probe_json(report));
  }

 private:
  static Result<Json> fields(const Request& request,
                             std::initializer_list<std::string_view> allowed,
                             std::size_t most = 2'048) {
    auto body = base::json_in(request.body, most);
    if (!body) return body;
    if (const auto only = base::only_fields(*body, allowed); !only)
      return tl::unexpected<Error>(only.error());
    return body;
  }
  static parties::Author author(const Request& request) {
    return {"staff:" + request.staff.text, request.trace};
  }
  static Result<Response> shown(const Result<PartyView>& view) {
    if (!view) return tl::unexpected<Error>(view.error());
    return Response::json(party_json(*view));
  }

  Json shop_json() const {
    const auto shop = desk_.desk.shop();
    return {{"name", desk_.shop_name()},
            {"time_zone", shop.time_zone.empty() ? parties::kTimeZones[0] : shop.time_zone},
            {"language", shop.language.empty() ? parties::kLanguages[0] : shop.language},
            {"time_zones", parties::kTimeZones},
            {"languages", parties::kLanguages}};
  }

  // What shows by itself needs nobody's tick: a shop that the configuration set up has nothing to
  // do again.
  static bool is_done_anyway(std::string_view step, const Json& seen) {
    if (step == "owner") return seen["owner"]["own_password"] && seen["owner"]["has_totp"];
    if (step == "notify") return seen.contains("notify") && seen["notify"]["ok"];
    for (const Json& party : seen["parties"])
      if (party["party"] == step) return party["state"] == "live";
    if (step != "suppliers") return false;
    return std::any_of(seen["parties"].begin(), seen["parties"].end(), [](const Json& party) {
      return party["kind"] == "supplier" && party["state"] == "live";
    });
  }

  // Whether whoever asks still has the password that the terminal showed.
  Json owner_json(const StaffId& id) const {
    bool has_own = false, has_totp = false;
    desk_.db.read([&](storage::Reader& reader) {
      const auto staff = auth::staff_store::find(reader, id);
      has_totp = staff && !staff->totp_sealed.empty();
      for (const audit::Row& row : audit::list_of(reader, id.text))
        has_own = has_own || row.action == "staff.password_changed";
    });
    return {{"own_password", has_own}, {"has_totp", has_totp}};
  }

  const SetupDesk desk_;
};

}  // namespace

void mount_admin_setup(Router& router, const SetupDesk& desk) {
  const SetupRoutes routes(desk);
  using Member = Result<Response> (SetupRoutes::*)(const Request&) const;
  const auto to = [routes](Member member) {
    return [routes, member](const Request& request) { return (routes.*member)(request); };
  };
  router.add({"GET", "/api/admin/setup", Auth::staff, kRead, Pool::compute, 0, false, Rate::read,
              Audited::no, Level::maintenance, to(&SetupRoutes::show)});
  router.add({"PUT", "/api/admin/setup/steps/{step}", Auth::staff, kManage, Pool::store, 256, false,
              Rate::write, Audited::yes, Level::maintenance, to(&SetupRoutes::set_step)});
  router.add({"PUT", "/api/admin/setup/shop", Auth::staff, kManage, Pool::store, 1'024, false,
              Rate::write, Audited::yes, Level::maintenance, to(&SetupRoutes::set_shop)});
  router.add({"POST", "/api/admin/setup/notify-test", Auth::staff, kManage, Pool::outside, 64,
              false, Rate::costly, Audited::yes, Level::maintenance, to(&SetupRoutes::probe)});
  router.add({"PUT", "/api/admin/parties/{party}/keys", Auth::staff, kManage, Pool::store,
              kMaxKeysBody, false, Rate::write, Audited::yes, Level::maintenance,
              to(&SetupRoutes::save)});
  router.add({"POST", "/api/admin/parties/{party}/keys/test", Auth::staff, kManage, Pool::outside,
              64, false, Rate::costly, Audited::yes, Level::maintenance,
              to(&SetupRoutes::try_keys)});
  router.add({"POST", "/api/admin/parties/{party}/world", Auth::staff, kManage, Pool::store, 2'048,
              true, Rate::write, Audited::yes, Level::maintenance, to(&SetupRoutes::go)});
}

}  // namespace topup::http::routes
