// Stored answers by (owner, idempotency key) over the shop's database. A claim left behind by a
// process that died (jobs/node_roll.h knows), or older than kClaimMs, may be taken again: handlers
// behind it are safe to repeat. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/http/router.h"
#include "server/storage/db.h"

namespace topup::http {

inline constexpr std::int64_t kClaimMs = 60'000;
// How long an answer is given again. A client that repeats later than this acts anew; orders are
// guarded longer, by the key in their own row.
inline constexpr std::int64_t kAnswerKeptMs = 3LL * 24 * 3'600'000;
inline constexpr std::int64_t kPrunedAtOnce = 500;

class StoredAnswers final : public IdempotencyStore {
 public:
  StoredAnswers(storage::Db& db, const base::Clock& clock, base::Random& random)
      : StoredAnswers(db, clock, base::new_id(random, clock.wall_ms())) {}
  // `process`: the one in the roll.
  StoredAnswers(storage::Db& db, const base::Clock& clock, std::string process)
      : db_(db), clock_(clock), process_(std::move(process)) {}
  Result<std::optional<Response>> claim(std::string_view owner, std::string_view key,
                                        std::string_view fingerprint) override;
  void keep(std::string_view owner, std::string_view key, const Response& response) override;
  void release(std::string_view owner, std::string_view key) override;
  // Removes at most kPrunedAtOnce of what is older than kAnswerKeptMs, the oldest first; returns
  // how many. Small steps, so that no writer waits long.
  std::int64_t prune();

 private:
  bool begin(const std::string& name, std::int64_t now_ms);
  void note_ended(const std::string& name);

  storage::Db& db_;
  const base::Clock& clock_;
  std::string process_;  // tells our own claims from those of an earlier life
  // What runs here now, until when its claim counts. Noted before the row is claimed: of many that
  // come at once only one may claim it. A claim of ours that is not among them was given up while
  // the store was away, and its row could not be removed.
  std::mutex mutex_;
  std::map<std::string, std::int64_t> running_;
};

}  // namespace topup::http
