// One-time passwords by time: RFC 6238 with HMAC-SHA-1, 6 digits, steps of 30 s, which is what
// authenticator apps speak. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace topup::auth {

inline constexpr std::int64_t kTotpStepMs = 30'000;
inline constexpr std::int64_t kTotpDrift = 1;  // steps that a phone's clock may be early or late
inline constexpr std::size_t kTotpSecretBytes = 20;

// The six digits of one step (RFC 4226, section 5.3).
std::string totp_code(std::string_view secret, std::int64_t step);
// The step that `code` belongs to, within kTotpDrift of now and after `last_step`; nothing when
// there is none. A step that was used may not be used again: the caller keeps the one returned.
std::optional<std::int64_t> totp_step(std::string_view secret, std::string_view code,
                                      std::int64_t now_ms, std::int64_t last_step);
// RFC 4648 base 32 without padding, as apps want a secret to be typed.
std::string base32(std::string_view bytes);
// otpauth://totp/<issuer>:<account>?secret=…; both names are percent-encoded.
std::string totp_uri(std::string_view issuer, std::string_view account, std::string_view secret);

}  // namespace topup::auth
