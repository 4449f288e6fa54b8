#include "server/stations/station_desk.h"

#include <doctest/doctest.h>

#include "server/rehearsal/station_seed.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"

namespace topup::stations {
namespace {

constexpr std::string_view kHead =
    "id,name,brand,issuer,city,address,lat,lng,gasoline_92,gasoline_95,gasoline_98,diesel_0,hours,"
    "flags\n";

ImportWish wish_of(std::string csv, bool applies = true) {
  return {std::move(csv), false, false, applies, "staff:one", {}};
}

TEST_CASE("F105: each cell that is wrong is told with its line and column, and nothing is taken") {
  testing::ScratchShop shop;
  testing::ManualClock clock;
  StationDesk desk(shop.db(), clock);
  const std::string csv = std::string(kHead) +
                          "a1,One,sinopec,sinopec,上海市,,31.2,121.4,7.85,,,,00:00-24:00,shop\n"
                          "a1,,sinopec,none,上海市,,91,east,785,-1,7.8.5,x,25:00-26:00,bar\n"
                          "a2,Two,shell\n"
                          "a 3,Three,shell,esso,北京市,,39.9,116.4,,,,,06:00-06:00,\n";
  const auto report = desk.import(wish_of(csv));
  REQUIRE(report.has_value());
  CHECK_FALSE(report->is_applied);
  std::vector<std::string> told;
  for (const CellFault& fault : report->faults)
    told.push_back(std::to_string(fault.line) + " " + fault.column + " " +
                   std::string(fault.reason));
  const std::vector<std::string> wanted = {"3 name missing",
                                           "3 lat out_of_range",
                                           "3 lng not_a_number",
                                           "3 gasoline_92 out_of_range",
                                           "3 gasoline_95 out_of_range",
                                           "3 gasoline_98 not_a_number",
                                           "3 diesel_0 not_a_number",
                                           "3 hours malformed",
                                           "3 flags unknown_word",
                                           "4 id cells",
                                           "5 id malformed",
                                           "5 issuer unknown_word",
                                           "5 hours malformed"};
  CHECK(told == wanted);
  CHECK(shop.integer("SELECT COUNT(*) FROM stations") == 0);
  CHECK(desk.current() == nullptr);
}

TEST_CASE(
    "F105: a file becomes the table, is published as the core reads it, and comes back the same") {
  testing::ScratchShop shop;
  testing::ManualClock clock;
  StationDesk desk(shop.db(), clock);
  const auto preview = desk.import(wish_of(std::string(rehearsal::kStationSeed), false));
  REQUIRE(preview.has_value());
  CHECK(preview->faults.empty());
  CHECK(preview->added == preview->rows);
  CHECK(shop.integer("SELECT COUNT(*) FROM stations") == 0);
  REQUIRE(desk.import(wish_of(std::string(rehearsal::kStationSeed)))->is_applied);
  const auto set = desk.current();
  REQUIRE(set != nullptr);
  CHECK(set->count == preview->rows);
  const auto index = decode_stations(set->bytes);
  REQUIRE(index.has_value());
  CHECK(index->size() == static_cast<std::size_t>(preview->rows));
  CHECK(index->as_of_ms() == clock.wall_ms());
  CHECK(set->cities.size() == 8);
  const auto again = desk.import(wish_of(desk.export_csv(), false));
  REQUIRE(again.has_value());
  CHECK(again->unchanged == preview->rows);
  CHECK(again->added + again->changed + again->removed == 0);
}

TEST_CASE("F105: a station of the shifted system is moved to where it is") {
  const std::string csv = std::string(kHead) + "a,A,shell,,上海市,,31.2304,121.4737,,,,,,\n";
  const auto plain = parse_stations(csv, false);
  const auto shifted = parse_stations(csv, true);
  REQUIRE(plain.has_value());
  REQUIRE(shifted.has_value());
  CHECK(plain->rows[0].place == LatLng{312'304'000, 1'214'737'000});
  const std::int64_t moved = distance_m(plain->rows[0].place, shifted->rows[0].place);
  CHECK(moved > 300);
  CHECK(moved < 800);
}

TEST_CASE("F105: a file may replace the list, and no cell of an export is a formula") {
  testing::ScratchShop shop;
  testing::ManualClock clock;
  StationDesk desk(shop.db(), clock);
  REQUIRE(desk.import(wish_of(std::string(kHead) +
                              "a,\"=1+1, \"\"x\"\"\",shell,,上海市,@here,31,121,,,,,,\n"
                              "b,B,shell,,上海市,,-31.5,-121,,,,,,\n"))
              ->is_applied);
  const std::string csv = desk.export_csv();
  CHECK(csv.find("\"'=1+1, \"\"x\"\"\"") != std::string::npos);
  CHECK(csv.find("'@here") != std::string::npos);
  CHECK(csv.find(",-31.5,-121,") != std::string::npos);
  ImportWish only = wish_of(std::string(kHead) + "b,B,shell,,上海市,,-31.5,-121,,,,,,\n");
  only.replaces = true;
  const auto report = desk.import(only);
  REQUIRE(report.has_value());
  CHECK(report->removed == 1);
  CHECK(report->unchanged == 1);
  CHECK(desk.current()->count == 1);
  CHECK(desk.remove({"nope"}, "staff:one", {}).error().reason == "station_not_found");
  CHECK(desk.remove({"b"}, "staff:one", {}).has_value());
  CHECK(desk.current()->count == 0);
}

TEST_CASE("F105: a header that is wrong names its column") {
  CHECK(parse_stations("id,name\n", false).error().detail == "brand");
  CHECK(parse_stations("id,id\n", false).error().detail == "id");
  CHECK(parse_stations("", false).error().reason == "stations_csv_header");
  CHECK(parse_stations(std::string(kMaxCsvBytes + 1, 'x'), false).error().reason ==
        "stations_csv_too_large");
}

}  // namespace
}  // namespace topup::stations
