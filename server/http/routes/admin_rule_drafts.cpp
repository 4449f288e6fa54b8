// One's own unpublished price rules, kept on the server.
#include "server/audit/audit_log.h"
#include "server/catalog/rule_draft_store.h"
#include "server/http/routes/pricing_more.h"

namespace topup::http::routes {
namespace {

using base::Json;
namespace rule_drafts = catalog::rule_drafts;

constexpr std::size_t kMaxBody = 256 * 1024;

Json draft_json(const PricingMore& more, const StaffId& staff) {
  std::optional<rule_drafts::Draft> draft;
  more.db.read([&](storage::Reader& reader) { draft = rule_drafts::find(reader, staff); });
  if (!draft) return {{"draft", nullptr}};
  const auto rules = base::json_in(draft->rules, kMaxBody);
  return {{"draft",
           {{"version", draft->seen_version},
            {"rules", rules ? *rules : Json::array()},
            {"saved_at_ms", draft->saved_at_ms}}}};
}

Result<Response> save(const PricingMore& more, const Request& request) {
  const auto body = base::json_in(request.body, kMaxBody);
  if (!body) return tl::unexpected<Error>(body.error());
  const auto only = base::only_fields(*body, {"version", "rules"});
  if (!only) return tl::unexpected<Error>(only.error());
  const auto seen = base::integer_in(*body, "version", 0, kMaxMinor);
  if (!seen) return tl::unexpected<Error>(seen.error());
  if (!body->contains("rules")) return refuse(Code::invalid_argument, "missing_field", "rules");
  const auto rules = catalog::rules_in((*body)["rules"]);
  if (!rules) return tl::unexpected<Error>(rules.error());
  const std::int64_t now = more.clock.wall_ms();
  more.db.write([&](storage::Tx& tx) {
    rule_drafts::save(tx, {request.staff, *seen, catalog::rules_out(*rules).dump(), now});
    audit::append(
        tx,
        {"staff:" + request.staff.text, "price_rules.draft_saved",
         "price_rules:" + std::to_string(*seen), std::to_string(rules->size()) + " rules"},
        request.trace, now);
    return true;
  });
  return Response::json(draft_json(more, request.staff));
}

Result<Response> discard(const PricingMore& more, const Request& request) {
  more.db.write([&](storage::Tx& tx) {
    if (!rule_drafts::discard(tx, request.staff)) return false;
    audit::append(tx,
                  {"staff:" + request.staff.text, "price_rules.draft_discarded", "price_rules", ""},
                  request.trace, more.clock.wall_ms());
    return true;
  });
  return Response::json({{"draft", nullptr}});
}

}  // namespace

void mount_rule_drafts(Router& router, const PricingMore& more) {
  router.add({"GET", "/api/admin/price-rules/draft", Auth::staff, "prices.write", Pool::compute, 0,
              false, Rate::read, Audited::no, Level::maintenance,
              [more](const Request& request) -> Result<Response> {
                return Response::json(draft_json(more, request.staff));
              }});
  router.add({"PUT", "/api/admin/price-rules/draft", Auth::staff, "prices.write", Pool::store,
              kMaxBody, false, Rate::write, Audited::yes, Level::maintenance,
              [more](const Request& request) { return save(more, request); }});
  router.add({"DELETE", "/api/admin/price-rules/draft", Auth::staff, "prices.write", Pool::store, 0,
              false, Rate::write, Audited::yes, Level::maintenance,
              [more](const Request& request) { return discard(more, request); }});
}

}  // namespace topup::http::routes
