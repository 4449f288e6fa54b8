// The price books and stations that the core's measurements share. Pure and the same on every run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shared/geo.h"
#include "shared/price_book.h"
#include "shared/pricing.h"

namespace topup::bench {

inline constexpr std::int64_t kNowMs = 1'767'225'600'000;  // 2026-01-01T00:00Z

// Ten promotions in three groups, ten coupon templates and a member level: what a campaign day
// looks like. tests/bench/core/scenario.mjs says the same to the peers.
PriceBook scenario_book();
BuyerFacts scenario_buyer();                    // holds one coupon of each template
std::vector<QuoteRequest> scenario_requests();  // asked in turns, so that none is learnt by heart

// The same products without promotions, coupons or levels.
PriceBook plain_book();

// About five thousand products of 120 countries, rules and names included: a large shop's.
PriceBook large_book();

// 50,000 stations in and around 300 places of the mainland, and where people ask from.
std::string station_bytes();
std::vector<LatLng> station_questions();

}  // namespace topup::bench
