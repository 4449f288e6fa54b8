#include "server/jobs/failure_text.h"
#include "server/jobs/outbox.h"

namespace topup::jobs {
namespace outbox {
namespace {

// Fences start at the time of day, so that a job finished and enqueued anew never meets the fence
// of a late holder. A leased job that is enqueued again meanwhile keeps its lease; its due time
// matters once it is rescheduled.
constexpr std::string_view kEnqueue = R"sql(
  INSERT INTO outbox (job_id, kind, subject, state, priority, run_at_ms, trace_id, created_at_ms, fence)
  VALUES ($1 || ':' || $2, $1, $2, 'due', $3, $4, $5, $6, $6)
  ON CONFLICT (kind, subject) DO UPDATE
    SET run_at_ms = CASE WHEN outbox.state <> 'dead' AND outbox.run_at_ms < excluded.run_at_ms
                         THEN outbox.run_at_ms ELSE excluded.run_at_ms END,
        attempts = CASE WHEN outbox.state = 'dead' THEN 0 ELSE outbox.attempts END,
        state = CASE WHEN outbox.state = 'dead' THEN 'due' ELSE outbox.state END)sql";

constexpr std::string_view kBringForward = R"sql(
  UPDATE outbox SET run_at_ms = $3
   WHERE kind = $1 AND subject = $2 AND state = 'due' AND run_at_ms > $3)sql";

constexpr std::string_view kClaim = R"sql(
  UPDATE outbox SET state = 'leased', attempts = attempts + 1, fence = fence + 1, lease_until_ms = $2,
         leased_by = $4, last_tried_at_ms = $1
   WHERE job_id IN (
     SELECT job_id FROM outbox
      WHERE (state = 'due' AND run_at_ms <= $1) OR (state = 'leased' AND lease_until_ms <= $1)
      ORDER BY priority, run_at_ms LIMIT $3)
  RETURNING job_id, kind, subject, attempts, fence, trace_id)sql";

// Where other writers run beside this one: what they are leasing at this moment is passed over.
constexpr std::string_view kClaimPostgres = R"sql(
  UPDATE outbox SET state = 'leased', attempts = attempts + 1, fence = fence + 1, lease_until_ms = $2,
         leased_by = $4, last_tried_at_ms = $1
   WHERE job_id IN (
     SELECT job_id FROM outbox
      WHERE (state = 'due' AND run_at_ms <= $1) OR (state = 'leased' AND lease_until_ms <= $1)
      ORDER BY priority, run_at_ms LIMIT $3 FOR UPDATE SKIP LOCKED)
  RETURNING job_id, kind, subject, attempts, fence, trace_id)sql";

constexpr std::string_view kClaimKind = R"sql(
  UPDATE outbox SET state = 'leased', attempts = attempts + 1, fence = fence + 1, lease_until_ms = $2,
         leased_by = $4, last_tried_at_ms = $1
   WHERE job_id IN (
     SELECT job_id FROM outbox WHERE state = 'due' AND kind = $5 AND run_at_ms <= $1
      ORDER BY run_at_ms LIMIT $3)
  RETURNING job_id, kind, subject, attempts, fence, trace_id)sql";
constexpr std::string_view kClaimKindPostgres = R"sql(
  UPDATE outbox SET state = 'leased', attempts = attempts + 1, fence = fence + 1, lease_until_ms = $2,
         leased_by = $4, last_tried_at_ms = $1
   WHERE job_id IN (
     SELECT job_id FROM outbox WHERE state = 'due' AND kind = $5 AND run_at_ms <= $1
      ORDER BY run_at_ms LIMIT $3 FOR UPDATE SKIP LOCKED)
  RETURNING job_id, kind, subject, attempts, fence, trace_id)sql";

// From kind to kind along the index: a flood of one costs no more than a single job of it.
constexpr std::string_view kGlance = R"sql(
  WITH RECURSIVE kinds (kind) AS (
    SELECT MIN(kind) FROM outbox WHERE state = 'due'
    UNION ALL
    SELECT (SELECT MIN(o.kind) FROM outbox o WHERE o.state = 'due' AND o.kind > kinds.kind)
      FROM kinds WHERE kinds.kind IS NOT NULL)
  SELECT kind,
         (SELECT o.priority FROM outbox o WHERE o.state = 'due' AND o.kind = kinds.kind
           ORDER BY o.run_at_ms LIMIT 1),
         (SELECT MIN(o.run_at_ms) FROM outbox o WHERE o.state = 'due' AND o.kind = kinds.kind)
    FROM kinds WHERE kind IS NOT NULL)sql";
