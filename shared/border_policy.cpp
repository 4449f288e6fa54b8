// The border calls about waiting and dividing; see border.h.
#include <iterator>

#include "shared/border.h"
#include "shared/buckets.h"
#include "shared/money.h"
#include "shared/retry_schedule.h"
#include "shared/token_bucket.h"

namespace topup {
namespace {

constexpr std::size_t kMaxText = 256;

// {"now_ms","tokens","policy":{capacity,refill,interval_ms},"state":{units,at_ms}}; without a state
// the bucket is full.
void write_token_take(BorderFields& in, JsonText& out) {
  const JsonValue policy_in = in["policy"];
  const JsonValue state = in["state"];
  const std::int64_t now_ms = in.integer("now_ms", 0, kMaxMinor);
  const std::int64_t tokens = in.integer("tokens", 0, kMaxTokens);
  in.enter(policy_in);
  TokenBucketPolicy policy;
  policy.capacity = in.integer("capacity", 1, kMaxTokens);
  policy.refill = in.integer("refill", 1, kMaxTokens);
  policy.interval_ms = in.integer("interval_ms", 1, kMaxIntervalMs);
  TokenBucket bucket = full_bucket(policy, now_ms);
  if (state.exists()) {
    in.enter(state);
    bucket.units = in.integer("units", 0, kMaxMinor);
    bucket.at_ms = in.integer("at_ms", 0, kMaxMinor);
  }
  const TokenAnswer answer = take(policy, bucket, now_ms, tokens);
  const bool is_exact = answer.retry_after_ms <= kMaxMinor;  // as JavaScript holds integers
  out.key("allowed").boolean(answer.allowed);
  out.key("retry_after_ms").integer(is_exact ? answer.retry_after_ms : kMaxMinor);
  out.key("state").begin_object().key("units").integer(bucket.units);
  out.key("at_ms").integer(bucket.at_ms).end_object();
}

// {"first_ms","factor_percent","max_ms","max_attempts","jitter_percent","attempt","seed"}
void write_retry_delay(BorderFields& in, JsonText& out) {
  RetryPolicy policy;
  policy.max_ms = in.integer("max_ms", 1, kMaxRetryMs);
  policy.first_ms = in.integer("first_ms", 1, policy.max_ms);
  policy.factor_percent = static_cast<int>(in.integer("factor_percent", 100, 10'000));
  policy.max_attempts = static_cast<int>(in.integer("max_attempts", 0, kMaxRetryAttempts));
  policy.jitter_percent = static_cast<int>(in.integer("jitter_percent", 0, 100));
  const std::int64_t attempt = in.integer("attempt", 1, kMaxMinor);
  const auto seed = static_cast<std::uint64_t>(in.integer("seed", 0, kMaxMinor));
  const bool is_left = attempt <= policy.max_attempts;
  const auto delay =
      delay_ms(policy, is_left ? static_cast<int>(attempt) : kMaxRetryAttempts + 1, seed);
  out.key("again").boolean(is_left).key("delay_ms").integer(delay.value_or(0));
  out.key("total_bound_ms").integer(total_delay_bound_ms(policy));
}

// {"user_id","shards"}
void write_shard(BorderFields& in, JsonText& out) {
  const std::string_view user = in.text("user_id", kMaxText);
  const auto shards = static_cast<std::uint32_t>(in.integer("shards", 1, kMaxShards));
  out.key("shard").integer(shard_of(user, shards));
}

// {"salt","user_id","weights_bp":[5000,5000]}
void write_ab_bucket(BorderFields& in, JsonText& out) {
  const std::string_view salt = in.text("salt", kMaxText);
  const std::string_view user = in.text("user_id", kMaxText);
  const JsonValue weights = in["weights_bp"];
  std::int64_t shares[kMaxBuckets] = {};
  std::int64_t left = kBucketPoints;
  const std::size_t size = weights.size();
  bool is_right = weights.kind() == JsonKind::array && size >= 1 && size <= kMaxBuckets;
  for (std::size_t i = 0; i < size && is_right; ++i) {
    shares[i] = weights.at(i).integer().value_or(-1);
    is_right = shares[i] >= 0 && shares[i] <= left;
    left -= shares[i];
  }
  if (!is_right) {
    return in.refuse("out_of_range", "weights_bp",
                     "one to sixteen shares in basis points, together at most 10000");
  }
  out.key("bucket").integer(ab_bucket(salt, user, shares, size));
  out.key("point").integer(ab_point(salt, user));
}

constexpr BorderCall kCalls[] = {{"token_take", border_object<write_token_take>},
                                 {"retry_delay", border_object<write_retry_delay>},
                                 {"shard", border_object<write_shard>},
                                 {"ab_bucket", border_object<write_ab_bucket>}};

}  // namespace

BorderTable policy_calls() { return {kCalls, std::size(kCalls)}; }

}  // namespace topup
