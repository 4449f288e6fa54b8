#include "tests/sim/wire.h"

namespace topup::sim {

void Wire::begin(std::string_view name) {
  ++world_.counts.calls;
  if (world_.is_inside_transaction)
    world_.fail("network", std::string(name) + " is called inside a transaction");
  world_.crash_point("before the request of ", name);
}

void Wire::wait(std::int64_t ms) {
  world_.live_on(world_.now() + ms);
  if (world_.is_dead()) throw Crash{};
}

}  // namespace topup::sim
