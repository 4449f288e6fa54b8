// Stands before the C library of the real program (LD_PRELOAD): its disk fails or is slow at one
// call, or its clock stands elsewhere, without a tracer's cost for each other call.
// TOPUP_DISK_CALL is the call (pwrite64, fdatasync, fsync, rename), TOPUP_DISK_FILE what the file's
// path must contain, TOPUP_DISK_AT the first of them that meets it, TOPUP_DISK_FATE what: kill,
// slow:MICROSECONDS from there on, or the number of an error that stays from there on.
// TOPUP_CLOCK_SHIFT is how many seconds the time of day is ahead, TOPUP_CLOCK_FILE a file whose
// first 8 bytes say how many more, now; durations are true.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>

namespace {

struct Plan {
  std::string call, file, fate;
  long at = 0;
  Plan() {
    const auto word = [](const char* name) {
      const char* found = std::getenv(name);
      return std::string(found != nullptr ? found : "");
    };
    call = word("TOPUP_DISK_CALL");
    file = word("TOPUP_DISK_FILE");
    fate = word("TOPUP_DISK_FATE");
    at = std::atol(word("TOPUP_DISK_AT").c_str());
  }
};

const Plan& plan() {
  static const Plan made;
  return made;
}

std::atomic<long> met{0};

// True when the call fails; errno says how.
bool meets(const char* call, const std::string& path) {
  if (plan().at <= 0 || plan().call != call) return false;
  if (path.find(plan().file) == std::string::npos) return false;
  const long nth = ++met;
  if (nth < plan().at) return false;
  if (plan().fate == "kill") {
    if (nth == plan().at) ::kill(::getpid(), SIGKILL);
    return false;
  }
  if (plan().fate.starts_with("slow:")) {
    const long us = std::atol(plan().fate.c_str() + 5);
    const timespec pause{us / 1'000'000, us % 1'000'000 * 1'000};
    ::nanosleep(&pause, nullptr);
    return false;
  }
  errno = std::atoi(plan().fate.c_str());
  return true;
}

bool meets(const char* call, int fd) {
  if (plan().at <= 0 || plan().call != call) return false;
  char path[4'096];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(link.c_str(), path, sizeof path);
  return size > 0 && meets(call, std::string(path, static_cast<std::size_t>(size)));
}

}  // namespace

extern "C" ssize_t pwrite64(int fd, const void* data, size_t count, off64_t offset) {
  return meets("pwrite64", fd) ? -1 : ::syscall(SYS_pwrite64, fd, data, count, offset);
}
extern "C" int fdatasync(int fd) {
  return meets("fdatasync", fd) ? -1 : static_cast<int>(::syscall(SYS_fdatasync, fd));
}
extern "C" int fsync(int fd) {
  return meets("fsync", fd) ? -1 : static_cast<int>(::syscall(SYS_fsync, fd));
}
extern "C" int rename(const char* from, const char* to) noexcept {
  return meets("rename", std::string(to)) ? -1 : static_cast<int>(::syscall(SYS_rename, from, to));
}

// ---- The time of day.

namespace {

long shift() {
  static const long seconds = [] {
    const char* found = std::getenv("TOPUP_CLOCK_SHIFT");
    return found != nullptr ? std::atol(found) : 0L;
  }();
  static const long* const more = [] {
    static const long none = 0;
    const char* name = std::getenv("TOPUP_CLOCK_FILE");
    if (name == nullptr) return &none;
    const int file = ::open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0) std::abort();
    void* mapped = ::mmap(nullptr, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
    ::close(file);
    if (mapped == MAP_FAILED) std::abort();
    return static_cast<const long*>(mapped);
  }();
  return seconds + __atomic_load_n(more, __ATOMIC_RELAXED);
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
  const long code = ::syscall(SYS_clock_gettime, clock, now);
  if (code == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    now->tv_sec += shift();
  return static_cast<int>(code);
}
extern "C" time_t time(time_t* told) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (told != nullptr) *told = now.tv_sec;
  return now.tv_sec;
}
extern "C" int gettimeofday(timeval* now, void*) noexcept {
  timespec exact{};
  clock_gettime(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1'000;
  return 0;
}
