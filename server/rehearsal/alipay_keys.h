// The keys and certificates of the rehearsed Alipay: a root of its own that signs the application's
// certificate and Alipay's. The same keys give the same serial numbers, so that a restart changes
// nothing. Pure; thread-safe.
#pragma once

#include <string>

#include "server/base/crypto.h"

namespace topup::rehearsal {

struct AlipayPapers {
  base::RsaKey app_key, alipay_key;
  std::string root_pem, app_cert_pem, alipay_cert_pem;
  std::string root_cert_sn, app_cert_sn, alipay_cert_sn;  // as requests and answers name them
};
AlipayPapers make_alipay_papers(const base::RsaKey& app_key, const base::RsaKey& alipay_key,
                                const base::RsaKey& root_key);

}  // namespace topup::rehearsal
