// How products are shown and found: for staff, who say it, and for every page.
#include "server/base/crypto.h"
#include "server/catalog/product_note_store.h"
#include "server/http/routes/pricing_more.h"

namespace topup::http::routes {
namespace {

using base::Json;
namespace notes = catalog::product_notes;

constexpr std::size_t kMaxBody = 4'096;

Json note_json(const notes::Note& note) {
  return {{"product_id", note.product_id},
          {"labels", note.labels},
          {"place", note.place},
          {"aliases", note.aliases}};
}

Json notes_json(storage::Db& db, bool is_for_staff) {
  Json rows = Json::array();
  db.read([&](storage::Reader& reader) {
    rows = Json::array();
    for (const notes::Note& note : notes::all(reader)) {
      rows.push_back(note_json(note));
      if (!is_for_staff) continue;
      rows.back()["edited_by"] = note.edited_by;
      rows.back()["edited_at_ms"] = note.edited_at_ms;
    }
  });
  return {{"products", std::move(rows)}};
}

Result<Response> for_pages(const PricingMore& more, const Request& request) {
  Response response = Response::json(notes_json(more.db, false));
  const std::string etag = "\"" + base::hex(base::sha256(response.body)).substr(0, 16) + "\"";
  response.headers.emplace_back("ETag", etag);
  response.headers.emplace_back("Cache-Control", "no-cache");
  if (request.header("if-none-match") == etag) {
    response.status = 304;
    response.body.clear();
  }
  return response;
}

Result<std::vector<std::string>> texts_in(const Json& body, const char* key) {
  std::vector<std::string> texts;
  const auto found = body.find(key);
  if (found == body.end()) return refuse(Code::invalid_argument, "missing_field", key);
  if (!found->is_array()) return refuse(Code::invalid_argument, "wrong_type", key);
  for (const Json& one : *found) {
    if (!one.is_string()) return refuse(Code::invalid_argument, "wrong_type", key);
    texts.push_back(one.get<std::string>());
  }
  return texts;
}

bool is_ours(const PricingMore& more, const std::string& id) {
  const auto range = more.pricing.desk.range(more.pricing.shelf());
  for (const Product& product : range.assortment.products) {
    if (product.id.text == id) return true;
  }
  return false;
}

Result<Response> save(const PricingMore& more, const Request& request) {
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  const auto only = base::only_fields(*body, {"product_id", "labels", "place", "aliases"});
  if (!only) return tl::unexpected<Error>(only.error());
  notes::Note note;
  const auto id = base::text_in(*body, "product_id", 64);
  if (!id) return tl::unexpected<Error>(id.error());
  const auto labels = texts_in(*body, "labels");
  if (!labels) return tl::unexpected<Error>(labels.error());
  const auto aliases = texts_in(*body, "aliases");
  if (!aliases) return tl::unexpected<Error>(aliases.error());
  const auto place = base::integer_in(*body, "place", 0, notes::kLastPlace);
  if (!place) return tl::unexpected<Error>(place.error());
  if (!is_ours(more, *id)) return refuse(Code::not_found, "product_unknown", "product_id");
  note.product_id = *id;
  note.labels = *labels;
  note.aliases = *aliases;
  note.place = *place;
  note.edited_by = "staff:" + request.staff.text;
  note.edited_at_ms = more.clock.wall_ms();
  const auto changed = storage::with_tx(
      more.db, [&](storage::Tx& tx) { return notes::save(tx, note, request.trace); });
  if (!changed) return tl::unexpected<Error>(changed.error());
  Json out = note_json(note);
  out["changed"] = *changed;
  return Response::json(out);
}

}  // namespace

void mount_product_notes(Router& router, const PricingMore& more) {
  router.add({"GET", "/api/v1/product-notes", Auth::none, "", Pool::compute, 0, false, Rate::read,
              Audited::no, Level::maintenance,
              [more](const Request& request) { return for_pages(more, request); }});
  router.add({"GET", "/api/admin/catalog/notes", Auth::staff, "catalog.read", Pool::compute, 0,
              false, Rate::read, Audited::no, Level::maintenance,
              [more](const Request&) -> Result<Response> {
                return Response::json(notes_json(more.db, true));
              }});
  router.add({"POST", "/api/admin/catalog/notes", Auth::staff, "catalog.write", Pool::store,
              kMaxBody, false, Rate::write, Audited::yes, Level::maintenance,
              [more](const Request& request) { return save(more, request); }});
}

}  // namespace topup::http::routes
