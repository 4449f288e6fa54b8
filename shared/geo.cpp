#include "shared/geo.h"

#include <cstddef>

namespace topup {
namespace {

constexpr std::uint32_t kQuarterTurn = 1U << 30;
constexpr std::uint64_t kE7PerTurn = 360 * kE7PerDegree;
constexpr std::int64_t kOneQ31 = std::int64_t{1} << 31;
constexpr std::int64_t kRadiusCm = 637'100'880;
constexpr std::int64_t kHalfTurnM = 20'015'114;  // π times the radius, rounded down
constexpr std::int64_t kHalfTurnCm = 2'001'511'435;
constexpr std::int64_t kDiameterSquared = std::int64_t{1} << 62;  // 2² in units of 2^-60

// Chebyshev fits in units of 2^-32, lowest power of x² first; off by 3e-11 and 2e-8.
constexpr std::int64_t kSineOfQuarter[] = {  // sin(πx/2)/x for x <= 1
    6'746'518'852, -2'774'394'665, 342'277'127, -20'107'567, 688'288, -14'739};
constexpr std::int64_t kArcSine[] = {  // asin(x)/x for x² <= 1/2
    4'294'967'248, 715'840'252, 321'612'066,  199'633'728,
    71'860'768,    324'440'772, -386'917'354, 471'046'171};

std::int64_t scale_q31(std::int64_t a, std::int64_t b) { return (a * b + kOneQ31 / 2) >> 31; }

std::int64_t polynomial(const std::int64_t* coefficients, std::size_t count, std::int64_t x_q30) {
  std::int64_t sum = 0;
  while (count-- > 0) sum = coefficients[count] + ((sum * x_q30 + kQuarterTurn / 2) >> 30);
  return sum;
}

// Which part of a turn `angle` is, both in the same unit.
std::uint32_t phase_of(std::int64_t angle, std::uint64_t per_turn) {
  const auto turn = static_cast<std::int64_t>(per_turn);
  const auto rest = static_cast<std::uint64_t>((angle % turn + turn) % turn);
  return static_cast<std::uint32_t>(((rest << 32) + per_turn / 2) / per_turn);
}

std::int32_t scale_to_q30(std::int64_t a_q31, std::int64_t b_q31) {
  return static_cast<std::int32_t>((a_q31 * b_q31 + kOneQ31) >> 32);
}

std::int32_t clamp(std::int64_t value, std::int32_t most) {
  return value > most ? most : value < -most ? -most : static_cast<std::int32_t>(value);
}

// The transform's waves: metres to the north and to the east, and how many thirds of a degree one
// wave is long. Those of the east all run along x, those of the north from the third on along y.
struct Wave {
  std::int16_t north;
  std::int16_t east;
  std::uint8_t length;
};
constexpr Wave kWaves[] = {{20, 20, 1},  {20, 20, 3},    {20, 20, 6},
                           {40, 40, 18}, {160, 150, 72}, {320, 300, 180}};

struct Shift {
  std::int64_t lat_e7;
  std::int64_t lng_e7;
};

Shift gcj02_shift(LatLng place) {
  const std::int64_t x = place.lng_e7 - 105 * kE7PerDegree;
  const std::int64_t y = place.lat_e7 - 35 * kE7PerDegree;
  std::int64_t north = 0;
  std::int64_t east = 0;
  for (const Wave& wave : kWaves) {
    const std::uint64_t length = wave.length * static_cast<std::uint64_t>(kE7PerDegree);
    const std::int64_t along_x = sine_q31(phase_of(3 * x, length));
    north += wave.north * (wave.length < 6 ? along_x : sine_q31(phase_of(3 * y, length)));
    east += wave.east * along_x;
  }
  constexpr std::int64_t kTwoThirdsUm = 2'000'000;  // over 3: the common factor of the waves
  north = (north / 3 * kTwoThirdsUm) >> 31;
  east = (east / 3 * kTwoThirdsUm) >> 31;
  // The polynomials in micrometres: 1e-7 degree times 1 m is 1/10 µm.
  const auto root = static_cast<std::int64_t>(
      square_root(static_cast<std::uint64_t>((x < 0 ? -x : x) * kE7PerDegree)));
  const std::int64_t mixed = x * y / 1'000'000'000;
  north += -100'000'000 + x / 5 + 3 * y / 10 + y * y / 500'000'000 + mixed + root / 50;
  east += 300'000'000 + x / 10 + y / 5 + x * x / 1'000'000'000 + mixed + root / 100;
  // Metres to degrees on Krassovsky's ellipsoid, a = 6,378,245 m.
  constexpr std::int64_t kEccentricityQ31 = 14'374'013;  // squared
  constexpr std::int64_t kNorthQ40 = 99'434'696;         // 1e-7 degree per µm on the equator
  constexpr std::int64_t kEastQ40 = 98'769'138;
  const std::uint32_t phase = phase_of(place.lat_e7, kE7PerTurn);
  const std::int64_t sine = sine_q31(phase);
  const std::int64_t magic = kOneQ31 - scale_q31(kEccentricityQ31, scale_q31(sine, sine));
  const auto magic_root =
      static_cast<std::int64_t>(square_root(static_cast<std::uint64_t>(magic) << 31));
  const std::int64_t cosine = sine_q31(phase + kQuarterTurn);
  const std::int64_t half = std::int64_t{1} << 39;
  return {(scale_q31(north, scale_q31(magic, magic_root)) * kNorthQ40 + half) >> 40,
          (scale_q31(east, magic_root) * kEastQ40 + (cosine << 8)) / (cosine << 9)};
}

LatLng moved(LatLng place, std::int64_t lat_e7, std::int64_t lng_e7) {
  return {clamp(place.lat_e7 + lat_e7, kMaxLatE7), clamp(place.lng_e7 + lng_e7, kMaxLngE7)};
}

}  // namespace

bool is_on_earth(std::int64_t lat_e7, std::int64_t lng_e7) {
  return lat_e7 >= -kMaxLatE7 && lat_e7 <= kMaxLatE7 && lng_e7 >= -kMaxLngE7 && lng_e7 <= kMaxLngE7;
}

std::int64_t sine_q31(std::uint32_t phase) {
  std::int64_t x = phase & (kQuarterTurn - 1);
  if ((phase & kQuarterTurn) != 0) x = kQuarterTurn - x;
  constexpr std::size_t kCount = sizeof(kSineOfQuarter) / sizeof(kSineOfQuarter[0]);
  const std::int64_t slope = polynomial(kSineOfQuarter, kCount, (x * x + kQuarterTurn / 2) >> 30);
  const std::int64_t sine = (x * slope + kQuarterTurn) >> 31;
  return (phase >> 31) != 0 ? -sine : sine;
}

std::uint64_t square_root(std::uint64_t value) {
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 62; bit != 0; bit >>= 2) {
    const std::uint64_t with = root + bit;
    root >>= 1;
    if (value >= with) {
      value -= with;
      root += bit;
    }
  }
  return root;
}

