#include "server/base/random.h"

#include <openssl/rand.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string_view>

#include "server/base/crypto.h"
#include "shared/check.h"

namespace topup::base {
namespace {

constexpr std::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::string_view kNonceDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::size_t kIdTimeDigits = 10;    // 50 bits for 48 bits of time
constexpr std::size_t kIdRandomDigits = 16;  // 80 bits
constexpr std::size_t kNonceLength = 32;
constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kTraceBytes = 16;
// Bytes from here up are drawn again: 252 = 7 × 36, so that each of the 36 digits is equally
// likely.
constexpr unsigned char kNonceByteLimit = 252;
constexpr int kMaxNonceDraws = 64;
constexpr std::int64_t kMaxIdTimeMs = (std::int64_t{1} << 48) - 1;

}  // namespace

std::string SystemRandom::bytes(std::size_t count) {
  check(count <= static_cast<std::size_t>(std::numeric_limits<int>::max()),
        "too many random bytes");
  std::string drawn(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(drawn.data()), static_cast<int>(count)) != 1) {
    throw std::runtime_error("the system has no randomness");
  }
  return drawn;
}

std::string id_floor(std::int64_t wall_ms) {
  const std::int64_t at = std::clamp<std::int64_t>(wall_ms, 0, kMaxIdTimeMs);
  std::string digits(kIdTimeDigits, '0');
  for (std::size_t i = 0; i < kIdTimeDigits; ++i)
    digits[i] = kCrockford[static_cast<std::size_t>(at >> (5 * (kIdTimeDigits - 1 - i)) & 31)];
  return digits;
}

std::string new_id(Random& random, std::int64_t wall_ms) {
  check(wall_ms >= 0 && wall_ms <= kMaxIdTimeMs, "the time of an id does not fit 48 bits");
  const std::string drawn = random.bytes(kIdRandomDigits * 5 / 8);
  std::string id = id_floor(wall_ms);
  id.resize(kIdTimeDigits + kIdRandomDigits, '0');
  unsigned held = 0;
  int held_bits = 0;
  std::size_t at = kIdTimeDigits;
  for (const char byte : drawn) {
    held = (held << 8 | static_cast<unsigned char>(byte)) & 0xFFFFU;
    for (held_bits += 8; held_bits >= 5; held_bits -= 5) {
      id[at++] = kCrockford[held >> (held_bits - 5) & 31U];
    }
  }
  return id;
}

std::string new_token(Random& random) {
  std::string token = base64(random.bytes(kTokenBytes));
  for (char& digit : token) {
    if (digit == '+') digit = '-';
    if (digit == '/') digit = '_';
  }
  token.resize(token.find('='));
  return token;
}

std::string new_nonce(Random& random) {
  std::string nonce;
  for (int draw = 0; draw < kMaxNonceDraws; ++draw) {
    for (const char byte : random.bytes(kNonceLength)) {
      const auto octet = static_cast<unsigned char>(byte);
      if (octet >= kNonceByteLimit) continue;
      nonce += kNonceDigits[octet % kNonceDigits.size()];
      if (nonce.size() == kNonceLength) return nonce;
    }
  }
  throw std::runtime_error("the random source repeats one byte");
}

std::string new_trace_id(Random& random) { return hex(random.bytes(kTraceBytes)); }

}  // namespace topup::base
