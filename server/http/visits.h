// Who comes by, counted and never followed: for each hour how often which route was asked from
// which masked network by which class of device. No person, no whole address, nothing that needs a
// consent. Counting happens in memory and is written once a minute; under haste only every
// kSampleEvery-th request is counted, for all of them. Kept kVisitsKeptMs and at most kMaxVisitRows
// rows. What a crash loses is a minute of counts. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "server/base/clock.h"
#include "server/http/router.h"
#include "server/storage/db.h"

namespace topup::http {

inline constexpr std::int64_t kVisitsKeptMs = 30LL * 24 * 3'600'000;
inline constexpr std::int64_t kMaxVisitRows = 100'000;
inline constexpr std::size_t kMaxVisitsHeld = 2'000;  // different ones between two writes
inline constexpr std::int64_t kVisitsFlushMs = 60'000;
inline constexpr std::int64_t kCountAllPerSecond = 200;
inline constexpr std::int64_t kSampleEvery = 10;

struct VisitCount {
  std::string name;
  std::int64_t hits = 0;
  std::int64_t last_at_ms = 0;
};
struct VisitsReport {
  std::vector<VisitCount> hours;  // name: the hour's beginning in ms; oldest first
  std::vector<VisitCount> places, networks, devices;  // most first
};

class Visits {
 public:
  Visits(storage::Db& db, const base::Clock& clock) : db_(db), clock_(clock) {}
  // Of buyers' routes; others are not counted.
  void seen(const Route& route, const Request& request);
  void flush_when_due();
  void flush();
  // Of the last so many hours, what was not written yet left out.
  VisitsReport report(std::int64_t hours, std::int64_t most) const;

 private:
  using Key = std::tuple<std::int64_t, std::string, std::string, std::string>;
  struct Count {
    std::int64_t hits = 0, last_at_ms = 0;
  };
  std::int64_t weight(std::int64_t now_mono_ms);  // of this request; 0: it is not counted
  storage::Db& db_;
  const base::Clock& clock_;
  std::mutex mutex_;
  std::map<Key, Count> held_;
  std::int64_t second_ = 0, in_second_ = 0, flushed_mono_ms_ = 0;
};

}  // namespace topup::http
