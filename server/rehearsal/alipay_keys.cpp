#include "server/rehearsal/alipay_keys.h"

#include "server/base/certificate.h"
#include "shared/check.h"

namespace topup::rehearsal {
namespace {

constexpr std::int64_t kBeginMs = 1'767'225'600'000;  // 2026-01-01
constexpr std::int64_t kEndMs = 2'398'377'600'000;    // 2046-01-01

std::string serial_of(const std::string& pem) {
  const auto facts = base::certificates_in(pem);
  check(facts.has_value(), "our own certificate can be read");
  return base::md5_hex(facts->front().issuer + facts->front().serial_decimal);
}

base::NewCertificate wanted(const std::string& name, std::int64_t serial, bool is_authority) {
  return {name, "Rehearsal", serial, kBeginMs, kEndMs, is_authority};
}

}  // namespace

AlipayPapers make_alipay_papers(const base::RsaKey& app_key, const base::RsaKey& alipay_key,
                                const base::RsaKey& root_key) {
  const std::string root =
      base::make_certificate(wanted("Rehearsed Alipay Root", 1, true), root_key, root_key, "");
  const std::string app = base::make_certificate(wanted("Rehearsed Merchant", 20'260'001, false),
                                                 app_key, root_key, root);
  const std::string alipay = base::make_certificate(wanted("Rehearsed Alipay", 20'260'002, false),
                                                    alipay_key, root_key, root);
  return {app_key, alipay_key,      root,           app,
          alipay,  serial_of(root), serial_of(app), serial_of(alipay)};
}

}  // namespace topup::rehearsal
