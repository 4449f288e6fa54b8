#include "server/http/routes/stations.h"

#include <iterator>

namespace topup::http::routes {
namespace {

using base::Json;
namespace station_store = stations::station_store;

constexpr std::size_t kMaxBody = 1'000'000;
constexpr std::int64_t kRowsAPage = 50;
constexpr std::size_t kMostRemoved = 500;

tl::unexpected<Error> none_yet() { return refuse(Code::unavailable, "stations_not_ready"); }

// The whole set as the core loads it: a page ranks by itself, and no server learns where it stands.
Result<Response> get_set(const StationParts& parts, const Request& request) {
  const auto current = parts.desk.current();
  if (!current) return none_yet();
  const std::string etag = "\"" + current->fingerprint + "\"";
  Response response;
  response.headers = {{"ETag", etag}, {"Cache-Control", "no-cache"}};
  response.content_type = "application/octet-stream";
  if (request.header("if-none-match") == etag) {
    response.status = 304;
    return response;
  }
  response.body = current->bytes;
  return response;
}

// For whoever does not say where they are: the cities of the stations themselves.
Result<Response> get_cities(const StationParts& parts) {
  const auto current = parts.desk.current();
  if (!current) return none_yet();
  Json rows = Json::array();
  for (const station_store::City& city : current->cities) {
    rows.push_back({{"city", city.name},
                    {"lat_e7", city.centre.lat_e7},
                    {"lng_e7", city.centre.lng_e7},
                    {"stations", city.stations}});
  }
  return Response::json({{"version", current->version}, {"cities", std::move(rows)}});
}

Json station_json(const stations::StationRow& row) {
  Json prices = Json::object();
  for (std::size_t i = 0; i < kFuels; ++i) {
    if (row.fen_per_litre[i] != 0)
      prices[std::string(kFuelWords[i])] = base::money_out(fen(row.fen_per_litre[i]));
  }
  Json flags = Json::array();
  for (std::size_t i = 0; i < std::size(kStationFlagWords); ++i) {
    if ((row.flags >> i & 1U) != 0) flags.push_back(kStationFlagWords[i]);
  }
  return {{"station_id", row.id},
          {"name", row.name},
          {"brand", row.brand},
          {"issuer", to_word(row.issuer)},
          {"city", row.city},
          {"address", row.address},
          {"lat_e7", row.place.lat_e7},
          {"lng_e7", row.place.lng_e7},
          {"prices", std::move(prices)},
          {"open_minute", row.open_minute},
          {"close_minute", row.close_minute},
          {"flags", std::move(flags)}};
}

Result<Response> get_station(const StationParts& parts, const Request& request) {
  std::optional<stations::StationRow> row;
  parts.db.read([&](storage::Reader& reader) {
    row = station_store::find(reader, request.capture("station_id"));
  });
  if (!row) return refuse(Code::not_found, "station_not_found", "station_id");
  return Response::json(station_json(*row));
}

Result<Response> list(const StationParts& parts, const Request& request) {
  const station_store::Filter filter{std::string(request.query_value("city")),
                                     std::string(request.query_value("brand"))};
  const std::string name = "admin_stations/" + filter.city + "/" + filter.brand;
  const auto place = parts.cursors.place_of(name, "", request.query_value("cursor"));
  if (!place) return tl::unexpected<Error>(place.error());
  std::vector<stations::StationRow> rows;
  parts.db.read([&](storage::Reader& reader) {
    rows = station_store::page(reader, filter, *place, kRowsAPage + 1);
  });
  const auto current = parts.desk.current();
  Json out = {{"stations", Json::array()},
              {"total", current ? current->count : 0},
              {"version", current ? current->version : 0},
              {"as_of_ms", current ? current->as_of_ms : 0}};
  if (rows.size() > static_cast<std::size_t>(kRowsAPage)) {
    rows.pop_back();
    out["next_cursor"] = parts.cursors.make(name, "", rows.back().id);
  }
  for (const stations::StationRow& row : rows) out["stations"].push_back(station_json(row));
  return Response::json(out);
}

Result<Response> export_csv(const StationParts& parts) {
  Response response;
  response.content_type = "text/csv; charset=utf-8";
  response.headers = {{"Content-Disposition", "attachment; filename=\"stations.csv\""}};
  response.body = parts.desk.export_csv();
  return response;
}

Json report_json(const stations::ImportReport& report) {
  Json faults = Json::array();
  for (const stations::CellFault& fault : report.faults) {
    faults.push_back({{"line", fault.line},
                      {"column", fault.column},
                      {"reason", fault.reason},
                      {"value", fault.value}});
  }
  return {{"rows", report.rows},
          {"added", report.added},
          {"changed", report.changed},
          {"unchanged", report.unchanged},
          {"removed", report.removed},
          {"faults", std::move(faults)},
          {"fault_count", report.fault_count},
          {"applied", report.is_applied}};
}

// {"csv", "system": "wgs84" or "gcj02", "replace", "apply"}; without "apply" it is a preview.
Result<Response> import(const StationParts& parts, const Request& request) {
  const auto body = base::json_in(request.body, kMaxBody);
  if (!body) return tl::unexpected<Error>(body.error());
  if (const auto only = base::only_fields(*body, {"csv", "system", "replace", "apply"}); !only)
    return tl::unexpected<Error>(only.error());
  const auto csv = base::text_in(*body, "csv", stations::kMaxCsvBytes);
  if (!csv) return tl::unexpected<Error>(csv.error());
  const auto system = base::text_in(*body, "system", 8);
  if (!system) return tl::unexpected<Error>(system.error());
  if (*system != "wgs84" && *system != "gcj02")
    return refuse(Code::invalid_argument, "out_of_range", "system");
  const auto replaces = base::bool_in(*body, "replace");
  if (!replaces) return tl::unexpected<Error>(replaces.error());
  const auto applies = base::bool_in(*body, "apply");
  if (!applies) return tl::unexpected<Error>(applies.error());
  const auto report = parts.desk.import({*csv, *system == "gcj02", *replaces, *applies,
                                         "staff:" + request.staff.text, request.trace});
  if (!report) return tl::unexpected<Error>(report.error());
  return Response::json(report_json(*report));
}

Result<Response> remove(const StationParts& parts, const Request& request) {
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  if (const auto only = base::only_fields(*body, {"stations"}); !only)
    return tl::unexpected<Error>(only.error());
  const auto found = body->find("stations");
  if (found == body->end()) return refuse(Code::invalid_argument, "missing_field", "stations");
  if (!found->is_array() || found->empty() || found->size() > kMostRemoved)
    return refuse(Code::invalid_argument, "out_of_range", "stations");
  std::vector<std::string> ids;
  for (const Json& id : *found) {
    if (!id.is_string()) return refuse(Code::invalid_argument, "wrong_type", "stations");
    ids.push_back(id.get<std::string>());
  }
  const auto removed = parts.desk.remove(ids, "staff:" + request.staff.text, request.trace);
  if (!removed) return tl::unexpected<Error>(removed.error());
  return Response::json({{"removed", *removed}});
}

}  // namespace

void mount_stations(Router& router, const StationParts& parts) {
  const auto open = [&](std::string_view pattern, auto handler) {
    router.add({"GET", pattern, Auth::none, "", Pool::compute, 0, false, Rate::read, Audited::no,
                Level::maintenance, std::move(handler)});
  };
  const auto get = [&](std::string_view pattern, auto handler) {
    router.add({"GET", pattern, Auth::staff, "stations.read", Pool::compute, 0, false, Rate::read,
                Audited::no, Level::maintenance, std::move(handler)});
  };
  const auto post = [&](std::string_view pattern, std::size_t body_limit, auto handler) {
    router.add({"POST", pattern, Auth::staff, "stations.write", Pool::store, body_limit, false,
                Rate::write, Audited::yes, Level::maintenance, std::move(handler)});
  };
  open("/api/v1/stations", [parts](const Request& request) { return get_set(parts, request); });
  open("/api/v1/stations/cities", [parts](const Request&) { return get_cities(parts); });
  open("/api/v1/stations/{station_id}",
       [parts](const Request& request) { return get_station(parts, request); });
  get("/api/admin/stations", [parts](const Request& request) { return list(parts, request); });
  get("/api/admin/stations/export", [parts](const Request&) { return export_csv(parts); });
  post("/api/admin/stations/imports", kMaxBody,
       [parts](const Request& request) { return import(parts, request); });
  post("/api/admin/stations/removals", 64 * 1024,
       [parts](const Request& request) { return remove(parts, request); });
}

}  // namespace topup::http::routes
