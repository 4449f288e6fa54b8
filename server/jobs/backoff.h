// How long a failed job waits: twice as long each time, anywhere in that span (full jitter), so
// that what failed together does not come back together; and no more retries of one kind at a time
// than a tenth of what runs besides (threat S-06).
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "server/base/random.h"

namespace topup::jobs {

inline constexpr std::int64_t kFirstBackoffMs = 1'000;
inline constexpr std::int64_t kMaxBackoffMs = 64 * 60'000;
inline constexpr std::int64_t kMinBackoffMs = 50;

// `failures` in a row, from 1. The longest wait after them, and one drawn from it.
std::int64_t longest_backoff_ms(std::int64_t failures);
std::int64_t backoff_ms(std::int64_t failures, base::Random& random);
// Anywhere from 0 to `most`.
std::int64_t drawn_ms(std::int64_t most, base::Random& random);

// Thread-safe. Ten runs that ended well pay for one retry, and so does each fifth of a second; a
// retry beyond that waits longer.
class RetryBudget {
 public:
  static constexpr std::int64_t kRetriesPerSecond = 5;
  static constexpr std::int64_t kRunsPerRetry = 10;
  static constexpr std::int64_t kMaxSaved = 100;  // retries

  void ran_well(const std::string& kind);
  // How much later than its back-off a retry comes that is planned now.
  std::int64_t delay_ms(const std::string& kind, std::int64_t mono_ms);

 private:
  struct Account {
    std::int64_t saved = kMaxSaved * kRunsPerRetry;  // below zero: retries that wait their turn
    std::int64_t filled_at_ms = 0;
  };
  std::mutex mutex_;
  std::map<std::string, Account> accounts_;  // bounded by the kinds
};

}  // namespace topup::jobs
