// Cuts the sockets of calls that are over their deadline, whatever they are waiting for. It holds
// its own duplicate of each descriptor, so that a number the system has given to someone else
// meanwhile is never touched. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace topup::base {

class Leash {  // one connection's socket, as the watchdog sees it
 public:
  Leash() = default;
  ~Leash();
  Leash(const Leash&) = delete;
  Leash& operator=(const Leash&) = delete;

  void hold(int socket);  // keeps a duplicate instead of the one before
  bool is_quiet() const;  // open, nothing to read, not closed by the peer
  bool is_cut() const;

 private:
  friend class Watchdog;
  void cut();
  void begin(std::int64_t deadline_mono_ms);

  mutable std::mutex mutex_;
  int socket_ = -1;
  bool is_cut_ = false;
  std::int64_t deadline_mono_ms_ = 0;  // guarded by the watchdog's mutex
};

class Watchdog {
 public:
  Watchdog();
  ~Watchdog() = default;
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  class Watch {  // while it lives, the leash is cut at the deadline
   public:
    Watch(Watchdog& watchdog, Leash& leash, std::int64_t deadline_mono_ms);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    Watchdog& watchdog_;
    Leash& leash_;
  };

 private:
  void run(const std::stop_token& stop);
  std::int64_t cut_overdue();  // ms until it is worth looking again

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<Leash*> watched_;
  std::jthread thread_;  // last, so that it ends before what it uses
};

}  // namespace topup::base
