// A member of staff's second factor: the sealed TOTP secret, and ten recovery codes of which each
// works once. Everything happens inside the caller's transaction. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/auth/staff_store.h"
#include "server/base/random.h"
#include "server/privacy/pii.h"
#include "server/storage/db.h"
#include "shared/result.h"

namespace topup::auth {

inline constexpr std::size_t kRecoveryCodes = 10;

struct TotpOffer {
  std::string secret;  // base 32, to be typed
  std::string uri;     // otpauth://, to be scanned
};

class StaffTotp {
 public:
  StaffTotp(const privacy::Pii& pii, base::Random& random, std::string issuer)
      : pii_(pii), random_(random), issuer_(std::move(issuer)) {}

  // Takes a code of the app, or a recovery code, and uses it up. False for a wrong or used one.
  // Throws when the secret does not open: the key is not the shop's.
  bool use(storage::Tx& tx, const staff_store::Staff& staff, std::string_view code,
           std::int64_t now_ms) const;

  // A new secret; the old one counts until the new one is confirmed.
  TotpOffer offer(storage::Tx& tx, const staff_store::Staff& staff) const;
  // The recovery codes, shown once. Errors: conflict/totp_not_offered, rejected/totp_wrong.
  Result<std::vector<std::string>> confirm(storage::Tx& tx, const staff_store::Staff& staff,
                                           std::string_view code, std::int64_t now_ms) const;
  std::vector<std::string> renew_recovery_codes(storage::Tx& tx, const StaffId& staff) const;

 private:
  std::string open(std::string_view column, const StaffId& staff, std::string_view sealed) const;

  const privacy::Pii& pii_;
  base::Random& random_;
  std::string issuer_;
};

}  // namespace topup::auth
