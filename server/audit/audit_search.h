// The audit trail as people search it: newest first, a page at a time, by who, what, on what and
// when. An answer looks at kMaxWalked rows at most: a search that finds little says how far back it
// has come and goes on from there, so that no question costs more than another. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/audit/audit_log.h"

namespace topup::audit {

inline constexpr std::int64_t kMaxWalked = 20'000;

struct Search {
  bool staff_only = true;               // what staff did; else everything, by whomever
  bool sign_ins = false;                // signing in to the console only, refused or not
  std::string actor;                    // "staff:<id>", or the beginning of one; "" for everybody
  std::string action;                   // "customer.frozen", or "customer." for all that begin so
  std::string subject;                  // an id; ""
  std::int64_t from_ms = 0, to_ms = 0;  // 0: open
};
struct Found {
  std::vector<Row> rows;
  std::int64_t before_seq = 0;  // where the next page begins; 0 at the end
  std::int64_t reached_ms = 0;  // when the oldest row that was looked at was written
};
// `before_seq` 0: from the newest.
Found search(storage::Reader& reader, const Search& wanted, std::int64_t before_seq,
             std::int64_t limit);

// How often this actor, one of the staff, did this since a moment; counted up to `most`.
std::int64_t count_of_staff(storage::Reader& reader, std::string_view actor,
                            std::string_view action, std::int64_t since_ms, std::int64_t most);

}  // namespace topup::audit
