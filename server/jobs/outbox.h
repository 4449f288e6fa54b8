// Jobs that commit together with the change that causes them. A job is one row, unique by (kind,
// subject): enqueueing the same again moves its due time forward, never makes a second. A worker
// leases it with a fencing number; whoever settles it must still hold the lease, in the same
// transaction as the change it made, and whoever is about to tell the world must still hold it
// right before the words leave. All due times live in the database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
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
  // On the clock that no sleep stops: after it the holder begins nothing new outside. 0: no limit.
  std::int64_t deadline_mono_ms = 0;
};

// What waits, without touching every row: one entry for each kind, however many of it wait.
struct DueKind {
  std::string kind;
  std::int64_t priority = 0;
  std::int64_t run_at_ms = 0;  // of the one that is due first
};
struct Glance {
  std::vector<DueKind> kinds;
  std::optional<std::int64_t> next_lease_end_ms;
};

namespace outbox {

void enqueue(storage::Tx& tx, std::string_view kind, std::string_view subject,
             std::int64_t run_at_ms, std::int64_t now_ms, const TraceId& trace,
             Priority priority = Priority::normal);
// The job runs now if it waits for a later time. False when there is no such waiting job.
bool bring_forward(storage::Tx& tx, std::string_view kind, std::string_view subject,
                   std::int64_t now_ms);

// Leases up to `limit` due jobs (or leased ones whose lease ran out) to `node`. Two nodes that ask
// at once never get the same job.
std::vector<Job> claim(storage::Tx& tx, std::int64_t now_ms, std::int64_t lease_until_ms,
                       std::int64_t limit, std::string_view node = "");
// The same of one kind, those first that have waited longest.
std::vector<Job> claim_kind(storage::Tx& tx, std::string_view kind, std::int64_t now_ms,
                            std::int64_t lease_until_ms, std::int64_t limit, std::string_view node);
Glance glance(storage::Reader& reader);
// Leases that ran out are due again; returns how many.
int free_expired(storage::Tx& tx, std::int64_t now_ms);
bool is_held(storage::Reader& reader, const Job& job);
// Errors: conflict/lease_lost. For a change that must not be made by a late holder.
Result<bool> hold(storage::Tx& tx, const Job& job);
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
// After the wall clock was put back: no lease and no retry lies farther ahead than it could.
void pull_near(storage::Tx& tx, std::int64_t now_ms, std::int64_t longest_lease_ms,
               std::int64_t longest_backoff_ms);
// The leases of an earlier life of this node, on a database that it shares with others.
void release_of(storage::Tx& tx, std::string_view node, std::int64_t now_ms);
std::optional<std::int64_t> next_due_ms(storage::Reader& reader);

// For whoever watches: how much stands where, each count up to kMostCounted.
struct Backlog {
  std::int64_t due = 0;      // whose time has come
  std::int64_t waiting = 0;  // for a later time
  std::int64_t leased = 0;
  std::int64_t dead = 0;
  std::int64_t oldest_due_ms = 0;  // how late the earliest due job is
};
inline constexpr std::int64_t kMostCounted = 100'000;
Backlog backlog(storage::Reader& reader, std::int64_t now_ms);

}  // namespace outbox

// Right before something leaves that cannot be called back (threat O-06): the deadline has not
// passed, also not while this machine slept or stood still, and nobody else holds the lease.
bool still_mine(storage::Db& db, const base::Clock& clock, const Job& job);

}  // namespace topup::jobs
