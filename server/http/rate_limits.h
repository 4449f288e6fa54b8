// How often one address, device or person may ask, by what a route costs (Route::rate). Each has a
// token bucket per rate; what is taken comes back evenly. Memory is fixed: every policy has
// kBucketsEach buckets in sets of kWays, found by a keyed hash that nobody outside can compute. A
// bucket gives way to another's only when it is full again, which is what a new one would be: so
// nobody can flood his own empty bucket out. In a set that has no such bucket a newcomer pays from
// the fullest one. Limits count per process; of
// several nodes each gives its part of every size, so that all together give no more than one would
// (share_among). Thread-safe. Errors: rate_limited/too_many_requests,
// whose detail is the number of seconds to wait.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/http/router.h"
#include "shared/token_bucket.h"

namespace topup::http {

// Many buyers of one mobile operator share one address, so an address has more than a device.
struct RateRow {
  Rate rate;
  TokenBucketPolicy address, device, user;
};
inline constexpr std::int64_t kPerMinute = 60'000;
inline constexpr std::int64_t kPerHour = 3'600'000;
inline constexpr std::array kRateTable = {
    RateRow{Rate::read, {1'200, 6'000, kPerMinute}, {240, 900, kPerMinute}, {240, 900, kPerMinute}},
    RateRow{Rate::write, {240, 1'200, kPerMinute}, {40, 90, kPerMinute}, {40, 90, kPerMinute}},
    RateRow{Rate::costly, {120, 600, kPerMinute}, {20, 60, kPerMinute}, {20, 60, kPerMinute}},
    RateRow{Rate::sign_in, {60, 120, kPerMinute}, {10, 20, kPerMinute}, {10, 20, kPerMinute}},
    RateRow{Rate::message, {20, 20, kPerHour}, {10, 10, kPerHour}, {5, 5, kPerHour}},
};

inline constexpr std::size_t kWays = 8;
inline constexpr std::size_t kBucketsEach = 32'768;  // per policy: at most 12 MB for all of them
inline constexpr std::int64_t kMaxLimitPercent = 100'000;

enum class Payer : std::uint8_t { address, device, user };
inline constexpr std::size_t kPayers = 3;

class RateLimits {
 public:
  // `percent` of the table's sizes, at least one token; 0 limits nothing. `random` is not kept.
  RateLimits(const base::Clock& clock, base::Random& random, std::int64_t percent = 100);

  // Milliseconds to wait; 0 when it was paid for. Rate::free costs nothing.
  std::int64_t take(Rate rate, Payer payer, std::string_view who);

  // Each of so many nodes gives its part, rounded up. What buckets hold is cut to it. Rarely
  // called.
  void share_among(std::int64_t nodes);

  // Before anybody is looked up: the address and the device that the request names.
  std::optional<Error> on_arrival(const Route& route, const Request& request);
  // Once it is known who asks.
  std::optional<Error> on_behalf(const Route& route, const Request& request);

 private:
  struct Slot {
    std::uint64_t tag;  // 0: never used
    TokenBucket bucket;
  };
  struct Free {
    void operator()(Slot* slots) const { std::free(slots); }
  };
  struct Table {
    TokenBucketPolicy policy;
    std::unique_ptr<Slot[], Free> slots;  // its pages cost memory only once they are used
  };
  static constexpr std::size_t kLocks = 256;

  static Slot& slot_for(const Table& table, Slot* set, std::uint64_t tag, std::int64_t now);

  const base::Clock& clock_;
  const std::int64_t percent_;
  bool is_on_;
  std::int64_t nodes_ = 1;  // of the caller of share_among()
  std::uint64_t secret_[2];
  std::array<Table, kRateTable.size() * kPayers> tables_;
  std::array<std::mutex, kLocks> locks_;
};

// What an address pays under: an IPv6 network of 64 bits belongs to one customer; the rest counts
// whole. Text that is no address stands for itself.
std::string paying_address(std::string_view address);
// The request's x-device-id, or "" when it has none that is [A-Za-z0-9_-]{16,64}.
std::string_view device_of(const Request& request);

}  // namespace topup::http
