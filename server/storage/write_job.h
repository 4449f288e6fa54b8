// One caller's body on its way through the writer thread. The caller owns it and waits; the writer
// runs the body, commits it together with others, and ends it.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
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

  void wait() {
    std::uint32_t before = kRunning;
    if (!state.compare_exchange_strong(before, kAwaited)) return;
    while (state.load() == kAwaited) {
      ::syscall(SYS_futex, &state, FUTEX_WAIT_PRIVATE, kAwaited, nullptr, nullptr, 0);
    }
  }
  // The job belongs to its caller again as soon as the state has changed, and may be gone when he
  // is woken: the kernel takes the place for a number, and whoever else waits there looks again.
  void end() {
    if (state.exchange(kEnded) != kAwaited) return;
    ::syscall(SYS_futex, &state, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }

 private:
  // Each caller is woken alone: one signal for all would wake everybody once for each commit. And
  // without a lock: woken under one, he would run into it and sleep again.
  static constexpr std::uint32_t kRunning = 0;
  static constexpr std::uint32_t kAwaited = 1;
  static constexpr std::uint32_t kEnded = 2;
  std::atomic<std::uint32_t> state{kRunning};
  static_assert(sizeof state == sizeof(std::uint32_t));
};

}  // namespace topup::storage
