// What WeChat Pay says about an order or a refund, read: the object is the same in answers and in
// notifications, but for the key of a refund's state. nullopt: not the documented shape. Pure;
// thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/base/json.h"
#include "server/payments/channel.h"
#include "server/payments/wechat.h"

namespace topup::payments {

std::string text_or(const base::Json& object, const char* key, std::string missing);
bool is_own_appid(const WechatConfig& config, std::string_view appid);

// Direct objects name mchid and appid, those of a partner sp_mchid, sub_mchid and sp_appid. A
// currency or a size that Money cannot hold reads as "not our payee".
std::optional<Trade> wechat_trade_in(const base::Json& object, const WechatConfig& config);

// `status_key`: status in answers, refund_status in notifications.
std::optional<RefundTrade> wechat_refund_in(const base::Json& object, const char* status_key);
// Whether a refund notification is for this merchant at all.
bool is_own_refund(const base::Json& object, const WechatConfig& config);

}  // namespace topup::payments
