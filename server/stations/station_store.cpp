#include "server/stations/station_store.h"

namespace topup::stations::station_store {
namespace {

constexpr std::string_view kColumns =
    "station_id, name, brand, issuer, city, address, lat_e7, lng_e7, gasoline_92, gasoline_95, "
    "gasoline_98, diesel_0, open_minute, close_minute, flags";
constexpr std::int64_t kSetsKept = 3;
constexpr std::int64_t kMostCities = 1'000;

StationRow read(const storage::Row& row) {
  StationRow out;
  out.id = row.text(0);
  out.name = row.text(1);
  out.brand = row.text(2);
  out.issuer = parse_card_issuer(row.text(3)).value_or(CardIssuer::none);
  out.city = row.text(4);
  out.address = row.text(5);
  out.place = {static_cast<std::int32_t>(row.integer(6)),
               static_cast<std::int32_t>(row.integer(7))};
  for (std::size_t i = 0; i < kFuels; ++i)
    out.fen_per_litre[i] = static_cast<std::uint16_t>(row.integer(8 + static_cast<int>(i)));
  out.open_minute = static_cast<std::uint16_t>(row.integer(12));
  out.close_minute = static_cast<std::uint16_t>(row.integer(13));
  out.flags = static_cast<std::uint8_t>(row.integer(14));
  return out;
}

}  // namespace

std::vector<StationRow> all(storage::Reader& reader) {
  std::vector<StationRow> rows;
  reader.query("SELECT " + std::string(kColumns) + " FROM stations ORDER BY station_id", {},
               [&rows](const storage::Row& row) { rows.push_back(read(row)); });
  return rows;
}

std::optional<StationRow> find(storage::Reader& reader, std::string_view id) {
  std::optional<StationRow> found;
  reader.query("SELECT " + std::string(kColumns) + " FROM stations WHERE station_id = $1", {id},
               [&found](const storage::Row& row) { found = read(row); });
  return found;
}

std::vector<StationRow> page(storage::Reader& reader, const Filter& filter, std::string_view after,
                             std::int64_t limit) {
  std::vector<StationRow> rows;
  reader.query("SELECT " + std::string(kColumns) +
                   " FROM stations WHERE station_id > $1 AND ($2 = '' OR city = $2) AND ($3 = '' "
                   "OR brand = $3) ORDER BY station_id LIMIT $4",
               {after, filter.city, filter.brand, limit},
               [&rows](const storage::Row& row) { rows.push_back(read(row)); });
  return rows;
}

void save(storage::Tx& tx, const StationRow& row, std::int64_t now_ms) {
  tx.exec(R"sql(
    INSERT INTO stations (station_id, name, brand, issuer, city, address, lat_e7, lng_e7, gasoline_92,
                          gasoline_95, gasoline_98, diesel_0, open_minute, close_minute, flags, changed_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
    ON CONFLICT (station_id) DO UPDATE
       SET name = $2, brand = $3, issuer = $4, city = $5, address = $6, lat_e7 = $7, lng_e7 = $8,
           gasoline_92 = $9, gasoline_95 = $10, gasoline_98 = $11, diesel_0 = $12, open_minute = $13,
           close_minute = $14, flags = $15, changed_at_ms = $16)sql",
          {row.id, row.name, row.brand, to_word(row.issuer), row.city, row.address,
           std::int64_t{row.place.lat_e7}, std::int64_t{row.place.lng_e7},
           std::int64_t{row.fen_per_litre[0]}, std::int64_t{row.fen_per_litre[1]},
           std::int64_t{row.fen_per_litre[2]}, std::int64_t{row.fen_per_litre[3]},
           std::int64_t{row.open_minute}, std::int64_t{row.close_minute}, std::int64_t{row.flags},
           now_ms});
}

bool remove(storage::Tx& tx, std::string_view id) {
  return tx.exec("DELETE FROM stations WHERE station_id = $1", {id}) == 1;
}

std::vector<City> cities(storage::Reader& reader) {
  std::vector<City> found;
  reader.query(R"sql(
    SELECT city, COUNT(*) AS many, CAST(SUM(lat_e7) / COUNT(*) AS BIGINT),
           CAST(SUM(lng_e7) / COUNT(*) AS BIGINT)
      FROM stations GROUP BY city ORDER BY many DESC, city LIMIT $1)sql",
               {kMostCities}, [&found](const storage::Row& row) {
                 found.push_back({row.text(0),
                                  {static_cast<std::int32_t>(row.integer(2)),
                                   static_cast<std::int32_t>(row.integer(3))},
                                  row.integer(1)});
               });
  return found;
}

std::int64_t newest_version(storage::Reader& reader) {
  std::int64_t version = 0;
  reader.query("SELECT COALESCE(MAX(version), 0) FROM station_sets", {},
               [&version](const storage::Row& row) { version = row.integer(0); });
  return version;
}

std::optional<StoredSet> newest(storage::Reader& reader) {
  std::optional<StoredSet> set;
  reader.query(
      "SELECT version, stations, as_of_ms, fingerprint, bytes FROM station_sets ORDER BY version "
      "DESC LIMIT 1",
      {}, [&set](const storage::Row& row) {
        set = StoredSet{row.integer(0), row.integer(1), row.integer(2), row.text(3), row.text(4)};
      });
  return set;
}

void insert_set(storage::Tx& tx, const StoredSet& set) {
  tx.exec(
      "INSERT INTO station_sets (version, stations, fingerprint, as_of_ms, bytes) VALUES ($1, $2, "
      "$3, $4, $5)",
      {set.version, set.stations, set.fingerprint, set.as_of_ms, storage::Blob{set.bytes}});
  tx.exec("DELETE FROM station_sets WHERE version <= $1", {set.version - kSetsKept});
}

}  // namespace topup::stations::station_store
