// WeChat Pay, API v3, direct merchant: the "wechat" channel. Everything that is WeChat's own is in
// wechat.cpp, its signatures in wechat_sign.cpp, its text forms in wechat_text.cpp. Source: the
// merchant documentation at pay.weixin.qq.com, read in November 2026. Both verification modes work
// at once, chosen by the Wechatpay-Serial of each answer: platform certificates (40 hex digits) and
// WeChat Pay public keys (PUB_KEY_ID_…).
// Only prepay(), refund() and query_refund() can end in DefiniteFail: a refused query or close says
// nothing about the order. Outbound, Clock and Random must outlive the channel.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/base/clock.h"
#include "server/base/crypto.h"
#include "server/base/http_client.h"
#include "server/base/random.h"
#include "server/payments/channel.h"

namespace topup::payments {

struct WechatConfig {
  std::string mchid;
  std::string appid;         // bound to mchid; of the official account or of the mini-program
  std::string serial_no;     // of the merchant's API certificate: 40 upper-case hex digits
  base::RsaKey private_key;  // of that certificate
  std::string apiv3_key;     // 32 bytes: opens what notifications carry
  std::vector<std::pair<std::string, base::RsaKey>>
      verify_keys;         // Wechatpay-Serial → WeChat's public key
  std::string notify_url;  // public, without a query string
  std::string app_name;    // shown by the h5 cashier, and the description of last resort
  std::string app_url;     // on the registered h5 domain
};

// Throws InvariantBroken when the configuration cannot work: an empty mchid, an apiv3_key that is
// not 32 bytes, no verify key.
std::unique_ptr<PayChannel> make_wechat(WechatConfig config, base::Outbound& outbound,
                                        const base::Clock& clock, base::Random& random);

}  // namespace topup::payments
