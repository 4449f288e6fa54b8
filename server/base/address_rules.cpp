#include "server/base/address_rules.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

namespace topup::base {
namespace {

using Octets = std::array<unsigned char, 16>;

constexpr std::string_view kHttps = "https://";
constexpr std::size_t kMaxNameBytes = 253;  // RFC 1035 §2.3.4
constexpr std::size_t kMaxLabelBytes = 63;
constexpr int kFirstFreePort = 1'024;
constexpr int kMappedBits = 96;

// RFC 6761, RFC 6762, RFC 8375, RFC 9476 and the names that clouds give to their own machines.
constexpr std::string_view kLocalEndings[] = {
    "localhost", "local", "localdomain", "internal", "intranet", "lan",
    "home",      "corp",  "private",     "invalid",  "test",     "example",
    "onion",     "alt",   "arpa",        "cluster",  "svc",      "consul",
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_letter(char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-'; }

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kMaxLabelBytes && label.front() != '-' &&
         label.back() != '-' && std::all_of(label.begin(), label.end(), is_name_letter);
}

// Names end in letters: a last label that begins with a digit is read as a number by some.
bool is_public_name(std::string_view name) {
  if (name.size() > kMaxNameBytes) return false;
  std::size_t labels = 0;
  std::string_view last;
  while (!name.empty()) {
    const std::size_t dot = name.find('.');
    last = name.substr(0, dot);
    if (!is_label(last)) return false;
    ++labels;
    if (dot == std::string_view::npos) break;
    name.remove_prefix(dot + 1);
    if (name.empty()) return false;  // a dot at the end
  }
  const bool is_local = std::find(std::begin(kLocalEndings), std::end(kLocalEndings), last) !=
                        std::end(kLocalEndings);
  return labels >= 2 && !is_local && last.size() >= 2 && !is_digit(last.front());
}

bool is_public_port(std::string_view text) {
  int port = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool is_number = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() &&
                         !text.empty() && text.front() != '0';
  return is_number && (port == 443 || (port >= kFirstFreePort && port <= 65'535));
}

bool is_target(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < '\x7F' && c != '#' && c != '\\' && c != '"' && c != '<' && c != '>';
  });
}

tl::unexpected<Error> not_public() {
  return refuse(Code::invalid_argument, "url_not_public", "url",
                "https:// and a public host name, for example https://hooks.example.com/topup");
}

std::optional<Octets> octets_of(std::string_view numeric) {
  const std::string text(numeric);
  Octets octets{};
  if (inet_pton(AF_INET6, text.c_str(), octets.data()) == 1) return octets;
  octets = {};
  octets[10] = octets[11] = 0xFF;
  if (inet_pton(AF_INET, text.c_str(), octets.data() + 12) == 1) return octets;
  return std::nullopt;
}

bool same_beginning(const Octets& a, const Octets& b, int bits) {
  const int whole = bits / 8;
  if (std::memcmp(a.data(), b.data(), static_cast<std::size_t>(whole)) != 0) return false;
  const int rest = bits % 8;
  if (rest == 0) return true;
  const auto at = static_cast<std::size_t>(whole);
  return (a[at] ^ b[at]) >> (8 - rest) == 0;
}

}  // namespace

Result<PublicUrl> public_https_url(std::string_view text) {
  if (text.size() > kMaxUrlBytes || !text.starts_with(kHttps)) return not_public();
  std::string_view rest = text.substr(kHttps.size());
  const std::size_t slash = rest.find_first_of("/?#");
  std::string_view authority = rest.substr(0, slash);
  const std::string_view path = slash == std::string_view::npos ? "" : rest.substr(slash);
  if (!path.empty() && path.front() != '/') return not_public();
  if (!is_target(path)) return not_public();
  std::string port;
  if (const std::size_t colon = authority.find(':'); colon != std::string_view::npos) {
    port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
    if (!is_public_port(port)) return not_public();
  }
  std::string name(authority);
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  if (!is_public_name(name)) return not_public();
  std::string origin = std::string(kHttps) + name;
  if (!port.empty() && port != "443") origin += ":" + port;
  return PublicUrl{std::move(origin), path.empty() ? "/" : std::string(path)};
}

Result<std::string> public_https_origin(std::string_view text) {
  const auto url = public_https_url(text);
  if (!url) return tl::unexpected<Error>(url.error());
  if (text.find('/', kHttps.size()) != std::string_view::npos) return not_public();
  return url->origin;
}

Result<AddressBlock> AddressBlock::parse(std::string_view text) {
  const auto malformed = [] {
    return refuse(Code::invalid_argument, "address_block_malformed", "address",
                  "an address or a block such as 10.0.0.0/8 or fd00::/8");
  };
  const std::size_t slash = text.find('/');
  const std::string_view address = text.substr(0, slash);
  const auto octets = octets_of(address);
  if (!octets) return malformed();
  AddressBlock block;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const bool is_four = address.find(':') == std::string_view::npos;
    int bits = -1;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size() || bits < 0 ||
        bits > (is_four ? 32 : 128)) {
      return malformed();
    }
    block.bits_ = bits + (is_four ? kMappedBits : 0);
  }
  block.network_ = *octets;
  for (int bit = block.bits_; bit < 128; ++bit) {
    if (((*octets)[static_cast<std::size_t>(bit / 8)] >> (7 - bit % 8) & 1) != 0) {
      return malformed();
    }
  }
  return block;
}

bool AddressBlock::contains(std::string_view numeric) const {
  const auto octets = octets_of(numeric);
  return octets && same_beginning(*octets, network_, bits_);
}

bool is_in_any(const std::vector<AddressBlock>& blocks, std::string_view numeric) {
  return std::any_of(blocks.begin(), blocks.end(),
                     [&](const AddressBlock& block) { return block.contains(numeric); });
}

}  // namespace topup::base
