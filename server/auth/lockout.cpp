#include "server/auth/lockout.h"

#include "server/auth/staff_store.h"

namespace topup::auth::lockout {

std::int64_t lock_ms(const Kind& kind, std::int64_t failures) {
  if (failures < kind.free) return 0;
  if (failures >= kind.most) return kLongestLockMs;
  const std::int64_t lock = kFirstLockMs << (failures - kind.free);
  return lock < kLongestLockMs ? lock : kLongestLockMs;
}

std::int64_t locked_for_ms(storage::Reader& reader, const Kind& kind, std::string_view subject,
                           std::int64_t now_ms) {
  const std::int64_t until = staff_store::locked_until(reader, kind.word, subject);
  return until > now_ms ? until - now_ms : 0;
}

void count_failure(storage::Tx& tx, const Kind& kind, std::string_view subject,
                   std::int64_t now_ms) {
  staff_store::forget_failures(tx, now_ms - kDayMs);
  const std::int64_t failures =
      staff_store::count_failure(tx, kind.word, subject, now_ms, now_ms - kind.forget_ms);
  staff_store::lock_until(tx, kind.word, subject, now_ms + lock_ms(kind, failures));
}

void clear(storage::Tx& tx, const Kind& kind, std::string_view subject) {
  staff_store::clear_failures(tx, kind.word, subject);
}

}  // namespace topup::auth::lockout
