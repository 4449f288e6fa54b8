// The only user of OpenSSL's cryptography. Keys are opaque handles that are cheap to copy and safe
// to share between threads. Nothing here logs. Errors: key_malformed, signature_invalid,
// ciphertext_invalid, base64_malformed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "shared/result.h"

typedef struct evp_pkey_st EVP_PKEY;
typedef struct evp_md_ctx_st EVP_MD_CTX;

namespace topup::base {

class RsaKey {  // a private or a public RSA key of >= 2048 bits
 public:
  static Result<RsaKey> from_private_pem(std::string_view pem);
  static Result<RsaKey> from_public_pem(
      std::string_view pem);  // PUBLIC KEY, or the key of a CERTIFICATE
  static RsaKey generate(int bits = 2048);
  std::string private_pem()
      const;  // PKCS#8, unencrypted: only for the rehearsal world and key files of mode 0600
  std::string public_pem() const;
  EVP_PKEY* get() const { return key_.get(); }

 private:
  explicit RsaKey(std::shared_ptr<EVP_PKEY> key) : key_(std::move(key)) {}
  std::shared_ptr<EVP_PKEY> key_;
};

// RSASSA-PKCS1-v1_5 with SHA-256, base64. Deterministic.
std::string sign_sha256_rsa(const RsaKey& key, std::string_view message);
// False for any defect: bad base64, wrong length, wrong key. Never throws.
bool verify_sha256_rsa(const RsaKey& key, std::string_view message,
                       std::string_view signature_base64);

// AES-256-GCM, key 32 bytes, nonce 12 bytes; the 16-byte tag is appended to the ciphertext. Errors:
// ciphertext_invalid.
std::string seal_aes_gcm(std::string_view key, std::string_view nonce, std::string_view aad,
                         std::string_view plain);
Result<std::string> open_aes_gcm(std::string_view key, std::string_view nonce, std::string_view aad,
                                 std::string_view cipher_and_tag);

std::string sha256(std::string_view bytes);  // 32 raw bytes
std::string sha1(std::string_view bytes);    // 20 raw bytes; only where a party's protocol wants it
std::string hmac_sha256(std::string_view key, std::string_view bytes);  // 32 raw bytes
std::string hmac_sha1(std::string_view key,
                      std::string_view bytes);  // 20 raw bytes; for RFC 6238 only
bool constant_time_equal(std::string_view a,
                         std::string_view b);  // time depends on the lengths only

// scrypt N=2^15 r=8 p=1, 16-byte salt, 32-byte result, as "scrypt$15$8$1$<salt>$<hash>" in base64.
// About 100 ms and 32 MiB: at most two run at once, later callers wait.
std::string hash_password(std::string_view password, std::string_view salt16);
bool verify_password(std::string_view password, std::string_view stored);

std::string base64(std::string_view bytes);
Result<std::string> from_base64(std::string_view text);  // strict: padding required, no blanks
std::string hex(std::string_view bytes);                 // lower case

// When the first certificate of a PEM text ends, in UTC. Errors: key_malformed.
Result<std::int64_t> certificate_end_ms(std::string_view pem);

// SHA-256 of what comes in pieces, such as a file that is larger than the memory.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::string_view bytes);
  std::string digest();  // 32 raw bytes; once, at the end

 private:
  EVP_MD_CTX* context_;
};

}  // namespace topup::base
