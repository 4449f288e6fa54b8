// Where one process of a shop keeps what is its own on this machine: the data folder and its name.
#pragma once

#include <string>

#include "server/base/random.h"
#include "server/storage/lock_file.h"

namespace topup {

// Makes the folder, for this user alone. Throws std::runtime_error in words.
std::string make_data_dir(const std::string& path);

// Tells this node from the others on one database, also after a restart: its leases are its own.
// Throws std::runtime_error when the name cannot be kept or another process has it.
class NodeName {
 public:
  NodeName(const std::string& data_dir, base::Random& random);
  const std::string& text() const { return name_; }

 private:
  storage::LockFile lock_;  // two processes with one name would take each other's jobs
  std::string name_;
};

}  // namespace topup
