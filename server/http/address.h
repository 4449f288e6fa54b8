// Network addresses without sockets: which ranges are trusted proxies, and who the client behind
// them is. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace topup::http {

// IPv4 stands in its IPv6 form (::ffff:a.b.c.d), so that one comparison serves both.
using Address = std::array<std::uint8_t, 16>;

// "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"; nothing for ports, brackets, zones, blanks, names
// or octets with leading zeros.
std::optional<Address> parse_address(std::string_view text);
// "192.0.2.1", never "::ffff:192.0.2.1".
std::string to_text(const Address& address);
bool is_loopback(const Address& address);  // 127.0.0.0/8 and ::1

struct AddressRange {
  Address first{};
  int prefix_bits = 128;  // of the IPv6 form
  bool contains(const Address& address) const;
};
// "10.0.0.0/8", "2001:db8::/32", or one address. Nothing when it is malformed, or when bits beyond
// the prefix are set: that is a slip of whoever wrote it.
std::optional<AddressRange> parse_range(std::string_view text);

class TrustedProxies {
 public:
  TrustedProxies() = default;
  explicit TrustedProxies(std::vector<AddressRange> ranges) : ranges_(std::move(ranges)) {}
  bool empty() const { return ranges_.empty(); }
  bool holds(const Address& address) const;

 private:
  std::vector<AddressRange> ranges_;
};

struct WireRequest;

// Sets client_address and is_secure from X-Forwarded-For and X-Forwarded-Proto when the socket's
// peer is trusted, and takes every header away that claims who the client is, whoever sent it.
// X-Forwarded-For is read from the right, past trusted hops; the first other address is the client.
// What is malformed before one is found leaves the socket's address.
void settle_client(const TrustedProxies& proxies, WireRequest& request);

}  // namespace topup::http
