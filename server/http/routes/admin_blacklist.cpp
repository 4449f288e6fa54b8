// The blacklist: looking, adding, ending, files in and out.
#include "server/http/routes/people.h"
#include "server/risk/blacklist_store.h"
#include "server/risk/subject.h"

namespace topup::http::routes {
namespace {

using base::Json;

constexpr std::size_t kMaxEntryBody = 2'048;
constexpr std::int64_t kEntriesPage = 50;
constexpr std::int64_t kMaxWallMs = 4'102'444'800'000;

Json entry_json(const risk::Entry& entry, std::int64_t now) {
  const bool is_over = entry.expires_at_ms != 0 && entry.expires_at_ms <= now;
  return {{"entry_id", entry.id},
          {"kind", entry.kind},
          {"subject", entry.subject_masked},
          {"reason", entry.reason},
          {"state", entry.ended_at_ms > 0 ? "ended"
                    : is_over             ? "expired"
                                          : "live"},
          {"created_by", entry.created_by},
          {"created_at_ms", entry.created_at_ms},
          {"expires_at_ms", entry.expires_at_ms},
          {"ended_at_ms", entry.ended_at_ms},
          {"ended_by", entry.ended_by},
          {"ended_why", entry.ended_why}};
}

class BlacklistRoutes {
 public:
  explicit BlacklistRoutes(const PeopleDesk& desk) : desk_(desk) {}

  // `q` is looked up as what it may be: entries are found by their whole subject only.
  Result<Response> list(const Request& request) const {
    risk::blacklist_store::Selection wanted;
    wanted.kind = request.query_value("kind");
    if (!wanted.kind.empty() && !risk::is_kind(wanted.kind))
      return refuse(Code::invalid_argument, "out_of_range", "kind");
    wanted.with_ended = request.query_value("ended") == "1";
    const std::string q(request.query_value("q"));
    if (q.size() > risk::kMaxSubject) return refuse(Code::invalid_argument, "out_of_range", "q");
    const std::string name =
        "blacklist/" + wanted.kind + "/" + (wanted.with_ended ? "1" : "0") + "/" + q;
    const auto place = desk_.cursors.place_of(name, "", request.query_value("cursor"));
    if (!place) return tl::unexpected<Error>(place.error());
    std::vector<risk::Entry> found;
    desk_.db.read([&](storage::Reader& reader) {
      found = q.empty() ? risk::blacklist_store::list(reader, wanted, *place, kEntriesPage + 1)
                        : look(reader, wanted, q);
    });
    Json out = {{"entries", Json::array()}};
    if (found.size() > static_cast<std::size_t>(kEntriesPage)) {
      found.pop_back();
      out["next_cursor"] = desk_.cursors.make(name, "", found.back().id);
    }
    for (const risk::Entry& entry : found)
      out["entries"].push_back(entry_json(entry, desk_.clock.wall_ms()));
    return Response::json(out);
  }

  Result<Response> add(const Request& request) const {
    const auto given = deed_in(request, {"kind", "subject", "reason", "expires_at_ms"});
    if (!given) return tl::unexpected<Error>(given.error());
    admin::NewEntry entry;
    const auto kind = base::text_in(given->body, "kind", 16);
    if (!kind) return tl::unexpected<Error>(kind.error());
    const auto subject = base::text_in(given->body, "subject", risk::kMaxSubject);
    if (!subject) return tl::unexpected<Error>(subject.error());
    if (given->body.contains("expires_at_ms")) {
      const auto until = base::integer_in(given->body, "expires_at_ms", 0, kMaxWallMs);
      if (!until) return tl::unexpected<Error>(until.error());
      entry.expires_at_ms = *until;
    }
    entry.kind = *kind;
    entry.subject = *subject;
    return answer(desk_.blacklist.add(entry, given->deed), 201);
  }

  Result<Response> end(const Request& request) const {
    const auto given = deed_in(request, {"reason"});
    if (!given) return tl::unexpected<Error>(given.error());
    return answer(desk_.blacklist.end(id_of(request), given->deed), 200);
  }

