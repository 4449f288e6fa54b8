// Places on the earth in integers: units of 1e-7 degree (11 mm on the equator), no floating point,
// so both builds give the same bytes. Distances are great circles on the sphere of mean radius
// 6,371,008.8 m: within 0.56 % of the ellipsoid everywhere, and rounded to the metre.
// WGS-84 is what satellites and browsers say and what we store; GCJ-02 is the shifted system that
// maps of mainland China (and wx.getLocation's "gcj02") must use. The shift is the public formula;
// outside its box the two systems are one. Pure; thread-safe. No errors: is_on_earth() first.
#pragma once

#include <cstdint>

namespace topup {

inline constexpr std::int64_t kE7PerDegree = 10'000'000;
inline constexpr std::int32_t kMaxLatE7 = 900'000'000;
inline constexpr std::int32_t kMaxLngE7 = 1'800'000'000;

struct LatLng {
  std::int32_t lat_e7 = 0;  // north is positive, |lat_e7| <= kMaxLatE7
  std::int32_t lng_e7 = 0;  // east is positive, |lng_e7| <= kMaxLngE7
  friend bool operator==(const LatLng& a, const LatLng& b) {
    return a.lat_e7 == b.lat_e7 && a.lng_e7 == b.lng_e7;
  }
};

bool is_on_earth(std::int64_t lat_e7, std::int64_t lng_e7);

// The sine of phase / 2^32 of a full turn, in units of 2^-31; off by less than 1e-9. The cosine is
// the sine a quarter turn (1 << 30) further.
std::int64_t sine_q31(std::uint32_t phase);
std::uint64_t square_root(std::uint64_t value);  // rounded down

// A place as a point of the unit sphere, in units of 2^-30 (6 mm). The square of the straight line
// between two such points orders distances exactly as the great circle does, also across the date
// line and at the poles, and fits 63 bits.
struct UnitPoint {
  std::int32_t axis[3] = {0, 0, 0};
};
UnitPoint unit_point(LatLng place);
std::int64_t chord_squared(const UnitPoint& a, const UnitPoint& b);
std::int64_t metres_of_chord(std::int64_t chord_squared);
std::int64_t chord_of_metres(
    std::int64_t distance_m);  // squared; distance_m is cut to 0…20,015,000

std::int64_t distance_m(LatLng a, LatLng b);

// A rectangle that holds every place within radius_m of the centre; south <= north, west <= east.
// Over a pole or the date line it widens to all longitudes instead of wrapping.
struct GeoBox {
  LatLng south_west;
  LatLng north_east;
};
GeoBox bounding_box(LatLng center, std::int64_t radius_m);

bool has_gcj02_shift(LatLng place);
LatLng to_gcj02(LatLng wgs84);  // within 1e-6 degree of the formula
LatLng to_wgs84(LatLng gcj02);  // by iteration: there and back within 3e-7 degree

}  // namespace topup
