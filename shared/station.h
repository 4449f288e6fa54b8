// Filling stations nearby, offline: an index over at most 50,000 stations that the server writes
// once and both sides load. Places are WGS-84 everywhere; only what is drawn on a mainland map is
// turned into GCJ-02 (geo.h). Prices are fen per litre; minutes are of the station's local day.
// The binary form is described in station_bytes.cpp; its canonical order is also the index, so
// loading sorts nothing. Errors: station_invalid (encode), stations_damaged, stations_newer (schema
// above ours), stations_too_large (decode). Pure; a loaded index is immutable and thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/card.h"
#include "shared/geo.h"
#include "shared/result.h"

namespace topup {

inline constexpr std::uint32_t kStationSchema = 1;
inline constexpr std::size_t kMaxStations = 50'000;
inline constexpr std::size_t kMaxStationBytes = 5 * 1024 * 1024;
inline constexpr std::size_t kMaxBrands = 200;
inline constexpr std::size_t kMaxStationText = 96;  // bytes of an id, name or brand
inline constexpr std::size_t kMaxNear = 50;
inline constexpr int kDayMinutes = 1440;

enum class Fuel : std::uint8_t { gasoline_92, gasoline_95, gasoline_98, diesel_0 };  // stored
inline constexpr std::size_t kFuels = 4;
inline constexpr std::string_view kFuelWords[] = {"gasoline_92", "gasoline_95", "gasoline_98",
                                                  "diesel_0"};  // in the order of Fuel

enum StationFlag : std::uint8_t {  // stored; do not renumber
  kLoadsCards = 1,                 // what was bought online can be loaded onto the card here
  kSelfService = 2,
  kHasShop = 4,
  kWashesCars = 8,
  kChargesCars = 16,
  kIsSuspended = 32,  // out of service, whatever its hours say
  kAllStationFlags = 63
};
// The words of the flags above, in their order: bit 1 << place.
inline constexpr std::string_view kStationFlagWords[] = {
    "loads_cards", "self_service", "shop", "car_wash", "charging", "suspended"};

struct Station {  // its texts belong to the index, or to whoever calls encode_stations()
  std::string_view id;
  std::string_view name;
  std::string_view brand;                // our word for it, e.g. "sinopec", "shell"
  CardIssuer issuer = CardIssuer::none;  // whose fuel cards it takes; one for each brand
  LatLng place;                          // WGS-84
  std::uint16_t fen_per_litre[kFuels] = {0, 0, 0, 0};  // 0: not sold or not known
  // 0 and 1440: all day; open > close: past midnight; equal: not known.
  std::uint16_t open_minute = 0;
  std::uint16_t close_minute = kDayMinutes;
  std::uint8_t flags = 0;
};

enum class Openness : std::uint8_t { unknown, all_day, open, closes_soon, closed, suspended };
inline constexpr int kClosesSoonMinutes = 30;
std::string_view to_word(Openness openness);
struct OpenState {
  Openness openness = Openness::unknown;
  int minutes = 0;  // until it closes (open, closes_soon) or opens (closed)
};
OpenState open_state(const Station& station, int minute);  // unknown for a minute outside 0…1439

struct StationFilter {
  CardIssuer issuer = CardIssuer::none;  // none: any
  std::string_view brand = {};           // "": any
  int open_at = -1;                      // keeps those not known to be closed then; -1: any
  std::uint8_t flags = 0;                // all of these
  std::int64_t within_m = -1;            // -1: any distance
};

struct NearStation {
  std::uint32_t index = 0;
  std::int64_t chord_squared = 0;  // metres_of_chord() makes metres of it
};

class StationIndex {
 public:
  std::size_t size() const { return records_.size(); }
  std::uint64_t version() const { return version_; }
  std::int64_t as_of_ms() const { return as_of_ms_; }
  Station at(std::size_t index) const;
  // The nearest that pass, nearest first; equally far ones by id. Exact, whatever the filter, the
  // pole and the date line; at most kMaxNear.
  std::vector<NearStation> nearest(LatLng from, std::size_t limit,
                                   const StationFilter& filter = {}) const;