  Result<Response> import(const Request& request) const {
    const auto given = deed_in(request, {"csv", "reason", "trial"});
    if (!given) return tl::unexpected<Error>(given.error());
    const auto csv = base::text_in(given->body, "csv", kMaxImportBody);
    if (!csv) return tl::unexpected<Error>(csv.error());
    const auto is_trial = base::bool_in(given->body, "trial");
    if (!is_trial) return tl::unexpected<Error>(is_trial.error());
    const auto report = desk_.blacklist.import(*csv, *is_trial, given->deed);
    if (!report) return tl::unexpected<Error>(report.error());
    Json mistakes = Json::array();
    for (const admin::RowMistake& one : report->mistakes)
      mistakes.push_back({{"line", one.line}, {"reason", one.reason}});
    return Response::json({{"added", report->added},
                           {"known", report->known},
                           {"mistakes", std::move(mistakes)},
                           {"trial", *is_trial}});
  }

  // Personal data leaves the shop: with a reason and a row of the audit trail.
  Result<Response> export_all(const Request& request) const {
    const auto given = deed_in(request, {"reason"});
    if (!given) return tl::unexpected<Error>(given.error());
    const auto csv = desk_.blacklist.export_csv(given->deed);
    if (!csv) return tl::unexpected<Error>(csv.error());
    return Response::json({{"csv", *csv}});
  }

  Result<Response> reveal(const Request& request) const {
    const auto given = deed_in(request, {"reason"});
    if (!given) return tl::unexpected<Error>(given.error());
    const auto text = desk_.blacklist.reveal(id_of(request), given->deed);
    if (!text) return tl::unexpected<Error>(text.error());
    return Response::json({{"text", *text}});
  }

 private:
  static std::string id_of(const Request& request) {
    return std::string(request.capture("entry_id"));
  }

  std::vector<risk::Entry> look(storage::Reader& reader, risk::blacklist_store::Selection wanted,
                                const std::string& q) const {
    std::vector<risk::Entry> found;
    for (const std::string_view kind : risk::kKinds) {
      const auto subject = risk::canonical_subject(kind, q);
      if (!subject || (!wanted.kind.empty() && wanted.kind != kind)) continue;
      wanted.subject_index = risk::index_of(desk_.env.pii, kind, *subject);
      for (auto& entry : risk::blacklist_store::list(reader, wanted, "", kEntriesPage))
        found.push_back(std::move(entry));
    }
    return found;
  }

  Result<Response> answer(const Result<risk::Entry>& entry, int status) const {
    if (!entry) return tl::unexpected<Error>(entry.error());
    return Response::json(entry_json(*entry, desk_.clock.wall_ms()), status);
  }

  PeopleDesk desk_;
};

}  // namespace

void mount_admin_blacklist(Router& router, const PeopleDesk& desk) {
  const BlacklistRoutes routes(desk);
  using Member = Result<Response> (BlacklistRoutes::*)(const Request&) const;
  const auto write = [&](std::string_view pattern, std::string_view permission,
                         std::size_t body_limit, Rate rate, Member member) {
    router.add({"POST", pattern, Auth::staff, permission, Pool::store, body_limit, false, rate,
                Audited::yes, Level::maintenance,
                [routes, member](const Request& request) { return (routes.*member)(request); }});
  };
  router.add({"GET", "/api/admin/blacklist", Auth::staff, "risk.read", Pool::compute, 0, false,
              Rate::read, Audited::no, Level::maintenance,
              [routes](const Request& request) { return routes.list(request); }});
  write("/api/admin/blacklist", "risk.write", kMaxEntryBody, Rate::write, &BlacklistRoutes::add);
  write("/api/admin/blacklist/{entry_id}/end", "risk.write", kMaxEntryBody, Rate::write,
        &BlacklistRoutes::end);
  write("/api/admin/blacklist/{entry_id}/reveal", "personal_data.read", kMaxEntryBody, Rate::costly,
        &BlacklistRoutes::reveal);
  write("/api/admin/blacklist/import", "risk.write", kMaxImportBody, Rate::costly,
        &BlacklistRoutes::import);
  write("/api/admin/blacklist/export", "personal_data.read", kMaxEntryBody, Rate::costly,
        &BlacklistRoutes::export_all);
}

}  // namespace topup::http::routes
