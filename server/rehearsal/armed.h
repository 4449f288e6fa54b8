// Faults a tester arms for the next n cases of one party. Durable, since the outside world survives
// a kill of the shop; a fault taken just before a crash may be lost. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/json.h"
#include "server/storage/db.h"

namespace topup::rehearsal {

inline constexpr std::int64_t kMaxArmed = 10'000;

struct FaultKind {
  std::string_view word;
  std::string_view meaning;
};

class Armed {
 public:
  Armed(storage::Db& db, std::string party, std::vector<FaultKind> kinds);
  // False for an unknown kind or a count outside 0 … kMaxArmed. Replaces what was armed; 0 disarms.
  bool arm(const std::string& kind, std::int64_t count);
  bool take(std::string_view kind);       // true: this case shall show the fault
  void give_back(std::string_view kind);  // the case did not happen after all
  base::Json listed() const;              // [{"next","count","meaning"}]

 private:
  void keep(const std::string& kind, std::int64_t count);
  storage::Db& db_;
  const std::string party_;
  const std::vector<FaultKind> kinds_;
  mutable std::mutex mutex_;
  std::map<std::string, std::int64_t, std::less<>> counts_;
};

}  // namespace topup::rehearsal
