// What the shop offers beside its prices: the buyer's coupons and level, the ways to get coupons,
// and the operator's pages about them.
#pragma once

#include <functional>

#include "server/http/router.h"
#include "server/marketing/coupon_desk.h"
#include "server/marketing/offer_desk.h"
#include "server/orders/order_env.h"

namespace topup::http::routes {

struct OfferParts {
  const orders::OrderEnv& env;
  const marketing::OfferDesk& offers;
  const marketing::CouponDesk& coupons;
  std::function<void()> publish;  // what was changed goes into the price book
};
void mount_offers(Router& router, const OfferParts& parts);
void mount_admin_marketing(Router& router, const OfferParts& parts);

// {"coupons", "now_ms"} of one buyer, for their page and for staff.
base::Json coupons_json(const OfferParts& parts, const UserId& user);

}  // namespace topup::http::routes
