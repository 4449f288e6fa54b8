#include "server/ledger/day_results.h"

#include <doctest/doctest.h>

namespace topup::ledger {
namespace {

const Rate kDollar = {Currency::usd, Currency::cny, 720'000'000};
Money yuan(std::int64_t minor) { return {minor, Currency::cny}; }
Money dollars(std::int64_t minor) { return {minor, Currency::usd}; }
Money nothing_in_dollars() { return dollars(0); }

TEST_CASE("F040: a day's profit counts what suppliers took in their own currency") {
  const std::vector<browse_store::Earned> earned = {
      {"2026-11-20", yuan(10'000), yuan(200)},
      {"2026-11-21", yuan(9'950), yuan(60)},
      {"2026-11-21", nothing_in_dollars(), dollars(1'000)},
  };
  const auto results = results_of(earned, {kDollar}, Currency::cny);
  REQUIRE(results.size() == 2);
  CHECK(results[0].day == "2026-11-20");
  CHECK(results[0].sales == yuan(10'000));
  CHECK(results[0].cost == yuan(200));
  CHECK(results[0].is_whole);
  CHECK_FALSE(results[0].is_converted);
  CHECK(results[1].sales == yuan(9'950));
  CHECK(results[1].cost == yuan(60 + 7'200));
  CHECK(results[1].is_whole);
  CHECK(results[1].is_converted);
}

TEST_CASE("a currency without a rate is left out, and the day says that it is not whole") {
  const std::vector<browse_store::Earned> earned = {
      {"2026-11-21", yuan(9'950), yuan(0)},
      {"2026-11-21", {0, Currency::eur}, {500, Currency::eur}},
      {"2026-11-22", yuan(1), yuan(0)},
      {"2026-11-22", {0, Currency::eur}, {0, Currency::eur}},
  };
  const auto results = results_of(earned, {kDollar}, Currency::cny);
  REQUIRE(results.size() == 2);
  CHECK_FALSE(results[0].is_whole);
  CHECK(results[0].sales == yuan(9'950));
  CHECK(results[0].cost == yuan(0));
  CHECK(results[1].is_whole);
}

TEST_CASE("what is given back by a supplier lowers the cost, and a sum too large is not guessed") {
  const std::vector<browse_store::Earned> given_back = {
      {"2026-11-21", nothing_in_dollars(), dollars(-1'000)}};
  CHECK(results_of(given_back, {kDollar}, Currency::cny)[0].cost == yuan(-7'200));
  const std::vector<browse_store::Earned> huge = {
      {"2026-11-21", nothing_in_dollars(), dollars(9'000'000'000'000'000'000)}};
  CHECK_FALSE(results_of(huge, {kDollar}, Currency::cny)[0].is_whole);
}

}  // namespace
}  // namespace topup::ledger
