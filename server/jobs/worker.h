// Runs due jobs. One dispatcher leases them, a fixed pool runs the handlers. A handler settles its
// job itself (finish, reschedule) in the transaction of the change it makes; one that throws or
// returns without settling is put back with a growing, drawn delay, and after kMaxFailures in a row
// it is buried with one error line (threat O-08). No kind ever holds every thread, and a kind that
// waits gains one step of priority for each kAgeingMs, so a flood of one delays no other.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/jobs/backoff.h"
#include "server/jobs/outbox.h"
#include "server/storage/db.h"

namespace topup::jobs {

using Handler = std::function<void(const Job&)>;

inline constexpr std::int64_t kLeaseMs = 90'000;  // above every outbound deadline a handler may use
inline constexpr std::int64_t kStrangersMs = 600'000;  // for leave_strangers_ms
inline constexpr std::int64_t kMaxFailures = 14;       // the last waits are as long as waits become
inline constexpr std::int64_t kAgeingMs = 10'000;
inline constexpr std::int64_t kClockJumpMs = 60'000;

struct WorkerOptions {
  int threads = 8;
  std::string node = {};  // this process among those that share the database: outbox::release_of()
  // A handler begins nothing outside in the second half of its lease, so that what it began has
  // usually ended before another node may take the job.
  std::int64_t lease_ms = kLeaseMs;
  // A job whose kind this process does not know is left so long to a node that does: one that makes
  // the backups, or runs a newer program. 0: there is no other.
  std::int64_t leave_strangers_ms = 0;
};

class Worker {
 public:
  Worker(storage::Db& db, const base::Clock& clock, base::Random& random, WorkerOptions options);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Before start(). At most `at_once` of the kind run here at a time; 0: all threads but a quarter.
  void handle(std::string kind, Handler handler, int at_once = 0);
  // The wall clock left the steady one by more than kClockJumpMs; on the dispatcher's thread.
  void on_clock_jump(std::function<void()> listener);
  void observe(std::function<void(const std::string& kind, const std::string& outcome)> observer);
  // Hears how long each run of a handler took.
  void measure(std::function<void(const std::string& kind, std::int64_t us)> stopwatch);
  void start();
  void stop();  // running handlers end; no new lease
  void wake();  // a job may be due now; cheap, any thread
  // For a worker that was not started: leases one job that is due and runs it in the caller's
  // thread, as start() would. False when none is due or `threads` are taken, by steps within steps;
  // then *wait_ms says how long until one may be.
  bool step(std::int64_t* wait_ms);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace topup::jobs
