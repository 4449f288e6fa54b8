// Suppliers and what they list: the differences a person decides about, the ways to deliver a
// product, and the lines to the suppliers.
#include "server/audit/audit_log.h"
#include "server/http/routes/mounts.h"
#include "server/jobs/failure_text.h"
#include "server/jobs/outbox.h"

namespace topup::http::routes {
namespace {

using base::Json;
using base::money_out;
namespace listing_store = catalog::listing_store;
namespace catalog_store = catalog::catalog_store;

constexpr std::size_t kMaxBody = 64 * 1024;
constexpr std::int64_t kRowsAPage = 50;
constexpr std::size_t kMaxNote = 200;
constexpr std::string_view kSyncJob = "catalog_sync";

Json parsed(const std::string& text) {
  if (text.empty()) return nullptr;
  auto value = base::json_in(text);
  return value ? std::move(*value) : Json();
}

// Members that are not the same on both sides: what a person decides about.
Json difference(const Json& before, const Json& now) {
  Json changes = Json::array();
  if (!before.is_object() || !now.is_object()) return changes;
  const auto note = [&changes](const std::string& key, const Json& was, const Json& is) {
    if (was != is) changes.push_back({{"field", key}, {"before", was}, {"now", is}});
  };
  for (const auto& [key, value] : now.items())
    note(key, before.contains(key) ? before[key] : Json(), value);
  for (const auto& [key, value] : before.items()) {
    if (!now.contains(key)) note(key, value, Json());
  }
  return changes;
}

Json listing_json(const catalog::Listing& row) {
  const Json listed = parsed(row.listed);
  const Json approved = parsed(row.approved);
  return {{"supplier", row.supplier},
          {"listing", row.key},
          {"country", row.country},
          {"state", row.state},
          {"listed", listed},
          {"approved", approved},
          {"changes", difference(approved, listed)},
          {"first_seen_at_ms", row.first_seen_at_ms},
          {"changed_at_ms", row.changed_at_ms},
          {"decided_by", row.decided_by},
          {"decided_at_ms", row.decided_at_ms}};
}

std::string list_name(const listing_store::Filter& filter) {
  return "admin_listings/" + filter.state + "/" + filter.supplier + "/" + filter.country;
}

Result<Response> list(const CatalogParts& parts, const Request& request) {
  const listing_store::Filter filter{std::string(request.query_value("state")),
                                     std::string(request.query_value("supplier")),
                                     std::string(request.query_value("country"))};
  const auto place = parts.cursors.place_of(list_name(filter), "", request.query_value("cursor"));
  if (!place) return tl::unexpected<Error>(place.error());
  const std::size_t mark = place->find('\n');
  listing_store::Place after;
  if (mark != std::string::npos) after = {place->substr(0, mark), place->substr(mark + 1)};
  std::vector<catalog::Listing> rows;
  std::vector<listing_store::Count> counts;
  parts.db.read([&](storage::Reader& reader) {
    rows = listing_store::page(reader, filter, after, kRowsAPage + 1);
    counts = listing_store::counts(reader);
  });
  Json out = {{"listings", Json::array()}, {"counts", Json::array()}};
  if (rows.size() > static_cast<std::size_t>(kRowsAPage)) {
    rows.pop_back();
    out["next_cursor"] =
        parts.cursors.make(list_name(filter), "", rows.back().supplier + "\n" + rows.back().key);
  }
  for (const catalog::Listing& row : rows) out["listings"].push_back(listing_json(row));
  for (const auto& count : counts) {
    out["counts"].push_back(
        {{"supplier", count.supplier}, {"state", count.state}, {"rows", count.rows}});
  }
  return Response::json(out);
}

Result<Json> read(const Request& request, std::initializer_list<std::string_view> fields) {
  auto body = base::json_in(request.body, kMaxBody);
  if (!body) return body;
  if (const auto only = base::only_fields(*body, fields); !only)
    return tl::unexpected<Error>(only.error());
  return body;
}

Result<std::vector<std::string>> keys_in(const Json& body) {
  const auto found = body.find("listings");
  if (found == body.end()) return refuse(Code::invalid_argument, "missing_field", "listings");
  if (!found->is_array()) return refuse(Code::invalid_argument, "wrong_type", "listings");
  if (found->empty() || found->size() > catalog::CatalogDesk::kMostKeys)
    return refuse(Code::invalid_argument, "out_of_range", "listings");
  std::vector<std::string> keys;
  for (const Json& key : *found) {
    if (!key.is_string()) return refuse(Code::invalid_argument, "wrong_type", "listings");
    keys.push_back(key.get<std::string>());
  }
  return keys;
}

// {"supplier", "decision": "approve" or "decline", "listings": [keys]} or, to approve whatever
// waits there, {"supplier", "decision": "approve", "all": true}.
Result<Response> decide(const CatalogParts& parts, const Request& request) {
  const auto body = read(request, {"supplier", "decision", "listings", "all", "note"});
  if (!body) return tl::unexpected<Error>(body.error());
  catalog::CatalogDesk::Decision decision;
  const auto supplier = base::text_in(*body, "supplier", 64);
  if (!supplier) return tl::unexpected<Error>(supplier.error());
  const auto word = base::text_in(*body, "decision", 16);
  if (!word) return tl::unexpected<Error>(word.error());
  if (*word != "approve" && *word != "decline")
    return refuse(Code::invalid_argument, "out_of_range", "decision");
  decision.supplier = *supplier;
  decision.approve = *word == "approve";
  decision.actor = "staff:" + request.staff.text;
  decision.trace = request.trace;
  if (body->contains("note")) {
    const auto note = base::text_in(*body, "note", kMaxNote);
    if (!note) return tl::unexpected<Error>(note.error());
    decision.note = jobs::failure_text(*note);
  }
  Result<std::int64_t> changed = 0;
  if (decision.approve && base::bool_in(*body, "all").value_or(false)) {
    changed = parts.desk.approve_all(decision.supplier, decision.actor, request.trace);
  } else {
    auto keys = keys_in(*body);
    if (!keys) return tl::unexpected<Error>(keys.error());
    decision.keys = std::move(*keys);
    changed = parts.desk.decide(decision);
  }
  if (!changed) return tl::unexpected<Error>(changed.error());
  parts.publish();
  return Response::json({{"changed", *changed}});
}

Result<Response> sync(const CatalogParts& parts, const Request& request) {
  const auto body = read(request, {"supplier"});
  if (!body) return tl::unexpected<Error>(body.error());
  const auto supplier = base::text_in(*body, "supplier", 64);
  if (!supplier) return tl::unexpected<Error>(supplier.error());
  if (parts.suppliers.find(*supplier) == nullptr)
    return refuse(Code::not_found, "supplier_not_found", "supplier");
  bool moved = false;
  const std::int64_t now = parts.clock.wall_ms();
  parts.db.write([&](storage::Tx& tx) {
    moved = jobs::outbox::bring_forward(tx, kSyncJob, *supplier, now);
    audit::append(tx,
                  {"staff:" + request.staff.text, "catalog.sync_asked", "supplier:" + *supplier,
                   moved ? "brought forward" : "already due"},
                  request.trace, now);
    tx.after_commit(parts.wake_jobs);
    return true;
  });
  return Response::json({{"started", moved}}, 202);
}

Json line_json(const suppliers::SupplierLine& line) {
  Json row = {{"line", line.line},
              {"state", suppliers::to_word(line.state)},
              {"reason", line.reason},
              {"closings", line.closings},
              {"changed_at_ms", line.changed_at_ms},
              {"reopen_at_ms", line.reopen_at_ms},
              {"low_balance", line.is_low}};
  if (line.balance) {
    row["balance"] = money_out(*line.balance);
    row["balance_at_ms"] = line.balance_at_ms;
  }
  return row;
}

Result<Response> show_suppliers(const CatalogParts& parts) {
  Json names = Json::array();
  for (const auto& supplier : parts.suppliers.all()) names.push_back(supplier->name());
  Json lines = Json::array();
  Json counts = Json::array();
  parts.db.read([&](storage::Reader& reader) {
    for (const auto& line : suppliers::supplier_line_store::all(reader))
      lines.push_back(line_json(line));
    for (const auto& count : listing_store::counts(reader)) {
      counts.push_back(
          {{"supplier", count.supplier}, {"state", count.state}, {"rows", count.rows}});
    }
  });
  return Response::json({{"suppliers", names}, {"lines", lines}, {"listings", counts}});
}

Result<Response> set_line(const CatalogParts& parts, const Request& request) {
  const auto body = read(request, {"line", "open", "reason"});
  if (!body) return tl::unexpected<Error>(body.error());
  const auto line = base::text_in(*body, "line", 128);
  if (!line) return tl::unexpected<Error>(line.error());
  const auto is_open = base::bool_in(*body, "open");
  if (!is_open) return tl::unexpected<Error>(is_open.error());
  const auto reason = base::text_in(*body, "reason", kMaxNote);
  if (!reason) return tl::unexpected<Error>(reason.error());
  if (reason->find_first_not_of(" \t\r\n") == std::string::npos)
    return refuse(Code::invalid_argument, "reason_missing", "reason");
  if (parts.suppliers.find(line->substr(0, line->find('/'))) == nullptr)
    return refuse(Code::not_found, "supplier_not_found", "line");
  bool changed = false;
  Json shown;
  parts.db.write([&](storage::Tx& tx) {
    const std::string why = jobs::failure_text(*reason);
    changed = parts.health.set_by_hand(tx, *line, *is_open, why);
    if (changed) {
      audit::append(tx,
                    {"staff:" + request.staff.text,
                     *is_open ? "supplier.line_opened" : "supplier.line_closed",
                     "supplier_line:" + *line, why},
                    request.trace, parts.clock.wall_ms());
    }
    const auto stored = suppliers::supplier_line_store::find(tx, *line);
    shown = stored ? line_json(*stored) : Json{{"line", *line}, {"state", "open"}};
    return changed;
  });
  return Response::json(shown);
}

Json way_json(const catalog_store::SupplierProduct& way) {
  Json row = {{"product_id", way.product_id},
              {"supplier", way.supplier},
              {"supplier_operator_id", way.supplier_operator_id},
              {"sku", way.sku},
              {"kind", to_word(way.kind)},
              {"face", money_out(way.face)},
              {"most_minor", way.most_minor},
              {"step_minor", way.step_minor},
              {"priority", way.priority},
              {"enabled", way.is_enabled}};
  if (way.cost.minor > 0) row["cost"] = money_out(way.cost);
  if (way.delivered.minor > 0) row["delivered"] = money_out(way.delivered);
  return row;
}

Result<Response> show_ways(const CatalogParts& parts, const Request& request) {
  const ProductId product(std::string(request.query_value("product_id")));
  if (product.empty()) return refuse(Code::invalid_argument, "missing_field", "product_id");
  Json ways = Json::array();
  parts.db.read([&](storage::Reader& reader) {
    for (const auto& way : catalog_store::supplier_products_of(reader, product))
      ways.push_back(way_json(way));
  });
  return Response::json({{"ways", ways}});
}

Result<Response> set_way(const CatalogParts& parts, const Request& request) {
  const auto body = read(request, {"product_id", "supplier", "priority", "enabled"});
  if (!body) return tl::unexpected<Error>(body.error());
  const auto product = base::text_in(*body, "product_id", 128);
  if (!product) return tl::unexpected<Error>(product.error());
  const auto supplier = base::text_in(*body, "supplier", 64);
  if (!supplier) return tl::unexpected<Error>(supplier.error());
  const auto priority = base::integer_in(*body, "priority", 0, 10'000);
  if (!priority) return tl::unexpected<Error>(priority.error());
  const auto enabled = base::bool_in(*body, "enabled");
  if (!enabled) return tl::unexpected<Error>(enabled.error());
  const auto done = storage::with_tx(parts.db, [&](storage::Tx& tx) -> Result<bool> {
    if (!catalog_store::set_way(tx, ProductId(*product), *supplier, *priority, *enabled))
      return refuse(Code::not_found, "way_not_found", "product_id");
    audit::append(
        tx,
        {"staff:" + request.staff.text, "catalog.way_set", "product:" + *product + "/" + *supplier,
         "priority " + std::to_string(*priority) + (*enabled ? ", on" : ", off")},
        request.trace, parts.clock.wall_ms());
    return true;
  });
  if (!done) return tl::unexpected<Error>(done.error());
  Json ways = Json::array();
  parts.db.read([&](storage::Reader& reader) {
    for (const auto& way : catalog_store::supplier_products_of(reader, ProductId(*product)))
      ways.push_back(way_json(way));
  });
  return Response::json({{"ways", ways}});
}

}  // namespace

void mount_admin_catalog(Router& router, const CatalogParts& parts) {
  const auto get = [&](std::string_view pattern, auto handler) {
    router.add({"GET", pattern, Auth::staff, "catalog.read", Pool::compute, 0, false, Rate::read,
                Audited::no, Level::maintenance, std::move(handler)});
  };
  const auto post = [&](std::string_view pattern, auto handler) {
    router.add({"POST", pattern, Auth::staff, "catalog.write", Pool::store, kMaxBody, true,
                Rate::write, Audited::yes, Level::maintenance, std::move(handler)});
  };
  get("/api/admin/catalog/listings",
      [parts](const Request& request) { return list(parts, request); });
  post("/api/admin/catalog/decisions",
       [parts](const Request& request) { return decide(parts, request); });
  post("/api/admin/catalog/sync", [parts](const Request& request) { return sync(parts, request); });
  get("/api/admin/catalog/ways",
      [parts](const Request& request) { return show_ways(parts, request); });
  post("/api/admin/catalog/ways",
       [parts](const Request& request) { return set_way(parts, request); });
  get("/api/admin/suppliers", [parts](const Request&) { return show_suppliers(parts); });
  post("/api/admin/suppliers/lines",
       [parts](const Request& request) { return set_line(parts, request); });
}

}  // namespace topup::http::routes
