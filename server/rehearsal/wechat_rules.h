// What the rehearsed WeChat Pay refuses in a request body, and in which words. Pure; thread-safe.
// Source: WeChat Pay APIv3, "JSAPI/H5 prepay", "refunds", error code and Request-ID lists.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/base/json.h"

namespace topup::rehearsal {

// The merchant's contract as WeChat Pay knows it.
struct WechatContract {
  std::string mchid;
  std::string appid;
  std::string shop_origin;      // besides loopback the only place notifications are sent to
  std::string mini_appid = {};  // bound to the same merchant; "" for none
  std::vector<std::string> sub_mchids = {};  // of whom it is the service provider
};

// How an order comes in: the kind of payment as results name it, and for whom.
struct WechatDoor {
  std::string_view trade_type;  // JSAPI, MWEB, NATIVE
  bool by_partner = false;
};

struct WechatRefusal {
  int status = 400;
  std::string code;  // PARAM_ERROR …
  std::string message;
  std::int64_t number = 268435461;  // the internal code behind Request-ID
  base::Json detail = nullptr;      // {"field","value","issue","location"}
};

struct PrepayFields {
  std::string appid, mchid, out_trade_no, description, attach, notify_url, openid, app_url,
      app_name;
  std::string sub_mchid = {};  // partner mode
  std::int64_t total_fen = 0;
  std::int64_t expires_ms = 0;  // 0: none given
};

struct RefundFields {
  std::string transaction_id, out_trade_no, out_refund_no, reason, notify_url;
  std::int64_t refund_fen = 0, total_fen = 0;
  std::string sub_mchid = {};
};

inline constexpr std::int64_t kWechatExpiryFloorMs = 60'000;  // earlier is raised to now + 1 min
inline constexpr std::int64_t kWechatExpiryCapMs =
    std::int64_t{90} * 86'400'000;  // later is cut to 90 days
inline constexpr std::int64_t kMaxFen = 10'000'000'000;

std::variant<PrepayFields, WechatRefusal> check_prepay(const base::Json& body,
                                                       const WechatDoor& door,
                                                       const WechatContract& contract,
                                                       std::int64_t now_ms);
// Whose order the caller asks about: the merchant itself ("" then) or one below it, in a query or a
// body.
std::variant<std::string, WechatRefusal> check_merchant(std::string_view mchid,
                                                        std::string_view sub_mchid, bool by_partner,
                                                        std::string_view location,
                                                        const WechatContract& contract);
std::variant<RefundFields, WechatRefusal> check_refund(const base::Json& body,
                                                       const WechatContract& contract);
WechatRefusal wechat_param_error(std::string_view field, std::string_view value,
                                 std::string_view issue, std::string_view location);
// The same content whatever the order of keys: WeChat Pay compares parameters, not bytes.
std::string parameters_fingerprint(const base::Json& body);

}  // namespace topup::rehearsal
