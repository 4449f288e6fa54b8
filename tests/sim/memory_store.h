// SQLite on the caller's thread, in memory: the engine and the SQL of a shop's file without its
// disk and without its threads, so that a run costs what it does and not what it waits for. A run
// lies between begin_run() and end_run(), which takes back all that the run wrote; what was
// prepared stays. One thread at a time. The file, its writer thread and its locks are met by the
// profile "file", and by the tests of the store.
#pragma once

#include <memory>

#include "server/storage/db.h"

namespace topup::sim {

class MemoryStore : public storage::Db {
 public:
  virtual void begin_run() = 0;
  virtual void end_run() = 0;
};
std::unique_ptr<MemoryStore> open_in_memory();

}  // namespace topup::sim
