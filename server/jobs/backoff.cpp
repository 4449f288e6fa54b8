#include "server/jobs/backoff.h"

#include <algorithm>
#include <string>

namespace topup::jobs {

std::int64_t longest_backoff_ms(std::int64_t failures) {
  std::int64_t delay = kFirstBackoffMs;
  for (std::int64_t i = 1; i < failures && delay < kMaxBackoffMs; ++i) delay *= 2;
  return std::min(delay, kMaxBackoffMs);
}

std::int64_t drawn_ms(std::int64_t most, base::Random& random) {
  std::uint64_t bits = 0;
  for (const char byte : random.bytes(6)) bits = bits << 8 | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(
      bits % (static_cast<std::uint64_t>(std::max<std::int64_t>(0, most)) + 1));
}

std::int64_t backoff_ms(std::int64_t failures, base::Random& random) {
  return std::max(kMinBackoffMs, drawn_ms(longest_backoff_ms(failures), random));
}

void RetryBudget::ran_well(const std::string& kind) {
  const std::lock_guard hold(mutex_);
  std::int64_t& saved = accounts_[kind].saved;
  saved = std::min(saved + 1, kMaxSaved * kRunsPerRetry);
}

std::int64_t RetryBudget::delay_ms(const std::string& kind, std::int64_t mono_ms) {
  const std::lock_guard hold(mutex_);
  Account& account = accounts_[kind];
  constexpr std::int64_t kPerSecond = kRetriesPerSecond * kRunsPerRetry;
  if (account.filled_at_ms == 0) account.filled_at_ms = mono_ms;
  const std::int64_t earned = (mono_ms - account.filled_at_ms) * kPerSecond / 1'000;
  account.filled_at_ms += earned * 1'000 / kPerSecond;
  account.saved = std::min(account.saved + earned, kMaxSaved * kRunsPerRetry) - kRunsPerRetry;
  const std::int64_t most = kMaxBackoffMs * kPerSecond / 1'000;
  account.saved = std::max(account.saved, -most);
  return account.saved >= 0 ? 0 : -account.saved * 1'000 / kPerSecond;
}

}  // namespace topup::jobs
