// What happens again and again. A schedule is a job row like any other, one for each (kind,
// subject), so that of many nodes one runs it, and a run that was missed, however often, is made up
// for once. The next run is planned when one has ended, so runs never overlap. A run that throws
// comes back after the back-off of a job, never later than its period, and is never buried.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/jobs/outbox.h"
#include "server/jobs/worker.h"
#include "server/storage/db.h"

namespace topup::jobs {

struct Schedule {
  std::string kind;
  std::string subject;
  std::int64_t period_ms = 0;
  std::int64_t jitter_ms = 0;  // each run comes up to this much later, so that shops do not meet
  bool at_start = false;       // also whenever a node starts
  Priority priority = Priority::background;
};

class Schedules {
 public:
  Schedules(storage::Db& db, const base::Clock& clock, base::Random& random)
      : db_(db), clock_(clock), random_(random) {}
  // Before Worker::start(). `task` throws when it failed. Many schedules may share one kind and its
  // task; they differ by subject.
  void add(Worker& worker, Schedule schedule, std::function<void(const Job&)> task);
  // Sees to it that each has its row and that none waits longer than a period from now: when a node
  // starts, and (not `starting`) after the wall clock was put back. Safe to repeat.
  void plant(bool starting);

 private:
  void run(const Job& job, const std::function<void(const Job&)>& task);
  std::int64_t next_ms(const Schedule& schedule);

  storage::Db& db_;
  const base::Clock& clock_;
  base::Random& random_;
  std::vector<Schedule> schedules_;
};

}  // namespace topup::jobs
