// Rules for addresses that somebody outside may have chosen: where a webhook may go, and which
// machines count as near. Text that looks like an address in one place and like another elsewhere
// (2130706433, 0x7f.1, user@host) is refused, never interpreted. What a name resolves to is judged
// later, at the connection (OutboundOptions::public_only): a name alone proves nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/result.h"

namespace topup::base {

struct PublicUrl {
  std::string origin;  // "https://hooks.example" or with ":8443", lower case
  std::string target;  // path and query, "/" at least
};
inline constexpr std::size_t kMaxUrlBytes = 2'048;

// https, a name of two labels or more that is none of the reserved or local ones, no user, no
// numeric address in any spelling, port 443 or one above 1023, a printable path, no fragment.
// Error: invalid_argument/url_not_public.
Result<PublicUrl> public_https_url(std::string_view text);
// The same without a path.
Result<std::string> public_https_origin(std::string_view text);

// "10.0.0.0/8", "fd00::/8", or one address.
class AddressBlock {
 public:
  // Error: invalid_argument/address_block_malformed, also when bits beyond the prefix are set.
  static Result<AddressBlock> parse(std::string_view text);
  bool contains(std::string_view numeric) const;  // an IPv4-mapped address counts as IPv4

 private:
  std::array<unsigned char, 16> network_{};  // IPv4 as ::ffff:a.b.c.d
  int bits_ = 128;
};
bool is_in_any(const std::vector<AddressBlock>& blocks, std::string_view numeric);

}  // namespace topup::base
