// What the shop offers beside its prices, wired: coupons, promotions and member levels go into the
// price book; stations are published; routes. Outlives the router.
#pragma once

#include <functional>

#include "server/catalog/catalog_service.h"
#include "server/http/routes/offers.h"
#include "server/http/routes/stations.h"
#include "server/http/service_level.h"
#include "server/marketing/coupon_desk.h"
#include "server/marketing/offer_desk.h"
#include "server/stations/station_desk.h"

namespace topup {

class OfferParts {
 public:
  // `env` gets to know when the shop runs without marketing.
  OfferParts(orders::OrderEnv& env, const http::ServiceLevels& levels);
  OfferParts(const OfferParts&) = delete;
  OfferParts& operator=(const OfferParts&) = delete;

  void mount(http::Router& router, const http::Cursors& cursors, std::function<void()> publish);
  void refresh() { stations_.refresh(); }
  // A shop whose outside world is played begins with stations to look at.
  void seed_stations();
  base::Json facts() const;  // {"coupons","levels","stations"}: what pages show

 private:
  orders::OrderEnv& env_;
  marketing::OfferDesk offers_;
  marketing::CouponDesk coupons_;
  stations::StationDesk stations_;
};

}  // namespace topup
