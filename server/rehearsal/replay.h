// What a supplier did with an order of a real shop, done again here: the shop's log of one attempt
// (GET /api/admin/exchanges/replay, feature F006) becomes what the next orders at that supplier
// meet. A request that was put off or refused is answered alike; one that was taken on ends as it
// ended and as long after, so that the same looks see the same states. Not repeated are looks that
// were not answered clearly, and how long a lost answer was waited for. Times are scaled as all of
// the rehearsal.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/json.h"
#include "server/rehearsal/course.h"
#include "server/rehearsal/party.h"
#include "server/storage/db.h"
#include "shared/result.h"

namespace topup::rehearsal {

inline constexpr std::size_t kMaxReplayed = 200;   // requests of one log
inline constexpr std::size_t kMaxReplays = 1'000;  // courses that wait for their orders

// One course for each request that was sent, oldest first. invalid_argument/replay_malformed,
// /replay_of_another_party, /replay_empty: no request of the log ever left the shop.
Result<std::vector<Course>> courses_in(const base::Json& log, std::string_view party,
                                       int speed_percent);

Answered not_replayed(const Error& why);  // 400, in words

// The courses that wait for their orders. Durable as what a tester armed is. Thread-safe.
class Replays {
 public:
  Replays(storage::Db& db, std::string party);
  // too_many_replays, or of courses_in.
  Result<bool> add(const base::Json& log, int speed_percent);
  void clear();
  std::optional<Course> take();
  std::size_t waiting() const;

 private:
  storage::Db& db_;
  const std::string party_;
  mutable std::mutex mutex_;
  std::deque<std::pair<std::int64_t, Course>> waiting_;  // by the number of the row
};

}  // namespace topup::rehearsal
