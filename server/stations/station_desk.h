// Filling stations: the operator's table, and what pages load of it. A change is stored, audited
// and published as the core's binary index (shared/station.h) in one transaction; the newest set is
// held in memory as a snapshot that readers share. Errors: those of parse_stations(),
// station_not_found, station_invalid, too_many_stations. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/stations/station_csv.h"
#include "server/stations/station_store.h"
#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/result.h"

namespace topup::stations {

struct StationSet {
  std::int64_t version = 0, count = 0, as_of_ms = 0;
  std::string bytes, fingerprint;
  std::vector<station_store::City> cities;
};

struct ImportWish {
  std::string csv;
  bool is_gcj02 = false;
  bool replaces = false;  // stations that the file does not name go
  bool applies = false;   // false: only says what would happen
  std::string actor;
  TraceId trace;
};
struct ImportReport {
  std::int64_t rows = 0, added = 0, changed = 0, unchanged = 0, removed = 0;
  std::vector<CellFault> faults;  // with any, nothing is applied
  std::int64_t fault_count = 0;
  bool is_applied = false;
};

class StationDesk {
 public:
  StationDesk(storage::Db& db, const base::Clock& clock);
  std::shared_ptr<const StationSet> current() const;  // null: none was ever published
  Result<ImportReport> import(const ImportWish& wish);
  Result<std::int64_t> remove(const std::vector<std::string>& ids, const std::string& actor,
                              const TraceId& trace);
  std::string export_csv() const;
  void refresh();  // takes over what another node has published

 private:
  Result<bool> publish(storage::Tx& tx, std::int64_t now_ms) const;
  void load();
  storage::Db& db_;
  const base::Clock& clock_;
  mutable std::mutex mutex_;  // held for a pointer copy only
  std::shared_ptr<const StationSet> current_;
  std::atomic<std::int64_t> version_ = 0;
};

}  // namespace topup::stations
