#include "server/http/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "server/http/front.h"
#include "server/http/message.h"

namespace topup::http {
namespace {

constexpr std::size_t kV4Bytes = 4;
constexpr std::size_t kV4At = 12;  // where IPv4 begins in its IPv6 form
constexpr int kV4Bits = 96;        // before it

constexpr std::string_view kForwardedFor = "x-forwarded-for";
constexpr std::string_view kForwardedProto = "x-forwarded-proto";

bool is_v4(const Address& address) {
  constexpr Address kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0};
  return std::equal(address.begin(), address.begin() + kV4At, kMapped.begin());
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// A hop as proxies write it: an address, perhaps with its port: "192.0.2.1:80", "[2001:db8::1]:80".
std::optional<Address> parse_hop(std::string_view text) {
  text = trim(text);
  const auto is_port = [](std::string_view rest) {
    return rest.size() >= 2 && rest.size() <= 6 && rest.front() == ':' &&
           rest.find_first_not_of("0123456789", 1) == std::string_view::npos;
  };
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && !is_port(rest)) return std::nullopt;
    return parse_address(text.substr(1, end - 1));
  }
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos && text.find('.') < colon && is_port(text.substr(colon))) {
    text = text.substr(0, colon);
  }
  return parse_address(text);
}

// Proxies may append to one field or add a field of their own: both read as one list.
std::string joined(const WireRequest& request, std::string_view name) {
  std::string all;
  for (const auto& [field, value] : request.headers) {
    if (field != name) continue;
    if (!all.empty()) all += ',';
    all += value;
  }
  return all;
}

std::optional<Address> client_behind(const TrustedProxies& proxies, std::string_view hops) {
  std::optional<Address> farthest;
  while (!hops.empty()) {
    const std::size_t comma = hops.rfind(',');
    const auto hop = parse_hop(comma == std::string_view::npos ? hops : hops.substr(comma + 1));
    if (!hop) return std::nullopt;
    if (!proxies.holds(*hop)) return hop;
    farthest = hop;
    hops = comma == std::string_view::npos ? std::string_view() : hops.substr(0, comma);
  }
  return farthest;  // all are trusted: one of them is the client itself
}

bool claims_the_client(std::string_view name) {
  constexpr std::string_view kClaims[] = {
      kForwardedFor,      kForwardedProto,      "x-forwarded-host",    "x-forwarded-port",
      "x-forwarded",      "x-forwarded-server", "forwarded",           "forwarded-for",
      "x-real-ip",        "x-client-ip",        "client-ip",           "x-cluster-client-ip",
      "cf-connecting-ip", "true-client-ip",     "fastly-client-ip",    "x-original-forwarded-for",
      "remote-addr",      "x-remote-addr",      "x-remote-ip",         "x-originating-ip",
      "x-host",           "x-forwarded-by",     "x-appengine-user-ip", "x-azure-clientip"};
  return std::find(std::begin(kClaims), std::end(kClaims), name) != std::end(kClaims);
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  const std::string whole(text);  // inet_pton wants an end
  if (whole.find('\0') != std::string::npos) return std::nullopt;
  Address address{};
  if (::inet_pton(AF_INET6, whole.c_str(), address.data()) == 1) return address;
  address.fill(0);
  address[10] = address[11] = 0xFF;
  if (::inet_pton(AF_INET, whole.c_str(), address.data() + kV4At) == 1) return address;
  return std::nullopt;
}

std::string to_text(const Address& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (is_v4(address)) {
    ::inet_ntop(AF_INET, address.data() + kV4At, text, sizeof text);
  } else {
    ::inet_ntop(AF_INET6, address.data(), text, sizeof text);
  }
  return text;
}

bool is_loopback(const Address& address) {
  if (is_v4(address)) return address[kV4At] == 127;
  return std::all_of(address.begin(), address.end() - 1, [](auto byte) { return byte == 0; }) &&
         address.back() == 1;
}

bool AddressRange::contains(const Address& address) const {
  const auto whole = static_cast<std::size_t>(prefix_bits / 8);
  if (!std::equal(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(whole),
                  address.begin())) {
    return false;
  }
  const int rest = prefix_bits % 8;
  return rest == 0 || (first[whole] ^ address[whole]) >> (8 - rest) == 0;
}

std::optional<AddressRange> parse_range(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto first = parse_address(text.substr(0, slash));
  if (!first) return std::nullopt;
  if (slash == std::string_view::npos) return AddressRange{*first, 128};
  const std::string_view digits = text.substr(slash + 1);
  int bits = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (failure != std::errc() || end != digits.data() + digits.size() || bits < 0) {
    return std::nullopt;
  }
  const bool in_v4 = text.substr(0, slash).find(':') == std::string_view::npos;
  if (bits > (in_v4 ? static_cast<int>(kV4Bytes) * 8 : 128)) return std::nullopt;
  const AddressRange range{*first, in_v4 ? bits + kV4Bits : bits};
  for (int bit = range.prefix_bits; bit < 128; ++bit) {
    const auto byte = static_cast<unsigned>(range.first[static_cast<std::size_t>(bit / 8)]);
    if ((byte >> (7 - bit % 8) & 1u) != 0) return std::nullopt;
  }
  return range;
}

bool TrustedProxies::holds(const Address& address) const {
  return std::any_of(ranges_.begin(), ranges_.end(),
                     [&](const AddressRange& range) { return range.contains(address); });
}

void settle_client(const TrustedProxies& proxies, WireRequest& request) {
  const std::optional<Address> peer =
      proxies.empty() ? std::nullopt : parse_address(request.client_address);
  if (peer && proxies.holds(*peer)) {
    if (const auto client = client_behind(proxies, joined(request, kForwardedFor))) {
      request.client_address = to_text(*client);
    }
    const std::string protocols = joined(request, kForwardedProto);
    if (!protocols.empty()) {
      // As with addresses, the last word is that of the proxy next to us.
      const std::size_t comma = protocols.rfind(',');
      request.is_secure = same_word(
          trim(comma == std::string::npos ? std::string_view(protocols)
                                          : std::string_view(protocols).substr(comma + 1)),
          "https");
    }
  }
  std::erase_if(request.headers, [](const auto& field) { return claims_the_client(field.first); });
}

}  // namespace topup::http
