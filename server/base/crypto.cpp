#include "server/base/crypto.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <initializer_list>
#include <semaphore>

#include "server/base/md5.h"
#include "server/base/secret.h"
#include "shared/check.h"

namespace topup::base {
namespace {

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 16384;  // larger keys make one verification cost seconds
constexpr std::size_t kMaxPemBytes = 64 * 1024;
constexpr std::size_t kMaxSealBytes = std::size_t{1} << 30;  // OpenSSL counts in int
constexpr std::size_t kMaxSignatureText = 4096;
constexpr std::size_t kAesKeyBytes = 32;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kMaxPasswordBytes = 1024;
constexpr std::uint64_t kScryptN = std::uint64_t{1} << 15;
constexpr std::uint64_t kScryptR = 8;
constexpr std::uint64_t kScryptP = 1;
// The default of OpenSSL, 32 MiB, is a little less than N = 2^15, r = 8 needs.
constexpr std::uint64_t kScryptMaxMemory = 64ULL * 1024 * 1024;
constexpr std::string_view kScryptPrefix = "scrypt$15$8$1$";

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>>;

// The error queue belongs to the thread, not to us: what one call leaves there, a later TLS call
// would report as its own.
class CleanErrorQueue {
 public:
  CleanErrorQueue() { ERR_clear_error(); }
  ~CleanErrorQueue() { ERR_clear_error(); }
  CleanErrorQueue(const CleanErrorQueue&) = delete;
  CleanErrorQueue& operator=(const CleanErrorQueue&) = delete;
};

const unsigned char* octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* octets(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

// Without this OpenSSL would ask for the password of an encrypted key on the terminal.
int no_password(char*, int, int, void*) { return -1; }

Bio bio_over(std::string_view text) {
  Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  check(bio != nullptr, "no memory for a BIO");
  return bio;
}

std::string text_of(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

std::shared_ptr<EVP_PKEY> owned(EVP_PKEY* key) {
  return std::shared_ptr<EVP_PKEY>(key, [](EVP_PKEY* k) { EVP_PKEY_free(k); });
}

bool is_usable_rsa(const EVP_PKEY* key) {
  if (key == nullptr || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) return false;
  const int bits = EVP_PKEY_get_bits(key);
  return bits >= kMinRsaBits && bits <= kMaxRsaBits;
}

tl::unexpected<Error> malformed_key(const char* detail) {
  return refuse(Code::invalid_argument, "key_malformed", {}, detail);
}

// Looked up once: EVP_aes_256_gcm() is searched by name at each use.
const EVP_CIPHER* aes_256_gcm() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  check(cipher != nullptr, "OpenSSL has AES-256-GCM");
  return cipher;
}

std::shared_ptr<EVP_PKEY> read_public(std::string_view pem) {
  if (pem.find("-----BEGIN CERTIFICATE-----") != std::string_view::npos) {
    const Certificate certificate(
        PEM_read_bio_X509(bio_over(pem).get(), nullptr, no_password, nullptr));
    return certificate ? owned(X509_get_pubkey(certificate.get())) : nullptr;
  }
  return owned(PEM_read_bio_PUBKEY(bio_over(pem).get(), nullptr, no_password, nullptr));
}

}  // namespace

Result<RsaKey> RsaKey::from_private_pem(std::string_view pem) {
  const CleanErrorQueue clean;
  if (pem.size() > kMaxPemBytes) return malformed_key("A key file is at most 64 KiB.");
  auto key = owned(PEM_read_bio_PrivateKey(bio_over(pem).get(), nullptr, no_password, nullptr));
  if (!is_usable_rsa(key.get())) {
    return malformed_key("Expected an unencrypted PEM RSA private key of at least 2048 bits.");
  }
  return RsaKey(std::move(key));
}

Result<RsaKey> RsaKey::from_public_pem(std::string_view pem) {
  const CleanErrorQueue clean;
  if (pem.size() > kMaxPemBytes) return malformed_key("A key file is at most 64 KiB.");
  auto key = read_public(pem);
  if (!is_usable_rsa(key.get())) {
    return malformed_key("Expected a PEM RSA public key or certificate of at least 2048 bits.");
  }
  return RsaKey(std::move(key));
}

RsaKey RsaKey::generate(int bits) {
  const CleanErrorQueue clean;
  check(bits >= kMinRsaBits && bits <= kMaxRsaBits, "RSA key size out of range");
  auto key = owned(EVP_RSA_gen(static_cast<unsigned int>(bits)));
  check(key != nullptr, "RSA key generation failed");
  return RsaKey(std::move(key));
}

std::string RsaKey::private_pem() const {
  const CleanErrorQueue clean;
  const Bio bio(BIO_new(BIO_s_mem()));
  check(bio && PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr,
                                             nullptr) == 1,
        "a public key has no private half to write");
  return text_of(bio);
}

std::string RsaKey::public_pem() const {
  const CleanErrorQueue clean;
  const Bio bio(BIO_new(BIO_s_mem()));
  check(bio && PEM_write_bio_PUBKEY(bio.get(), key_.get()) == 1, "public key not writable");
  return text_of(bio);
}

std::string sign_sha256_rsa(const RsaKey& key, std::string_view message) {
  const CleanErrorQueue clean;
  const DigestContext context(EVP_MD_CTX_new());
  check(
      context && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1,
      "signing could not start");
  std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(key.get()));
  std::string signature(size, '\0');
  check(
      EVP_DigestSign(context.get(), octets(signature), &size, octets(message), message.size()) == 1,
      "signing failed; is this a private key?");
  signature.resize(size);
  return base64(signature);
}

