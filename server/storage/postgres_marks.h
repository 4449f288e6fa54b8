// Where each commit leaves its number, so that one whose answer was lost can be asked about. Every
// connection that writes has one row in topup_commits; the last statement of a transaction puts the
// transaction's number there. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/base/clock.h"
#include "server/storage/postgres_pool.h"

namespace topup::storage {

class CommitMarks {
 public:
  // "$1" is the session's slot, "$2" the transaction's number.
  static constexpr std::string_view kMark =
      "UPDATE topup_commits SET number = $2, touched_at = now() WHERE slot = $1";

  CommitMarks(PostgresPool& pool, const base::Clock& clock) : pool_(pool), clock_(clock) {}
  // The engine's own tables, when they are not there yet; rows of long gone connections go away.
  void prepare();
  static void take_slot(Session& session);  // once per connection, outside a transaction
  // What became of a COMMIT whose answer was lost; if it was not done, it never will be. Throws
  // PostgresError when that stays unknown for kOutcomeMs.
  bool was_committed(const std::string& slot, std::int64_t number);

 private:
  std::int64_t fence(const std::string& slot);
  void end_holder(const std::string& slot) noexcept;

  PostgresPool& pool_;
  const base::Clock& clock_;
};

}  // namespace topup::storage
