#include "server/base/watchdog.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "server/base/clock.h"

namespace topup::base {
namespace {

// A call past its deadline may open one more socket before it notices: it is cut again until it
// ends.
constexpr std::int64_t kCutAgainMs = 20;
constexpr std::int64_t kLongestNapMs = 1'000;

}  // namespace

Leash::~Leash() {
  if (socket_ >= 0) close(socket_);
}

void Leash::hold(int socket) {
  const std::lock_guard lock(mutex_);
  if (socket_ >= 0) close(socket_);
  socket_ = fcntl(socket, F_DUPFD_CLOEXEC, 0);
  if (socket_ < 0)
    is_cut_ = true;  // out of descriptors: a call that cannot be ended must not begin
}

bool Leash::is_quiet() const {
  const std::lock_guard lock(mutex_);
  if (socket_ < 0) return false;
  pollfd waiting{socket_, POLLIN | POLLRDHUP, 0};
  return poll(&waiting, 1, 0) == 0;
}

bool Leash::is_cut() const {
  const std::lock_guard lock(mutex_);
  return is_cut_;
}

void Leash::cut() {
  const std::lock_guard lock(mutex_);
  is_cut_ = true;
  if (socket_ >= 0) shutdown(socket_, SHUT_RDWR);
}

void Leash::begin(std::int64_t deadline_mono_ms) {
  const std::lock_guard lock(mutex_);
  is_cut_ = false;
  deadline_mono_ms_ = deadline_mono_ms;
}

Watchdog::Watchdog() : thread_([this](const std::stop_token& stop) { run(stop); }) {}

Watchdog::Watch::Watch(Watchdog& watchdog, Leash& leash, std::int64_t deadline_mono_ms)
    : watchdog_(watchdog), leash_(leash) {
  const std::lock_guard lock(watchdog_.mutex_);
  leash_.begin(deadline_mono_ms);
  watchdog_.watched_.push_back(&leash_);
  watchdog_.changed_.notify_one();
}

Watchdog::Watch::~Watch() {
  const std::lock_guard lock(watchdog_.mutex_);
  std::erase(watchdog_.watched_, &leash_);
}

std::int64_t Watchdog::cut_overdue() {
  const std::int64_t now = SystemClock().mono_ms();
  std::int64_t nap = kLongestNapMs;
  for (Leash* leash : watched_) {
    const std::int64_t left = leash->deadline_mono_ms_ - now;
    if (left <= 0) leash->cut();
    nap = std::min(nap, left > 0 ? left : kCutAgainMs);
  }
  return nap;
}

void Watchdog::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (!changed_.wait(lock, stop, [this] { return !watched_.empty(); })) return;
    const std::chrono::milliseconds nap(cut_overdue());
    const std::size_t seen = watched_.size();
    changed_.wait_for(lock, stop, nap, [&] { return watched_.size() > seen; });
  }
}

}  // namespace topup::base
