// The signatures of WeChat Pay API v3, all RSASSA-PKCS1-v1_5 with SHA-256 in base64. Pure;
// thread-safe; never throws for what the other side sent. Every line of every signed text ends in
// one LF, the last one too.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/base/crypto.h"

namespace topup::payments {

using WechatKeys =
    std::vector<std::pair<std::string, base::RsaKey>>;  // Wechatpay-Serial → public key
using WechatKeyOf =
    std::function<std::optional<base::RsaKey>(std::string_view serial)>;  // nullopt: not held
using WechatHeaders = std::vector<std::pair<std::string, std::string>>;

struct WechatSigned {          // what the signature of a request covers
  std::string_view method;     // upper case
  std::string_view target;     // path and query exactly as on the request line
  std::string_view timestamp;  // seconds
  std::string_view nonce;
  std::string_view body;  // raw bytes; empty for GET
};
std::string wechat_request_text(const WechatSigned& parts);
// The value of the Authorization header.
std::string wechat_authorization(const base::RsaKey& key, std::string_view mchid,
                                 std::string_view serial_no, const WechatSigned& parts);

// What a client needs to open the cashier; `package` is "prepay_id=…".
std::string wechat_pay_sign_text(std::string_view appid, std::string_view timestamp,
                                 std::string_view nonce, std::string_view package);

std::string wechat_answer_text(std::string_view timestamp, std::string_view nonce,
                               std::string_view body);

enum class WechatSignature : std::uint8_t {
  valid,
  absent,  // none of the signature headers: normal for a refusal, a forgery for anything else
  probe,   // WeChat's own test value WECHATPAY/SIGNTEST/…: must fail, and is no attack
  serial_unknown,  // a key we do not hold
  expired,         // the timestamp is kWechatWindowMs or more away from now, in either direction
  invalid,         // anything else, a header that came twice included
};
std::string_view to_word(
    WechatSignature verdict);  // signature_invalid, signature_probe, timestamp_expired …

inline constexpr std::int64_t kWechatWindowMs = 300'000;

// `body` is the raw bytes as received. Header names may be in any case.
// `key_of` is asked at most once.
WechatSignature check_wechat_signature(const WechatKeyOf& key_of, std::int64_t now_ms,
                                       const WechatHeaders& headers, std::string_view body);
WechatSignature check_wechat_signature(const WechatKeys& keys, std::int64_t now_ms,
                                       const WechatHeaders& headers, std::string_view body);

}  // namespace topup::payments
