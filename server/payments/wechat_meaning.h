// What WeChat Pay's refusals mean, row by row of (call, HTTP status, code), and how fast each call
// may be made. Source: the merchant documentation's error code lists and frequency limits, read in
// November 2026.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string_view>

#include "server/base/clock.h"

namespace topup::payments {

enum class WechatCall : std::uint8_t { prepay, query, close, refund, query_refund, bill };
inline constexpr std::size_t kWechatCalls = 6;
std::string_view to_word(WechatCall call);

enum class WechatMeaning : std::uint8_t {
  unknown,  // also whatever has no row
  refused,  // read, understood and not done
  absent,   // they have no such number
  look,     // the number is taken or finished: only its own record says how
  later,    // too often: the same again after a while
};
WechatMeaning wechat_meaning(WechatCall call, int status, std::string_view code);

// Keeps this process below the frequencies that the documentation names, and silent for a while
// (1 s, doubling up to a minute) after WeChat Pay has said "too often". Thread-safe.
class WechatPace {
 public:
  WechatPace(const base::Clock& clock, std::int64_t prepays_per_second);
  bool may_send(WechatCall call);  // counts it as sent when true
  void heard(WechatCall call, WechatMeaning meaning);

 private:
  struct Bucket {  // thousandths of a call
    std::int64_t per_second = 0, left = 0, at_ms = 0;
    void fill(std::int64_t now_ms);
  };
  struct Lane {
    Bucket calls;
    std::int64_t silent_until_ms = 0;
    int refusals_in_row = 0;
  };
  const base::Clock& clock_;
  std::mutex mutex_;
  std::array<Lane, kWechatCalls> lanes_;
  Bucket failed_refunds_;
};

}  // namespace topup::payments
