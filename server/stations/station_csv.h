// Stations as a table for spreadsheets: read with a verdict for each cell, written so that the same
// comes back. UTF-8, RFC 4180, the first line names the columns, in any order:
//   id,name,brand,issuer,city,address,lat,lng,gasoline_92,gasoline_95,gasoline_98,diesel_0,hours,flags
// id, name, brand, city, lat and lng must be there. lat and lng are degrees; prices yuan a litre,
// "" not sold; hours "06:00-22:30", "00:00-24:00", past midnight "20:00-04:00", "" not known; flags
// words of shared/station.h separated by blanks; issuer none, sinopec or petrochina. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/result.h"
#include "shared/station.h"

namespace topup::stations {

struct StationRow {
  std::string id, name, brand, city, address;
  CardIssuer issuer = CardIssuer::none;
  LatLng place;  // WGS-84
  std::uint16_t fen_per_litre[kFuels] = {0, 0, 0, 0};
  std::uint16_t open_minute = 0, close_minute = 0;
  std::uint8_t flags = 0;
  friend bool operator==(const StationRow& a, const StationRow& b);
};
Station station_of(const StationRow& row);  // its texts belong to `row`

inline constexpr std::size_t kMaxCsvBytes = 1'000'000;
inline constexpr std::size_t kMaxFaults = 100;  // that are told; the rest is only counted
inline constexpr std::size_t kMaxAddress = 200;

struct CellFault {
  std::int64_t line = 0;  // of the file, 1 is the header
  std::string column;
  std::string_view reason;  // missing, too_long, not_a_number, out_of_range, unknown_word,
                            // malformed, twice, issuer_differs, cells, bad_text
  std::string value;        // as it stands there, cut
};
struct ParsedStations {
  std::vector<StationRow> rows;
  std::vector<CellFault> faults;
  std::int64_t fault_count = 0;
};
// `is_gcj02`: the places are of the shifted system of mainland maps. Errors:
// stations_csv_too_large, stations_csv_header (`detail` names the column).
Result<ParsedStations> parse_stations(std::string_view csv, bool is_gcj02);

inline constexpr std::string_view kCsvHeader =
    "id,name,brand,issuer,city,address,lat,lng,gasoline_92,gasoline_95,gasoline_98,diesel_0,hours,"
    "flags";
// Spreadsheets take no cell of ours for a formula.
std::string write_stations(const std::vector<StationRow>& rows);

}  // namespace topup::stations
