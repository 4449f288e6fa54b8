#include "server/http/rate_limits.h"

#include <arpa/inet.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <vector>

#include "shared/check.h"

namespace topup::http {
namespace {

constexpr bool is_complete() {
  for (std::size_t i = 0; i < kRateTable.size(); ++i) {
    const RateRow& row = kRateTable[i];
    if (static_cast<std::size_t>(row.rate) != i + 1) return false;
    if (!is_sound(row.address) || !is_sound(row.device) || !is_sound(row.user)) return false;
  }
  return static_cast<std::size_t>(Rate::message) == kRateTable.size();
}
static_assert(is_complete(), "each rate but free has its row, in the order of the enumeration");
static_assert(std::has_single_bit(kBucketsEach / kWays), "a set is found by the hash's low bits");

constexpr std::size_t kMinDevice = 16;
constexpr std::size_t kMaxDevice = 64;

// SipHash-2-4 (Aumasson, Bernstein 2012): without the key nobody can choose who shares a set.
class Sip {
 public:
  explicit Sip(const std::uint64_t (&key)[2])
      : v_{key[0] ^ 0x736f6d6570736575ULL, key[1] ^ 0x646f72616e646f6dULL,
           key[0] ^ 0x6c7967656e657261ULL, key[1] ^ 0x7465646279746573ULL} {}
  std::uint64_t of(std::string_view bytes) {
    const std::uint64_t length = static_cast<std::uint64_t>(bytes.size()) << 56;
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) add(word(bytes.substr(0, 8)));
    add(length | word(bytes));
    v_[2] ^= 0xff;
    for (int i = 0; i < 4; ++i) round();
    return v_[0] ^ v_[1] ^ v_[2] ^ v_[3];
  }

 private:
  static std::uint64_t word(std::string_view bytes) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }
  void add(std::uint64_t value) {
    v_[3] ^= value;
    round();
    round();
    v_[0] ^= value;
  }
  void round() {
    v_[0] += v_[1];
    v_[1] = std::rotl(v_[1], 13) ^ v_[0];
    v_[0] = std::rotl(v_[0], 32);
    v_[2] += v_[3];
    v_[3] = std::rotl(v_[3], 16) ^ v_[2];
    v_[0] += v_[3];
    v_[3] = std::rotl(v_[3], 21) ^ v_[0];
    v_[2] += v_[1];
    v_[1] = std::rotl(v_[1], 17) ^ v_[2];
    v_[2] = std::rotl(v_[2], 32);
  }
  std::uint64_t v_[4];
};

std::int64_t scaled(std::int64_t tokens, std::int64_t percent) {
  return std::clamp<std::int64_t>(tokens * percent / 100, 1, kMaxTokens);
}

TokenBucketPolicy scaled(const TokenBucketPolicy& policy, std::int64_t percent) {
  return {scaled(policy.capacity, percent), scaled(policy.refill, percent), policy.interval_ms};
}

const TokenBucketPolicy& policy_of(const RateRow& row, Payer payer) {
  if (payer == Payer::address) return row.address;
  return payer == Payer::device ? row.device : row.user;
}

// What the bucket would hold now; nothing is taken.
std::int64_t units_at(const TokenBucketPolicy& policy, TokenBucket bucket, std::int64_t now) {
  (void)take(policy, bucket, now, 0);
  return bucket.units;
}

Error refusal(std::int64_t wait_ms) {
  return {Code::rate_limited, "too_many_requests", {}, std::to_string((wait_ms + 999) / 1'000)};
}

}  // namespace

RateLimits::RateLimits(const base::Clock& clock, base::Random& random, std::int64_t percent)
    : clock_(clock), percent_(percent), is_on_(percent > 0) {
  check(percent >= 0 && percent <= kMaxLimitPercent, "a percentage within its bounds");
  const std::string bytes = random.bytes(sizeof secret_);
  std::memcpy(secret_, bytes.data(), sizeof secret_);
  if (!is_on_) return;
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    const auto payer = static_cast<Payer>(i % kPayers);
    tables_[i].policy = scaled(policy_of(kRateTable[i / kPayers], payer), percent);
    tables_[i].slots.reset(static_cast<Slot*>(std::calloc(kBucketsEach, sizeof(Slot))));
    if (!tables_[i].slots) throw std::bad_alloc();
  }
}

