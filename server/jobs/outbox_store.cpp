#include "server/jobs/outbox.h"

namespace topup::jobs::outbox {
namespace {

constexpr std::size_t kMaxWhy = 200;

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
  UPDATE outbox SET state = 'leased', attempts = attempts + 1, fence = fence + 1, lease_until_ms = $2
   WHERE job_id IN (
     SELECT job_id FROM outbox
      WHERE (state = 'due' AND run_at_ms <= $1) OR (state = 'leased' AND lease_until_ms <= $1)
      ORDER BY priority, run_at_ms LIMIT $3)
  RETURNING job_id, kind, subject, attempts, fence, trace_id)sql";

constexpr std::string_view kFinish =
    "DELETE FROM outbox WHERE job_id = $1 AND fence = $2 AND state = 'leased'";

constexpr std::string_view kReschedule = R"sql(
  UPDATE outbox SET state = $5, run_at_ms = $3, lease_until_ms = 0, last_error = $4, attempts = attempts * $6
   WHERE job_id = $1 AND fence = $2 AND state = 'leased')sql";

constexpr std::string_view kNextDue = R"sql(
  SELECT MIN(CASE WHEN state = 'due' THEN run_at_ms ELSE lease_until_ms END)
    FROM outbox WHERE state IN ('due', 'leased'))sql";

Result<bool> held(int rows) {
  if (rows == 1) return true;
  return refuse(Code::conflict, "lease_lost");
}

Result<bool> put_back(storage::Tx& tx, const Job& job, std::int64_t run_at_ms, std::string_view why,
                      std::string_view state, bool failed) {
  return held(tx.exec(kReschedule, {job.job_id, job.fence, run_at_ms, why.substr(0, kMaxWhy), state,
                                    std::int64_t{failed ? 1 : 0}}));
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
                       std::int64_t limit) {
  std::vector<Job> claimed;
  tx.query(kClaim, {now_ms, lease_until_ms, limit}, [&claimed](const storage::Row& row) {
    claimed.push_back({row.text(0), row.text(1), row.text(2), row.integer(3), row.integer(4),
                       TraceId(row.text(5))});
  });
  return claimed;
}

Result<bool> finish(storage::Tx& tx, const Job& job) {
  return held(tx.exec(kFinish, {job.job_id, job.fence}));
}

Result<bool> reschedule(storage::Tx& tx, const Job& job, std::int64_t run_at_ms,
                        std::string_view why) {
  return put_back(tx, job, run_at_ms, why, "due", false);
}

Result<bool> fail(storage::Tx& tx, const Job& job, std::int64_t run_at_ms, std::string_view why) {
  return put_back(tx, job, run_at_ms, why, "due", true);
}

Result<bool> bury(storage::Tx& tx, const Job& job, std::string_view why) {
  return put_back(tx, job, 0, why, "dead", true);
}

void release_all(storage::Tx& tx, std::int64_t now_ms) {
  tx.exec(
      "UPDATE outbox SET state = 'due', run_at_ms = $1, lease_until_ms = 0 WHERE state = 'leased'",
      {now_ms});
}

std::optional<std::int64_t> next_due_ms(storage::Reader& reader) {
  std::optional<std::int64_t> due;
  reader.query(kNextDue, {}, [&due](const storage::Row& row) {
    if (!row.is_null(0)) due = row.integer(0);
  });
  return due;
}

}  // namespace topup::jobs::outbox
