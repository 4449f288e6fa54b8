#include "server/base/certificate.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <memory>

#include "shared/check.h"

namespace topup::base {
namespace {

constexpr std::size_t kMaxPemBytes = 256 * 1024;
constexpr std::size_t kMaxOidText = 128;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

Bio bio_over(std::string_view text) {
  Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  check(bio != nullptr, "no memory for a BIO");
  return bio;
}

Bio empty_bio() {
  Bio bio(BIO_new(BIO_s_mem()));
  check(bio != nullptr, "no memory for a BIO");
  return bio;
}

std::string text_of(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

std::string openssl_text(char* text) {
  std::string copy = text == nullptr ? "" : text;
  OPENSSL_free(text);
  return copy;
}

std::string name_text(const X509_NAME* name) {
  const Bio bio = empty_bio();
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  return text_of(bio);
}

std::int64_t time_ms(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? std::int64_t{::timegm(&parts)} * 1'000 : 0;
}

std::string pem_of(X509* certificate) {
  const Bio bio = empty_bio();
  check(PEM_write_bio_X509(bio.get(), certificate) == 1, "a certificate is not writable");
  return text_of(bio);
}

CertificateFacts facts_of(X509* certificate) {
  CertificateFacts facts;
  facts.pem = pem_of(certificate);
  facts.subject = name_text(X509_get_subject_name(certificate));
  facts.issuer = name_text(X509_get_issuer_name(certificate));
  const Number serial(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  if (serial) {
    facts.serial_decimal = openssl_text(BN_bn2dec(serial.get()));
    facts.serial_hex = openssl_text(BN_bn2hex(serial.get()));
  }
  const ASN1_OBJECT* algorithm = nullptr;
  X509_ALGOR_get0(&algorithm, nullptr, nullptr, X509_get0_tbs_sigalg(certificate));
  std::array<char, kMaxOidText> oid{};
  OBJ_obj2txt(oid.data(), static_cast<int>(oid.size()), algorithm, 1);
  facts.signature_oid = oid.data();
  const Bio key = empty_bio();
  if (PEM_write_bio_PUBKEY(key.get(), X509_get0_pubkey(certificate)) == 1)
    facts.public_key_pem = text_of(key);
  facts.begin_ms = time_ms(X509_get0_notBefore(certificate));
  facts.end_ms = time_ms(X509_get0_notAfter(certificate));
  return facts;
}

Certificate read_one(std::string_view pem) {
  return Certificate(PEM_read_bio_X509(bio_over(pem).get(), nullptr, nullptr, nullptr));
}

void name(X509_NAME* to, const char* field, const std::string& value) {
  check(X509_NAME_add_entry_by_txt(to, field, MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(value.data()),
                                   static_cast<int>(value.size()), -1, 0) == 1,
        "a name that no certificate can carry");
}

void mark_authority(X509* certificate) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension =
      X509V3_EXT_conf_nid(nullptr, &context, NID_basic_constraints, "critical,CA:TRUE");
  check(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1,
        "an authority's certificate cannot say so");
  X509_EXTENSION_free(extension);
}

}  // namespace

Result<std::vector<CertificateFacts>> certificates_in(std::string_view pem) {
  if (pem.size() > kMaxPemBytes) return refuse(Code::invalid_argument, "certificate_malformed");
  ERR_clear_error();
  std::vector<CertificateFacts> found;
  const Bio bio = bio_over(pem);
  while (found.size() < kMaxCertificates) {
    const Certificate one(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!one) break;
    found.push_back(facts_of(one.get()));
  }
  ERR_clear_error();
  if (found.empty()) return refuse(Code::invalid_argument, "certificate_malformed");
  return found;
}

bool is_issued_by(std::string_view certificate_pem, std::string_view issuer_pem) {
  ERR_clear_error();
  const Certificate certificate = read_one(certificate_pem);
  const Certificate issuer = read_one(issuer_pem);
  const bool is_signed = certificate && issuer &&
                         X509_NAME_cmp(X509_get_issuer_name(certificate.get()),
                                       X509_get_subject_name(issuer.get())) == 0 &&
                         X509_verify(certificate.get(), X509_get0_pubkey(issuer.get())) == 1;
  ERR_clear_error();
  return is_signed;
}

std::string make_certificate(const NewCertificate& wanted, const RsaKey& key,
                             const RsaKey& issuer_key, std::string_view issuer_pem) {
  const Certificate made(X509_new());
  check(made != nullptr, "no memory for a certificate");
  X509* one = made.get();
  X509_set_version(one, X509_VERSION_3);
  ASN1_INTEGER_set_int64(X509_get_serialNumber(one), wanted.serial);
  ASN1_TIME_set(X509_getm_notBefore(one), static_cast<std::time_t>(wanted.begin_ms / 1'000));
  ASN1_TIME_set(X509_getm_notAfter(one), static_cast<std::time_t>(wanted.end_ms / 1'000));
  const Key public_half(
      PEM_read_bio_PUBKEY(bio_over(key.public_pem()).get(), nullptr, nullptr, nullptr));
  X509_set_pubkey(one, public_half.get());
  X509_NAME* subject = X509_get_subject_name(one);
  name(subject, "C", "CN");
  name(subject, "O", wanted.organisation);
  name(subject, "CN", wanted.common_name);
  const Certificate issuer = issuer_pem.empty() ? nullptr : read_one(issuer_pem);
  check(issuer_pem.empty() || issuer != nullptr, "the issuer is a certificate");
  X509_set_issuer_name(one, issuer ? X509_get_subject_name(issuer.get()) : subject);
  if (wanted.is_authority) mark_authority(one);
  check(X509_sign(one, issuer_key.get(), EVP_sha256()) > 0, "a certificate cannot be signed");
  return pem_of(one);
}

std::string md5_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  check(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_md5(), nullptr) == 1,
        "MD5 failed");
  return hex({reinterpret_cast<const char*>(digest.data()), size});
}

}  // namespace topup::base
