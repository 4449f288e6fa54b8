// The border calls about stations and places; see border.h. A place is {"lat_e7","lng_e7"}, WGS-84
// unless the call says "system":"gcj02", which is then also the system of the answer.
#include <iterator>

#include "shared/border.h"
#include "shared/border_state.h"
#include "shared/station.h"

namespace topup {
namespace {

constexpr std::int64_t kFarthestM = 20'100'000;

LatLng read_place(BorderFields& in) {
  return {static_cast<std::int32_t>(in.integer("lat_e7", -kMaxLatE7, kMaxLatE7)),
          static_cast<std::int32_t>(in.integer("lng_e7", -kMaxLngE7, kMaxLngE7))};
}

void put_place(JsonText& out, LatLng place) {
  out.key("lat_e7").integer(place.lat_e7).key("lng_e7").integer(place.lng_e7);
}

void write_gcj02(BorderFields& in, JsonText& out) { put_place(out, to_gcj02(read_place(in))); }
void write_wgs84(BorderFields& in, JsonText& out) { put_place(out, to_wgs84(read_place(in))); }

// {"from":place,"to":place}
void write_distance(BorderFields& in, JsonText& out) {
  const JsonValue to = in["to"];
  in.enter(in["from"]);
  const LatLng from = read_place(in);
  in.enter(to);
  out.key("distance_m").integer(distance_m(from, read_place(in)));
}

// {"lat_e7","lng_e7","radius_m"}
void write_box(BorderFields& in, JsonText& out) {
  const GeoBox box = bounding_box(read_place(in), in.integer("radius_m", 0, kFarthestM));
  put_place(out.key("south_west").begin_object(), box.south_west);
  put_place(out.end_object().key("north_east").begin_object(), box.north_east);
  out.end_object();
}

// A word that may be left out for the first of the list.
std::size_t read_word(BorderFields& in, const char* key, WordList words) {
  return in[key].exists() ? in.word(key, words, "out_of_range") : 0;
}

std::uint8_t read_flags(BorderFields& in) {
  const JsonValue list = in.list_or_none("flags", std::size(kStationFlagWords));
  unsigned flags = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::size_t place =
        place_of_word(kStationFlagWords, list.at(i).text().value_or(std::string_view()));
    if (place == std::size(kStationFlagWords)) in.refuse("out_of_range", "flags");
    flags |= 1U << place;
  }
  return static_cast<std::uint8_t>(flags);
}

StationWish read_wish(BorderFields& in) {
  constexpr std::string_view kIssuers[] = {"none", "sinopec", "petrochina"};
  StationWish wish;
  StationFilter& filter = wish.filter;
  wish.from = read_place(in);
  wish.limit = static_cast<std::size_t>(in.integer_or("limit", 1, kMaxNear, 20));
  wish.now_minute = static_cast<int>(in.integer_or("now_minute", 0, kDayMinutes - 1, -1));
  wish.fuel = static_cast<Fuel>(read_word(in, "fuel", kFuelWords));
  wish.order = static_cast<StationOrder>(read_word(in, "order", kStationOrderWords));
  filter.within_m = in.integer_or("within_m", 0, kFarthestM, -1);
  filter.issuer = static_cast<CardIssuer>(read_word(in, "issuer", kIssuers));
  filter.brand = in.text_or("brand", kMaxStationText, "");
  if (in.boolean_or("only_open", false)) filter.open_at = wish.now_minute;
  filter.flags = read_flags(in);
  return wish;
}

void put_station(JsonText& out, const RankedStation& ranked, bool as_gcj02) {
  const Station& station = ranked.station;
  out.begin_object().key("id").text(station.id).key("name").text(station.name);
  out.key("brand").text(station.brand).key("issuer").text(to_word(station.issuer));
  put_place(out, as_gcj02 ? to_gcj02(station.place) : station.place);
  out.key("distance_m").integer(ranked.distance_m).key("prices").begin_object();
  for (std::size_t i = 0; i < kFuels; ++i) {
    if (station.fen_per_litre[i] != 0) out.key(kFuelWords[i]).money(fen(station.fen_per_litre[i]));
  }
  out.end_object().key("flags").begin_array();
  for (std::size_t i = 0; i < std::size(kStationFlagWords); ++i) {
    if ((station.flags >> i & 1) != 0) out.text(kStationFlagWords[i]);
  }
  out.end_array().key("open_minute").integer(station.open_minute);
  out.key("close_minute").integer(station.close_minute);
  out.key("openness").text(to_word(ranked.open.openness));
  out.key("openness_minutes").integer(ranked.open.minutes);
  out.key("score").integer(ranked.distance_m + ranked.price_m + ranked.hours_m);
  out.key("price_m").integer(ranked.price_m).key("hours_m").integer(ranked.hours_m);
  out.key("why").begin_array();
  for (std::size_t i = 0; i < ranked.reasons; ++i) {
    out.begin_object().key("word").text(ranked.why[i].word);
    out.key("value").integer(ranked.why[i].value).end_object();
  }
  out.end_array().end_object();
}

void put_head(JsonText& out, const StationIndex& stations) {
  out.begin_object().key("version").integer(static_cast<std::int64_t>(stations.version()));
  out.key("as_of_ms").integer(stations.as_of_ms()).key("stations");
}

// {"lat_e7","lng_e7","system","limit","now_minute","only_open","within_m","issuer","brand","flags",
// "fuel","order"}; all but the place may be absent.
void nearest_stations(Border& border, BorderFields& in, JsonText& out) {
  constexpr std::string_view kSystems[] = {"wgs84", "gcj02"};
  const bool as_gcj02 = read_word(in, "system", kSystems) == 1;
  StationWish wish = read_wish(in);
  if (as_gcj02) wish.from = to_wgs84(wish.from);
  put_head(out, border.stations);
  out.begin_array();
  for (const RankedStation& ranked : rank_stations(border.stations, wish)) {
    put_station(out, ranked, as_gcj02);
  }
  out.end_array().end_object();
}

void load(Border& border, BorderFields& in, JsonText& out, std::string bytes) {
  const std::string_view reason = read_stations(std::move(bytes), border.stations);
  if (!reason.empty()) in.refuse(Error{Code::invalid_argument, reason});
  put_head(out, border.stations);
  out.integer(static_cast<std::int64_t>(border.stations.size())).end_object();
}

// {"hex"}: for tests that have no other way to hand over bytes.
void load_stations_hex(Border& border, BorderFields& in, JsonText& out) {
  const std::string_view digits = in.text("hex", kMaxJsonBytes);
  std::string bytes;
  bool is_right = digits.size() % 2 == 0;
  unsigned byte = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const char c = digits[i];
    is_right = is_right && ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
    byte = byte << 4 | static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
    if (i % 2 == 1) bytes += static_cast<char>(byte & 0xFF);
  }
  if (!is_right) in.refuse("out_of_range", "hex");
  if (in.ok()) load(border, in, out, std::move(bytes));
}

constexpr BorderCall kCalls[] = {
    {"nearest_stations", nearest_stations},      {"load_stations_hex", load_stations_hex},
    {"to_gcj02", border_object<write_gcj02>},    {"to_wgs84", border_object<write_wgs84>},
    {"distance", border_object<write_distance>}, {"bounding_box", border_object<write_box>}};

}  // namespace

std::string border_load_stations(Border& border, std::string bytes) {
  BorderFields in((JsonValue()));
  JsonText out;
  load(border, in, out.begin_object().key("ok").boolean(true).key("value"), std::move(bytes));
  return in.ok() ? out.end_object().take() : border_refusal(in.error());
}

BorderTable station_calls() { return {kCalls, std::size(kCalls)}; }

}  // namespace topup
