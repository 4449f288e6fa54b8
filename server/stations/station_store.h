// Rows of stations and station_sets.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/stations/station_csv.h"
#include "server/storage/db.h"

namespace topup::stations::station_store {

std::vector<StationRow> all(storage::Reader& reader);  // by id
std::optional<StationRow> find(storage::Reader& reader, std::string_view id);
struct Filter {
  std::string city, brand;  // "": any
};
std::vector<StationRow> page(storage::Reader& reader, const Filter& filter, std::string_view after,
                             std::int64_t limit);
void save(storage::Tx& tx, const StationRow& row, std::int64_t now_ms);
bool remove(storage::Tx& tx, std::string_view id);

struct City {
  std::string name;
  LatLng centre;  // the middle of its stations
  std::int64_t stations = 0;
};
std::vector<City> cities(storage::Reader& reader);  // those with most stations first

struct StoredSet {
  std::int64_t version = 0, stations = 0, as_of_ms = 0;
  std::string fingerprint, bytes;
};
std::int64_t newest_version(storage::Reader& reader);  // 0: none
std::optional<StoredSet> newest(storage::Reader& reader);
void insert_set(storage::Tx& tx, const StoredSet& set);  // and forgets all but the last few

}  // namespace topup::stations::station_store
