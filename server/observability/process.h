// What the process uses of its machine, from /proc, and what it holds of its allocator.
#pragma once

#include <cstdint>

#include "server/observability/metrics.h"

namespace topup::observability {

struct ProcessFigures {
  std::int64_t resident_bytes = 0;
  std::int64_t heap_bytes = 0;  // given out and not given back
  std::int64_t threads = 0;
  std::int64_t cpu_us = 0;
  std::int64_t open_fds = 0;
  std::int64_t max_fds = 0;
};
ProcessFigures process_figures();  // a field that cannot be read is 0

// process_resident_memory_bytes, process_heap_bytes, process_threads, process_cpu_seconds_total,
// process_open_fds, process_max_fds, process_start_time_seconds.
void write_process(Sheet& sheet, std::int64_t started_wall_ms);

}  // namespace topup::observability
