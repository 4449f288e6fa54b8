// What waits in a shop's database, counted for the doctor.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/storage/db.h"

namespace topup::operate::doctor_store {

struct Waiting {
  std::int64_t unpaid_overdue = 0;    // orders that should have been closed
  std::int64_t paid_undelivered = 0;  // paid, and for `stuck_ms` neither delivered nor given back
  std::int64_t dead_jobs = 0;
  std::int64_t late_jobs = 0;   // due for more than `stuck_ms`
  std::int64_t open_items = 0;  // work for a person
};
Waiting count(storage::Reader& reader, std::int64_t now_ms, std::int64_t stuck_ms);

// Of the connection that reads, as the engine says them: name and value.
std::vector<std::pair<std::string, std::string>> settings(storage::Reader& reader, bool is_sqlite);

}  // namespace topup::operate::doctor_store