constexpr std::string_view kNextLeaseEnd =
    "SELECT MIN(lease_until_ms) FROM outbox WHERE state = 'leased'";
constexpr std::string_view kFreeExpired = R"sql(
  UPDATE outbox SET state = 'due', run_at_ms = $1, lease_until_ms = 0
   WHERE state = 'leased' AND lease_until_ms <= $1)sql";

constexpr std::string_view kHold =
    "SELECT 1 FROM outbox WHERE job_id = $1 AND fence = $2 AND state = 'leased'";

constexpr std::string_view kPullLeases = R"sql(
  UPDATE outbox SET lease_until_ms = $1 + $2
   WHERE state = 'leased' AND lease_until_ms > $1 + $2)sql";
constexpr std::string_view kPullRetries = R"sql(
  UPDATE outbox SET run_at_ms = $1 + $2
   WHERE state = 'due' AND attempts > 0 AND run_at_ms > $1 + $2)sql";

constexpr std::string_view kBury = R"sql(
  UPDATE outbox SET state = 'dead', run_at_ms = last_tried_at_ms, lease_until_ms = 0, last_error = $3
   WHERE job_id = $1 AND fence = $2 AND state = 'leased')sql";

constexpr std::string_view kFinish =
    "DELETE FROM outbox WHERE job_id = $1 AND fence = $2 AND state = 'leased'";

constexpr std::string_view kReschedule = R"sql(
  UPDATE outbox SET state = 'due', run_at_ms = $3, lease_until_ms = 0, last_error = $4, attempts = attempts * $5
   WHERE job_id = $1 AND fence = $2 AND state = 'leased')sql";

constexpr std::string_view kReleaseOf = R"sql(
  UPDATE outbox SET state = 'due', run_at_ms = $1, lease_until_ms = 0
   WHERE state = 'leased' AND leased_by = $2)sql";

constexpr std::string_view kNextDue = R"sql(
  SELECT MIN(CASE WHEN state = 'due' THEN run_at_ms ELSE lease_until_ms END)
    FROM outbox WHERE state IN ('due', 'leased'))sql";

constexpr std::string_view kCountDue = R"sql(
  SELECT COUNT(*), MIN(run_at_ms) FROM (
    SELECT run_at_ms FROM outbox WHERE state = 'due' AND run_at_ms <= $1
     ORDER BY run_at_ms LIMIT $2) AS counted)sql";

constexpr std::string_view kCountWaiting = R"sql(
  SELECT COUNT(*) FROM (
    SELECT 1 AS one FROM outbox WHERE state = 'due' AND run_at_ms > $1 LIMIT $2) AS counted)sql";

constexpr std::string_view kCountState = R"sql(
  SELECT COUNT(*) FROM (SELECT 1 AS one FROM outbox WHERE state = $1 LIMIT $2) AS counted)sql";

Result<bool> held(int rows) {
  if (rows == 1) return true;
  return refuse(Code::conflict, "lease_lost");
}

Result<bool> put_back(storage::Tx& tx, const Job& job, std::int64_t run_at_ms, std::string_view why,
                      bool failed) {
  const std::string text = failure_text(why);
  return held(
      tx.exec(kReschedule, {job.job_id, job.fence, run_at_ms, text, std::int64_t{failed ? 1 : 0}}));
}

void keep(std::vector<Job>& claimed, const storage::Row& row) {
  claimed.push_back({row.text(0), row.text(1), row.text(2), row.integer(3), row.integer(4),
                     TraceId(row.text(5))});
}

}  // namespace

void enqueue(storage::Tx& tx, std::string_view kind, std::string_view subject,
             std::int64_t run_at_ms, std::int64_t now_ms, const TraceId& trace, Priority priority) {
  tx.exec(kEnqueue, {kind, subject, static_cast<std::int64_t>(priority), run_at_ms,
                     std::string_view(trace.text), now_ms});
}

bool bring_forward(storage::Tx& tx, std::string_view kind, std::string_view subject,
                   std::int64_t now_ms) {
  return tx.exec(kBringForward, {kind, subject, now_ms}) > 0;
}

std::vector<Job> claim(storage::Tx& tx, std::int64_t now_ms, std::int64_t lease_until_ms,
                       std::int64_t limit, std::string_view node) {
  std::vector<Job> claimed;
  const std::string_view sql = tx.engine() == "postgres" ? kClaimPostgres : kClaim;
  tx.query(sql, {now_ms, lease_until_ms, limit, node},
           [&claimed](const storage::Row& row) { keep(claimed, row); });
  return claimed;
}

