// Jobs that commit together with the change that causes them. A job is one row, unique by (kind,
// subject): enqueueing the same again moves its due time forward, never makes a second. A worker
// leases it with a fencing number; whoever settles it must still hold the lease, in the same
// transaction as the change it made. All due times live in the database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/result.h"

namespace topup::jobs {

enum class Priority : std::uint8_t {
  money = 0,
  normal = 5,
  background = 9
};  // stored; lower runs first

struct Job {
  std::string job_id;
  std::string kind;
  std::string subject;
  std::int64_t attempts = 0;  // leases since it last ended well, this one included
  std::int64_t fence = 0;
  TraceId trace;
};

namespace outbox {

void enqueue(storage::Tx& tx, std::string_view kind, std::string_view subject,
             std::int64_t run_at_ms, std::int64_t now_ms, const TraceId& trace,
             Priority priority = Priority::normal);
// The job runs now if it waits for a later time. False when there is no such waiting job.
bool bring_forward(storage::Tx& tx, std::string_view kind, std::string_view subject,
                   std::int64_t now_ms);

// Leases up to `limit` due jobs (or leased ones whose lease ran out).
std::vector<Job> claim(storage::Tx& tx, std::int64_t now_ms, std::int64_t lease_until_ms,
                       std::int64_t limit);
// Errors: conflict/lease_lost. The job row goes away; its story stands in audit_log and
// order_events.
Result<bool> finish(storage::Tx& tx, const Job& job);
Result<bool> reschedule(storage::Tx& tx, const Job& job, std::int64_t run_at_ms,
                        std::string_view why);  // all is well
Result<bool> fail(storage::Tx& tx, const Job& job, std::int64_t run_at_ms,
                  std::string_view why);  // counts as a failure
Result<bool> bury(storage::Tx& tx, const Job& job,
                  std::string_view why);  // dead: a person must look
// Every lease at once, for a store that only one process can have open: at its start all leases are
// those of a dead one, and nobody waits for them to run out.
void release_all(storage::Tx& tx, std::int64_t now_ms);
std::optional<std::int64_t> next_due_ms(storage::Reader& reader);

}  // namespace outbox
}  // namespace topup::jobs
