// What the console shows of the jobs: what waits, what runs, what was given up, and the two ways to
// deal with the last.
#include "server/audit/audit_log.h"
#include "server/http/routes/mounts.h"
#include "server/http/wire.h"
#include "server/jobs/failure_text.h"

namespace topup::http::routes {
namespace {

using base::Json;
namespace job_desk = jobs::job_desk;

Result<Response> list(storage::Db& db, const Request& request) {
  const std::string_view state = request.query_value("state");
  if (!state.empty() && !job_desk::stored_state(state))
    return refuse(Code::invalid_argument, "out_of_range", "state");
  Result<std::vector<jobs::JobView>> found = std::vector<jobs::JobView>();
  db.read([&](storage::Reader& reader) {
    found = job_desk::list(reader, state, request.query_value("cursor"), job_desk::kPageSize + 1);
  });
  if (!found) return tl::unexpected<Error>(found.error());
  Json out = {{"jobs", Json::array()}};
  if (found->size() > static_cast<std::size_t>(job_desk::kPageSize)) {
    found->pop_back();
    out["next_cursor"] = found->back().cursor;
  }
  for (const jobs::JobView& job : *found) out["jobs"].push_back(wire::job_json(job));
  return Response::json(out);
}

Result<Response> retry(storage::Db& db, const base::Clock& clock,
                       const std::function<void()>& wake_jobs, const Request& request) {
  if (const auto plain = base::no_fields_in(request.body); !plain)
    return tl::unexpected<Error>(plain.error());
  const auto job = storage::with_tx(db, [&](storage::Tx& tx) {
    const std::int64_t now = clock.wall_ms();
    auto retried = job_desk::retry(tx, request.capture("job_id"), now);
    if (!retried) return retried;
    audit::append(
        tx, {"staff:" + request.staff.text, "job.retry", retried->job_id, retried->last_failure},
        request.trace, now);
    tx.after_commit(wake_jobs);
    return retried;
  });
  if (!job) return tl::unexpected<Error>(job.error());
  return Response::json(wire::job_json(*job));
}

Result<Response> discard(storage::Db& db, const base::Clock& clock, const Request& request) {
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  if (const auto only = base::only_fields(*body, {"reason"}); !only)
    return tl::unexpected<Error>(only.error());
  const auto reason = base::text_in(*body, "reason", job_desk::kMaxReason);
  if (!reason) return tl::unexpected<Error>(reason.error());
  if (reason->find_first_not_of(" \t\r\n") == std::string::npos)
    return refuse(Code::invalid_argument, "reason_missing", "reason");
  const auto job = storage::with_tx(db, [&](storage::Tx& tx) {
    auto discarded = job_desk::discard(tx, request.capture("job_id"));
    if (!discarded) return discarded;
    audit::append(tx,
                  {"staff:" + request.staff.text, "job.discard", discarded->job_id,
                   jobs::failure_text(*reason)},
                  request.trace, clock.wall_ms());
    return discarded;
  });
  if (!job) return tl::unexpected<Error>(job.error());
  return Response::json(wire::job_json(*job));
}

}  // namespace

void mount_admin_jobs(Router& router, storage::Db& db, const base::Clock& clock,
                      std::function<void()> wake_jobs) {
  router.add({"GET", "/api/admin/jobs", Auth::staff, "jobs.read", Pool::compute, 0, false,
              Rate::read, Audited::no, Level::maintenance,
              [&db](const Request& request) { return list(db, request); }});
  router.add({"POST", "/api/admin/jobs/{job_id}/retry", Auth::staff, "jobs.manage", Pool::store, 64,
              false, Rate::write, Audited::yes, Level::maintenance,
              [&db, &clock, wake = std::move(wake_jobs)](const Request& request) {
                return retry(db, clock, wake, request);
              }});
  router.add({"POST", "/api/admin/jobs/{job_id}/discard", Auth::staff, "jobs.manage", Pool::store,
              2'048, false, Rate::write, Audited::yes, Level::maintenance,
              [&db, &clock](const Request& request) { return discard(db, clock, request); }});
}

}  // namespace topup::http::routes
