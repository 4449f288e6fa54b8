// What a person sees of the jobs and may do with those that were given up: have them tried again,
// or discard them. The caller records who did so, in the same transaction.
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

struct JobView {
  std::string job_id;  // kind:subject
  std::string kind, subject;
  std::string state;      // waiting, running or dead
  std::int64_t priority;  // 0 first
  std::int64_t attempts;  // since it last ended well
  std::int64_t run_at_ms;
  std::int64_t created_at_ms, last_tried_at_ms;  // 0: never
  std::string last_failure;                      // see failure_text.h
  std::string trace_id;
  std::string cursor;  // of the page that goes on behind it
};

namespace job_desk {

inline constexpr std::int64_t kPageSize = 50;
inline constexpr std::size_t kMaxReason = 200;  // bytes

// nullopt for a word that is no state.
std::optional<std::string_view> stored_state(std::string_view word);
// Up to `limit` jobs in the state, "" for every state: dead ones latest first, others by due time.
// Errors: invalid_argument/cursor_malformed.
Result<std::vector<JobView>> list(storage::Reader& reader, std::string_view state,
                                  std::string_view cursor, std::int64_t limit);
std::optional<JobView> find(storage::Reader& reader, std::string_view job_id);
// Errors: not_found/job_not_found, conflict/job_not_dead.
Result<JobView> retry(storage::Tx& tx, std::string_view job_id, std::int64_t now_ms);
Result<JobView> discard(storage::Tx& tx, std::string_view job_id);  // as it was

}  // namespace job_desk
}  // namespace topup::jobs
