// Price rules: what is in force, what a draft would change, publishing, going back. And products:
// what suppliers let us sell, what of it is sold, and under which name.
#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "server/base/crypto.h"
#include "server/catalog/sample_store.h"
#include "server/http/routes/mounts.h"

namespace topup::http::routes {
namespace {

using base::Json;
using base::money_out;
using catalog::CatalogDesk;
namespace rule_store = catalog::rule_store;

constexpr std::size_t kMaxBody = 256 * 1024;
constexpr std::size_t kMaxReason = 200;
constexpr std::size_t kMostShown = 500;    // changed prices of one preview
constexpr std::size_t kMostEdits = 1'000;  // of one call
constexpr std::size_t kMaxName = 120;
constexpr std::int64_t kSamples = 50;
constexpr std::int64_t kHistoryPage = 20;
constexpr std::size_t kProductPage = 100;
constexpr std::string_view kHistory = "price_rules_history";

Result<Json> read(const Request& request, std::initializer_list<std::string_view> fields) {
  auto body = base::json_in(request.body, kMaxBody);
  if (!body) return body;
  if (const auto only = base::only_fields(*body, fields); !only)
    return tl::unexpected<Error>(only.error());
  return body;
}

Result<std::vector<catalog::WrittenRule>> rules_in(const Json& body) {
  const auto found = body.find("rules");
  if (found == body.end()) return refuse(Code::invalid_argument, "missing_field", "rules");
  return catalog::rules_in(*found);
}

Result<std::string> reason_in(const Json& body) {
  auto reason = base::text_in(body, "reason", kMaxReason);
  if (reason && reason->find_first_not_of(" \t\r\n") == std::string::npos)
    return refuse(Code::invalid_argument, "reason_missing", "reason");
  return reason;
}

Json rules_json(const CatalogDesk::Rules& rules) {
  return {{"version", rules.version}, {"rules", catalog::rules_out(rules.rules)}};
}

// What was bought of late: a draft is looked at on orders that happened.
Json samples(storage::Db& db) {
  Json rows = Json::array();
  db.read([&rows](storage::Reader& reader) {
    for (const auto& one : catalog::sample_store::newest(reader, kSamples)) {
      rows.push_back({{"order_id", one.order_id},
                      {"product_id", one.product_id},
                      {"face", {{"minor", one.face_minor}, {"currency", one.currency}}},
                      {"paid_minor", one.payable_minor},
                      {"created_at_ms", one.created_at_ms}});
    }
  });
  return rows;
}

Json costs(const PriceBook& book) {
  Json out = Json::object();
  for (const auto& [id, one] : catalog::priced(book)) {
    if (one.cost_minor > 0) out[id] = one.cost_minor;
  }
  return out;
}

Result<Response> preview(const PricingParts& parts, const Request& request) {
  const auto body = read(request, {"rules"});
  if (!body) return tl::unexpected<Error>(body.error());
  const auto rules = rules_in(*body);
  if (!rules) return tl::unexpected<Error>(rules.error());
  const CatalogDesk::Preview draft = parts.desk.preview(*rules, parts.shelf());
  Json changes = Json::array();
  for (const catalog::PriceChange& one : draft.changes) {
    if (changes.size() == kMostShown) break;
    changes.push_back({{"product_id", one.product_id},
                       {"rule_id", one.rule_id},
                       {"before_minor", one.before_minor},
                       {"after_minor", one.after_minor},
                       {"cost_minor", one.cost_minor}});
  }
  return Response::json({{"book_hex", base::hex(encode(draft.book))},
                         {"changed", draft.changes.size()},
                         {"changes", std::move(changes)},
                         {"below_cost", draft.below_cost},
                         {"costs", costs(draft.book)},
                         {"samples", samples(parts.db)}});
}

Result<Response> publish(const PricingParts& parts, const Request& request) {
  const auto body = read(request, {"version", "rules", "reason"});
  if (!body) return tl::unexpected<Error>(body.error());
  const auto seen = base::integer_in(*body, "version", 0, kMaxMinor);
  if (!seen) return tl::unexpected<Error>(seen.error());
  const auto rules = rules_in(*body);
  if (!rules) return tl::unexpected<Error>(rules.error());
  const auto reason = reason_in(*body);
  if (!reason) return tl::unexpected<Error>(reason.error());
  const auto done = parts.desk.publish_rules(
      {*rules, *seen, 0, *reason, "staff:" + request.staff.text, request.trace}, parts.shelf());
  if (!done) return tl::unexpected<Error>(done.error());
  return Response::json(rules_json(parts.desk.price_rules()));
}

Result<Response> roll_back(const PricingParts& parts, const Request& request) {
  const auto body = read(request, {"version", "to", "reason"});
  if (!body) return tl::unexpected<Error>(body.error());
  const auto seen = base::integer_in(*body, "version", 0, kMaxMinor);
  if (!seen) return tl::unexpected<Error>(seen.error());
  const auto to = base::integer_in(*body, "to", 0, kMaxMinor);
  if (!to) return tl::unexpected<Error>(to.error());
  const auto reason = reason_in(*body);
  if (!reason) return tl::unexpected<Error>(reason.error());
  const auto done = parts.desk.roll_back_rules(
      {{}, *seen, *to, *reason, "staff:" + request.staff.text, request.trace}, parts.shelf());
  if (!done) return tl::unexpected<Error>(done.error());
  return Response::json(rules_json(parts.desk.price_rules()));
}

Result<Response> history(const PricingParts& parts, const Request& request) {
  const auto place = parts.cursors.place_of(kHistory, "", request.query_value("cursor"));
  if (!place) return tl::unexpected<Error>(place.error());
  std::int64_t before = INT64_MAX;
  if (!place->empty()) std::from_chars(place->data(), place->data() + place->size(), before);
  std::vector<rule_store::RuleSet> rows;
  parts.db.read(
      [&](storage::Reader& reader) { rows = rule_store::page(reader, before, kHistoryPage + 1); });
  Json out = {{"versions", Json::array()}};
  if (rows.size() > static_cast<std::size_t>(kHistoryPage)) {
    rows.pop_back();
    out["next_cursor"] = parts.cursors.make(kHistory, "", std::to_string(rows.back().version));
  }
  for (const rule_store::RuleSet& row : rows) {
    const auto rules = base::json_in(row.rules);
    out["versions"].push_back({{"version", row.version},
                               {"rules", rules ? *rules : Json::array()},
                               {"reason", row.reason},
                               {"back_to", row.back_to},
                               {"book_version", row.book_version},
                               {"published_by", row.published_by},
                               {"published_at_ms", row.published_at_ms}});
  }
  return Response::json(out);
}

struct ProductFilter {
  std::string country, operator_id, kind, on_sale, text;
  std::string list_name() const {
    return "admin_products/" + country + "/" + operator_id + "/" + kind + "/" + on_sale + "/" +
           text;
  }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool fits(const ProductFilter& filter, const Product& product, const Operator& op, bool on_sale) {
  if (!filter.country.empty() && op.country != filter.country) return false;
  if (!filter.operator_id.empty() && op.id != filter.operator_id) return false;
  if (!filter.kind.empty() && to_word(product.kind) != filter.kind) return false;
  if (!filter.on_sale.empty() && (filter.on_sale == "true") != on_sale) return false;
  return filter.text.empty() || contains(product.id.text, filter.text) ||
         contains(product.name_zh, filter.text) || contains(product.name_en, filter.text) ||
         contains(op.name_zh, filter.text) || contains(op.name_en, filter.text);
}

Json product_json(const CatalogDesk::Range& range, const Product& product, const Operator& op,
                  const rule_store::ProductEdit& edit) {
  Json row = {{"product_id", product.id.text},
              {"operator_id", op.id},
              {"operator_zh", op.name_zh},
              {"operator_en", op.name_en},
              {"country", op.country},
              {"kind", to_word(product.kind)},
              {"face", money_out(product.face)},
              {"delivered", money_out(product.delivered)},
              {"most_minor", product.most_minor},
              {"step_minor", product.step_minor},
              {"validity_days", product.validity_days},
              {"supplier_name", product.name_zh},
              {"on_sale", edit.on_sale},
              {"name_zh", edit.name_zh},
              {"name_en", edit.name_en},
              {"edited_by", edit.edited_by},
              {"edited_at_ms", edit.edited_at_ms}};
  const auto found = range.prices.find(product.id.text);
  if (found == range.prices.end()) return row;
  row["list_minor"] = found->second.list_minor;
  row["cost_minor"] = found->second.cost_minor;
  row["guarded"] = found->second.is_guarded;
  return row;
}

rule_store::ProductEdit edit_of(const CatalogDesk::Range& range, const std::string& id) {
  const auto found = range.edits.find(id);
  if (found != range.edits.end()) return found->second;
  rule_store::ProductEdit none;
  none.product_id = id;
  return none;
}

Json tree_of(const CatalogDesk::Range& range) {
  std::map<std::size_t, std::int64_t> products;
  for (const Product& product : range.assortment.products) ++products[product.operator_index];
  Json countries = Json::array();
  for (const Country& country : range.assortment.countries) {
    Json operators = Json::array();
    for (std::size_t i = 0; i < range.assortment.operators.size(); ++i) {
      const Operator& op = range.assortment.operators[i];
      if (op.country != country.iso2) continue;
      operators.push_back({{"id", op.id},
                           {"name_zh", op.name_zh},
                           {"name_en", op.name_en},
                           {"products", products[i]}});
    }
    countries.push_back({{"country", country.iso2},
                         {"name_zh", country.name_zh},
                         {"name_en", country.name_en},
                         {"operators", std::move(operators)}});
  }
  return countries;
}

Result<Response> list_products(const PricingParts& parts, const Request& request) {
  const auto value = [&](std::string_view name) { return std::string(request.query_value(name)); };
  const ProductFilter filter{value("country"), value("operator_id"), value("kind"),
                             value("on_sale"), value("q")};
  const auto place = parts.cursors.place_of(filter.list_name(), "", request.query_value("cursor"));
  if (!place) return tl::unexpected<Error>(place.error());
  const CatalogDesk::Range range = parts.desk.range(parts.shelf());
  std::vector<const Product*> rows;
  for (const Product& product : range.assortment.products) {
    const Operator& op = range.assortment.operators[product.operator_index];
    if (fits(filter, product, op, edit_of(range, product.id.text).on_sale))
      rows.push_back(&product);
  }
  std::sort(rows.begin(), rows.end(),
            [](const Product* a, const Product* b) { return a->id.text < b->id.text; });
  Json out = {{"products", Json::array()}, {"total", rows.size()}};
  if (place->empty()) out["countries"] = tree_of(range);
  for (const Product* product : rows) {
    if (!place->empty() && product->id.text <= *place) continue;
    if (out["products"].size() == kProductPage) {
      out["next_cursor"] = parts.cursors.make(
          filter.list_name(), "", out["products"].back()["product_id"].get<std::string>());
      break;
    }
    const Operator& op = range.assortment.operators[product->operator_index];
    out["products"].push_back(product_json(range, *product, op, edit_of(range, product->id.text)));
  }
  return Response::json(out);
}

bool is_clean(const std::string& text) {
  return text.size() <= kMaxName && std::all_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
         });
}

// Only what is said is changed; the refusal's word, or "" when the row is right.
std::string_view read_edit(const Json& row, const CatalogDesk::Range& range,
                           const std::set<std::string>& known, rule_store::ProductEdit* edit) {
  if (!row.is_object() || !row.contains("product_id") || !row["product_id"].is_string())
    return "missing_field";
  const auto id = row["product_id"].get<std::string>();
  if (known.count(id) == 0) return "product_unknown";
  *edit = edit_of(range, id);
  for (const auto& [key, value] : row.items()) {
    if (key == "product_id") continue;
    if (key == "on_sale") {
      if (!value.is_boolean()) return "wrong_type";
      edit->on_sale = value.get<bool>();
    } else if (key == "name_zh" || key == "name_en") {
      if (!value.is_string()) return "wrong_type";
      const auto text = value.get<std::string>();
      if (!is_clean(text)) return "out_of_range";
      (key == "name_zh" ? edit->name_zh : edit->name_en) = text;
    } else {
      return "unknown_field";
    }
  }
  return {};
}

Json edit_difference(const rule_store::ProductEdit& was, const rule_store::ProductEdit& is) {
  Json changes = Json::array();
  const auto note = [&changes](const char* field, const Json& before, const Json& now) {
    if (before != now) changes.push_back({{"field", field}, {"before", before}, {"now", now}});
  };
  note("on_sale", was.on_sale, is.on_sale);
  note("name_zh", was.name_zh, is.name_zh);
  note("name_en", was.name_en, is.name_en);
  return changes;
}

// All of the rows or none: one that is wrong changes nothing, and each that is wrong is named.
Result<Response> edit_products(const PricingParts& parts, const Request& request) {
  const auto body = read(request, {"edits", "dry_run"});
  if (!body) return tl::unexpected<Error>(body.error());
  const auto list = body->find("edits");
  if (list == body->end()) return refuse(Code::invalid_argument, "missing_field", "edits");
  if (!list->is_array()) return refuse(Code::invalid_argument, "wrong_type", "edits");
  if (list->empty() || list->size() > kMostEdits)
    return refuse(Code::invalid_argument, "out_of_range", "edits");
  const CatalogDesk::Range range = parts.desk.range(parts.shelf());
  std::set<std::string> known;
  for (const Product& product : range.assortment.products) known.insert(product.id.text);
  std::vector<rule_store::ProductEdit> edits;
  std::set<std::string> seen;
  Json errors = Json::array();
  Json changes = Json::array();
  for (std::size_t i = 0; i < list->size(); ++i) {
    rule_store::ProductEdit edit;
    std::string_view wrong = read_edit((*list)[i], range, known, &edit);
    if (wrong.empty() && !seen.insert(edit.product_id).second) wrong = "product_twice";
    if (!wrong.empty()) {
      errors.push_back({{"row", i + 1}, {"reason", wrong}});
      continue;
    }
    edit.edited_by = "staff:" + request.staff.text;
    Json fields = edit_difference(edit_of(range, edit.product_id), edit);
    if (!fields.empty())
      changes.push_back({{"product_id", edit.product_id}, {"fields", std::move(fields)}});
    edits.push_back(std::move(edit));
  }
  const bool is_dry = base::bool_in(*body, "dry_run").value_or(false);
  std::int64_t changed = 0;
  if (!is_dry && errors.empty()) {
    changed = parts.desk.edit_products(edits, request.trace);
    parts.publish();
  }
  return Response::json(
      {{"changed", changed}, {"changes", std::move(changes)}, {"errors", std::move(errors)}});
}

}  // namespace

