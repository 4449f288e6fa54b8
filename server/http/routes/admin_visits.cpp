// Visitor records: what was asked, from which networks, by which devices, hour by hour.
#include "server/http/routes/people.h"

namespace topup::http::routes {
namespace {

using base::Json;

constexpr std::int64_t kMostHours = 30 * 24;
constexpr std::int64_t kMostNames = 50;

Json counts_json(const std::vector<VisitCount>& counts) {
  Json out = Json::array();
  for (const VisitCount& one : counts)
    out.push_back({{"name", one.name}, {"hits", one.hits}, {"last_at_ms", one.last_at_ms}});
  return out;
}

Result<Response> show(const PeopleDesk& desk, const Request& request) {
  const std::string text(request.query_value("hours"));
  std::int64_t hours = 24;
  if (!text.empty()) {
    const bool is_number =
        text.size() <= 3 && text.find_first_not_of("0123456789") == std::string::npos;
    hours = is_number ? std::stoll(text) : 0;
    if (hours < 1 || hours > kMostHours)
      return refuse(Code::invalid_argument, "out_of_range", "hours", "1 to 720");
  }
  desk.visits.flush();
  const VisitsReport report = desk.visits.report(hours, kMostNames);
  return Response::json({{"hours", counts_json(report.hours)},
                         {"places", counts_json(report.places)},
                         {"networks", counts_json(report.networks)},
                         {"devices", counts_json(report.devices)},
                         {"kept_ms", kVisitsKeptMs}});
}

}  // namespace

void mount_admin_visits(Router& router, const PeopleDesk& desk) {
  router.add({"GET", "/api/admin/visits", Auth::staff, "risk.read", Pool::store, 0, false,
              Rate::costly, Audited::no, Level::maintenance,
              [desk](const Request& request) { return show(desk, request); }});
}

}  // namespace topup::http::routes
