// X.509 certificates: what one says of itself, whether another one signed it, and making them for
// the rehearsal world. Trust is the caller's matter. Thread-safe. Errors: certificate_malformed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/crypto.h"
#include "shared/result.h"

namespace topup::base {

inline constexpr std::size_t kMaxCertificates = 32;  // of one file

struct CertificateFacts {
  std::string pem;
  std::string subject, issuer;  // RFC 2253: "CN=…,OU=…,O=…,C=…", the most specific part first
  std::string serial_decimal;
  std::string serial_hex;     // upper case
  std::string signature_oid;  // "1.2.840.113549.1.1.11" for RSA with SHA-256
  std::string public_key_pem;
  std::int64_t begin_ms = 0, end_ms = 0;  // UTC
};
// Every certificate of a PEM text, in its order; at least one, at most kMaxCertificates.
Result<std::vector<CertificateFacts>> certificates_in(std::string_view pem);

// Whether the key of `issuer` signed `certificate`, and the names fit. Looks at no date.
bool is_issued_by(std::string_view certificate_pem, std::string_view issuer_pem);

struct NewCertificate {
  std::string common_name, organisation;
  std::int64_t serial = 1;
  std::int64_t begin_ms = 0, end_ms = 0;
  bool is_authority = false;
};
// `issuer_pem` empty: self-signed, and issuer_key is its own key.
std::string make_certificate(const NewCertificate& wanted, const RsaKey& key,
                             const RsaKey& issuer_key, std::string_view issuer_pem);

// MD5 in hex: no protection of anything, only how some parties name certificates.
std::string md5_hex(std::string_view bytes);

}  // namespace topup::base
