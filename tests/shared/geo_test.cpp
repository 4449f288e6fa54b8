#include "shared/geo.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>
#include <cstdlib>
#include <string>

using namespace topup;

namespace {

constexpr double kPi = 3.14159265358979323846;

struct Degrees {
  double lat;
  double lng;
};

Degrees degrees(LatLng place) { return {place.lat_e7 / 1e7, place.lng_e7 / 1e7}; }

LatLng place_of(double lat, double lng) {
  return {static_cast<std::int32_t>(std::llround(lat * 1e7)),
          static_cast<std::int32_t>(std::llround(lng * 1e7))};
}

double haversine_m(LatLng a, LatLng b) {
  const double lat_a = a.lat_e7 / 1e7 * kPi / 180;
  const double lat_b = b.lat_e7 / 1e7 * kPi / 180;
  const double lng = (b.lng_e7 / 1e7 - a.lng_e7 / 1e7) * kPi / 180;
  const double s = std::sin((lat_b - lat_a) / 2);
  const double t = std::sin(lng / 2);
  const double h = s * s + std::cos(lat_a) * std::cos(lat_b) * t * t;
  return 2 * 6371008.8 * std::asin(std::sqrt(std::min(1.0, h)));
}

// The public transform as everybody writes it.
Degrees gcj02_formula(Degrees at) {
  const double x = at.lng - 105;
  const double y = at.lat - 35;
  double north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * std::sqrt(std::fabs(x));
  north += (20 * std::sin(6 * x * kPi) + 20 * std::sin(2 * x * kPi)) * 2 / 3;
  north += (20 * std::sin(y * kPi) + 40 * std::sin(y / 3 * kPi)) * 2 / 3;
  north += (160 * std::sin(y / 12 * kPi) + 320 * std::sin(y * kPi / 30)) * 2 / 3;
  double east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * std::sqrt(std::fabs(x));
  east += (20 * std::sin(6 * x * kPi) + 20 * std::sin(2 * x * kPi)) * 2 / 3;
  east += (20 * std::sin(x * kPi) + 40 * std::sin(x / 3 * kPi)) * 2 / 3;
  east += (150 * std::sin(x / 12 * kPi) + 300 * std::sin(x / 30 * kPi)) * 2 / 3;
  const double a = 6378245.0;
  const double ee = 0.00669342162296594323;
  const double lat = at.lat / 180 * kPi;
  const double magic = 1 - ee * std::sin(lat) * std::sin(lat);
  const double root = std::sqrt(magic);
  return {at.lat + north * 180 / (a * (1 - ee) / (magic * root) * kPi),
          at.lng + east * 180 / (a / root * std::cos(lat) * kPi)};
}

rc::Gen<LatLng> any_place() {
  return rc::gen::map(rc::gen::pair(rc::gen::inRange(-kMaxLatE7, kMaxLatE7 + 1),
                                    rc::gen::inRange(-kMaxLngE7, kMaxLngE7 + 1)),
                      [](std::pair<int, int> p) {
                        return LatLng{p.first, p.second};
                      });
}

rc::Gen<LatLng> place_in_china() {
  return rc::gen::map(rc::gen::pair(rc::gen::inRange(10'000'000, 557'000'000),
                                    rc::gen::inRange(721'000'000, 1'377'000'000)),
                      [](std::pair<int, int> p) {
                        return LatLng{p.first, p.second};
                      });
}

}  // namespace

TEST_CASE("sine: within 1e-9 everywhere, and exact at the quarters") {
  double worst = 0;
  for (std::uint64_t phase = 0; phase < (1ULL << 32); phase += 77'777) {
    const double want = std::sin(static_cast<double>(phase) / 4294967296.0 * 2 * kPi);
    const double got =
        static_cast<double>(sine_q31(static_cast<std::uint32_t>(phase))) / 2147483648.0;
    worst = std::max(worst, std::fabs(got - want));
  }
  CAPTURE(worst);
  CHECK(worst < 1e-9);
  CHECK(sine_q31(0) == 0);
  CHECK(sine_q31(1U << 30) == 2'147'483'648);
  CHECK(sine_q31(1U << 31) == 0);
  CHECK(sine_q31(3U << 30) == -2'147'483'648);
}

TEST_CASE("square root: rounded down, to the last value") {
  for (const std::uint64_t value :
       {0ULL, 1ULL, 2ULL, 3ULL, 4ULL, 99ULL, 100ULL, 1ULL << 62, 18'446'744'073'709'551'615ULL}) {
    const std::uint64_t root = square_root(value);
    CAPTURE(value);
    CHECK(root * root <= value);
    CHECK((root == 4'294'967'295ULL || (root + 1) * (root + 1) > value));
  }
}

TEST_CASE("distances that are known") {
  struct Row {
    const char* name;
    LatLng a, b;
    std::int64_t metres;
  };
  const Row rows[] = {
      {"the same place", place_of(39.9, 116.4), place_of(39.9, 116.4), 0},
      {"Tiananmen to the Forbidden City's north gate", place_of(39.9087, 116.3975),
       place_of(39.9247, 116.3971), 1'779},
      {"Beijing to Shanghai", place_of(39.9042, 116.4074), place_of(31.2304, 121.4737), 1'067'312},
      {"across the date line", place_of(0, 179.95), place_of(0, -179.95), 11'120},
      {"from pole to pole", place_of(90, 0), place_of(-90, 0), 20'015'114},
      {"over the pole", place_of(89.9, 0), place_of(89.9, 180), 22'239},
      {"the opposite point", place_of(0, 0), place_of(0, 180), 20'015'114},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(distance_m(row.a, row.b) == row.metres);
    CHECK(distance_m(row.b, row.a) == row.metres);
  }
}

TEST_CASE("distance: within 0.1 % + 1 m of the haversine up to 1,000 km, and 10 m beyond") {
  CHECK(rc::check("any two places", [] {
    const LatLng a = *any_place();
    const LatLng b = *any_place();
    RC_ASSERT(std::fabs(static_cast<double>(distance_m(a, b)) - haversine_m(a, b)) < 10);
  }));
  CHECK(rc::check("two places near each other", [] {
    const LatLng a = *place_in_china();
    const int reach = *rc::gen::element(1'000, 100'000, 5'000'000, 60'000'000);
    const LatLng b{a.lat_e7 + *rc::gen::inRange(-reach, reach),
                   a.lng_e7 + *rc::gen::inRange(-reach, reach)};
    const double want = haversine_m(a, b);
    const double off = std::fabs(static_cast<double>(distance_m(a, b)) - want);
    RC_ASSERT(off <= 0.51 + want * 1e-6);
  }));
}

TEST_CASE("chords and metres are each other's inverse within a metre, up to 5,000 km") {
  for (std::int64_t metres = 0; metres < 5'000'000; metres = metres * 5 / 4 + 1) {
    CAPTURE(metres);
    CHECK(std::llabs(metres_of_chord(chord_of_metres(metres)) - metres) <= 1);
  }
  CHECK(chord_of_metres(-5) == chord_of_metres(0));
  CHECK(chord_of_metres(INT64_MAX) == std::int64_t{1} << 62);
}

TEST_CASE("the box holds every place within its radius") {
  CHECK(rc::check("places on the circle are inside", [] {
    const LatLng center = *rc::gen::oneOf(any_place(), place_in_china());
    const std::int64_t radius = *rc::gen::element<std::int64_t>(1, 500, 20'000, 700'000, 4'000'000);
    const GeoBox box = bounding_box(center, radius);
    RC_ASSERT(box.south_west.lat_e7 <= box.north_east.lat_e7);
    RC_ASSERT(box.south_west.lng_e7 <= box.north_east.lng_e7);
    const double turn = *rc::gen::inRange(0, 3600) / 1800.0 * kPi;
    const double far = static_cast<double>(radius) / 6371008.8 * 0.999999;
    const double lat = degrees(center).lat * kPi / 180;
    const double to_lat =
        std::asin(std::sin(lat) * std::cos(far) + std::cos(lat) * std::sin(far) * std::cos(turn));
    double to_lng =
        degrees(center).lng + std::atan2(std::sin(turn) * std::sin(far) * std::cos(lat),
                                         std::cos(far) - std::sin(lat) * std::sin(to_lat)) *
                                  180 / kPi;
    if (to_lng > 180) to_lng -= 360;
    if (to_lng < -180) to_lng += 360;
    const LatLng place = place_of(to_lat * 180 / kPi, to_lng);
    RC_ASSERT(place.lat_e7 >= box.south_west.lat_e7 - 1);
    RC_ASSERT(place.lat_e7 <= box.north_east.lat_e7 + 1);
    RC_ASSERT(place.lng_e7 >= box.south_west.lng_e7 - 1);
    RC_ASSERT(place.lng_e7 <= box.north_east.lng_e7 + 1);
  }));
}

TEST_CASE("the box stays narrow where it can and widens where it must") {
  const GeoBox beijing = bounding_box(place_of(39.9, 116.4), 10'000);
  CHECK(beijing.north_east.lat_e7 - beijing.south_west.lat_e7 < 1'800'000);
  CHECK(beijing.north_east.lng_e7 - beijing.south_west.lng_e7 < 2'350'000);
  const GeoBox fiji = bounding_box(place_of(-18, 179.99), 10'000);
  CHECK(fiji.south_west.lng_e7 == -kMaxLngE7);
  CHECK(fiji.north_east.lng_e7 == kMaxLngE7);
  const GeoBox pole = bounding_box(place_of(89.99, 10), 10'000);
  CHECK(pole.north_east.lat_e7 == kMaxLatE7);
  CHECK(pole.south_west.lng_e7 == -kMaxLngE7);
  const GeoBox earth = bounding_box(place_of(0, 0), INT64_MAX);
  CHECK(earth.south_west.lat_e7 == -kMaxLatE7);
}

TEST_CASE("GCJ-02: known places, and the rest of the world is left alone") {
  struct Row {
    const char* name;
    LatLng wgs84;
    LatLng gcj02;
  };
  const Row rows[] = {
      {"Shanghai, Pudong", {311'774'276, 1'215'272'106}, {311'753'040, 1'215'315'419}},
      {"Shenzhen", {225'438'470, 1'139'123'160}, {225'407'961, 1'139'171'765}},
      {"Beijing", {399'119'540, 1'163'778'170}, {399'133'455, 1'163'840'472}},
      {"Tokyo", {356'800'000, 1'397'700'000}, {356'800'000, 1'397'700'000}},
      {"London", {515'000'000, -1'000'000}, {515'000'000, -1'000'000}},
      {"west of the box", {400'000'000, 720'039'999}, {400'000'000, 720'039'999}},
      {"south of the box", {8'292'999, 1'000'000'000}, {8'292'999, 1'000'000'000}},
      {"the south pole", {-kMaxLatE7, kMaxLngE7}, {-kMaxLatE7, kMaxLngE7}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const LatLng got = to_gcj02(row.wgs84);
    CHECK(std::abs(got.lat_e7 - row.gcj02.lat_e7) <= 1);
    CHECK(std::abs(got.lng_e7 - row.gcj02.lng_e7) <= 1);
  }
}

TEST_CASE("GCJ-02: within 1e-6 degree of the formula, and back within 3e-7") {
  double worst = 0;
  std::int64_t worst_return = 0;
  CHECK(rc::check("anywhere in the box", [&] {
    const LatLng place = *place_in_china();
    const LatLng got = to_gcj02(place);
    const Degrees want = gcj02_formula(degrees(place));
    worst = std::max(
        {worst, std::fabs(want.lat - degrees(got).lat), std::fabs(want.lng - degrees(got).lng)});
    RC_ASSERT(worst < 1e-6);
    const LatLng back = to_wgs84(got);
    worst_return = std::max<std::int64_t>(
        {worst_return, std::abs(back.lat_e7 - place.lat_e7), std::abs(back.lng_e7 - place.lng_e7)});
    RC_ASSERT(worst_return <= 3);
  }));
  MESSAGE("largest error ", worst, " degree, there and back ", worst_return, " e-7 degree");
}
