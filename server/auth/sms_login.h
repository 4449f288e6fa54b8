// Codes by short message: six digits, good for kCodeMs, once, for one purpose, one number and
// kMaxCodeTries tries; only the newest counts. All spellings of a number are one. Messages cost
// money and annoy, so they are limited per number, network, device and for the whole shop; the
// limits are read from what was asked for before, so they hold across restarts and nodes. Nothing
// here looks at accounts, so no answer can tell whether there is one. A message whose fate is
// unknown is not sent again by itself. Errors: rejected/phone_invalid,
// rejected/sms_country_not_served, rate_limited/sms_too_often (detail: seconds),
// unavailable/sms_unavailable, unauthenticated/sms_code_wrong (wrong, used, expired or worn out
// alike), rate_limited/sign_in_locked. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/auth/identities.h"

namespace topup::auth {

inline constexpr std::int64_t kCodeMs = 5 * 60'000;
inline constexpr std::int64_t kMaxCodeTries = 5;

struct SmsLimits {
  std::int64_t phone_gap_ms = 60'000;
  std::int64_t phone_hour = 5, phone_day = 10;
  std::int64_t network_hour = 20, device_hour = 10;
  std::int64_t shop_day = 2'000;
};
struct SmsSettings {
  SmsLimits limits;
  std::vector<std::string> countries = {"CN"};  // messages abroad are what fraudsters earn with
};

enum class Sent : std::uint8_t { sent, refused, unknown };
// Called outside any transaction; may block for seconds. `number` is canonical, "+8613800001234".
using CodeSender = std::function<Sent(const std::string& number, const std::string& code,
                                      std::int64_t minutes, const std::string& reference)>;

struct CodeAsked {
  std::int64_t again_after_ms = 0;
  std::int64_t expires_at_ms = 0;
};

class SmsLogin {
 public:
  SmsLogin(storage::Db& db, const base::Clock& clock, base::Random& random, const privacy::Pii& pii,
           const Identities& identities, const SignInLog& log, SmsSettings settings,
           CodeSender sender);

  // `purpose`: "sign_in" or "bind", checked by the caller. `device`: what the client calls itself,
  // "" for nothing.
  Result<CodeAsked> ask(std::string_view typed, std::string_view country, std::string_view purpose,
                        std::string_view device, const Caller& caller);
  // Spends the code. The proof of the number.
  Result<Proof> check(std::string_view typed, std::string_view country, std::string_view purpose,
                      std::string_view code, const Caller& caller);

 private:
  Result<std::string> number_of(std::string_view typed, std::string_view country) const;
  std::string hash_of(std::string_view code_id, std::string_view code) const;
  Result<bool> within_limits(storage::Reader& reader, std::string_view phone,
                             std::string_view network, std::string_view device) const;
  storage::Db& db_;
  const base::Clock& clock_;
  base::Random& random_;
  const privacy::Pii& pii_;
  const Identities& identities_;
  const SignInLog& log_;
  const SmsSettings settings_;
  const CodeSender sender_;
};

}  // namespace topup::auth