void mount_admin_pricing(Router& router, const PricingParts& parts) {
  const auto get = [&](std::string_view pattern, auto handler) {
    router.add({"GET", pattern, Auth::staff, "catalog.read", Pool::compute, 0, false, Rate::read,
                Audited::no, Level::maintenance, std::move(handler)});
  };
  const auto post = [&](std::string_view pattern, std::string_view permission, auto handler) {
    router.add({"POST", pattern, Auth::staff, permission, Pool::store, kMaxBody, true, Rate::write,
                Audited::yes, Level::maintenance, std::move(handler)});
  };
  get("/api/admin/price-rules", [parts](const Request&) -> Result<Response> {
    return Response::json(rules_json(parts.desk.price_rules()));
  });
  // A draft is too long for an address, hence POST; it changes nothing, so there is no row to
  // write.
  router.add({"POST", "/api/admin/price-rules/preview", Auth::staff, "catalog.read", Pool::compute,
              kMaxBody, false, Rate::read, Audited::yes, Level::maintenance,
              [parts](const Request& request) { return preview(parts, request); }});
  post("/api/admin/price-rules/publish", "prices.write",
       [parts](const Request& request) { return publish(parts, request); });
  post("/api/admin/price-rules/rollback", "prices.write",
       [parts](const Request& request) { return roll_back(parts, request); });
  get("/api/admin/price-rules/history",
      [parts](const Request& request) { return history(parts, request); });
  get("/api/admin/catalog/products",
      [parts](const Request& request) { return list_products(parts, request); });
  post("/api/admin/catalog/products", "catalog.write",
       [parts](const Request& request) { return edit_products(parts, request); });
}

}  // namespace topup::http::routes
