// The operator's side of coupons, promotions and member levels.
#include "server/audit/audit_log.h"
#include "server/http/routes/offers.h"
#include "server/jobs/failure_text.h"
#include "server/marketing/coupon_store.h"
#include "server/marketing/offer_store.h"

namespace topup::http::routes {
namespace {

using base::Json;

constexpr std::size_t kMaxBody = 32 * 1024;
constexpr std::size_t kMaxNote = 200;

Result<Json> read(const Request& request, std::initializer_list<std::string_view> fields) {
  auto body = base::json_in(request.body, kMaxBody);
  if (!body) return body;
  if (const auto only = base::only_fields(*body, fields); !only)
    return tl::unexpected<Error>(only.error());
  return body;
}

marketing::Deed deed_of(const Request& request) {
  return {"staff:" + request.staff.text, {}, request.trace};
}

Result<marketing::Deed> deed_with_reason(const Request& request, const Json& body) {
  const auto reason = base::text_in(body, "reason", kMaxNote);
  if (!reason) return tl::unexpected<Error>(reason.error());
  if (reason->find_first_not_of(" \t\r\n") == std::string::npos)
    return refuse(Code::invalid_argument, "reason_missing", "reason");
  marketing::Deed deed = deed_of(request);
  deed.note = jobs::failure_text(*reason);
  return deed;
}

Json offer_json(const marketing::Offer& offer, bool is_issued) {
  return {{"kind", marketing::to_word(offer.terms.kind)},
          {"id", offer.id},
          {"version", offer.version},
          {"on", offer.is_on},
          {"terms", marketing::terms_json(offer.terms)},
          {"issued", is_issued},
          {"changed_by", offer.changed_by},
          {"changed_at_ms", offer.changed_at_ms}};
}

Result<Response> list_offers(const OfferParts& parts) {
  Json rows = Json::array();
  parts.env.db.read([&](storage::Reader& reader) {
    rows = Json::array();
    for (const marketing::Offer& offer : marketing::offer_store::all(reader)) {
      const bool is_issued = offer.terms.kind == marketing::OfferKind::coupon &&
                             marketing::offer_store::is_issued(reader, offer.id);
      rows.push_back(offer_json(offer, is_issued));
    }
  });
  return Response::json({{"offers", std::move(rows)}});
}

Result<Response> save_offer(const OfferParts& parts, const Request& request) {
  const auto body = read(request, {"kind", "id", "version", "on", "terms"});
  if (!body) return tl::unexpected<Error>(body.error());
  const auto word = base::text_in(*body, "kind", 16);
  if (!word) return tl::unexpected<Error>(word.error());
  const auto kind = marketing::parse_offer_kind(*word);
  if (!kind) return tl::unexpected<Error>(kind.error());
  const auto id = base::text_in(*body, "id", 64);
  if (!id) return tl::unexpected<Error>(id.error());
  const auto version = base::integer_in(*body, "version", 0, INT32_MAX);
  if (!version) return tl::unexpected<Error>(version.error());
  const auto is_on = base::bool_in(*body, "on");
  if (!is_on) return tl::unexpected<Error>(is_on.error());
  const auto given = base::object_in(*body, "terms");
  if (!given) return tl::unexpected<Error>(given.error());
  const auto terms = marketing::read_terms(*kind, **given);
  if (!terms) return tl::unexpected<Error>(terms.error());
  const auto saved = parts.offers.save(
      {*id, *version, *is_on, *terms, "staff:" + request.staff.text, request.trace});
  if (!saved) return tl::unexpected<Error>(saved.error());
  parts.publish();
  return Response::json(offer_json(*saved, false));
}

Json campaign_row(const marketing::Campaign& campaign) {
  Json row = marketing::campaign_json(campaign);
  row["campaign_id"] = campaign.id;
  row["claimed"] = campaign.claimed;
  row["version"] = campaign.version;
  row["changed_by"] = campaign.changed_by;
  row["changed_at_ms"] = campaign.changed_at_ms;
  return row;
}

Result<Response> list_campaigns(const OfferParts& parts) {
  Json rows = Json::array();
  parts.env.db.read([&](storage::Reader& reader) {
    rows = Json::array();
    for (const auto& one : marketing::coupon_store::campaigns(reader)) {
      Json row = campaign_row(one);
      if (one.way == marketing::way::kCodes)
        row["codes"] = marketing::coupon_store::count_codes(reader, one.id);
      rows.push_back(std::move(row));
    }
  });
  return Response::json({{"campaigns", std::move(rows)}});
}

Result<Response> save_campaign(const OfferParts& parts, const Request& request) {
  const auto body = read(request, {"campaign_id", "version", "campaign"});
  if (!body) return tl::unexpected<Error>(body.error());
  std::string id;
  if (body->contains("campaign_id")) {
    const auto given = base::text_in(*body, "campaign_id", 32);
    if (!given) return tl::unexpected<Error>(given.error());
    id = *given;
  }
  const auto version = base::integer_in(*body, "version", 0, INT32_MAX);
  if (!version) return tl::unexpected<Error>(version.error());
  const auto given = base::object_in(*body, "campaign");
  if (!given) return tl::unexpected<Error>(given.error());
  const auto wish = marketing::read_campaign(**given);
  if (!wish) return tl::unexpected<Error>(wish.error());
  const auto saved = parts.coupons.save(id, *version, *wish, deed_of(request));
  if (!saved) return tl::unexpected<Error>(saved.error());
  return Response::json(campaign_row(*saved));
}

Result<Response> make_codes(const OfferParts& parts, const Request& request) {
  const auto body = read(request, {"count"});
  if (!body) return tl::unexpected<Error>(body.error());
  const auto count = base::integer_in(*body, "count", 1, marketing::kMostCodes);
  if (!count) return tl::unexpected<Error>(count.error());
  const auto codes = parts.coupons.make_codes(std::string(request.capture("campaign_id")), *count,
                                              deed_of(request));
  if (!codes) return tl::unexpected<Error>(codes.error());
  return Response::json({{"codes", *codes}}, 201);
}

// {"users": [ids], "reason"}
Result<Response> grant(const OfferParts& parts, const Request& request) {
  const auto body = read(request, {"users", "reason"});
  if (!body) return tl::unexpected<Error>(body.error());
  const auto deed = deed_with_reason(request, *body);
  if (!deed) return tl::unexpected<Error>(deed.error());
  const auto found = body->find("users");
  if (found == body->end()) return refuse(Code::invalid_argument, "missing_field", "users");
  if (!found->is_array() || found->empty() ||
      found->size() > static_cast<std::size_t>(marketing::kMostGrants))
    return refuse(Code::invalid_argument, "out_of_range", "users");
  std::vector<UserId> users;
  for (const Json& id : *found) {
    if (!id.is_string()) return refuse(Code::invalid_argument, "wrong_type", "users");
    users.emplace_back(id.get<std::string>());
  }
  const auto given = parts.coupons.grant(std::string(request.capture("campaign_id")), users, *deed);
  if (!given) return tl::unexpected<Error>(given.error());
  return Response::json({{"granted", static_cast<std::int64_t>(given->size())}}, 201);
}

Result<Response> show_coupons(const OfferParts& parts, const Request& request) {
  const UserId user(std::string(request.query_value("user_id")));
  if (user.empty()) return refuse(Code::invalid_argument, "missing_field", "user_id");
  return Response::json(coupons_json(parts, user));
}

Result<Response> revoke(const OfferParts& parts, const Request& request) {
  const auto body = read(request, {"reason"});
  if (!body) return tl::unexpected<Error>(body.error());
  const auto deed = deed_with_reason(request, *body);
  if (!deed) return tl::unexpected<Error>(deed.error());
  const auto revoked = parts.coupons.revoke(std::string(request.capture("coupon_id")), *deed);
  if (!revoked) return tl::unexpected<Error>(revoked.error());
  return Response::json(coupons_json(parts, UserId(revoked->user)));
}

}  // namespace

void mount_admin_marketing(Router& router, const OfferParts& parts) {
  const auto get = [&](std::string_view pattern, auto handler) {
    router.add({"GET", pattern, Auth::staff, "marketing.read", Pool::compute, 0, false, Rate::read,
                Audited::no, Level::maintenance, std::move(handler)});
  };
  // What is saved carries the version that was looked at; what is handed out carries a key.
  const auto post = [&](std::string_view pattern, bool has_key, auto handler) {
    router.add({"POST", pattern, Auth::staff, "marketing.write", Pool::store, kMaxBody, has_key,
                Rate::write, Audited::yes, Level::maintenance, std::move(handler)});
  };
  get("/api/admin/marketing/offers", [parts](const Request&) { return list_offers(parts); });
  post("/api/admin/marketing/offers", false,
       [parts](const Request& request) { return save_offer(parts, request); });
  get("/api/admin/marketing/campaigns", [parts](const Request&) { return list_campaigns(parts); });
  post("/api/admin/marketing/campaigns", false,
       [parts](const Request& request) { return save_campaign(parts, request); });
  post("/api/admin/marketing/campaigns/{campaign_id}/codes", true,
       [parts](const Request& request) { return make_codes(parts, request); });
  post("/api/admin/marketing/campaigns/{campaign_id}/grants", true,
       [parts](const Request& request) { return grant(parts, request); });
  get("/api/admin/marketing/coupons",
      [parts](const Request& request) { return show_coupons(parts, request); });
  post("/api/admin/marketing/coupons/{coupon_id}/revoke", false,
       [parts](const Request& request) { return revoke(parts, request); });
}

}  // namespace topup::http::routes