bool verify_sha256_rsa(const RsaKey& key, std::string_view message,
                       std::string_view signature_base64) {
  const CleanErrorQueue clean;
  if (signature_base64.size() > kMaxSignatureText) return false;
  const auto signature = from_base64(signature_base64);
  if (!signature) return false;
  const DigestContext context(EVP_MD_CTX_new());
  if (!context) return false;
  if (EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1) {
    return false;
  }
  return EVP_DigestVerify(context.get(), octets(*signature), signature->size(), octets(message),
                          message.size()) == 1;
}

std::string seal_aes_gcm(std::string_view key, std::string_view nonce, std::string_view aad,
                         std::string_view plain) {
  const CleanErrorQueue clean;
  check(key.size() == kAesKeyBytes && nonce.size() == kNonceBytes, "AES-256-GCM key or nonce size");
  check(plain.size() <= kMaxSealBytes && aad.size() <= kMaxSealBytes, "too much to seal at once");
  const CipherContext context(EVP_CIPHER_CTX_new());
  std::string sealed(plain.size() + kTagBytes, '\0');
  int size = 0;
  const bool ok =
      context &&
      EVP_EncryptInit_ex(context.get(), aes_256_gcm(), nullptr, octets(key), octets(nonce)) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &size, octets(aad), static_cast<int>(aad.size())) ==
          1 &&
      EVP_EncryptUpdate(context.get(), octets(sealed), &size, octets(plain),
                        static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), octets(sealed) + plain.size(), &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes,
                          octets(sealed) + plain.size()) == 1;
  check(ok, "AES-256-GCM encryption failed");
  return sealed;
}

Result<std::string> open_aes_gcm(std::string_view key, std::string_view nonce, std::string_view aad,
                                 std::string_view cipher_and_tag) {
  const CleanErrorQueue clean;
  const auto invalid = [] { return refuse(Code::invalid_argument, "ciphertext_invalid"); };
  if (key.size() != kAesKeyBytes || nonce.size() != kNonceBytes) return invalid();
  if (cipher_and_tag.size() < kTagBytes || cipher_and_tag.size() > kMaxSealBytes) return invalid();
  if (aad.size() > kMaxSealBytes) return invalid();
  const std::string_view cipher = cipher_and_tag.substr(0, cipher_and_tag.size() - kTagBytes);
  std::string tag(cipher_and_tag.substr(cipher.size()));
  const CipherContext context(EVP_CIPHER_CTX_new());
  std::string plain(cipher.size(), '\0');
  std::array<unsigned char, kTagBytes> rest{};
  int size = 0;
  const bool ok =
      context &&
      EVP_DecryptInit_ex(context.get(), aes_256_gcm(), nullptr, octets(key), octets(nonce)) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &size, octets(aad), static_cast<int>(aad.size())) ==
          1 &&
      EVP_DecryptUpdate(context.get(), octets(plain), &size, octets(cipher),
                        static_cast<int>(cipher.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), rest.data(), &size) == 1;
  if (!ok) return invalid();
  return plain;
}

