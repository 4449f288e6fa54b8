// The running shop's own backups. A job asks for one; it is made on a thread of its own, because a
// large shop takes longer than a job's lease. Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

#include "server/base/clock.h"
#include "server/operate/backup.h"

namespace topup::operate {

class ScheduledBackups {
 public:
  using Ended = std::function<void(bool is_good, std::int64_t took_ms, std::int64_t bytes)>;
  // `ended` hears of each backup, on its thread.
  ScheduledBackups(BackupOrder order, const base::Clock& clock, Ended ended);
  ~ScheduledBackups() { stop(); }
  ScheduledBackups(const ScheduledBackups&) = delete;
  ScheduledBackups& operator=(const ScheduledBackups&) = delete;

  // Begins one unless the newest is younger than `every_ms`. Returns when to ask again, in ms.
  std::int64_t run_when_due(std::int64_t every_ms);
  void stop();  // one that runs ends early and leaves nothing; safe to repeat

 private:
  void run();

  BackupOrder order_;
  const base::Clock& clock_;
  Ended ended_;
  std::mutex mutex_;
  std::atomic<bool> is_running_{false}, stopping_{false};
  std::thread thread_;
};

// When the newest whole backup in a folder was made; 0 when there is none.
std::int64_t newest_backup_ms(const std::string& folder);

}  // namespace topup::operate
