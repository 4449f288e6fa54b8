// Where unpredictable bytes come from, and the identifiers made of them. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "server/base/clock.h"

namespace topup::base {

class Random {
 public:
  virtual ~Random() = default;
  virtual std::string bytes(std::size_t count) = 0;  // raw bytes
};

class SystemRandom final
    : public Random {  // OpenSSL RAND_bytes; throws if the system has no randomness
 public:
  std::string bytes(std::size_t count) override;
};

// 26 characters of Crockford base 32: 48 bits of wall time, 80 random bits. Sorts by time; unique
// without coordination.
std::string new_id(Random& random, std::int64_t wall_ms);
// What every id of this moment begins with: all that were made before sort below it, the others at
// or above. A moment before 1970 is 1970.
std::string id_floor(std::int64_t wall_ms);
std::string new_token(Random& random);     // 256 bits, base64url without padding (43 characters)
std::string new_nonce(Random& random);     // 32 characters of [0-9A-Z]
std::string new_trace_id(Random& random);  // 32 lower-case hex digits

}  // namespace topup::base