 private:
  friend class StationReader;
  friend class StationSearch;
  friend std::string_view read_stations(std::string bytes, StationIndex& index);
  struct Record {
    LatLng place;
    std::uint32_t id_at;  // where its length stands in bytes_; the name follows
    std::uint16_t fen_per_litre[kFuels];
    std::uint16_t open_minute;
    std::uint16_t close_minute;
    std::uint8_t brand;
    std::uint8_t flags;
  };
  struct Brand {
    std::uint32_t name_at;
    CardIssuer issuer;
  };
  struct Block {  // the smallest box around up to kFanOut points or blocks
    std::int32_t low[3];
    std::int32_t high[3];
  };
  static constexpr std::size_t kFanOut = 16;
  static constexpr int kMaxLevels = 6;  // 16^6 > kMaxStations

  std::string_view text_at(std::size_t at) const;
  bool passes(const Record& record, const StationFilter& filter) const;
  void build_blocks();

  std::string bytes_;
  std::uint64_t version_ = 0;
  std::int64_t as_of_ms_ = 0;
  std::vector<Brand> brands_;
  std::vector<Record> records_;
  std::vector<UnitPoint> points_;
  std::vector<Block> blocks_;  // level by level, the lowest first
  std::size_t level_start_[kMaxLevels] = {};
  int levels_ = 0;
};

// `version` and `as_of_ms` say which set of stations it is and how old its prices are. Equal
// stations give equal bytes in whatever order they come; ids are the caller's to keep unique.
Result<std::string> encode_stations(const std::vector<Station>& stations, std::uint64_t version,
                                    std::int64_t as_of_ms);
Result<StationIndex> decode_stations(std::string bytes);
// The same for a page: "" and the new index, or the reason of the refusal and the old one.
std::string_view read_stations(std::string bytes, StationIndex& index);

// Ranking. The score of a station is a detour in metres; the lowest comes first:
//   distance_m + (price - cheapest candidate's) × kMetresPerFen + what its hours cost.
// A price not known counts as the dearest candidate's. Candidates are the kMaxNear nearest.
inline constexpr std::int64_t kMetresPerFen = 150;  // 50 litres against 0.7 yuan a kilometre, both
                                                    // ways and a little convenience
inline constexpr std::int64_t kClosesSoonMetres = 3'000;
inline constexpr std::int64_t kHoursUnknownMetres = 2'000;
inline constexpr std::int64_t kClosedMetres = 30'000;
inline constexpr std::int64_t kMaxReasonKm =
    50;  // "the cheapest" and "the only one" reach no further

enum class StationOrder : std::uint8_t { best, nearest, cheapest };
inline constexpr std::string_view kStationOrderWords[] = {"best", "nearest", "cheapest"};
struct StationWish {
  LatLng from = {};
  std::size_t limit = 20;
  StationFilter filter = {};
  int now_minute = -1;  // -1: hours count for nothing
  Fuel fuel = Fuel::gasoline_92;
  StationOrder order = StationOrder::best;
};

// Why this one: a word and its number. nearest (metres), cheapest_within_km, only_brand_within_km,
// only_open_within_km (kilometres), cheaper_than_nearest (fen a litre), open_all_day, open_now,
// closes_soon, closed_now (minutes until that changes), suspended, hours_unknown, price_unknown.
inline constexpr std::size_t kMaxStationReasons = 7;
struct StationReason {
  std::string_view word;
  std::int64_t value = 0;
};
struct RankedStation {
  Station station;
  std::int64_t distance_m = 0;
  std::int64_t price_m = 0;  // the terms of the score
  std::int64_t hours_m = 0;
  OpenState open;
  std::size_t reasons = 0;
  StationReason why[kMaxStationReasons];
};
std::vector<RankedStation> rank_stations(const StationIndex& index, const StationWish& wish);

struct Border;
// Makes these the stations of the page; those in use stay when they are refused. Answers like a
// call (border.h): {"version","as_of_ms","stations":<how many>}.
std::string border_load_stations(Border& border, std::string bytes);

}  // namespace topup
