#include "server/base/id_time.h"

#include <algorithm>
#include <string_view>

namespace topup::base {
namespace {

constexpr std::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kDigits = 10;
constexpr std::int64_t kMostMs = (std::int64_t{1} << 48) - 1;

}  // namespace

std::string id_time(std::int64_t wall_ms) {
  const std::int64_t time = std::clamp<std::int64_t>(wall_ms, 0, kMostMs);
  std::string digits(kDigits, '0');
  for (std::size_t i = 0; i < kDigits; ++i) {
    digits[i] = kCrockford[static_cast<std::size_t>(time >> (5 * (kDigits - 1 - i)) & 31)];
  }
  return digits;
}

}  // namespace topup::base