UnitPoint unit_point(LatLng place) {
  const std::uint32_t lat = phase_of(place.lat_e7, kE7PerTurn);
  const std::uint32_t lng = phase_of(place.lng_e7, kE7PerTurn);
  const std::int64_t out = sine_q31(lat + kQuarterTurn);  // from the axis of the earth
  return {{scale_to_q30(out, sine_q31(lng + kQuarterTurn)), scale_to_q30(out, sine_q31(lng)),
           scale_to_q30(sine_q31(lat), kOneQ31)}};
}

std::int64_t chord_squared(const UnitPoint& a, const UnitPoint& b) {
  std::int64_t sum = 0;
  for (int i = 0; i < 3; ++i) {
    const std::int64_t apart = static_cast<std::int64_t>(a.axis[i]) - b.axis[i];
    sum += apart * apart;
  }
  return sum;
}

std::int64_t metres_of_chord(std::int64_t chord_squared) {
  const bool is_far = chord_squared > kDiameterSquared / 2;
  if (is_far) chord_squared = kDiameterSquared - chord_squared;  // to the opposite point
  if (chord_squared < 0) chord_squared = 0;
  const auto chord =
      static_cast<std::int64_t>(square_root(static_cast<std::uint64_t>(chord_squared)));
  constexpr std::size_t kCount = sizeof(kArcSine) / sizeof(kArcSine[0]);
  const std::int64_t angle = (chord * polynomial(kArcSine, kCount, chord_squared >> 32)) >> 31;
  const std::int64_t cm = scale_q31(angle, kRadiusCm);
  return ((is_far ? kHalfTurnCm - cm : cm) + 50) / 100;
}

