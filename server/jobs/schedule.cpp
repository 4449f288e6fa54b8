#include "server/jobs/schedule.h"

#include <algorithm>
#include <utility>

#include "server/base/log.h"
#include "server/jobs/backoff.h"
#include "server/jobs/failure_text.h"
#include "shared/check.h"

namespace topup::jobs {

void Schedules::add(Worker& worker, Schedule schedule, std::function<void(const Job&)> task) {
  check(schedule.period_ms > 0 && schedule.jitter_ms >= 0, "a schedule has a period");
  worker.handle(schedule.kind, [this, task = std::move(task)](const Job& job) { run(job, task); });
  schedules_.push_back(std::move(schedule));
}

std::int64_t Schedules::next_ms(const Schedule& schedule) {
  return clock_.wall_ms() + schedule.period_ms + drawn_ms(schedule.jitter_ms, random_);
}

void Schedules::run(const Job& job, const std::function<void(const Job&)>& task) {
  const auto found = std::find_if(schedules_.begin(), schedules_.end(), [&](const Schedule& one) {
    return one.kind == job.kind && one.subject == job.subject;
  });
  if (found == schedules_.end()) {  // of an earlier configuration
    (void)storage::with_tx(db_, [&](storage::Tx& tx) { return outbox::finish(tx, job); });
    return;
  }
  const Schedule& schedule = *found;
  try {
    task(job);
  } catch (const std::exception& failure) {
    base::log(
        base::Level::warn, "schedule_failed",
        {{"kind", job.kind}, {"subject", job.subject}, {"why", failure_text(failure.what())}});
    const std::int64_t delay = std::min(backoff_ms(job.attempts, random_), schedule.period_ms);
    (void)storage::with_tx(db_, [&](storage::Tx& tx) {
      return outbox::fail(tx, job, clock_.wall_ms() + delay, failure.what());
    });
    return;
  }
  (void)storage::with_tx(
      db_, [&](storage::Tx& tx) { return outbox::reschedule(tx, job, next_ms(schedule), ""); });
}

void Schedules::plant(bool starting) {
  db_.write([&](storage::Tx& tx) {
    const std::int64_t now = clock_.wall_ms();
    for (const Schedule& schedule : schedules_) {
      const std::int64_t at = starting && schedule.at_start ? now : next_ms(schedule);
      outbox::enqueue(tx, schedule.kind, schedule.subject, at, now,
                      TraceId(base::new_trace_id(random_)), schedule.priority);
    }
    return true;
  });
}

}  // namespace topup::jobs
