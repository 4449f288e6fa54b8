// One seed, from an empty shop to rest: a verdict, and the figures of the way there.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/storage/db.h"
#include "tests/sim/bugs.h"
#include "tests/sim/faults.h"
#include "tests/sim/world.h"

namespace topup::sim {

// Makes the database of each run: a shop that is migrated, has its products and its users.
class Stores {
 public:
  virtual ~Stores() = default;
  virtual std::unique_ptr<storage::Db> fresh() = 0;
};
std::unique_ptr<Stores> memory_stores();
std::unique_ptr<Stores> file_stores();
std::unique_ptr<Stores> postgres_stores();

struct RunOptions {
  std::uint64_t seed = 1;
  int first_order = 0;
  int orders = 20;
  Profile profile = Profile::swarm;
  Bug bug = Bug::none;
  std::vector<Fault> without;  // faults that are left out, to find the one that matters
  bool prints_trace = false;
};
struct RunResult {
  Violation violation;
  Counts counts;
  std::uint64_t trace_hash = 0;
  bool holds() const { return violation.invariant.empty(); }
};
RunResult run_seed(Stores& stores, const RunOptions& options);

}  // namespace topup::sim
