// Runs due jobs. One dispatcher leases them, a fixed pool runs the handlers. A handler settles its
// job itself (finish, reschedule) in the transaction of the change it makes; one that throws or
// returns without settling is put back with a growing delay, and after kMaxFailures in a row it is
// buried with one error line, so a poison job blocks nobody.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "server/base/clock.h"
#include "server/jobs/outbox.h"
#include "server/storage/db.h"

namespace topup::jobs {

using Handler = std::function<void(const Job&)>;

inline constexpr std::int64_t kLeaseMs = 90'000;  // above every outbound deadline a handler may use
inline constexpr std::int64_t kMaxFailures = 12;
inline constexpr std::int64_t kMaxBackoffMs = 64 * 60'000;

class Worker {
 public:
  Worker(storage::Db& db, const base::Clock& clock, int threads);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void handle(std::string kind, Handler handler);  // before start()
  void observe(std::function<void(const std::string& kind, const std::string& outcome)> observer);
  void start();
  void stop();  // running handlers end; no new lease
  void wake();  // a job may be due now; cheap, any thread

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace topup::jobs
