// What /metrics shows beyond what is counted as it happens: the store, the clients of outside
// parties, the process, and figures of the shop that need a look at the database. That look happens
// when somebody reads the text, at most once in kLookAgainMs, and never on the path of a request.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "server/base/clock.h"
#include "server/observability/metrics.h"
#include "server/storage/db.h"

namespace topup {

class AppMetrics {
 public:
  static constexpr std::int64_t kLookAgainMs = 10'000;

  AppMetrics(storage::Db& db, const base::Clock& clock, observability::Metrics& metrics);

 private:
  using Counts = std::vector<std::pair<std::string, std::int64_t>>;
  struct Looked {
    Counts orders, work_items, jobs_by_state;
    std::int64_t due = 0;
    std::int64_t oldest_due_ms = 0;  // how late the earliest due job is
    std::int64_t at_wall_ms = 0;
    std::int64_t failures = 0;
  };
  void write(observability::Sheet& sheet);
  void write_store(observability::Sheet& sheet) const;
  static void write_parties(observability::Sheet& sheet);
  void look_if_old();

  storage::Db& db_;
  const base::Clock& clock_;
  const std::int64_t started_wall_ms_;
  std::mutex mutex_;
  Looked looked_;
  bool has_looked_ = false;
  std::int64_t looked_mono_ms_ = 0;
};

}  // namespace topup
