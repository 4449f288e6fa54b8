#include "server/operate/scheduled_backups.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "server/base/log.h"

namespace topup::operate {
namespace {

constexpr std::int64_t kAskAgainMs = 10 * 60'000;  // while one runs, and after one that failed

}  // namespace

std::int64_t newest_backup_ms(const std::string& folder) {
  const std::vector<std::string> backups = backups_in(folder);
  for (auto newest = backups.rbegin(); newest != backups.rend(); ++newest) {
    try {
      return read_manifest(*newest).made_at_ms;
    } catch (const std::runtime_error&) {  // damaged: the one before it counts
    }
  }
  return 0;
}

ScheduledBackups::ScheduledBackups(BackupOrder order, const base::Clock& clock, Ended ended)
    : order_(std::move(order)), clock_(clock), ended_(std::move(ended)) {
  order_.stopping = [this] { return stopping_.load(); };
}

std::int64_t ScheduledBackups::run_when_due(std::int64_t every_ms) {
  const std::lock_guard hold(mutex_);
  if (is_running_ || stopping_) return kAskAgainMs;
  const std::int64_t due = newest_backup_ms(order_.folder) + every_ms - clock_.wall_ms();
  // A wall clock that was put back must not make the next one wait for years.
  if (due > 0) return std::min(due, every_ms);
  if (thread_.joinable()) thread_.join();
  is_running_ = true;
  thread_ = std::thread([this] { run(); });
  return std::min(kAskAgainMs, every_ms);
}

void ScheduledBackups::run() {
  try {
    const Backup made =
        make_backup(order_, clock_, [](std::string_view, std::int64_t, std::int64_t) {});
    std::int64_t bytes = 0;
    for (const SavedFile& file : made.manifest.files) bytes += file.bytes;
    base::log(base::Level::info, "backup_made",
              {{"path", made.path},
               {"bytes", bytes},
               {"took_ms", made.took_ms},
               {"removed", static_cast<std::int64_t>(made.removed.size())}});
    ended_(true, made.took_ms, bytes);
  } catch (const std::exception& failure) {
    base::log(base::Level::error, "backup_failed", {{"why", failure.what()}});
    ended_(false, 0, 0);
  }
  is_running_ = false;
}

void ScheduledBackups::stop() {
  const std::lock_guard hold(mutex_);
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

}  // namespace topup::operate
