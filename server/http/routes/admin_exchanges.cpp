// Every request to a supplier and its answer, searched and as a file.
#include <algorithm>
#include <array>
#include <tuple>

#include "server/base/csv.h"
#include "server/http/routes/exchanges.h"

namespace topup::http::routes {
namespace {

using base::Json;
namespace exchange_store = suppliers::exchange_store;

constexpr std::int64_t kRowsPage = 50;
constexpr std::int64_t kExportRows = 5'000;
constexpr std::int64_t kReplayWalked = 5'000;
constexpr std::int64_t kReplayRows = 200;
constexpr std::size_t kMaxWord = 64;
constexpr std::int64_t kMaxSlowMs = 3'600'000;
constexpr std::int64_t kMaxWallMs = 4'102'444'800'000;
constexpr std::array<std::string_view, 2> kOperations = {"submit", "query"};
constexpr std::array<std::string_view, 6> kOutcomes = {"accepted", "succeeded", "rejected",
                                                       "held",     "unknown",   "not_found"};

Result<std::int64_t> number_in(const Request& request, const char* name, std::int64_t most) {
  const std::string text(request.query_value(name));
  if (text.empty()) return std::int64_t{0};
  if (text.size() > 13 || text.find_first_not_of("0123456789") != std::string::npos ||
      std::stoll(text) > most)
    return refuse(Code::invalid_argument, "out_of_range", name);
  return std::stoll(text);
}

template <std::size_t N>
Result<std::string> word_in(const Request& request, const char* name,
                            const std::array<std::string_view, N>& words) {
  const std::string_view text = request.query_value(name);
  if (!text.empty() && std::find(words.begin(), words.end(), text) == words.end())
    return refuse(Code::invalid_argument, "out_of_range", name);
  return std::string(text);
}

Result<exchange_store::Search> search_in(const Request& request) {
  exchange_store::Search wanted;
  for (const char* name : {"supplier", "number"}) {
    if (request.query_value(name).size() > kMaxWord)
      return refuse(Code::invalid_argument, "out_of_range", name);
  }
  wanted.supplier = request.query_value("supplier");
  wanted.number = request.query_value("number");
  auto operation = word_in(request, "operation", kOperations);
  if (!operation) return tl::unexpected<Error>(operation.error());
  wanted.operation = std::move(*operation);
  auto outcome = word_in(request, "outcome", kOutcomes);
  if (!outcome) return tl::unexpected<Error>(outcome.error());
  wanted.outcome = std::move(*outcome);
  for (const auto& [name, most, field] : {std::tuple{"slow_ms", kMaxSlowMs, &wanted.slow_ms},
                                          std::tuple{"from_ms", kMaxWallMs, &wanted.from_ms},
                                          std::tuple{"to_ms", kMaxWallMs, &wanted.to_ms}}) {
    const auto number = number_in(request, name, most);
    if (!number) return tl::unexpected<Error>(number.error());
    *field = *number;
  }
  return wanted;
}

std::string name_of(const exchange_store::Search& wanted) {
  return "exchanges/" + wanted.supplier + "/" + wanted.operation + "/" + wanted.outcome + "/" +
         wanted.number + "/" + std::to_string(wanted.slow_ms) + "/" +
         std::to_string(wanted.from_ms) + "/" + std::to_string(wanted.to_ms);
}

Result<Response> list(storage::Db& db, const Cursors& cursors, const Request& request) {
  const auto wanted = search_in(request);
  if (!wanted) return tl::unexpected<Error>(wanted.error());
  const std::string name = name_of(*wanted);
  const auto place = cursors.place_of(name, "", request.query_value("cursor"));
  if (!place) return tl::unexpected<Error>(place.error());
  exchange_store::Found found;
  db.read([&](storage::Reader& reader) {
    found = exchange_store::search(reader, *wanted, *place, kRowsPage);
  });
  Json out = {{"rows", Json::array()}, {"reached_ms", found.reached_ms}};
  for (const suppliers::Exchange& one : found.rows) out["rows"].push_back(exchange_json(one));
  if (!found.before.empty()) out["next_cursor"] = cursors.make(name, "", found.before);
  return Response::json(out);
}

Result<Response> export_csv(storage::Db& db, const Request& request) {
  const auto wanted = search_in(request);
  if (!wanted) return tl::unexpected<Error>(wanted.error());
  exchange_store::Found found;
  db.read([&](storage::Reader& reader) {
    found = exchange_store::search(reader, *wanted, "", kExportRows);
  });
  Response response;
  response.content_type = "text/csv; charset=utf-8";
  response.headers.emplace_back("Content-Disposition", "attachment; filename=\"exchanges.csv\"");
  response.body =
      "\xEF\xBB\xBF" +
      base::csv_line({"exchange_id", "at_ms", "supplier", "operation", "order_id", "attempt_id",
                      "outcome", "code", "latency_ms", "request", "response", "trace_id"});
  for (const suppliers::Exchange& one : found.rows) {
    response.body +=
        base::csv_line({one.id, std::to_string(one.at_ms), one.supplier, one.operation,
                        one.order.text, one.attempt.text, one.outcome, one.code,
                        std::to_string(one.latency_ms), one.request, one.response, one.trace.text});
  }
  return response;
}

// One attempt as the rehearsal takes it (server/rehearsal/replay.h): what was said and when, and
// nothing of whom it was for.
Result<Response> replay(storage::Db& db, const Request& request) {
  const std::string_view attempt = request.query_value("attempt");
  if (attempt.empty()) return refuse(Code::invalid_argument, "missing_field", "attempt");
  if (attempt.size() > kMaxWord) return refuse(Code::invalid_argument, "out_of_range", "attempt");
  exchange_store::Search wanted;
  wanted.number = attempt;
  exchange_store::Found found;
  db.read([&](storage::Reader& reader) {
    found = exchange_store::search(reader, wanted, "", kReplayWalked);
  });
  std::erase_if(found.rows,
                [&](const suppliers::Exchange& one) { return one.attempt.text != attempt; });
  if (found.rows.empty()) return refuse(Code::not_found, "attempt_not_found", "attempt");
  // How it began and how it ended; between them were looks that saw nothing new.
  if (std::ssize(found.rows) > kReplayRows) {
    found.rows.erase(found.rows.begin() + kReplayRows / 2, found.rows.end() - kReplayRows / 2);
  }
  Json log = {{"supplier", found.rows.front().supplier},
              {"attempt_id", attempt},
              {"exchanges", Json::array()}};
  for (auto one = found.rows.rbegin(); one != found.rows.rend(); ++one) {
    log["exchanges"].push_back({{"operation", one->operation},
                                {"outcome", one->outcome},
                                {"code", one->code},
                                {"latency_ms", one->latency_ms},
                                {"at_ms", one->at_ms}});
  }
  Response response = Response::json(log);
  response.headers.emplace_back("Content-Disposition", "attachment; filename=\"replay-" +
                                                           found.rows.front().supplier + ".json\"");
  return response;
}

}  // namespace

base::Json exchange_json(const suppliers::Exchange& exchange) {
  const auto asked = base::json_in(exchange.request);
  const auto said = base::json_in(exchange.response);
  return {{"exchange_id", exchange.id},
          {"order_id", exchange.order.text},
          {"attempt_id", exchange.attempt.text},
          {"supplier", exchange.supplier},
          {"operation", exchange.operation},
          {"request", asked ? *asked : Json::object()},
          {"response", said ? *said : Json::object()},
          {"code", exchange.code},
          {"outcome", exchange.outcome},
          {"latency_ms", exchange.latency_ms},
          {"trace_id", exchange.trace.text},
          {"at_ms", exchange.at_ms}};
}

void mount_admin_exchanges(Router& router, storage::Db& db, const Cursors& cursors) {
  router.add({"GET", "/api/admin/exchanges", Auth::staff, "orders.read", Pool::compute, 0, false,
              Rate::read, Audited::no, Level::maintenance,
              [&db, &cursors](const Request& request) { return list(db, cursors, request); }});
  router.add({"GET", "/api/admin/exchanges/export", Auth::staff, "orders.read", Pool::compute, 0,
              false, Rate::costly, Audited::no, Level::maintenance,
              [&db](const Request& request) { return export_csv(db, request); }});
  router.add({"GET", "/api/admin/exchanges/replay", Auth::staff, "orders.read", Pool::compute, 0,
              false, Rate::read, Audited::no, Level::maintenance,
              [&db](const Request& request) { return replay(db, request); }});
}

}  // namespace topup::http::routes
