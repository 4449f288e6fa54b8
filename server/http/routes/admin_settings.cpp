// Live settings: reading, changing, and going back.
#include <charconv>

#include "server/http/routes/mounts.h"

namespace topup::http::routes {
namespace {

using base::Json;

constexpr std::size_t kMaxBody = 16 * 1024;
constexpr std::int64_t kRowsAPage = 50;
constexpr std::string_view kHistory = "settings_history";

Json shown(const settings::Settings& settings, const settings::Snapshot& now) {
  Json rows = Json::array();
  for (const settings::Definition& definition : settings.definitions()) {
    Json row = {{"key", definition.key},
                {"type", word_of(definition.type)},
                {"value", now.values.at(definition.key)},
                {"preset", settings.presets().at(definition.key)},
                {"permission", definition.permission},
                {"doc", definition.doc}};
    if (definition.type == settings::Type::integer) row["min"] = definition.min;
    if (definition.type != settings::Type::word && definition.type != settings::Type::boolean)
      row["max"] = definition.max;
    if (definition.type == settings::Type::word) row["words"] = definition.words;
    rows.push_back(std::move(row));
  }
  return {{"version", now.version}, {"settings", std::move(rows)}};
}

// Every member that was wrong, beside the first one, which is the problem's own.
Response refused(const Error& error, const std::vector<settings::FieldError>& wrong,
                 const TraceId& trace) {
  if (wrong.empty()) return problem(error, trace);
  Json errors = Json::array();
  for (const settings::FieldError& one : wrong) {
    errors.push_back({{"field", one.key}, {"reason", one.reason}, {"detail", one.detail}});
  }
  return problem_with(error, trace, {{"errors", std::move(errors)}});
}

class Desk {
 public:
  Desk(settings::Settings& settings, Sessions& sessions)
      : settings_(settings), sessions_(sessions) {}

  Result<Response> change(const Request& request) const {
    const auto body = read(request, {"version", "changes"});
    if (!body) return tl::unexpected<Error>(body.error());
    const auto seen = base::integer_in(*body, "version", 0, kMaxMinor);
    if (!seen) return tl::unexpected<Error>(seen.error());
    const auto changes = base::object_in(*body, "changes");
    if (!changes) return tl::unexpected<Error>(changes.error());
    std::vector<settings::FieldError> wrong;
    const std::string actor = "staff:" + request.staff.text;
    const auto done = settings_.change(**changes, *seen, author(actor, request), &wrong);
    if (!done) return refused(done.error(), wrong, request.trace);
    return Response::json(shown(settings_, **done));
  }

  Result<Response> roll_back(const Request& request) const {
    const auto body = read(request, {"version", "to"});
    if (!body) return tl::unexpected<Error>(body.error());
    const auto seen = base::integer_in(*body, "version", 0, kMaxMinor);
    if (!seen) return tl::unexpected<Error>(seen.error());
    const auto to = base::integer_in(*body, "to", 0, kMaxMinor);
    if (!to) return tl::unexpected<Error>(to.error());
    std::vector<settings::FieldError> wrong;
    const std::string actor = "staff:" + request.staff.text;
    const auto done = settings_.roll_back(*to, *seen, author(actor, request), &wrong);
    if (!done) return refused(done.error(), wrong, request.trace);
    return Response::json(shown(settings_, **done));
  }

 private:
  static Result<Json> read(const Request& request, std::initializer_list<std::string_view> fields) {
    auto body = base::json_in(request.body, kMaxBody);
    if (!body) return body;
    if (const auto only = base::only_fields(*body, fields); !only)
      return tl::unexpected<Error>(only.error());
    return body;
  }

  settings::Author author(std::string_view actor, const Request& request) const {
    return {actor, request.trace, [this, &request](std::string_view permission) {
              if (permission == settings::kWrite) return true;  // the route has asked for it
              Request again = request;
              return sessions_.authenticate(Auth::staff, permission, again).has_value();
            }};
  }

  settings::Settings& settings_;
  Sessions& sessions_;
};

Json value_of(const std::optional<std::string>& text) {
  if (!text) return nullptr;
  const auto value = base::json_in(*text);
  return value ? *value : Json();
}

settings::settings_store::Place read_place(std::string_view text) {
  settings::settings_store::Place place;
  if (text.empty()) return place;
  const std::size_t mark = text.find('/');
  std::from_chars(text.data(), text.data() + mark, place.version);
  place.key = text.substr(mark + 1);
  return place;
}

Result<Response> history(const settings::Settings& settings, const Cursors& cursors,
                         const Request& request) {
  const auto place = cursors.place_of(kHistory, "", request.query_value("cursor"));
  if (!place) return tl::unexpected<Error>(place.error());
  auto rows = settings.history(read_place(*place), kRowsAPage + 1);
  Json out = {{"changes", Json::array()}};
  if (rows.size() > static_cast<std::size_t>(kRowsAPage)) {
    rows.pop_back();
    out["next_cursor"] =
        cursors.make(kHistory, "", std::to_string(rows.back().version) + "/" + rows.back().key);
  }
  for (const auto& row : rows) {
    out["changes"].push_back({{"version", row.version},
                              {"key", row.key},
                              {"value", value_of(row.value)},
                              {"previous", value_of(row.previous)},
                              {"changed_by", row.changed_by},
                              {"changed_at_ms", row.changed_at_ms}});
  }
  return Response::json(out);
}

}  // namespace

void mount_admin_settings(Router& router, settings::Settings& settings, Sessions& sessions,
                          const Cursors& cursors) {
  const Desk desk(settings, sessions);
  router.add({"GET", "/api/admin/settings", Auth::staff, "settings.read", Pool::compute, 0, false,
              Rate::read, Audited::no, Level::maintenance,
              [&settings](const Request&) -> Result<Response> {
                return Response::json(shown(settings, *settings.current()));
              }});
  router.add({"PUT", "/api/admin/settings", Auth::staff, settings::kWrite, Pool::store, kMaxBody,
              true, Rate::write, Audited::yes, Level::maintenance,
              [desk](const Request& request) { return desk.change(request); }});
  router.add({"GET", "/api/admin/settings/history", Auth::staff, "settings.read", Pool::compute, 0,
              false, Rate::read, Audited::no, Level::maintenance,
              [&settings, &cursors](const Request& request) {
                return history(settings, cursors, request);
              }});
  router.add({"POST", "/api/admin/settings/rollback", Auth::staff, settings::kWrite, Pool::store,
              kMaxBody, true, Rate::write, Audited::yes, Level::maintenance,
              [desk](const Request& request) { return desk.roll_back(request); }});
}

}  // namespace topup::http::routes
