#include "server/stations/station_desk.h"

#include <map>
#include <set>
#include <utility>

#include "server/audit/audit_log.h"
#include "shared/price_book.h"

namespace topup::stations {
namespace {

// How the table becomes the file's: counts into the report, writes only when it applies.
void merge(storage::Tx& tx, const ParsedStations& parsed, const ImportWish& wish,
           std::int64_t now_ms, ImportReport* report) {
  std::map<std::string, StationRow> before;
  for (StationRow& row : station_store::all(tx)) before.emplace(row.id, std::move(row));
  std::set<std::string> named;
  for (const StationRow& row : parsed.rows) {
    named.insert(row.id);
    const auto known = before.find(row.id);
    if (known != before.end() && known->second == row) {
      ++report->unchanged;
      continue;
    }
    ++(known == before.end() ? report->added : report->changed);
    if (wish.applies) station_store::save(tx, row, now_ms);
  }
  if (!wish.replaces) return;
  for (const auto& [id, row] : before) {
    if (named.count(id) > 0) continue;
    ++report->removed;
    if (wish.applies) (void)station_store::remove(tx, id);
  }
}

}  // namespace

StationDesk::StationDesk(storage::Db& db, const base::Clock& clock) : db_(db), clock_(clock) {
  load();
}

void StationDesk::load() {
  std::optional<station_store::StoredSet> stored;
  auto set = std::make_shared<StationSet>();
  db_.read([&](storage::Reader& reader) {
    stored = station_store::newest(reader);
    set->cities = station_store::cities(reader);
  });
  if (!stored) return;
  set->version = stored->version;
  set->count = stored->stations;
  set->as_of_ms = stored->as_of_ms;
  set->bytes = std::move(stored->bytes);
  set->fingerprint = std::move(stored->fingerprint);
  const std::lock_guard hold(mutex_);
  version_ = set->version;  // together: if this is the older of two, refresh() sees it
  current_ = std::move(set);
}

void StationDesk::refresh() {
  std::int64_t newest = 0;
  db_.read([&newest](storage::Reader& reader) { newest = station_store::newest_version(reader); });
  if (newest > version_) load();
}

std::shared_ptr<const StationSet> StationDesk::current() const {
  const std::lock_guard hold(mutex_);
  return current_;
}

Result<bool> StationDesk::publish(storage::Tx& tx, std::int64_t now_ms) const {
  const std::vector<StationRow> rows = station_store::all(tx);
  if (rows.size() > kMaxStations) return refuse(Code::rejected, "too_many_stations");
  std::vector<Station> stations;
  stations.reserve(rows.size());
  for (const StationRow& row : rows) stations.push_back(station_of(row));
  station_store::StoredSet set;
  set.version = station_store::newest_version(tx) + 1;
  set.stations = static_cast<std::int64_t>(rows.size());
  set.as_of_ms = now_ms;
  auto bytes = encode_stations(stations, static_cast<std::uint64_t>(set.version), now_ms);
  if (!bytes) return tl::unexpected<Error>(bytes.error());
  set.bytes = *std::move(bytes);
  set.fingerprint = fingerprint(set.bytes);
  station_store::insert_set(tx, set);
  return true;
}

Result<ImportReport> StationDesk::import(const ImportWish& wish) {
  auto parsed = parse_stations(wish.csv, wish.is_gcj02);
  if (!parsed) return tl::unexpected<Error>(parsed.error());
  const std::int64_t now = clock_.wall_ms();
  const bool is_clean = parsed->fault_count == 0;
  ImportWish bounded = wish;
  bounded.csv.clear();
  bounded.applies = wish.applies && is_clean;
  ImportReport report;
  const auto done = storage::with_tx(db_, [&](storage::Tx& tx) -> Result<bool> {
    report = {};
    report.rows = static_cast<std::int64_t>(parsed->rows.size());
    merge(tx, *parsed, bounded, now, &report);
    const bool changes = report.added + report.changed + report.removed > 0;
    if (!bounded.applies) return true;
    // Prices that were looked at again and found the same are as fresh as others.
    if (const auto published = publish(tx, now); !published) return published;
    audit::append(
        tx,
        {wish.actor, "stations.imported", "stations",
         "added " + std::to_string(report.added) + ", changed " + std::to_string(report.changed) +
             ", removed " + std::to_string(report.removed) + (changes ? "" : "; nothing new")},
        wish.trace, now);
    report.is_applied = true;
    return true;
  });
  if (!done) return tl::unexpected<Error>(done.error());
  report.faults = std::move(parsed->faults);
  report.fault_count = parsed->fault_count;
  if (report.is_applied) load();
  return report;
}

Result<std::int64_t> StationDesk::remove(const std::vector<std::string>& ids,
                                         const std::string& actor, const TraceId& trace) {
  const std::int64_t now = clock_.wall_ms();
  const auto removed = storage::with_tx(db_, [&](storage::Tx& tx) -> Result<std::int64_t> {
    for (const std::string& id : ids) {
      if (!station_store::remove(tx, id))
        return refuse(Code::not_found, "station_not_found", "stations", id);
      audit::append(tx, {actor, "stations.removed", "station:" + id, ""}, trace, now);
    }
    if (const auto published = publish(tx, now); !published)
      return tl::unexpected<Error>(published.error());
    return static_cast<std::int64_t>(ids.size());
  });
  if (removed) load();
  return removed;
}

std::string StationDesk::export_csv() const {
  std::vector<StationRow> rows;
  db_.read([&rows](storage::Reader& reader) { rows = station_store::all(reader); });
  return write_stations(rows);
}

}  // namespace topup::stations
