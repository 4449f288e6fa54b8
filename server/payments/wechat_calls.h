// One signed call to WeChat Pay and what came back of it, believed only as far as its signature
// goes; and the keys on both sides, which may be exchanged while the shop runs. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/http_client.h"
#include "server/base/json.h"
#include "server/payments/wechat.h"
#include "server/payments/wechat_keys.h"
#include "server/payments/wechat_meaning.h"
#include "server/payments/wechat_sign.h"

namespace topup::payments {

struct WechatAnswer {
  bool is_ok = false;  // 200 or 204, and signed by WeChat
  base::Json body;     // of an ok answer
  WechatMeaning meaning = WechatMeaning::unknown;
  std::string why;      // of any other: their code, or our word
  std::string message;  // theirs, cleaned
};

class WechatCalls {
 public:
  // Throws InvariantBroken, see make_wechat().
  WechatCalls(WechatConfig config, base::Outbound& outbound, const base::Clock& clock,
              base::Random& random);

  // What is configured now; a call holds on to one, so that a change never falls into its middle.
  std::shared_ptr<const WechatConfig> config() const;
  Result<bool> adopt(WechatConfig config);  // see WechatChannel::adopt()

  // Made again once when the answer was a signature probe: every call here may be repeated.
  WechatAnswer exchange(WechatCall call, std::string_view method, const std::string& target,
                        const std::string& body);
  // For answers that carry no signature: the files of bills. The caller checks what came.
  base::OutboundReply fetch_unsigned(const std::string& target, std::size_t most_bytes);

  // `may_wait`: for a download of certificates that another caller has begun.
  WechatSignature check(const WechatHeaders& headers, std::string_view body, bool may_wait) const;
  // What a notification carries, under the API v3 key of now or the one before.
  Result<std::string> open(std::string_view nonce, std::string_view aad,
                           std::string_view sealed) const;

  bool refresh_certificates() const;  // true when a download has ended
  const WechatKeyring& keys() const { return keys_; }

 private:
  base::OutboundRequest signed_request(const WechatConfig& config, std::string_view method,
                                       const std::string& target, const std::string& body,
                                       std::int64_t deadline_ms) const;
  WechatAnswer read(WechatCall call, const base::OutboundReply& reply) const;
  WechatAnswer read_refusal(WechatCall call, const base::OutboundReply& reply,
                            WechatSignature verdict) const;
  Fetched download() const;
  std::optional<std::vector<PlatformCertificate>> certificates_in(std::string_view body) const;

  mutable std::mutex mutex_;
  std::shared_ptr<const WechatConfig> config_;
  std::string former_apiv3_key_;
  base::Outbound& outbound_;
  const base::Clock& clock_;
  base::Random& random_;
  mutable WechatKeyring keys_;
  WechatPace pace_;
};

}  // namespace topup::payments
