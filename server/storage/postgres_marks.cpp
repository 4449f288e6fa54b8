#include "server/storage/postgres_marks.h"

#include <functional>

#include "server/base/log.h"
#include "server/storage/postgres_pause.h"

namespace topup::storage {
namespace {

constexpr std::int64_t kOutcomeMs = 10'000;
constexpr std::int64_t kOutcomeAgainMs = 100;

// Migrations cannot make these, because they commit through them already.
constexpr std::string_view kMakeTables = R"sql(
  SELECT pg_advisory_xact_lock(7064711);
  CREATE TABLE IF NOT EXISTS topup_commits (
    slot TEXT PRIMARY KEY, number BIGINT NOT NULL, fenced BIGINT NOT NULL,
    touched_at TIMESTAMPTZ NOT NULL DEFAULT now()) WITH (fillfactor = 50);
  CREATE TABLE IF NOT EXISTS topup_lane (id BIGINT PRIMARY KEY))sql";
constexpr std::string_view kHasTables = "SELECT 1 WHERE to_regclass('topup_lane') IS NOT NULL";
constexpr std::string_view kSweep =
    "DELETE FROM topup_commits WHERE touched_at < now() - interval '1 day'";
constexpr std::string_view kNewSlot = R"sql(
  INSERT INTO topup_commits (slot, number, fenced)
  VALUES (gen_random_uuid()::text, 0, 0)
  RETURNING slot, set_config('application_name', 'topup ' || slot, false))sql";
// Waits for a transaction that is still ending, and refuses one that would end later: its own mark
// then meets this change and fails.
constexpr std::string_view kFence =
    "UPDATE topup_commits SET fenced = 1 WHERE slot = $1 RETURNING number";
// One that only waits for its replica has committed: ended now, others would see what the replica
// does not have.
constexpr std::string_view kEndHolder =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = $1 AND wait_event IS DISTINCT FROM 'SyncRep'";

const std::function<void(const Row&)> kIgnore = [](const Row&) {};

}  // namespace

void CommitMarks::prepare() {
  PostgresPool::Lease lease(pool_);
  PostgresConnection& connection = lease.session().connection;
  if (connection.run(kHasTables, {}, &kIgnore) == 0) connection.script(kMakeTables);
  connection.run(kSweep, {}, nullptr);
}

void CommitMarks::take_slot(Session& session) {
  if (!session.slot.empty()) return;
  const std::function<void(const Row&)> keep = [&session](const Row& row) {
    session.slot = row.text(0);
  };
  session.connection.run(kNewSlot, {}, &keep);
}

bool CommitMarks::was_committed(const std::string& slot, std::int64_t number) {
  const std::int64_t give_up = clock_.mono_ms() + kOutcomeMs;
  for (;; pause_for(kOutcomeAgainMs)) {
    try {
      const bool kept = fence(slot) == number;
      base::log(base::Level::warn, "store_commit_looked_up", {{"committed", kept}});
      return kept;
    } catch (const PostgresError& error) {
      if (clock_.mono_ms() >= give_up) {
        base::log(base::Level::error, "store_commit_unknown", {{"why", error.why}});
        throw PostgresError(Trouble::lost,
                            "whether the last change was kept is not known yet: " + error.why);
      }
      if (error.trouble == Trouble::busy) end_holder(slot);
    }
  }
}

std::int64_t CommitMarks::fence(const std::string& slot) {
  PostgresPool::Lease lease(pool_);
  std::int64_t number = -1;
  const std::function<void(const Row&)> keep = [&number](const Row& row) {
    number = row.integer(0);
  };
  lease.session().connection.run(kFence, {std::string_view(slot)}, &keep);
  return number;
}

// The other end still holds the transaction open and will not hear from us again.
void CommitMarks::end_holder(const std::string& slot) noexcept {
  try {
    PostgresPool::Lease lease(pool_);
    lease.session().connection.run(kEndHolder, {"topup " + slot}, &kIgnore);
  } catch (const std::exception& failure) {
    base::log(base::Level::warn, "store_holder_not_ended", {{"why", failure.what()}});
  }
}

}  // namespace topup::storage