std::vector<Job> claim_kind(storage::Tx& tx, std::string_view kind, std::int64_t now_ms,
                            std::int64_t lease_until_ms, std::int64_t limit,
                            std::string_view node) {
  std::vector<Job> claimed;
  const std::string_view sql = tx.engine() == "postgres" ? kClaimKindPostgres : kClaimKind;
  tx.query(sql, {now_ms, lease_until_ms, limit, node, kind},
           [&claimed](const storage::Row& row) { keep(claimed, row); });
  return claimed;
}

Glance glance(storage::Reader& reader) {
  Glance seen;
  reader.query(kGlance, {}, [&seen](const storage::Row& row) {
    seen.kinds.push_back({row.text(0), row.integer(1), row.integer(2)});
  });
  reader.query(kNextLeaseEnd, {}, [&seen](const storage::Row& row) {
    if (!row.is_null(0)) seen.next_lease_end_ms = row.integer(0);
  });
  return seen;
}

int free_expired(storage::Tx& tx, std::int64_t now_ms) { return tx.exec(kFreeExpired, {now_ms}); }

bool is_held(storage::Reader& reader, const Job& job) {
  return reader.query(kHold, {job.job_id, job.fence}, [](const storage::Row&) {}) == 1;
}

Result<bool> hold(storage::Tx& tx, const Job& job) { return held(is_held(tx, job) ? 1 : 0); }

Result<bool> finish(storage::Tx& tx, const Job& job) {
  return held(tx.exec(kFinish, {job.job_id, job.fence}));
}

Result<bool> reschedule(storage::Tx& tx, const Job& job, std::int64_t run_at_ms,
                        std::string_view why) {
  return put_back(tx, job, run_at_ms, why, false);
}

Result<bool> fail(storage::Tx& tx, const Job& job, std::int64_t run_at_ms, std::string_view why) {
  return put_back(tx, job, run_at_ms, why, true);
}

Result<bool> bury(storage::Tx& tx, const Job& job, std::string_view why) {
  const std::string text = failure_text(why);
  return held(tx.exec(kBury, {job.job_id, job.fence, text}));
}

void release_all(storage::Tx& tx, std::int64_t now_ms) {
  tx.exec(
      "UPDATE outbox SET state = 'due', run_at_ms = $1, lease_until_ms = 0 WHERE state = 'leased'",
      {now_ms});
}

void pull_near(storage::Tx& tx, std::int64_t now_ms, std::int64_t longest_lease_ms,
               std::int64_t longest_backoff_ms) {
  tx.exec(kPullLeases, {now_ms, longest_lease_ms});
  tx.exec(kPullRetries, {now_ms, longest_backoff_ms});
}

void release_of(storage::Tx& tx, std::string_view node, std::int64_t now_ms) {
  tx.exec(kReleaseOf, {now_ms, node});
}

std::optional<std::int64_t> next_due_ms(storage::Reader& reader) {
  std::optional<std::int64_t> due;
  reader.query(kNextDue, {}, [&due](const storage::Row& row) {
    if (!row.is_null(0)) due = row.integer(0);
  });
  return due;
}

Backlog backlog(storage::Reader& reader, std::int64_t now_ms) {
  Backlog found;
  const auto into = [](std::int64_t* out) {
    return [out](const storage::Row& row) { *out = row.integer(0); };
  };
  reader.query(kCountDue, {now_ms, kMostCounted}, [&](const storage::Row& row) {
    found.due = row.integer(0);
    if (!row.is_null(1)) found.oldest_due_ms = now_ms - row.integer(1);
  });
  reader.query(kCountWaiting, {now_ms, kMostCounted}, into(&found.waiting));
  reader.query(kCountState, {std::string_view("leased"), kMostCounted}, into(&found.leased));
  reader.query(kCountState, {std::string_view("dead"), kMostCounted}, into(&found.dead));
  return found;
}

}  // namespace outbox

bool still_mine(storage::Db& db, const base::Clock& clock, const Job& job) {
  const auto in_time = [&] {
    return job.deadline_mono_ms == 0 || clock.mono_ms() < job.deadline_mono_ms;
  };
  if (!in_time()) return false;
  bool is_held = false;
  db.read([&](storage::Reader& reader) { is_held = outbox::is_held(reader, job); });
  return is_held && in_time();  // the look itself may have taken long
}

}  // namespace topup::jobs
