#include "server/base/process.h"

#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <thread>

namespace topup::base {

bool keep_memory_private() {
  const rlimit none{0, 0};
  // The limit is not asked when a core is piped to a program; then only the flag counts.
  return ::setrlimit(RLIMIT_CORE, &none) == 0 && ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

void share_heaps() {
  constexpr unsigned kLeast = 4;
  ::mallopt(M_ARENA_MAX,
            static_cast<int>(std::max(kLeast, 2 * std::thread::hardware_concurrency())));
}

void give_memory_back() { ::malloc_trim(0); }

}  // namespace topup::base
