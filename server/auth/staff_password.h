// Passwords of staff: what may be one, and hashing that cannot starve the machine. Two scrypt run
// at once (base/crypto.h); at most kMaxHashWaiters more wait for their turn, further ones are
// refused with unavailable/sign_in_busy. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "server/base/random.h"
#include "shared/result.h"

namespace topup::auth {

inline constexpr std::size_t kMinPassword = 12, kMaxPassword = 256;
inline constexpr int kMaxHashWaiters = 8;

// Errors: rejected/password_too_short, password_too_long, password_too_simple.
Result<bool> password_is_good(std::string_view name, std::string_view password);
std::string random_password(base::Random& random);  // 20 characters, 120 bits

// Waits for its turn. `stored` "" stands for nobody: it costs the same, and is never right.
Result<bool> password_is(std::string_view password, std::string_view stored);
Result<std::string> hashed(std::string_view password, base::Random& random);

}  // namespace topup::auth
