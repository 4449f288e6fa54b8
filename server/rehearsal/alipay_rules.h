// What the rehearsed Alipay refuses in a request, and in which words. Pure; thread-safe. Source:
// the open platform's gateway, trade.create, trade.wap.pay and trade.refund pages and their error
// lists.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "server/base/json.h"
#include "server/rehearsal/wire_text.h"

namespace topup::rehearsal {

struct AlipayContract {  // as Alipay knows the merchant
  std::string app_id, seller_id, op_app_id;
  std::string shop_origin;  // besides loopback the only place notifications are sent to
};

struct AlipayRefusal {
  std::string code = "40004";
  std::string sub_code;  // ACQ.… or isv.…
  std::string sub_msg = {};
};

struct AlipayTradeFields {
  std::string out_trade_no, subject, product_code, buyer_open_id, notify_url, return_url;
  std::int64_t total_fen = 0;
  std::int64_t expires_ms = 0;
};
struct AlipayRefundFields {
  std::string out_trade_no, trade_no, out_request_no, reason;
  std::int64_t refund_fen = 0;
};

inline constexpr std::int64_t kMaxAlipayFen = 10'000'000'000;
inline constexpr std::int64_t kAlipayDefaultExpiryMs = 15LL * 86'400'000;

std::string alipay_param(const Pairs& params, std::string_view name);  // "" when absent
std::string yuan_of(std::int64_t fen);                                 // "12.34"
std::optional<std::int64_t> fen_of(std::string_view yuan);  // at most two decimals, above zero

// `params` are the public ones; biz_content is among them.
std::variant<AlipayTradeFields, AlipayRefusal> check_alipay_trade(const Pairs& params, bool is_wap,
                                                                  const AlipayContract& contract,
                                                                  std::int64_t now_ms);
std::variant<AlipayRefundFields, AlipayRefusal> check_alipay_refund(const base::Json& content);
std::optional<base::Json> alipay_content(const Pairs& params);  // biz_content as an object

}  // namespace topup::rehearsal
