#include "server/payments/wechat_meaning.h"

#include <algorithm>

namespace topup::payments {
namespace {

using Call = WechatCall;
using Meaning = WechatMeaning;

constexpr std::int64_t kQueriesPerSecond = 600;
constexpr std::int64_t kRefundsPerSecond = 150;
constexpr std::int64_t kFailedRefundsPerSecond = 6;
constexpr std::int64_t kFirstSilenceMs = 1'000;
constexpr std::int64_t kLongestSilenceMs = 60'000;
constexpr std::int64_t kOneCall = 1'000;

struct Rule {
  Call call;
  int status;
  std::string_view code;
  Meaning meaning;
};

// A refused query says nothing about what was asked after, so that query has no row with `refused`.
// INVALID_REQUEST is what a repeat with other parameters gets as well, while the first one stands:
// hence `look`. Not-exist has two names and ORDER_PAID two, because the documentation's own lists
// disagree.
constexpr Rule kRules[] = {
    {Call::prepay, 400, "PARAM_ERROR", Meaning::refused},
    {Call::prepay, 400, "APPID_MCHID_NOT_MATCH", Meaning::refused},
    {Call::prepay, 400, "MCH_NOT_EXISTS", Meaning::refused},
    {Call::prepay, 404, "MCH_NOT_EXISTS", Meaning::refused},
    {Call::prepay, 404, "RESOURCE_NOT_EXISTS", Meaning::refused},
    {Call::prepay, 401, "SIGN_ERROR", Meaning::refused},
    {Call::prepay, 403, "NO_AUTH", Meaning::refused},
    {Call::prepay, 403, "ACCOUNT_ERROR", Meaning::refused},
    {Call::prepay, 403, "RULE_LIMIT", Meaning::refused},
    {Call::prepay, 403, "REQUEST_BLOCKED", Meaning::refused},
    {Call::prepay, 400, "INVALID_REQUEST", Meaning::look},
    {Call::prepay, 403, "OUT_TRADE_NO_USED", Meaning::look},
    {Call::prepay, 400, "ORDER_PAID", Meaning::look},
    {Call::prepay, 400, "ORDER_CLOSED", Meaning::look},
    {Call::query, 404, "ORDER_NOT_EXIST", Meaning::absent},
    {Call::query, 404, "RESOURCE_NOT_EXISTS", Meaning::absent},
    {Call::close, 404, "ORDER_NOT_EXIST", Meaning::absent},
    {Call::close, 404, "RESOURCE_NOT_EXISTS", Meaning::absent},
    {Call::close, 400, "ORDER_PAID", Meaning::look},
    {Call::close, 400, "ORDER_CLOSED", Meaning::look},
    {Call::close, 400, "INVALID_REQUEST", Meaning::look},
    {Call::close, 403, "OUT_TRADE_NO_USED", Meaning::look},
    {Call::close, 403, "TRADE_ERROR", Meaning::look},
    {Call::close, 403, "RULE_LIMIT", Meaning::look},
    {Call::refund, 400, "PARAM_ERROR", Meaning::refused},
    {Call::refund, 400, "APPID_MCHID_NOT_MATCH", Meaning::refused},
    {Call::refund, 400, "MCH_NOT_EXISTS", Meaning::refused},
    {Call::refund, 404, "MCH_NOT_EXISTS", Meaning::refused},
    {Call::refund, 404, "RESOURCE_NOT_EXISTS", Meaning::refused},
    {Call::refund, 401, "SIGN_ERROR", Meaning::refused},
    {Call::refund, 403, "NO_AUTH", Meaning::refused},
    {Call::refund, 403, "NOT_ENOUGH", Meaning::refused},
    {Call::refund, 403, "USER_ACCOUNT_ABNORMAL", Meaning::refused},
    {Call::refund, 400, "INVALID_REQUEST", Meaning::look},
    {Call::query_refund, 404, "RESOURCE_NOT_EXISTS", Meaning::absent},
    {Call::bill, 400, "NO_STATEMENT_EXIST", Meaning::absent},
    {Call::bill, 404, "NO_STATEMENT_EXIST", Meaning::absent},
    {Call::bill, 400, "STATEMENT_CREATING", Meaning::later},
    {Call::bill, 400, "PARAM_ERROR", Meaning::refused},
    {Call::bill, 403, "NO_AUTH", Meaning::refused},
};

}  // namespace

std::string_view to_word(WechatCall call) {
  constexpr std::string_view kWords[] = {"prepay", "query",        "close",
                                         "refund", "query_refund", "bill"};
  return kWords[static_cast<std::size_t>(call)];
}

WechatMeaning wechat_meaning(WechatCall call, int status, std::string_view code) {
  if (status == 429 || code == "FREQUENCY_LIMITED" || code == "RATELIMIT_EXCEEDED")
    return Meaning::later;
  for (const Rule& rule : kRules)
    if (rule.call == call && rule.status == status && rule.code == code) return rule.meaning;
  return Meaning::unknown;
}

WechatPace::WechatPace(const base::Clock& clock, std::int64_t prepays_per_second) : clock_(clock) {
  const std::int64_t now = clock.mono_ms();
  const auto full = [now](std::int64_t per_second) {
    return Bucket{per_second, per_second * kOneCall, now};
  };
  lanes_[static_cast<std::size_t>(Call::prepay)].calls = full(prepays_per_second);
  lanes_[static_cast<std::size_t>(Call::query)].calls = full(kQueriesPerSecond);
  lanes_[static_cast<std::size_t>(Call::refund)].calls = full(kRefundsPerSecond);
  failed_refunds_ = full(kFailedRefundsPerSecond);
}

void WechatPace::Bucket::fill(std::int64_t now_ms) {
  // At most a second's worth is ever there, so that more than a second need not be counted.
  const std::int64_t passed = std::clamp<std::int64_t>(now_ms - at_ms, 0, 1'000);
  left = std::min(per_second * kOneCall, left + passed * per_second);
  at_ms = now_ms;
}

bool WechatPace::may_send(WechatCall call) {
  const std::lock_guard lock(mutex_);
  const std::int64_t now = clock_.mono_ms();
  Lane& lane = lanes_[static_cast<std::size_t>(call)];
  if (now < lane.silent_until_ms) return false;
  if (call == Call::refund) {
    failed_refunds_.fill(now);
    if (failed_refunds_.left < kOneCall) return false;
  }
  if (lane.calls.per_second == 0) return true;  // the documentation names no limit
  lane.calls.fill(now);
  if (lane.calls.left < kOneCall) return false;
  lane.calls.left -= kOneCall;
  return true;
}

void WechatPace::heard(WechatCall call, WechatMeaning meaning) {
  const std::lock_guard lock(mutex_);
  const std::int64_t now = clock_.mono_ms();
  Lane& lane = lanes_[static_cast<std::size_t>(call)];
  const bool is_failed_refund =
      call == Call::refund && (meaning == Meaning::refused || meaning == Meaning::look);
  if (is_failed_refund) {
    failed_refunds_.fill(now);
    failed_refunds_.left -= kOneCall;
  }
  if (meaning != Meaning::later || call == Call::bill) {
    if (meaning != Meaning::unknown) lane.refusals_in_row = 0;
    return;
  }
  const int doublings = std::min(lane.refusals_in_row, 6);
  ++lane.refusals_in_row;
  lane.silent_until_ms = now + std::min(kLongestSilenceMs, kFirstSilenceMs << doublings);
}

}  // namespace topup::payments
