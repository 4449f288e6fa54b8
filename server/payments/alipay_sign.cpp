#include "server/payments/alipay_sign.h"

#include <algorithm>

#include "server/base/json.h"

namespace topup::payments {
namespace {

constexpr std::string_view kRsaOids = "1.2.840.113549.1.1";
constexpr std::size_t kMaxSign = 4'096;
constexpr std::size_t kMaxCertSn = 64;

std::string joined(AlipayParams params, bool keeps_empty) {
  std::sort(params.begin(), params.end());
  std::string text;
  for (const auto& [name, value] : params) {
    if (name == "sign" || (value.empty() && !keeps_empty)) continue;
    if (!text.empty()) text.push_back('&');
    text.append(name).append("=").append(value);
  }
  return text;
}

// The end of the JSON value that starts at `from`, one past it. The text is known to be JSON.
std::size_t end_of_value(std::string_view text, std::size_t from) {
  int depth = 0;
  bool is_quoted = false;
  for (std::size_t at = from; at < text.size(); ++at) {
    const char c = text[at];
    if (is_quoted) {
      if (c == '\\') ++at;
      if (c == '"') is_quoted = false;
      if (c == '"' && depth == 0) return at + 1;
      continue;
    }
    if (c == '"') is_quoted = true;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth == 0 && (c == '}' || c == ']')) return at + 1;
    if (depth <= 0 && (c == ',' || c == '}') && at > from) return at;
  }
  return text.size();
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  const std::size_t found = text.find_first_not_of(" \t\r\n", at);
  return found == std::string_view::npos ? text.size() : found;
}

// The raw value of a top-level member of an object; "" when there is none. The text is JSON.
std::string_view raw_member(std::string_view text, std::string_view wanted) {
  std::size_t at = skip_blanks(text, 0);
  if (at >= text.size() || text[at] != '{') return {};
  ++at;
  while (at < text.size()) {
    at = skip_blanks(text, at);
    if (at >= text.size() || text[at] != '"') return {};
    const std::size_t name_end = end_of_value(text, at);
    const std::string_view name = text.substr(at + 1, name_end - at - 2);
    at = skip_blanks(text, name_end);
    if (at >= text.size() || text[at] != ':') return {};
    at = skip_blanks(text, at + 1);
    const std::size_t value_end = end_of_value(text, at);
    if (name == wanted) return text.substr(at, value_end - at);
    at = skip_blanks(text, value_end);
    if (at >= text.size() || text[at] != ',') return {};
    ++at;
  }
  return {};
}

AlipaySignature judge(const AlipayKeys& keys, const base::Json& body, std::string_view content) {
  if (!body.contains("sign")) return AlipaySignature::absent;
  const auto sign = base::text_in(body, "sign", kMaxSign);
  if (!sign || sign->empty()) return AlipaySignature::invalid;
  const auto cert_sn = base::text_in(body, "alipay_cert_sn", kMaxCertSn);
  const bool is_key_mode = keys.size() == 1 && keys.front().first.empty();
  for (const auto& [serial, key] : keys) {
    if (!is_key_mode && serial != cert_sn.value_or("")) continue;
    return base::verify_sha256_rsa(key, content, *sign) ? AlipaySignature::valid
                                                        : AlipaySignature::invalid;
  }
  return AlipaySignature::serial_unknown;
}

}  // namespace

std::string alipay_sign_text(const AlipayParams& params) { return joined(params, false); }

void alipay_sign(const base::RsaKey& key, AlipayParams& params) {
  params.emplace_back("sign", base::sign_sha256_rsa(key, alipay_sign_text(params)));
}

std::string alipay_cert_sn(const base::CertificateFacts& certificate) {
  return base::md5_hex(certificate.issuer + certificate.serial_decimal);
}

std::string alipay_root_cert_sn(const std::vector<base::CertificateFacts>& roots) {
  std::string text;
  for (const base::CertificateFacts& root : roots) {
    if (!root.signature_oid.starts_with(kRsaOids)) continue;
    if (!text.empty()) text.push_back('_');
    text += alipay_cert_sn(root);
  }
  return text;
}

std::string_view to_word(AlipaySignature verdict) {
  switch (verdict) {
    case AlipaySignature::valid:
      return "valid";
    case AlipaySignature::sign_type_refused:
      return "sign_type_refused";
    case AlipaySignature::serial_unknown:
      return "serial_unknown";
    case AlipaySignature::absent:
    case AlipaySignature::invalid:
      break;
  }
  return "signature_invalid";
}

std::optional<AlipayAnswer> open_alipay_answer(const AlipayKeys& keys, std::string_view body,
                                               std::string_view method) {
  const auto json = base::json_in(body, base::kMaxPartyJsonBytes);
  if (!json || !json->is_object()) return std::nullopt;
  std::string name(method);
  std::replace(name.begin(), name.end(), '.', '_');
  name += "_response";
  AlipayAnswer answer;
  answer.is_gateway_word = !json->contains(name);
  answer.content = raw_member(body, answer.is_gateway_word ? "error_response" : name);
  if (!answer.content.starts_with('{')) return std::nullopt;
  answer.verdict = judge(keys, *json, answer.content);
  return answer;
}

AlipaySignature check_alipay_notice(const AlipayKeys& keys, const AlipayParams& params) {
  const std::string sign = alipay_value(params, "sign");
  if (alipay_value(params, "sign_type") != "RSA2") return AlipaySignature::sign_type_refused;
  if (sign.empty() || sign.size() > kMaxSign) return AlipaySignature::invalid;
  AlipayParams covered = params;
  std::erase_if(covered, [](const auto& field) { return field.first == "sign_type"; });
  // Some of Alipay's own signers leave empty values out; an empty value says nothing either way.
  for (const std::string& text : {joined(covered, true), joined(covered, false)}) {
    for (const auto& [serial, key] : keys) {
      if (base::verify_sha256_rsa(key, text, sign)) return AlipaySignature::valid;
    }
  }
  return AlipaySignature::invalid;
}

}  // namespace topup::payments
