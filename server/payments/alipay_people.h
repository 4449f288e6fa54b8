// Who a buyer of the mini-program is: the code of my.getAuthCode, exchanged once with Alipay.
// Source: opendocs.alipay.com, "alipay.system.oauth.token", read in November 2026. Errors:
// unauthenticated/alipay_code_invalid (wrong, expired or used), unavailable/alipay_unavailable
// (repeat with a new code), unavailable/alipay_misconfigured. Thread-safe. Codes and tokens are
// never logged and never leave but to Alipay.
#pragma once

#include <string>

#include "server/payments/alipay_calls.h"
#include "shared/result.h"

namespace topup::payments {

inline constexpr std::size_t kMaxAlipayCode = 64;

class AlipayPeople {
 public:
  AlipayPeople(AlipayConfig config, base::Outbound& outbound, const base::Clock& clock)
      : config_(std::move(config)), calls_(config_, outbound, clock) {}
  AlipayPeople(const AlipayPeople&) = delete;
  AlipayPeople& operator=(const AlipayPeople&) = delete;

  const std::string& app_id() const { return config_.op_app_id; }  // of the mini-program; "": none
  // The open_id; of an application from before there were open_ids the user_id.
  Result<std::string> person_of_code(const std::string& code) const;

 private:
  const AlipayConfig config_;
  const AlipayCalls calls_;
};

}  // namespace topup::payments
