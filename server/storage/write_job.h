// One caller's body on its way through the writer thread. The caller owns it and waits; the writer
// runs the body, commits it together with others, and ends it.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <vector>

#include "server/base/origin.h"
#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::storage {

struct WriteJob {
  const std::function<bool(Tx&)>* body = nullptr;
  TraceId trace;                         // of the caller, for whom the writer thread runs the body
  const base::Origin* origin = nullptr;  // likewise; it lives as long as the caller waits
  std::exception_ptr failure;
  bool kept = false;  // released into the open transaction
  std::vector<std::function<void()>> hints;

  // Each caller is woken alone: one signal for all would wake everybody once for each commit.
  void wait() {
    std::unique_lock hold(mutex);
    ended.wait(hold, [this] { return done; });
  }
  // The job belongs to its caller again as soon as the lock is let go.
  void end() {
    const std::lock_guard hold(mutex);
    done = true;
    ended.notify_one();
  }

 private:
  std::mutex mutex;
  std::condition_variable ended;
  bool done = false;
};

}  // namespace topup::storage
