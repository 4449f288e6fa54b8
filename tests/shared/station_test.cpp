#include "shared/station.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "shared/border.h"
#include "shared/border_state.h"
#include "shared/hash.h"

using namespace topup;

namespace {

// Owns the texts of its stations.
struct Town {
  std::deque<std::string> texts;
  std::vector<Station> stations;

  std::string_view keep(std::string text) { return texts.emplace_back(std::move(text)); }
  Station& add(const std::string& id, LatLng place, std::string_view brand = "sinopec") {
    Station station;
    station.id = keep(id);
    station.name = keep("Station " + id);
    station.brand = keep(std::string(brand));
    station.issuer = brand == "sinopec"      ? CardIssuer::sinopec
                     : brand == "petrochina" ? CardIssuer::petrochina
                                             : CardIssuer::none;
    station.place = place;
    return stations.emplace_back(station);
  }
  StationIndex index() const {
    auto bytes = encode_stations(stations, 7, 1'700'000'000'000);
    REQUIRE(bytes);
    auto decoded = decode_stations(*bytes);
    REQUIRE(decoded);
    return *std::move(decoded);
  }
};

constexpr LatLng kHere{399'000'000, 1'164'000'000};
LatLng north_of_here(int metres) {
  return {kHere.lat_e7 + static_cast<std::int32_t>(std::int64_t{metres} * 899'320 / 10'000),
          kHere.lng_e7};
}

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed * 2 + 1) {}
  std::uint64_t roll(std::uint64_t sides) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_ % sides;
  }
  std::int32_t between(std::int64_t low, std::int64_t high) {
    return static_cast<std::int32_t>(
        low + static_cast<std::int64_t>(roll(static_cast<std::uint64_t>(high - low + 1))));
  }

 private:
  std::uint64_t state_;
};

enum class Spread { even, clustered, one_place, poles_and_date_line };

