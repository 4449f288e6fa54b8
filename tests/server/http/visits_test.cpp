#include "server/http/visits.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"

namespace topup::http {
namespace {

struct Door {
  testing::ScratchShop shop;
  testing::ManualClock clock;
  Visits visits{shop.db(), clock};

  void come(std::string_view pattern, const std::string& address, Auth auth = Auth::buyer) {
    Route route{};
    route.auth = auth;
    route.pattern = pattern;
    route.rate = Rate::read;
    Request request;
    request.client_address = address;
    visits.seen(route, request);
  }
  std::int64_t rows() { return shop.integer("SELECT COUNT(*) FROM visits"); }
};

TEST_CASE("visits: counted by hour, route and masked network; staff and whole addresses are not") {
  Door door;
  for (int i = 0; i < 3; ++i) door.come("/api/v1/quotes", "203.0.113.7");
  door.come("/api/v1/quotes", "203.0.113.200");
  door.come("/api/v1/shop", "198.51.100.1", Auth::none);
  door.come("/api/admin/orders", "203.0.113.7", Auth::staff);
  door.come("/api/admin/session", "203.0.113.7", Auth::none);
  CHECK(door.rows() == 0);  // a request never waits for a write
  door.visits.flush();
  CHECK(door.rows() == 2);
  door.come("/api/v1/quotes", "203.0.113.9");
  door.visits.flush();
  const VisitsReport report = door.visits.report(24, 10);
  REQUIRE(report.places.size() == 2);
  CHECK(report.places.front().name == "/api/v1/quotes");
  CHECK(report.places.front().hits == 5);
  CHECK(report.networks.front().name == "203.0.113.*");
  REQUIRE(report.hours.size() == 1);
  CHECK(report.hours.front().hits == 6);
  CHECK(door.shop.integer("SELECT COUNT(*) FROM visits WHERE network LIKE '%.7'") == 0);
}

TEST_CASE("visits: a crowd of different ones is bounded in memory, haste is sampled, age ends") {
  Door door;
  for (int i = 0; i < 3'000; ++i) {
    if (i % 150 == 0) door.clock.advance(1'000);
    door.come("/api/v1/quotes",
              "10." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".1");
  }
  door.visits.flush();
  CHECK(door.rows() <= static_cast<std::int64_t>(kMaxVisitsHeld) + 2);
  CHECK(door.shop.integer("SELECT CAST(SUM(hits) AS BIGINT) FROM visits") == 3'000);
  door.clock.advance(1'000);
  for (int i = 0; i < 1'200; ++i) door.come("/api/v1/shop", "203.0.113.7");
  door.visits.flush();
  CHECK(door.shop.integer("SELECT hits FROM visits WHERE place = '/api/v1/shop'") == 1'200);
  door.clock.advance(kVisitsKeptMs + 2 * 3'600'000);
  door.come("/api/v1/shop", "203.0.113.7");
  door.visits.flush();
  CHECK(door.rows() == 1);
}

}  // namespace
}  // namespace topup::http
