// Stored answers by (owner, idempotency key) over the shop's database. A claim left behind by a
// process that died, or older than kClaimMs, may be taken again: handlers behind it are safe to
// repeat. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/http/router.h"
#include "server/storage/db.h"

namespace topup::http {

inline constexpr std::int64_t kClaimMs = 60'000;

class StoredAnswers final : public IdempotencyStore {
 public:
  StoredAnswers(storage::Db& db, const base::Clock& clock, base::Random& random)
      : db_(db), clock_(clock), process_(base::new_id(random, clock.wall_ms())) {}
  Result<std::optional<Response>> claim(std::string_view owner, std::string_view key,
                                        std::string_view fingerprint) override;
  void keep(std::string_view owner, std::string_view key, const Response& response) override;
  void release(std::string_view owner, std::string_view key) override;

 private:
  storage::Db& db_;
  const base::Clock& clock_;
  std::string process_;  // tells our own claims from those of an earlier life
};

}  // namespace topup::http