LatLng place_in(Spread spread, Dice& dice) {
  switch (spread) {
    case Spread::even:
      return {dice.between(180'000'000, 530'000'000), dice.between(740'000'000, 1'350'000'000)};
    case Spread::clustered: {
      const auto town = static_cast<std::int32_t>(dice.roll(12));
      return {200'000'000 + town * 25'000'000 + dice.between(-300'000, 300'000),
              1'000'000'000 + town * 17'000'000 + dice.between(-300'000, 300'000)};
    }
    case Spread::one_place:
      return {kHere.lat_e7 + dice.between(0, 1), kHere.lng_e7};
    case Spread::poles_and_date_line:
      break;
  }
  if (dice.roll(2) == 0)
    return {dice.between(899'000'000, kMaxLatE7), dice.between(-kMaxLngE7, kMaxLngE7)};
  const std::int32_t lng = dice.between(0, 2'000'000);
  return {dice.between(-2'000'000, 2'000'000),
          dice.roll(2) == 0 ? kMaxLngE7 - lng : lng - kMaxLngE7};
}

Town random_town(Spread spread, std::size_t size, std::uint64_t seed) {
  constexpr std::string_view kBrands[] = {"sinopec", "petrochina", "shell", "total"};
  Dice dice(seed);
  Town town;
  for (std::size_t i = 0; i < size; ++i) {
    Station& station = town.add("s" + std::to_string(i), place_in(spread, dice),
                                kBrands[dice.roll(8) < 7 ? dice.roll(2) : 2 + dice.roll(2)]);
    if (dice.roll(3) > 0)
      station.fen_per_litre[0] = static_cast<std::uint16_t>(700 + dice.roll(90));
    if (dice.roll(4) == 0) {
      station.open_minute = static_cast<std::uint16_t>(dice.roll(1441));
      station.close_minute = static_cast<std::uint16_t>(dice.roll(1441));
    }
    station.flags = static_cast<std::uint8_t>(dice.roll(32) == 0 ? 32U : dice.roll(32));
  }
  return town;
}

bool passes(const Station& station, const StationFilter& filter) {
  if ((station.flags & filter.flags) != filter.flags) return false;
  if (filter.issuer != CardIssuer::none && station.issuer != filter.issuer) return false;
  if (!filter.brand.empty() && station.brand != filter.brand) return false;
  const Openness open = open_state(station, filter.open_at).openness;
  return filter.open_at < 0 || (open != Openness::closed && open != Openness::suspended);
}

struct Met {
  std::int64_t chord;
  std::string_view id;
  bool operator<(const Met& other) const {
    return chord != other.chord ? chord < other.chord : id < other.id;
  }
};

std::vector<std::string> brute_force(const Town& town, LatLng from, std::size_t limit,
                                     const StationFilter& filter) {
  std::vector<Met> met;
  for (const Station& station : town.stations) {
    const std::int64_t chord = chord_squared(unit_point(from), unit_point(station.place));
    if (filter.within_m >= 0 && chord > chord_of_metres(filter.within_m)) continue;
    if (passes(station, filter)) met.push_back({chord, station.id});
  }
  std::sort(met.begin(), met.end());
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < met.size() && i < limit; ++i) ids.emplace_back(met[i].id);
  return ids;
}

std::vector<std::string> ids_of(const StationIndex& index, const std::vector<NearStation>& near) {
  std::vector<std::string> ids;
  for (const NearStation& one : near) ids.emplace_back(index.at(one.index).id);
  return ids;
}

StationFilter random_filter(Dice& dice) {
  StationFilter filter;
  if (dice.roll(3) == 0) filter.issuer = static_cast<CardIssuer>(1 + dice.roll(2));
  if (dice.roll(4) == 0) filter.brand = dice.roll(2) == 0 ? "shell" : "nobody";
  if (dice.roll(3) == 0) filter.open_at = static_cast<int>(dice.roll(1440));
  if (dice.roll(4) == 0) filter.flags = static_cast<std::uint8_t>(1U << dice.roll(5));
  if (dice.roll(3) == 0) filter.within_m = static_cast<std::int64_t>(dice.roll(3'000'000));
  return filter;
}

std::string words_of(const RankedStation& ranked) {
  std::string words;
  for (std::size_t i = 0; i < ranked.reasons; ++i) {
    const StationReason& reason = ranked.why[i];
    if (!words.empty()) words += ", ";
    words += std::string(reason.word) + " " + std::to_string(reason.value);
  }
  return words;
}

}  // namespace

TEST_CASE("nearest is brute force: same stations, same order, whatever the spread and the filter") {
  for (const Spread spread :
       {Spread::even, Spread::clustered, Spread::one_place, Spread::poles_and_date_line}) {
    for (const std::size_t size : {1, 2, 16, 17, 257, 3000}) {
      const Town town = random_town(spread, size, size);
      const StationIndex index = town.index();
      CHECK(rc::check("random place, limit and filter", [&] {
        Dice dice(*rc::gen::arbitrary<std::uint32_t>());
        const LatLng from = dice.roll(4) == 0 ? LatLng{dice.between(-kMaxLatE7, kMaxLatE7),
                                                       dice.between(-kMaxLngE7, kMaxLngE7)}
                                              : place_in(spread, dice);
        const StationFilter filter = random_filter(dice);
        const std::size_t limit = 1 + dice.roll(kMaxNear);
        RC_ASSERT(ids_of(index, index.nearest(from, limit, filter)) ==
                  brute_force(town, from, limit, filter));
      }));
    }
  }
}

TEST_CASE("nearest: the edges of what may be asked") {
  const StationIndex none = Town{}.index();
  CHECK(none.size() == 0);
  CHECK(none.nearest(kHere, 20).empty());
  CHECK(StationIndex().nearest(kHere, 20).empty());
  const StationIndex many = random_town(Spread::even, 500, 3).index();
  CHECK(many.nearest(kHere, 0).empty());
  CHECK(many.nearest(kHere, 5'000).size() == kMaxNear);
  CHECK(many.nearest(kHere, 20, {.within_m = 0}).empty());
}

TEST_CASE("50,000 stations: exact, small and quick") {
  for (const Spread spread : {Spread::even, Spread::clustered}) {
    const Town town = random_town(spread, kMaxStations, 11);
    const auto bytes = encode_stations(town.stations, 1, 2);
    REQUIRE(bytes);
    CHECK(bytes->size() < kMaxStationBytes);
    const auto start = std::chrono::steady_clock::now();
    const auto index = decode_stations(*bytes);
    const auto loaded = std::chrono::steady_clock::now();
    REQUIRE(index);
    CHECK(index->size() == kMaxStations);
    Dice dice(5);
    std::size_t found = 0;
    constexpr int kQueries = 2'000;
    const auto before = std::chrono::steady_clock::now();
    for (int i = 0; i < kQueries; ++i) found += index->nearest(place_in(spread, dice), 20).size();
    const auto after = std::chrono::steady_clock::now();
    CHECK(found == 20 * kQueries);
    for (int i = 0; i < 20; ++i) {
      const LatLng from = place_in(spread, dice);
      const StationFilter filter = random_filter(dice);
      CHECK(ids_of(*index, index->nearest(from, 20, filter)) ==
            brute_force(town, from, 20, filter));
    }
    const auto us = [](auto span) {
      return std::chrono::duration_cast<std::chrono::microseconds>(span).count();
    };
    const auto each_ns = us(after - before) * 1000 / kQueries;
    MESSAGE(bytes->size(), " bytes, loaded in ", us(loaded - start), " us, nearest 20 in ", each_ns,
            " ns");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(each_ns < 100'000);
#endif
  }
}

TEST_CASE("bytes: canonical, whatever the order, and back again") {
  CHECK(rc::check("shuffled stations give equal bytes", [] {
    const auto seed = *rc::gen::arbitrary<std::uint32_t>();
    Town town = random_town(static_cast<Spread>(seed % 4), seed % 90, seed);
    const auto bytes = encode_stations(town.stations, 3, 4);
    RC_ASSERT(bytes);
    std::reverse(town.stations.begin(), town.stations.end());
    if (!town.stations.empty())
      std::swap(town.stations[0], town.stations[town.stations.size() / 2]);
    RC_ASSERT(*encode_stations(town.stations, 3, 4) == *bytes);
    const auto index = decode_stations(*bytes);
    RC_ASSERT(index);
    std::vector<Station> again;
    for (std::size_t i = 0; i < index->size(); ++i) again.push_back(index->at(i));
    RC_ASSERT(*encode_stations(again, index->version(), index->as_of_ms()) == *bytes);
  }));
}

TEST_CASE("bytes: every damaged byte, every cut and every foreign text is refused") {
  const Town town = random_town(Spread::even, 9, 2);
  const std::string bytes = *encode_stations(town.stations, 3, 4);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    CAPTURE(i);
    std::string broken = bytes;
    broken[i] = static_cast<char>(broken[i] ^ 0x10);
    CHECK_FALSE(decode_stations(broken));
    CHECK_FALSE(decode_stations(bytes.substr(0, i)));
  }
  CHECK(decode_stations(bytes + "x").error().reason == "stations_damaged");
  CHECK(decode_stations("").error().reason == "stations_damaged");
  CHECK(decode_stations("TPS1").error().reason == "stations_damaged");
  CHECK(decode_stations("TPB1" + bytes.substr(4)).error().reason == "stations_damaged");
  CHECK(decode_stations(std::string(kMaxStationBytes + 1, 'x')).error().reason ==
        "stations_too_large");
  std::string newer = bytes;
  newer[4] = 2;
  CHECK(decode_stations(newer).error().reason == "stations_newer");
}

namespace {

std::string sealed(std::string body) {
  const std::uint64_t checksum = Hash().text(body).value();
  for (int i = 0; i < 8; ++i) body += static_cast<char>((checksum >> (8 * i)) & 0xFF);
  return body;
}

}  // namespace

TEST_CASE("bytes: what is wrong under a right checksum is refused too") {
  const std::string head = std::string("TPS1\x01\x01\x01", 7);
  const std::string brands = std::string("\x01\x01q\x00", 4);
  const std::string one = std::string("\x00\x00\x01z\x01n\x00\x00\x00\x00\x00\x00\x00\x00", 14);
  REQUIRE(decode_stations(sealed(head + brands + '\x01' + one)));
  struct Row {
    const char* name;
    std::string body;
  };
  const Row rows[] = {
      {"more stations than bytes", head + brands + "\xD0\x86\x03"},
      {"more stations than allowed", head + brands + "\xD1\x86\x03" + one},
      {"the same station twice", head + brands + '\x02' + one + one},
      {"a brand that is not there", head + std::string("\x00", 1) + '\x01' + one},
      {"brands out of order", head + std::string("\x02\x01q\x00\x01p\x00", 7) + '\x01' + one},
      {"an issuer that is not there", head + std::string("\x01\x01q\x03", 4) + '\x01' + one},
      {"bytes behind the end", head + brands + '\x01' + one + "x"},
      {"a number in a long form", head + brands + std::string("\x81\x00", 2) + one},
      {"an empty id", head + brands + '\x01' +
                          std::string("\x00\x00\x00\x01n\x00\x00\x00\x00\x00\x00\x00\x00\x00", 14)},
      {"a text past the end",
       head + brands + '\x01' +
           std::string("\x00\x00\x60z\x01n\x00\x00\x00\x00\x00\x00\x00\x00", 14)},
      {"south of the south pole", head + brands + '\x01' + "\xFF\xFF\xFF\xFF\x0D" + one.substr(1)},
      {"a minute after midnight",
       head + brands + '\x01' + one.substr(0, 8) + "\xA1\x0B" + one.substr(9)},
      {"a flag nobody knows", head + brands + '\x01' + one.substr(0, 7) + "\x40" + one.substr(8)},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto got = decode_stations(sealed(row.body));
    REQUIRE_FALSE(got);
    CHECK(got.error().reason == "stations_damaged");
  }
}

TEST_CASE("encode refuses what it could not read again") {
  const auto refused = [](auto change) {
    Town town;
    change(town, town.add("a", kHere));
    const auto got = encode_stations(town.stations, 1, 1);
    return !got && got.error().reason == "station_invalid";
  };
  CHECK(refused([](Town&, Station& s) { s.id = ""; }));
  CHECK(refused([](Town&, Station& s) { s.name = ""; }));
  CHECK(refused([](Town& t, Station& s) { s.name = t.keep(std::string(97, 'x')); }));
  CHECK(refused([](Town&, Station& s) { s.brand = ""; }));
  CHECK(refused([](Town&, Station& s) { s.place.lat_e7 = kMaxLatE7 + 1; }));
  CHECK(refused([](Town&, Station& s) { s.open_minute = 1441; }));
  CHECK(refused([](Town&, Station& s) { s.flags = 64; }));
  CHECK(refused([](Town& t, Station&) { t.add("a", kHere); }));
  CHECK(refused([](Town& t, Station&) { t.add("b", kHere).issuer = CardIssuer::petrochina; }));
  CHECK_FALSE(refused([](Town& t, Station&) { t.add("b", kHere); }));
  CHECK_FALSE(encode_stations({}, 1, -1));
}

TEST_CASE("opening hours by the minute") {
  struct Row {
    const char* name;
    int open, close, minute;
    Openness openness;
    int minutes;
  };
  const Row rows[] = {
      {"all day", 0, 1440, 700, Openness::all_day, 0},
      {"not known", 600, 600, 700, Openness::unknown, 0},
      {"no time given", 0, 1440, -1, Openness::unknown, 0},
      {"a minute of no day", 0, 1440, 1440, Openness::unknown, 0},
      {"before it opens", 360, 1320, 359, Openness::closed, 1},
      {"as it opens", 360, 1320, 360, Openness::open, 960},
      {"31 minutes left", 360, 1320, 1289, Openness::open, 31},
      {"30 minutes left", 360, 1320, 1290, Openness::closes_soon, 30},
      {"as it closes", 360, 1320, 1320, Openness::closed, 480},
      {"past midnight, in the evening", 1080, 120, 1439, Openness::open, 121},
      {"past midnight, at night", 1080, 120, 100, Openness::closes_soon, 20},
      {"past midnight, in the morning", 1080, 120, 600, Openness::closed, 480},
      {"until midnight", 600, 1440, 1430, Openness::closes_soon, 10},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Station station;
    station.open_minute = static_cast<std::uint16_t>(row.open);
    station.close_minute = static_cast<std::uint16_t>(row.close);
    const OpenState got = open_state(station, row.minute);
    CHECK(to_word(got.openness) == to_word(row.openness));
    CHECK(got.minutes == row.minutes);
    station.flags = kIsSuspended;
    CHECK(open_state(station, row.minute).openness == Openness::suspended);
  }
}

TEST_CASE("ranking: the score is a detour in metres, and each reason says why") {
  Town town;
  town.add("near", north_of_here(1'000)).fen_per_litre[0] = 800;
  town.add("cheap", north_of_here(3'000), "petrochina").fen_per_litre[0] = 780;
  Station& shut = town.add("shut", north_of_here(500), "shell");
  shut.fen_per_litre[0] = 770;
  shut.open_minute = 480;
  shut.close_minute = 1080;
  town.add("secret", north_of_here(5'500));
  const StationIndex index = town.index();

  const auto best = rank_stations(index, {.from = kHere, .now_minute = 1300});
  REQUIRE(best.size() == 4);
  CHECK(best[0].station.id == "cheap");  // 3,000 + 10 × 150
  CHECK(best[0].distance_m + best[0].price_m + best[0].hours_m == 4'500);
  CHECK(words_of(best[0]) == "only_brand_within_km 6, open_all_day 0");
  CHECK(best[1].station.id == "near");  // 1,000 + 30 × 150
  CHECK(best[2].station.id == "secret");
  CHECK(best[2].price_m == 4'500);  // as dear as the dearest
  CHECK(words_of(best[2]) == "open_all_day 0, price_unknown 0");
  CHECK(best[3].station.id == "shut");
  CHECK(best[3].hours_m == kClosedMetres);
  CHECK(words_of(best[3]) ==
        "nearest 500, cheapest_within_km 6, only_brand_within_km 6, closed_now 620");

  const auto nearest =
      rank_stations(index, {.from = kHere, .limit = 2, .order = StationOrder::nearest});
  REQUIRE(nearest.size() == 2);
  CHECK(nearest[0].station.id == "shut");
  CHECK(nearest[0].hours_m == 0);  // nobody said what time it is
  CHECK(nearest[1].station.id == "near");

  const auto cheapest = rank_stations(index, {.from = kHere,
                                              .filter = {.open_at = 1300},
                                              .now_minute = 1300,
                                              .order = StationOrder::cheapest});
  REQUIRE(cheapest.size() == 3);
  CHECK(cheapest[0].station.id == "cheap");
  CHECK(words_of(cheapest[0]) ==
        "cheapest_within_km 6, cheaper_than_nearest 20, only_brand_within_km 6, open_all_day 0");
  CHECK(cheapest[2].station.id == "secret");
}

TEST_CASE("ranking says only what it knows: no reach, no superlative") {
  Town town;
  for (int i = 0; i < 60; ++i) {
    town.add("s" + std::to_string(i), north_of_here(i * 10), i == 3 ? "shell" : "sinopec")
        .fen_per_litre[0] = static_cast<std::uint16_t>(700 + i);
  }
  const StationIndex crowd = town.index();
  for (const RankedStation& one : rank_stations(crowd, {.from = kHere, .limit = 50})) {
    for (std::size_t i = 0; i < one.reasons; ++i) {
      const StationReason& reason = one.why[i];
      CHECK((reason.word == "nearest" || reason.word == "cheaper_than_nearest"));
    }
  }
  Town two;
  two.add("a", north_of_here(100));
  two.add("b", north_of_here(200), "shell").open_minute = 1440;
  const StationIndex pair = two.index();
  const auto ranked = rank_stations(pair, {.from = kHere, .now_minute = 600});
  CHECK(words_of(ranked[0]) == "nearest 100, open_all_day 0, price_unknown 0");
  CHECK(words_of(ranked[1]) == "hours_unknown 0, price_unknown 0");
}

TEST_CASE("superlatives are about what is near, and only about what is known") {
  Town town;
  town.add("here", north_of_here(1'000)).fen_per_litre[0] = 800;
  town.add("there", north_of_here(9'000), "shell").fen_per_litre[0] = 790;
  town.add("maybe", north_of_here(12'000), "total").open_minute = kDayMinutes;
  town.add("far", north_of_here(70'000), "petrochina").fen_per_litre[0] = 700;
  for (Station& station : town.stations) {
    if (station.id == "there" || station.id == "far") station.open_minute = 600;
  }
  const StationIndex index = town.index();
  const auto at_night = rank_stations(index, {.from = kHere, .now_minute = 100});
  CHECK(words_of(at_night[0]) == "nearest 1000, only_brand_within_km 50, open_all_day 0");
  const StationWish wish{.from = kHere, .filter = {.within_m = 9'500}, .now_minute = 100};
  const auto two = rank_stations(index, wish);
  CHECK(words_of(two[0]) == "nearest 1000, only_open_within_km 9, open_all_day 0");
  const auto by_day =
      rank_stations(index, {.from = kHere, .now_minute = 700, .order = StationOrder::cheapest});
  CHECK(by_day[0].station.id == "far");
  CHECK(words_of(by_day[0]) == "cheaper_than_nearest 100, open_now 740");
  CHECK(words_of(by_day[1]) ==
        "cheapest_within_km 50, cheaper_than_nearest 10, only_brand_within_km 50, open_now 740");
}

TEST_CASE("ranking is a pure function of what is asked: scores ascend and nothing is invented") {
  CHECK(rc::check("random towns", [] {
    const auto seed = *rc::gen::arbitrary<std::uint32_t>();
    const Town town = random_town(static_cast<Spread>(seed % 4), 1 + seed % 120, seed);
    const StationIndex index = town.index();
    Dice dice(seed);
    const StationWish wish{.from = place_in(static_cast<Spread>(seed % 4), dice),
                           .limit = 1 + dice.roll(kMaxNear),
                           .filter = random_filter(dice),
                           .now_minute = static_cast<int>(dice.roll(1440))};
    const auto ranked = rank_stations(index, wish);
    RC_ASSERT(ranked.size() ==
              std::min(wish.limit, index.nearest(wish.from, kMaxNear, wish.filter).size()));
    for (std::size_t i = 0; i < ranked.size(); ++i) {
      RC_ASSERT(passes(ranked[i].station, wish.filter));
      RC_ASSERT(ranked[i].distance_m == distance_m(wish.from, ranked[i].station.place));
      const auto score = [&](std::size_t at) {
        return ranked[at].distance_m + ranked[at].price_m + ranked[at].hours_m;
      };
      if (i > 0) RC_ASSERT(score(i - 1) <= score(i));
    }
  }));
}

TEST_CASE("the border loads bytes, answers like a call, and keeps its stations when it refuses") {
  Border border;
  const Town town = random_town(Spread::even, 30, 4);
  CHECK(border_load_stations(border, *encode_stations(town.stations, 9, 8)) ==
        R"({"ok":true,"value":{"version":9,"as_of_ms":8,"stations":30}})");
  CHECK(border_load_stations(border, "nonsense") ==
        R"({"ok":false,"error":{"code":"invalid_argument","reason":"stations_damaged",)"
        R"("field":"","detail":""}})");
  CHECK(border.stations.size() == 30);
}