std::int64_t chord_of_metres(std::int64_t distance_m) {
  if (distance_m < 0) distance_m = 0;
  if (distance_m >= kHalfTurnM) return kDiameterSquared;
  const std::int64_t chord =
      sine_q31(static_cast<std::uint32_t>((distance_m << 30) / kHalfTurnM + 1));
  return chord * chord;
}

std::int64_t distance_m(LatLng a, LatLng b) {
  return metres_of_chord(chord_squared(unit_point(a), unit_point(b)));
}

GeoBox bounding_box(LatLng center, std::int64_t radius_m) {
  if (radius_m < 0) radius_m = 0;
  if (radius_m > kHalfTurnM) radius_m = kHalfTurnM;
  const std::int64_t reach = radius_m * kMaxLngE7 / kHalfTurnM + 2;
  GeoBox box{{clamp(center.lat_e7 - reach, kMaxLatE7), -kMaxLngE7},
             {clamp(center.lat_e7 + reach, kMaxLatE7), kMaxLngE7}};
  const std::int64_t north = box.north_east.lat_e7;
  const std::int64_t south = -static_cast<std::int64_t>(box.south_west.lat_e7);
  // No place of the circle is nearer to a pole than this parallel, so none is further east.
  const std::int64_t parallel =
      sine_q31(phase_of(north > south ? north : south, kE7PerTurn) + kQuarterTurn) - 4;
  if (north >= kMaxLatE7 || south >= kMaxLatE7 || parallel <= 0) return box;
  const std::int64_t aside = reach * kOneQ31 / parallel + 2;
  const std::int64_t east = center.lng_e7 + aside;
  const std::int64_t west = center.lng_e7 - aside;
  if (east > kMaxLngE7 || west < -kMaxLngE7) return box;
  box.south_west.lng_e7 = static_cast<std::int32_t>(west);
  box.north_east.lng_e7 = static_cast<std::int32_t>(east);
  return box;
}

bool has_gcj02_shift(LatLng place) {
  return place.lng_e7 >= 720'040'000 && place.lng_e7 <= 1'378'347'000 &&
         place.lat_e7 >= 8'293'000 && place.lat_e7 <= 558'271'000;
}

LatLng to_gcj02(LatLng wgs84) {
  if (!has_gcj02_shift(wgs84)) return wgs84;
  const Shift shift = gcj02_shift(wgs84);
  return moved(wgs84, shift.lat_e7, shift.lng_e7);
}

LatLng to_wgs84(LatLng gcj02) {
  if (!has_gcj02_shift(gcj02)) return gcj02;
  LatLng place = gcj02;
  constexpr int kRounds = 4;  // each leaves less than 1/300 of the error
  for (int round = 0; round < kRounds; ++round) {
    const Shift shift = gcj02_shift(place);
    place = moved(gcj02, -shift.lat_e7, -shift.lng_e7);
  }
  return place;
}

}  // namespace topup
