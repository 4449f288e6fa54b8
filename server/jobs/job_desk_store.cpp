#include <array>
#include <charconv>
#include <utility>

#include "server/jobs/job_desk.h"

namespace topup::jobs::job_desk {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kWords = {
    {{"waiting", "due"}, {"running", "leased"}, {"dead", "dead"}}};

constexpr std::string_view kColumns =
    "job_id, kind, subject, state, priority, attempts, run_at_ms, created_at_ms, last_tried_at_ms, "
    "last_error, trace_id";

// One place in the order of a list: the time, then the id.
struct Place {
  std::int64_t at_ms = 0;
  std::string_view job_id;
};

std::optional<Place> place_of(std::string_view cursor) {
  Place place;
  const char* end = cursor.data() + cursor.size();
  const auto [after, error] = std::from_chars(cursor.data(), end, place.at_ms);
  if (error != std::errc() || after == end || *after != '.') return std::nullopt;
  place.job_id = cursor.substr(static_cast<std::size_t>(after - cursor.data()) + 1);
  return place;
}

std::string sql_of(std::string_view where, std::string_view order) {
  return "SELECT " + std::string(kColumns) + " FROM outbox WHERE " + std::string(where) +
         std::string(order);
}
const std::string& forward_sql() {
  static const std::string sql =
      sql_of("state = $1 AND ($2 = '' OR run_at_ms > $3 OR (run_at_ms = $3 AND job_id > $2))",
             " ORDER BY run_at_ms, job_id LIMIT $4");
  return sql;
}
const std::string& backward_sql() {
  static const std::string sql =
      sql_of("state = $1 AND ($2 = '' OR run_at_ms < $3 OR (run_at_ms = $3 AND job_id < $2))",
             " ORDER BY run_at_ms DESC, job_id DESC LIMIT $4");
  return sql;
}
const std::string& every_sql() {
  static const std::string sql =
      sql_of("($2 = '' OR run_at_ms > $3 OR (run_at_ms = $3 AND job_id > $2))",
             " ORDER BY run_at_ms, job_id LIMIT $4");
  return sql;
}
const std::string& find_sql() {
  static const std::string sql = sql_of("job_id = $1", "");
  return sql;
}
constexpr std::string_view kRetry = R"sql(
  UPDATE outbox SET state = 'due', attempts = 0, run_at_ms = $2 WHERE job_id = $1 AND state = 'dead')sql";
constexpr std::string_view kDiscard = "DELETE FROM outbox WHERE job_id = $1 AND state = 'dead'";

std::string word_of(const std::string& stored) {
  for (const auto& [word, state] : kWords) {
    if (state == stored) return std::string(word);
  }
  return stored;
}

JobView read_job(const storage::Row& row) {
  JobView job{row.text(0),    row.text(1),    row.text(2),    word_of(row.text(3)),
              row.integer(4), row.integer(5), row.integer(6), row.integer(7),
              row.integer(8), row.text(9),    row.text(10),   {}};
  job.cursor = std::to_string(job.run_at_ms) + "." + job.job_id;
  return job;
}

Result<JobView> dead_one(storage::Reader& reader, std::string_view job_id) {
  auto job = find(reader, job_id);
  if (!job) return refuse(Code::not_found, "job_not_found", "job_id");
  if (job->state != "dead") return refuse(Code::conflict, "job_not_dead", "job_id");
  return std::move(*job);
}

}  // namespace

std::optional<std::string_view> stored_state(std::string_view word) {
  for (const auto& [known, state] : kWords) {
    if (known == word) return state;
  }
  return std::nullopt;
}

Result<std::vector<JobView>> list(storage::Reader& reader, std::string_view state,
                                  std::string_view cursor, std::int64_t limit) {
  Place place;
  if (!cursor.empty()) {
    const auto found = place_of(cursor);
    if (!found) return refuse(Code::invalid_argument, "cursor_malformed", "cursor");
    place = *found;
  }
  const std::string& sql = state.empty()     ? every_sql()
                           : state == "dead" ? backward_sql()
                                             : forward_sql();
  std::vector<JobView> jobs;
  reader.query(sql, {stored_state(state).value_or(""), place.job_id, place.at_ms, limit},
               [&jobs](const storage::Row& row) { jobs.push_back(read_job(row)); });
  return jobs;
}

std::optional<JobView> find(storage::Reader& reader, std::string_view job_id) {
  std::optional<JobView> job;
  reader.query(find_sql(), {job_id}, [&job](const storage::Row& row) { job = read_job(row); });
  return job;
}

Result<JobView> retry(storage::Tx& tx, std::string_view job_id, std::int64_t now_ms) {
  Result<JobView> job = dead_one(tx, job_id);
  if (!job) return job;
  tx.exec(kRetry, {job_id, now_ms});
  job->state = "waiting";
  job->attempts = 0;
  job->run_at_ms = now_ms;
  return job;
}

Result<JobView> discard(storage::Tx& tx, std::string_view job_id) {
  Result<JobView> job = dead_one(tx, job_id);
  if (job) tx.exec(kDiscard, {job_id});
  return job;
}

}  // namespace topup::jobs::job_desk
