// Heads of the audit chain, signed (HMAC-SHA-256 under a key that the database holds only wrapped)
// and kept outside the database, one a line: "seq hash at_ms mac". Whoever changes the database
// alone cannot cut the trail or compute it anew without these lines saying so. Appended with fsync;
// the older half is thinned out when there are many. After a restore of an older database the file
// must be renamed by hand, unless `topup restore` brought its own: its heads name rows that the
// restored shop does not have.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/audit/audit_log.h"

namespace topup::audit {

inline constexpr std::size_t kMaxHeads = 4'096;

struct SignedHeads {
  bool is_there = false;
  std::vector<Head> heads;         // whose signature holds, as in the file
  std::vector<std::string> wrong;  // one sentence for each line that was changed
};
SignedHeads read_heads(const std::string& path, std::string_view key);

// Makes the file (mode 0600) when it is not there. False when the disk refused.
bool append_head(const std::string& path, const Head& head, std::string_view key);

}  // namespace topup::audit
