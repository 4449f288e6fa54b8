// Bit rot, looked for when a shop starts (threat D-14). A small file is read before the shop opens;
// a large one beside the working shop, for at most kMostMs, because a start must be quick.
#pragma once

#include <atomic>
#include <string>
#include <thread>

#include "server/base/clock.h"

namespace topup::operate {

class StartCheck {
 public:
  static constexpr std::int64_t kAtOnceBytes = std::int64_t{2} << 20;
  static constexpr std::int64_t kMostMs = 120'000;

  // Nothing happens when there is no such file. Throws storage::SqlError in words when a small file
  // is damaged.
  StartCheck(std::string sqlite_file, const base::Clock& clock);
  ~StartCheck() { stop(); }
  StartCheck(const StartCheck&) = delete;
  StartCheck& operator=(const StartCheck&) = delete;

  void start();  // the look at a large file; the log tells how it ended
  void stop();   // safe to repeat
  bool found_damage() const { return found_damage_; }

 private:
  void look();

  std::string file_;
  const base::Clock& clock_;
  bool is_large_ = false;
  std::atomic<bool> stopping_{false}, found_damage_{false};
  std::thread thread_;
};

}  // namespace topup::operate
