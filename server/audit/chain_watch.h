// Verifies the whole audit trail in the background, a slice at a time, and says how far it is. One
// run at once; what the last one found stays until the next. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "server/audit/audit_log.h"
#include "server/base/clock.h"
#include "server/storage/db.h"

namespace topup::audit {

struct ChainStatus {
  std::string state = "never";    // never, running, holds, broken, failed
  std::int64_t rows = 0, of = 0;  // walked, and how many there were when it began
  std::int64_t last_seq = 0;      // the newest row that was walked
  std::int64_t first_bad_seq = 0;
  std::string why;  // of broken and failed
  std::int64_t signed_heads = 0;
  std::int64_t started_at_ms = 0, finished_at_ms = 0;
};

class ChainWatch {
 public:
  // `heads` gives what was signed outside the database; it may throw.
  ChainWatch(storage::Db& db, const base::Clock& clock, std::function<std::vector<Head>()> heads)
      : db_(db), clock_(clock), heads_(std::move(heads)) {}
  ~ChainWatch() { stop(); }

  bool start();  // false when one is running
  ChainStatus status() const;
  void stop();  // ends a run; safe to repeat

 private:
  void run(const std::stop_token& stop);
  void note(const std::function<void(ChainStatus&)>& change);
  storage::Db& db_;
  const base::Clock& clock_;
  std::function<std::vector<Head>()> heads_;
  mutable std::mutex mutex_;
  ChainStatus status_;
  std::jthread thread_;
};

}  // namespace topup::audit
