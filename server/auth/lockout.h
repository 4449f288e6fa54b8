// Guessing slowed down: wrong answers are counted per name (a known one by its id, an unknown one
// by a keyed hash of it, so that both behave the same), per address (somebody who tries one
// password on many names) and per person for step-up. A lock refuses further tries for a while; it
// never ends a session that exists. Source: PCI DSS 8.3.4 (10 tries, 30 minutes).
#pragma once

#include <cstdint>
#include <string_view>

#include "server/storage/db.h"

namespace topup::auth::lockout {

struct Kind {
  std::string_view word;
  std::int64_t free, most;  // tries without a lock; tries from which the lock is longest
  std::int64_t forget_ms;   // without a failure for so long, counting begins anew
};
inline constexpr std::int64_t kFirstLockMs = 5'000;  // doubles with each further failure
inline constexpr std::int64_t kLongestLockMs = 30LL * 60 * 1'000;
inline constexpr std::int64_t kDayMs = 24LL * 3600 * 1'000;
inline constexpr Kind kName{"name", 5, 10, kDayMs};
inline constexpr Kind kAddress{"address", 20, 30, 3'600'000};
inline constexpr Kind kStepUp{"step_up", 5, 10, kDayMs};

// How long the lock is after so many failures; 0 for none.
std::int64_t lock_ms(const Kind& kind, std::int64_t failures);

// Milliseconds until tries count again; 0 when they do now.
std::int64_t locked_for_ms(storage::Reader& reader, const Kind& kind, std::string_view subject,
                           std::int64_t now_ms);
// Counts in the row, not from what was read before: tries at the same time each count.
void count_failure(storage::Tx& tx, const Kind& kind, std::string_view subject,
                   std::int64_t now_ms);
void clear(storage::Tx& tx, const Kind& kind, std::string_view subject);

}  // namespace topup::auth::lockout
