// The signatures of Alipay's gateway: RSA2, which is RSASSA-PKCS1-v1_5 with SHA-256 in base64, and
// nothing else: a weaker sign_type is refused and never tried. Pure; thread-safe; never throws for
// what the other side sent. An answer is verified over the very bytes received, never over JSON
// that was written anew.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/base/certificate.h"
#include "server/base/crypto.h"
#include "server/payments/alipay_text.h"

namespace topup::payments {

// alipay_cert_sn → Alipay's public key; "" for the one key of the mode without certificates.
using AlipayKeys = std::vector<std::pair<std::string, base::RsaKey>>;

// name=value in the order of the names, joined by &, raw; `sign` and empty values are left out.
std::string alipay_sign_text(const AlipayParams& params);
void alipay_sign(const base::RsaKey& key, AlipayParams& params);  // appends `sign`

// Certificate mode: MD5 of the issuer's name and the serial number; of the root file those of each
// certificate that is signed with RSA, joined by _.
std::string alipay_cert_sn(const base::CertificateFacts& certificate);
std::string alipay_root_cert_sn(const std::vector<base::CertificateFacts>& roots);

enum class AlipaySignature : std::uint8_t {
  valid,
  absent,             // normal for a refusal of the gateway itself, a forgery for anything else
  sign_type_refused,  // MD5, RSA, nothing: whatever is not RSA2
  serial_unknown,     // a certificate we do not hold
  invalid,
};
std::string_view to_word(AlipaySignature verdict);  // signature_invalid, sign_type_refused …

struct AlipayAnswer {
  std::string_view content;      // the raw bytes of xxx_response, from its { to its }; part of body
  bool is_gateway_word = false;  // it was error_response: the gateway itself refused
  AlipaySignature verdict = AlipaySignature::absent;
};
// `method` as called: alipay.trade.query. Nothing when the body is not {"…_response":{…},…}, has a
// name twice, or is no JSON.
std::optional<AlipayAnswer> open_alipay_answer(const AlipayKeys& keys, std::string_view body,
                                               std::string_view method);

// A notification's form. `sign` and `sign_type` do not take part, every other field does.
AlipaySignature check_alipay_notice(const AlipayKeys& keys, const AlipayParams& params);

}  // namespace topup::payments
