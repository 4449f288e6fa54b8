#include "server/observability/process.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace topup::observability {
namespace {

std::int64_t micros(const timeval& time) {
  return std::int64_t{time.tv_sec} * 1'000'000 + std::int64_t{time.tv_usec};
}

}  // namespace

ProcessFigures process_figures() {
  ProcessFigures figures;
  std::int64_t all_pages = 0;
  std::int64_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> all_pages >> resident_pages;
  figures.resident_bytes = resident_pages * sysconf(_SC_PAGESIZE);
  const auto heap = mallinfo2();
  figures.heap_bytes = static_cast<std::int64_t>(heap.uordblks + heap.hblkhd);
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "Threads:") status >> figures.threads;
  }
  rusage used{};
  if (getrusage(RUSAGE_SELF, &used) == 0) {
    figures.cpu_us = micros(used.ru_utime) + micros(used.ru_stime);
  }
  std::error_code ignored;
  for (std::filesystem::directory_iterator at("/proc/self/fd", ignored), end; at != end;
       at.increment(ignored)) {
    ++figures.open_fds;
  }
  rlimit most{};
  if (getrlimit(RLIMIT_NOFILE, &most) == 0) {
    figures.max_fds = static_cast<std::int64_t>(most.rlim_cur);
  }
  return figures;
}

void write_process(Sheet& sheet, std::int64_t started_wall_ms) {
  const ProcessFigures figures = process_figures();
  sheet.gauge("process_resident_memory_bytes", "Memory that is in RAM.", figures.resident_bytes);
  sheet.gauge("process_heap_bytes", "Memory in use: what grows for ever when something leaks.",
              figures.heap_bytes);
  sheet.gauge("process_threads", "Threads.", figures.threads);
  sheet.counter_seconds("process_cpu_seconds_total", "Time on a processor.", figures.cpu_us);
  sheet.gauge("process_open_fds", "Open descriptors.", figures.open_fds);
  sheet.gauge("process_max_fds", "Descriptors that may be open.", figures.max_fds);
  sheet.gauge_seconds("process_start_time_seconds", "When the process began, since 1970.",
                      started_wall_ms * 1'000);
}

}  // namespace topup::observability
