#include "server/base/process.h"

#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace topup::base {

bool keep_memory_private() {
  const rlimit none{0, 0};
  // The limit is not asked when a core is piped to a program; then only the flag counts.
  return ::setrlimit(RLIMIT_CORE, &none) == 0 && ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

void share_heaps() {
  constexpr int kHeaps = 2;
  ::mallopt(M_ARENA_MAX, kHeaps);
}

}  // namespace topup::base
