#include "server/http/routes/offers.h"

#include <map>
#include <string>

#include "server/marketing/coupon_store.h"
#include "server/marketing/offer_store.h"
#include "server/orders/buyer_facts_store.h"
#include "shared/membership.h"

namespace topup::http::routes {
namespace {

using base::Json;

constexpr std::size_t kMaxBody = 512;

std::map<std::string, Json> terms_by_id(storage::Reader& reader) {
  std::map<std::string, Json> terms;
  for (const marketing::Offer& offer : marketing::offer_store::all(reader)) {
    if (offer.terms.kind != marketing::OfferKind::coupon) continue;
    Json shown = marketing::terms_json(offer.terms);
    shown["template_id"] = offer.id;
    shown["on"] = offer.is_on;
    terms[offer.id] = std::move(shown);
  }
  return terms;
}

Json level_json(const Benefit* level) {
  if (level == nullptr) return nullptr;
  return {{"level_id", level->id},
          {"name_zh", level->name_zh},
          {"name_en", level->name_en},
          {"growth_from", level->growth_from},
          {"discount_bp", level->discount_bp},
          {"amount_minor", level->amount_minor},
          {"cap_minor", level->cap_minor}};
}

Json facts_json(const BuyerFacts& facts) {
  constexpr std::string_view kStates[] = {"usable", "held", "used"};
  Json coupons = Json::array();
  for (const OwnedCoupon& one : facts.coupons) {
    coupons.push_back({{"id", one.id},
                       {"template_id", one.template_id},
                       {"valid_from_ms", one.valid_from_ms},
                       {"expires_at_ms", one.expires_at_ms},
                       {"state", kStates[static_cast<std::size_t>(one.state)]}});
  }
  return {{"level_id", facts.level_id},       {"growth", facts.growth},
          {"first_order", facts.first_order}, {"day_orders", facts.day_orders},
          {"day_minor", facts.day_minor},     {"coupons", std::move(coupons)}};
}

// What the page prices with, and the member card.
Result<Response> show_member(const OfferParts& parts, const Request& request) {
  const auto current = parts.env.catalog.current();
  if (!current) return tl::unexpected<Error>(current.error());
  const PriceBook& book = (*current)->book;
  BuyerFacts facts;
  parts.env.db.read([&](storage::Reader& reader) {
    facts = orders::facts_of(parts.env, reader, book, request.user, parts.env.clock.wall_ms());
  });
  const Standing standing = standing_at(book, facts.growth);
  Json levels = Json::array();
  for (const Benefit& one : book.benefits) {
    if (!one.is_card) levels.push_back(level_json(&one));
  }
  return Response::json({{"facts", facts_json(facts)},
                         {"price_book_version", book.version},
                         {"degraded", parts.env.is_without_marketing()},
                         {"level", level_json(standing.level)},
                         {"next_level", level_json(standing.next)},
                         {"levels", std::move(levels)}});
}

Json campaign_row(const marketing::Campaign& campaign, const Json& terms, std::int64_t mine) {
  return {{"campaign_id", campaign.id},
          {"terms", terms},
          {"ends_at_ms", campaign.ends_at_ms},
          {"valid_days", campaign.valid_days},
          {"valid_until_ms", campaign.valid_until_ms},
          {"left", campaign.budget - campaign.claimed},
          {"mine", mine},
          {"per_user", campaign.per_user}};
}

// What can be had now by asking.
Result<Response> list_campaigns(const OfferParts& parts, const Request& request) {
  Json rows = Json::array();
  const std::int64_t now = parts.env.clock.wall_ms();
  parts.env.db.read([&](storage::Reader& reader) {
    rows = Json::array();
    const std::map<std::string, Json> terms = terms_by_id(reader);
    for (const marketing::Campaign& one : marketing::coupon_store::campaigns(reader)) {
      const auto from = terms.find(one.template_id);
      if (one.way != marketing::way::kOpen || !marketing::check_open(one, now) ||
          from == terms.end() || !from->second.at("on").get<bool>()) {
        continue;
      }
      rows.push_back(campaign_row(
          one, from->second, marketing::coupon_store::claimed_by(reader, one.id, request.user)));
    }
  });
  return Response::json({{"campaigns", std::move(rows)}});
}

// {"campaign_id"} of an open campaign, or {"code"} as somebody typed it.
Result<Response> claim(const OfferParts& parts, const Request& request) {
  const auto body = base::json_in(request.body, kMaxBody);
  if (!body) return tl::unexpected<Error>(body.error());
  if (const auto only = base::only_fields(*body, {"campaign_id", "code"}); !only)
    return tl::unexpected<Error>(only.error());
  const char* field = body->contains("code") ? "code" : "campaign_id";
  const auto word = base::text_in(*body, field, 64);
  if (!word) return tl::unexpected<Error>(word.error());
  const auto given = field == std::string_view("code") ? parts.coupons.redeem(request.user, *word)
                                                       : parts.coupons.claim(request.user, *word);
  if (!given) return tl::unexpected<Error>(given.error());
  Json out = coupons_json(parts, request.user);
  out["coupon_id"] = given->id;
  return Response::json(out, 201);
}

}  // namespace

Json coupons_json(const OfferParts& parts, const UserId& user) {
  Json rows = Json::array();
  const std::int64_t now = parts.env.clock.wall_ms();
  parts.env.db.read([&](storage::Reader& reader) {
    rows = Json::array();
    const std::map<std::string, Json> terms = terms_by_id(reader);
    for (const orders::CouponInHand& one : orders::coupons_of(reader, user)) {
      const auto from = terms.find(one.template_id);
      Json row = {{"coupon_id", one.id},
                  {"state", one.state(now)},
                  {"valid_from_ms", one.valid_from_ms},
                  {"expires_at_ms", one.expires_at_ms},
                  {"given_at_ms", one.created_at_ms},
                  {"terms", from == terms.end() ? Json() : from->second}};
      if (!one.order.empty()) row["order_id"] = one.order.text;
      rows.push_back(std::move(row));
    }
  });
  return {{"coupons", std::move(rows)}, {"now_ms", now}};
}

void mount_offers(Router& router, const OfferParts& parts) {
  const auto get = [&](std::string_view pattern, Level last, auto handler) {
    router.add({"GET", pattern, Auth::buyer, "", Pool::compute, 0, false, Rate::read, Audited::no,
                last, std::move(handler)});
  };
  get("/api/v1/member", Level::maintenance,
      [parts](const Request& request) { return show_member(parts, request); });
  get("/api/v1/coupons", Level::normal, [parts](const Request& request) -> Result<Response> {
    return Response::json(coupons_json(parts, request.user));
  });
  get("/api/v1/campaigns", Level::normal,
      [parts](const Request& request) { return list_campaigns(parts, request); });
  router.add({"POST", "/api/v1/coupons", Auth::buyer, "", Pool::store, kMaxBody, true, Rate::costly,
              Audited::no, Level::normal,
              [parts](const Request& request) { return claim(parts, request); }});
}

}  // namespace topup::http::routes
