#include "server/payments/wechat_sign.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace topup::payments {
namespace {

constexpr std::string_view kScheme = "WECHATPAY2-SHA256-RSA2048";
constexpr std::string_view kProbePrefix = "WECHATPAY/SIGNTEST/";
constexpr std::size_t kMaxTimestampDigits = 12;

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return to_lower(x) == to_lower(y); });
}

struct Found {
  int count = 0;
  std::string_view value;
};

Found find_header(const WechatHeaders& headers, std::string_view name) {
  Found found;
  for (const auto& [key, value] : headers) {
    if (!same_name(key, name)) continue;
    ++found.count;
    found.value = value;
  }
  return found;
}

std::optional<std::int64_t> parse_seconds(std::string_view text) {
  if (text.empty() || text.size() > kMaxTimestampDigits || text[0] == '-') return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return seconds;
}

void append_line(std::string& text, std::string_view line) {
  text.append(line);
  text.push_back('\n');
}

}  // namespace

std::string wechat_request_text(const WechatSigned& parts) {
  std::string text;
  for (const auto line : {parts.method, parts.target, parts.timestamp, parts.nonce, parts.body})
    append_line(text, line);
  return text;
}

std::string wechat_authorization(const base::RsaKey& key, std::string_view mchid,
                                 std::string_view serial_no, const WechatSigned& parts) {
  const std::string signature = base::sign_sha256_rsa(key, wechat_request_text(parts));
  std::string value(kScheme);
  const auto field = [&value](std::string_view lead, std::string_view text) {
    value.append(lead).append("=\"").append(text).append("\"");
  };
  field(" mchid", mchid);
  field(",nonce_str", parts.nonce);
  field(",signature", signature);
  field(",timestamp", parts.timestamp);
  field(",serial_no", serial_no);
  return value;
}

std::string wechat_pay_sign_text(std::string_view appid, std::string_view timestamp,
                                 std::string_view nonce, std::string_view package) {
  std::string text;
  for (const auto line : {appid, timestamp, nonce, package}) append_line(text, line);
  return text;
}

std::string wechat_answer_text(std::string_view timestamp, std::string_view nonce,
                               std::string_view body) {
  std::string text;
  for (const auto line : {timestamp, nonce, body}) append_line(text, line);
  return text;
}

std::string_view to_word(WechatSignature verdict) {
  switch (verdict) {
    case WechatSignature::valid:
      return "valid";
    case WechatSignature::probe:
      return "signature_probe";
    case WechatSignature::serial_unknown:
      return "serial_unknown";
    case WechatSignature::expired:
      return "timestamp_expired";
    case WechatSignature::absent:
    case WechatSignature::invalid:
      break;
  }
  return "signature_invalid";
}

WechatSignature check_wechat_signature(const WechatKeys& keys, std::int64_t now_ms,
                                       const WechatHeaders& headers, std::string_view body) {
  const auto key_of = [&keys](std::string_view serial) -> std::optional<base::RsaKey> {
    const auto key =
        std::find_if(keys.begin(), keys.end(), [&](const auto& k) { return k.first == serial; });
    return key == keys.end() ? std::nullopt : std::optional(key->second);
  };
  return check_wechat_signature(WechatKeyOf(key_of), now_ms, headers, body);
}

WechatSignature check_wechat_signature(const WechatKeyOf& key_of, std::int64_t now_ms,
                                       const WechatHeaders& headers, std::string_view body) {
  const Found signature = find_header(headers, "wechatpay-signature");
  const Found timestamp = find_header(headers, "wechatpay-timestamp");
  const Found nonce = find_header(headers, "wechatpay-nonce");
  const Found serial = find_header(headers, "wechatpay-serial");
  const Found scheme = find_header(headers, "wechatpay-signature-type");
  if (signature.count + timestamp.count + nonce.count + serial.count == 0)
    return WechatSignature::absent;
  if (signature.count != 1 || timestamp.count != 1 || nonce.count != 1 || serial.count != 1)
    return WechatSignature::invalid;
  if (signature.value.substr(0, kProbePrefix.size()) == kProbePrefix) return WechatSignature::probe;
  if (scheme.count > 1 || (scheme.count == 1 && scheme.value != kScheme))
    return WechatSignature::invalid;

  const auto seconds = parse_seconds(timestamp.value);
  if (!seconds) return WechatSignature::invalid;
  const std::int64_t age_ms = now_ms - *seconds * 1000;
  const bool is_timely = age_ms < kWechatWindowMs && age_ms > -kWechatWindowMs;
  // A key that has to be fetched is not fetched for what is old anyway.
  const auto key = is_timely ? key_of(serial.value) : std::nullopt;
  if (!is_timely) return WechatSignature::expired;
  if (!key) return WechatSignature::serial_unknown;
  const std::string text = wechat_answer_text(timestamp.value, nonce.value, body);
  return base::verify_sha256_rsa(*key, text, signature.value) ? WechatSignature::valid
                                                              : WechatSignature::invalid;
}

}  // namespace topup::payments
