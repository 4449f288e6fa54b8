// What the shop tells WeChat about its buyers' orders: a subscribe message of the mini-program, a
// template message of the official account, and that a paid thing was delivered. Source:
// developers.weixin.qq.com (subscribeMessage.send, template.send, upload_shipping_info), read in
// November 2026. Each call is made once; whoever calls decides what to do after it. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/base/wechat_app.h"

namespace topup::notify {

enum class SendOutcome : std::uint8_t {
  sent,
  no_quota,      // 43101: the buyer did not agree, or has used up what they agreed to. Not a fault
  bad_template,  // 47003, 40037, 41030, 45168: the template or its data is wrong: a person mends it
  bad_receiver,  // 40003, 43004: this openid gets nothing
  unavailable,   // busy, too much, no answer: later
};
std::string_view word_of(SendOutcome outcome);

struct Sent {
  SendOutcome outcome = SendOutcome::unavailable;
  std::string party_id;  // msgid
  std::string code;      // "43101", "wechat_unavailable"; "" when sent
  std::string detail;    // WeChat's own words, for a person
};
struct WechatMessage {
  std::string openid, template_id;
  std::string page;  // "pages/order/order?id=…", "" for none
  std::vector<std::pair<std::string, std::string>> lines;
};
Sent send_subscribe(base::WechatApp& mini, const WechatMessage& message);
// `mini_appid`: the page is one of that mini-program; "" sends no page.
Sent send_template(base::WechatApp& oa, const WechatMessage& message,
                   const std::string& mini_appid);

inline constexpr std::size_t kMaxItemCharacters = 120;
struct Shipping {
  std::string transaction_id, openid;
  std::string item;  // what was delivered, in words; cut to kMaxItemCharacters
  std::int64_t at_ms = 0;
};
enum class ShippingOutcome : std::uint8_t {
  reported,  // now or before
  not_yet,   // WeChat does not know the payment yet, or is busy: later
  refused,   // a person must look
};
struct Shipped {
  ShippingOutcome outcome = ShippingOutcome::not_yet;
  std::string code, detail;
};
Shipped upload_shipping(base::WechatApp& mini, const Shipping& shipping);

// "2026-11-21T15:31:00.000+08:00"
std::string shanghai_time_text(std::int64_t at_ms);

}  // namespace topup::notify
