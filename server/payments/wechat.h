// WeChat Pay, API v3, direct merchants and service providers: the "wechat" channel. What it asks
// for and what it makes of the answers is in wechat.cpp, the signed calls in wechat_calls, the keys
// that answers are checked with in wechat_keys, meanings and frequencies in wechat_meaning,
// signatures in wechat_sign, text forms in wechat_text. Source: the merchant documentation at
// pay.weixin.qq.com, read in November 2026. Both verification modes work at once, chosen by the
// Wechatpay-Serial of each answer: platform certificates (40 hex digits), which are downloaded when
// an unknown one turns up, and WeChat Pay public keys (PUB_KEY_ID_…).
// Only prepay(), refund() and query_refund() can end in DefiniteFail: a refused query or close says
// nothing about the order. Outbound, Clock and Random must outlive the channel.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/base/clock.h"
#include "server/base/crypto.h"
#include "server/base/http_client.h"
#include "server/base/random.h"
#include "server/payments/channel.h"
#include "server/payments/wechat_keys.h"

namespace topup::payments {

struct WechatConfig {
  std::string mchid;         // in partner mode the service provider's
  std::string appid;         // bound to mchid; of the official account or of the mini-program
  std::string serial_no;     // of the merchant's API certificate: 40 upper-case hex digits
  base::RsaKey private_key;  // of that certificate
  std::string apiv3_key;     // 32 bytes: opens what notifications carry
  std::vector<std::pair<std::string, base::RsaKey>>
      verify_keys;  // Wechatpay-Serial → WeChat's public key; certificates come by themselves
  std::string notify_url;  // public, without a query string
  std::string app_name;    // shown by the h5 cashier, and the description of last resort
  std::string app_url;     // on the registered h5 domain
  std::vector<std::string> more_appids = {};  // bound to mchid as well: those of jsapi payers
  std::string certificate_folder = {};        // where downloaded certificates are kept; "": nowhere
  std::string authority_pem = {};  // what they must lead to; "": the API v3 key alone vouches
  std::int64_t certificate_until_ms = 0;  // when the merchant's own ends; 0: not known
  // Partner mode: whose money a payment becomes (sub_mchid), by the operator of the product; the
  // rest goes to default_payee. All empty: a direct merchant.
  std::string default_payee = {};
  std::vector<std::pair<std::string, std::string>> payees = {};
  std::int64_t prepays_per_second = 500;  // what this merchant is allowed
};

class WechatChannel : public PayChannel {
 public:
  // Takes over keys, serial numbers, payees and names while the shop runs; calls under way end with
  // what they began with, and what was sealed with the API v3 key before still opens. Errors:
  // conflict/needs_restart when mchid or appid differ.
  virtual Result<bool> adopt(WechatConfig config) = 0;
  // Twice a day: downloads certificates where this merchant uses them and says in the log which key
  // ends within 30, 7 or 1 days, once for each.
  virtual void tend_keys() = 0;
  virtual std::vector<WechatKeyFact> keys() const = 0;
};

// Throws InvariantBroken when the configuration cannot work: an empty mchid, an apiv3_key that is
// not 32 bytes.
std::unique_ptr<WechatChannel> make_wechat(WechatConfig config, base::Outbound& outbound,
                                           const base::Clock& clock, base::Random& random);

}  // namespace topup::payments
