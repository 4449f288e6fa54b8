#include "server/app_offers.h"

#include <algorithm>
#include <string>
#include <vector>

#include "server/base/log.h"
#include "server/marketing/offer_store.h"
#include "server/rehearsal/station_seed.h"

namespace topup {

OfferParts::OfferParts(orders::OrderEnv& env, const http::ServiceLevels& levels)
    : env_(env),
      offers_(env.db, env.clock),
      coupons_(env.db, env.clock, env.random),
      stations_(env.db, env.clock) {
  env.without_marketing = [&levels] { return levels.level() != http::Level::normal; };
  env.catalog.add_offers([this](PriceBook* book) {
    std::vector<marketing::Offer> offers;
    env_.db.read([&](storage::Reader& reader) { offers = marketing::offer_store::all(reader); });
    marketing::add_to_book(offers, book);
  });
}

void OfferParts::mount(http::Router& router, const http::Cursors& cursors,
                       std::function<void()> publish) {
  const http::routes::OfferParts parts{env_, offers_, coupons_, std::move(publish)};
  http::routes::mount_offers(router, parts);
  http::routes::mount_admin_marketing(router, parts);
  http::routes::mount_stations(router, {env_.db, stations_, cursors});
}

void OfferParts::seed_stations() {
  if (stations_.current()) return;
  const auto report = stations_.import({std::string(rehearsal::kStationSeed), false, false, true,
                                        "system", base::TraceScope::current()});
  if (!report || !report->faults.empty()) base::log(base::Level::error, "station_seed_refused", {});
}

base::Json OfferParts::facts() const {
  const auto current = env_.catalog.current();
  const auto stations = stations_.current();
  const bool has_levels =
      current && std::any_of((*current)->book.benefits.begin(), (*current)->book.benefits.end(),
                             [](const Benefit& one) { return !one.is_card; });
  return {{"coupons", current && !(*current)->book.coupons.empty() && !env_.is_without_marketing()},
          {"levels", has_levels},
          {"stations", stations != nullptr && stations->count > 0}};
}

}  // namespace topup