namespace {

// Looked up once: what EVP_sha256() and its like stand for is searched by name at each use.
const EVP_MD* fetched(const char* name) {
  const EVP_MD* found = EVP_MD_fetch(nullptr, name, nullptr);
  check(found != nullptr, "OpenSSL has this digest");
  return found;
}
const EVP_MD* sha256_method() {
  static const EVP_MD* const method = fetched("SHA256");
  return method;
}
const EVP_MD* sha1_method() {
  static const EVP_MD* const method = fetched("SHA1");
  return method;
}

// The digest of the parts one after another.
std::string digest_of(const EVP_MD* method, std::initializer_list<std::string_view> parts) {
  thread_local const DigestContext context(EVP_MD_CTX_new());
  std::string digest(static_cast<std::size_t>(EVP_MD_get_size(method)), '\0');
  bool ok = context && EVP_DigestInit_ex2(context.get(), method, nullptr) == 1;
  for (const std::string_view part : parts)
    ok = ok && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
  check(ok && EVP_DigestFinal_ex(context.get(), octets(digest), nullptr) == 1, "a digest failed");
  return digest;
}

// RFC 2104. OpenSSL's own makes and looks up a method for each call, which costs several times the
// digests themselves.
std::string hmac(const EVP_MD* method, std::string_view key, std::string_view bytes) {
  constexpr std::size_t kBlock = 64;  // of both digests
  constexpr char kInner = 0x36, kOuter = 0x5C;
  std::array<char, kBlock> block{};
  std::string short_key;
  if (key.size() > kBlock) key = short_key = digest_of(method, {key});
  std::copy(key.begin(), key.end(), block.begin());
  const std::string_view pad(block.data(), block.size());
  for (char& byte : block) byte = static_cast<char>(byte ^ kInner);
  const std::string inner = digest_of(method, {pad, bytes});
  for (char& byte : block) byte = static_cast<char>(byte ^ kInner ^ kOuter);
  std::string made = digest_of(method, {pad, inner});
  OPENSSL_cleanse(block.data(), block.size());
  OPENSSL_cleanse(short_key.data(), short_key.size());
  return made;
}

}  // namespace

std::string sha256(std::string_view bytes) { return digest_of(sha256_method(), {bytes}); }

std::string sha1(std::string_view bytes) { return digest_of(sha1_method(), {bytes}); }

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  return hmac(sha256_method(), key, bytes);
}

std::string hmac_sha1(std::string_view key, std::string_view bytes) {
  return hmac(sha1_method(), key, bytes);
}