RateLimits::Slot& RateLimits::slot_for(const Table& table, Slot* set, std::uint64_t tag,
                                       std::int64_t now) {
  const std::int64_t full = table.policy.capacity * table.policy.interval_ms;
  Slot* fullest = set;
  std::int64_t most = -1;
  for (Slot* slot = set; slot != set + kWays; ++slot) {
    if (slot->tag == tag) return *slot;
    const std::int64_t units = slot->tag == 0 ? full : units_at(table.policy, slot->bucket, now);
    if (units > most) {
      most = units;
      fullest = slot;
    }
  }
  if (most == full) *fullest = {tag, full_bucket(table.policy, now)};
  return *fullest;
}

void RateLimits::share_among(std::int64_t nodes) {
  check(nodes >= 1, "a node counts itself");
  if (!is_on_ || nodes == nodes_) return;
  nodes_ = nodes;
  std::vector<std::unique_lock<std::mutex>> all(locks_.begin(), locks_.end());
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    const auto payer = static_cast<Payer>(i % kPayers);
    const auto whole = scaled(policy_of(kRateTable[i / kPayers], payer), percent_);
    tables_[i].policy = {(whole.capacity + nodes - 1) / nodes, (whole.refill + nodes - 1) / nodes,
                         whole.interval_ms};
  }
}

std::int64_t RateLimits::take(Rate rate, Payer payer, std::string_view who) {
  if (!is_on_ || rate == Rate::free) return 0;
  const std::size_t row = static_cast<std::size_t>(rate) - 1;
  const Table& table = tables_.at(row * kPayers + static_cast<std::size_t>(payer));
  const std::uint64_t tag = Sip(secret_).of(who) | 1;
  const std::size_t at = (tag >> 8) % (kBucketsEach / kWays);
  const std::int64_t now = clock_.mono_ms();
  const std::lock_guard hold(locks_[at % kLocks]);
  Slot& slot = slot_for(table, table.slots.get() + at * kWays, tag, now);
  const TokenAnswer answer = topup::take(table.policy, slot.bucket, now, 1);
  return answer.allowed ? 0 : std::max<std::int64_t>(answer.retry_after_ms, 1);
}

std::optional<Error> RateLimits::on_arrival(const Route& route, const Request& request) {
  if (!is_on_ || route.rate == Rate::free) return std::nullopt;
  const std::int64_t wait =
      take(route.rate, Payer::address, paying_address(request.client_address));
  if (wait > 0) return refusal(wait);
  const std::string_view device = device_of(request);
  if (device.empty()) return std::nullopt;
  const std::int64_t device_wait = take(route.rate, Payer::device, device);
  return device_wait > 0 ? std::optional(refusal(device_wait)) : std::nullopt;
}

std::optional<Error> RateLimits::on_behalf(const Route& route, const Request& request) {
  const std::string& who = request.user.empty() ? request.staff.text : request.user.text;
  if (who.empty()) return std::nullopt;
  const std::int64_t wait = take(route.rate, Payer::user, who);
  return wait > 0 ? std::optional(refusal(wait)) : std::nullopt;
}

std::string paying_address(std::string_view address) {
  const std::string text(address);
  constexpr unsigned char kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  unsigned char bytes[sizeof(in6_addr)];
  if (::inet_pton(AF_INET6, text.c_str(), bytes) != 1) return text;
  if (std::memcmp(bytes, kMapped, sizeof kMapped) == 0) {
    char plain[INET_ADDRSTRLEN];
    return ::inet_ntop(AF_INET, bytes + sizeof kMapped, plain, sizeof plain);
  }
  return "/64:" + std::string(reinterpret_cast<const char*>(bytes), 8);
}

std::string_view device_of(const Request& request) {
  const std::string_view device = request.header("x-device-id");
  return is_opaque_word(device, kMinDevice, kMaxDevice) ? device : std::string_view();
}

}  // namespace topup::http