std::string md5(std::string_view bytes) {
  std::string digest(16, '\0');
  check(EVP_Digest(bytes.data(), bytes.size(), octets(digest), nullptr, EVP_md5(), nullptr) == 1,
        "MD5 failed");
  return digest;
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string hash_password(std::string_view password, std::string_view salt16) {
  static std::counting_semaphore<2> turns(2);
  const CleanErrorQueue clean;
  check(salt16.size() == kSaltBytes, "a salt has 16 bytes");
  check(password.size() <= kMaxPasswordBytes, "a password has at most 1024 bytes");
  std::string hash(kDigestBytes, '\0');
  turns.acquire();
  const int made = EVP_PBE_scrypt(password.empty() ? "" : password.data(), password.size(),
                                  octets(salt16), salt16.size(), kScryptN, kScryptR, kScryptP,
                                  kScryptMaxMemory, octets(hash), hash.size());
  turns.release();
  check(made == 1, "scrypt failed");
  return std::string(kScryptPrefix) + base64(salt16) + "$" + base64(hash);
}

std::string scrypt_key(std::string_view passphrase, std::string_view salt16) {
  constexpr std::uint64_t kN = std::uint64_t{1} << 16;
  const CleanErrorQueue clean;
  check(salt16.size() == kSaltBytes, "a salt has 16 bytes");
  check(passphrase.size() <= kMaxPasswordBytes, "a passphrase has at most 1024 bytes");
  std::string key(kAesKeyBytes, '\0');
  const int made = EVP_PBE_scrypt(passphrase.empty() ? "" : passphrase.data(), passphrase.size(),
                                  octets(salt16), salt16.size(), kN, kScryptR, kScryptP,
                                  2 * kScryptMaxMemory, octets(key), key.size());
  check(made == 1, "scrypt failed");
  return key;
}

bool verify_password(std::string_view password, std::string_view stored) {
  if (password.size() > kMaxPasswordBytes) return false;
  if (stored.substr(0, kScryptPrefix.size()) != kScryptPrefix) return false;
  const std::string_view rest = stored.substr(kScryptPrefix.size());
  const auto salt = from_base64(rest.substr(0, rest.find('$')));
  if (!salt || salt->size() != kSaltBytes) return false;
  return constant_time_equal(hash_password(password, *salt), stored);
}

namespace {

constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> make_base64_values() {
  std::array<std::int8_t, 256> values{};
  for (auto& value : values) value = -1;
  for (std::size_t i = 0; i < kBase64Digits.size(); ++i) {
    values[static_cast<unsigned char>(kBase64Digits[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}

constexpr std::array<std::int8_t, 256> kBase64Values = make_base64_values();

std::uint32_t octet_at(std::string_view bytes, std::size_t at) {
  return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
}

tl::unexpected<Error> malformed_base64() {
  return refuse(Code::invalid_argument, "base64_malformed");
}

}  // namespace

std::string base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::uint32_t group =
        octet_at(bytes, at) << 16 | octet_at(bytes, at + 1) << 8 | octet_at(bytes, at + 2);
    const std::size_t digits = bytes.size() - at >= 3 ? 4 : bytes.size() - at + 1;
    for (std::size_t i = 0; i < 4; ++i) {
      text += i < digits ? kBase64Digits[group >> (18 - 6 * i) & 63U] : '=';
    }
  }
  return text;
}

Result<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return malformed_base64();
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  const std::string_view digits = text.substr(0, text.size() - padding);
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t held = 0;
  int held_bits = 0;
  for (const char digit : digits) {
    const std::int8_t value = kBase64Values[static_cast<unsigned char>(digit)];
    if (value < 0) return malformed_base64();
    held = (held << 6 | static_cast<std::uint32_t>(value)) & 0xFFFU;
    held_bits += 6;
    if (held_bits < 8) continue;
    held_bits -= 8;
    bytes += static_cast<char>(held >> held_bits & 0xFFU);
  }
  // Left-over bits must be zero: one value has exactly one text.
  if ((held & ((1U << held_bits) - 1U)) != 0) return malformed_base64();
  return bytes;
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    const auto octet = static_cast<unsigned char>(byte);
    text += kDigits[octet >> 4];
    text += kDigits[octet & 15U];
  }
  return text;
}

Result<std::int64_t> certificate_end_ms(std::string_view pem) {
  const CleanErrorQueue clean;
  const std::unique_ptr<BIO, decltype(&BIO_free)> in(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> found(
      in ? PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr) : nullptr, X509_free);
  std::tm end{};
  if (!found || ASN1_TIME_to_tm(X509_get0_notAfter(found.get()), &end) != 1)
    return refuse(Code::invalid_argument, "key_malformed");
  return std::int64_t{::timegm(&end)} * 1'000;
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  check(context_ != nullptr && EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1,
        "SHA-256 could not start");
}
Sha256::~Sha256() { EVP_MD_CTX_free(context_); }
void Sha256::add(std::string_view bytes) {
  check(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1, "SHA-256 failed");
}
std::string Sha256::digest() {
  std::string digest(kDigestBytes, '\0');
  check(EVP_DigestFinal_ex(context_, octets(digest), nullptr) == 1, "SHA-256 failed");
  return digest;
}

Result<std::string> from_hex(std::string_view text) {
  const auto value_of = [](char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
  };
  if (text.size() % 2 != 0) return refuse(Code::invalid_argument, "hex_malformed");
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t at = 0; at < text.size(); at += 2) {
    const int high = value_of(text[at]);
    const int low = value_of(text[at + 1]);
    if (high < 0 || low < 0) return refuse(Code::invalid_argument, "hex_malformed");
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

void cleanse(std::string& bytes) {
  if (!bytes.empty()) OPENSSL_cleanse(bytes.data(), bytes.size());
  bytes.clear();
}

}  // namespace topup::base
