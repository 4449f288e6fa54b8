#include "server/risk/subject.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "server/base/crypto.h"
#include "server/base/mask.h"
#include "shared/phone.h"

namespace topup::risk {
namespace {

constexpr std::size_t kShortestCard = 8;
constexpr std::size_t kLongestCard = 24;
constexpr int kV4Widths[] = {32, 24, 16};
constexpr int kV6Widths[] = {64, 48};  // whoever has one address of a /64 has all of them
constexpr unsigned char kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct Address {
  bool is_v4 = false;
  std::array<unsigned char, 16> bytes{};  // of IPv4 the first four
};

std::optional<Address> parse_address(const std::string& text) {
  Address found;
  if (::inet_pton(AF_INET, text.c_str(), found.bytes.data()) == 1) {
    found.is_v4 = true;
    return found;
  }
  if (::inet_pton(AF_INET6, text.c_str(), found.bytes.data()) != 1) return std::nullopt;
  if (std::memcmp(found.bytes.data(), kMapped, sizeof kMapped) == 0) {
    std::copy(found.bytes.begin() + sizeof kMapped, found.bytes.end(), found.bytes.begin());
    found.is_v4 = true;
  }
  return found;
}

std::string network_text(Address address, int width) {
  const int bytes = address.is_v4 ? 4 : 16;
  for (int i = width / 8; i < bytes; ++i) address.bytes[static_cast<std::size_t>(i)] = 0;
  char text[INET6_ADDRSTRLEN];
  ::inet_ntop(address.is_v4 ? AF_INET : AF_INET6, address.bytes.data(), text, sizeof text);
  if (address.is_v4 && width == 32) return text;
  return std::string(text) + "/" + std::to_string(width);
}

bool has_width(const Address& address, int width) {
  if (address.is_v4)
    return std::find(std::begin(kV4Widths), std::end(kV4Widths), width) != std::end(kV4Widths);
  return std::find(std::begin(kV6Widths), std::end(kV6Widths), width) != std::end(kV6Widths);
}

// "203.0.113.*" and "2001:db8:1::*" are how the console shows where somebody came from.
std::string without_stars(std::string text) {
  const std::size_t star = text.find('*');
  if (star == std::string::npos) return text;
  if (text.ends_with("::*")) return text.substr(0, text.size() - 1) + "/48";
  const auto stars = std::count(text.begin(), text.end(), '*');
  std::replace(text.begin(), text.end(), '*', '0');
  return text + (stars == 1 ? "/24" : stars == 2 ? "/16" : "/0");
}

std::optional<std::string> canonical_address(std::string text) {
  text = without_stars(std::move(text));
  const std::size_t slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  int width = address->is_v4 ? 32 : 64;
  if (slash != std::string::npos) {
    const std::string digits = text.substr(slash + 1);
    if (digits.empty() || digits.size() > 3 ||
        digits.find_first_not_of("0123456789") != std::string::npos)
      return std::nullopt;
    width = std::stoi(digits);
    if (!address->is_v4 && width == 128) width = 64;
  }
  if (!has_width(*address, width)) return std::nullopt;
  return network_text(*address, width);
}

std::optional<std::string> canonical_phone(std::string_view text) {
  if (const auto mainland = normalise_mainland_phone(text)) return *mainland;
  const auto abroad = normalise_phone(text, "");
  return abroad ? std::optional(*abroad) : std::nullopt;
}

std::optional<std::string> canonical_card(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c == ' ' || c == '-') continue;
    if (c < '0' || c > '9') return std::nullopt;
    digits += c;
  }
  if (digits.size() < kShortestCard || digits.size() > kLongestCard) return std::nullopt;
  return digits;
}

bool is_made_of(std::string_view text, std::string_view letters) {
  return text.find_first_not_of(letters) == std::string_view::npos;
}

std::optional<std::string> canonical(std::string_view kind, std::string_view text) {
  if (kind == kind::kPhone) return canonical_phone(text);
  if (kind == kind::kCard) return canonical_card(text);
  if (kind == kind::kIp) return canonical_address(std::string(text));
  if (kind == kind::kDevice) {
    if (text.size() != kDeviceCodeDigits || !is_made_of(text, "0123456789abcdef"))
      return std::nullopt;
    return std::string(text);
  }
  if (kind != kind::kUser || text.empty() ||
      !is_made_of(text, "0123456789ABCDEFGHJKMNPQRSTVWXYZabcdefghijklmnopqrstuvwxyz-_"))
    return std::nullopt;
  return std::string(text);
}

}  // namespace

bool is_kind(std::string_view word) {
  return std::find(kKinds.begin(), kKinds.end(), word) != kKinds.end();
}

Result<std::string> canonical_subject(std::string_view kind, std::string_view typed) {
  while (typed.starts_with(' ')) typed.remove_prefix(1);
  while (typed.ends_with(' ')) typed.remove_suffix(1);
  if (typed.size() <= kMaxSubject) {
    if (auto subject = canonical(kind, typed)) return std::move(*subject);
  }
  return refuse(Code::invalid_argument, "subject_malformed", "subject");
}

std::string masked_subject(std::string_view kind, std::string_view subject) {
  if (kind == kind::kPhone) return base::mask(base::Kind::phone, subject);
  if (kind == kind::kCard) return base::mask(base::Kind::bank_card, subject);
  if (kind == kind::kIp) return base::mask(base::Kind::address, subject);
  return std::string(subject);
}

std::string whole_subject(std::string_view kind, std::string_view subject) {
  std::string text(kind);
  text += "\x1f\x1f";
  text += subject;
  return text;
}

std::string index_of(const privacy::Pii& pii, std::string_view kind, std::string_view subject) {
  return pii.blind_index("identity", whole_subject(kind, subject));
}

std::string device_code(std::string_view device_id) {
  if (device_id.empty()) return {};
  return base::hex(base::sha256(device_id)).substr(0, kDeviceCodeDigits);
}

std::vector<std::string> networks_of(std::string_view text) {
  const auto address = parse_address(std::string(text));
  if (!address) return {};
  std::vector<std::string> all;
  if (address->is_v4) {
    for (const int width : kV4Widths) all.push_back(network_text(*address, width));
  } else {
    for (const int width : kV6Widths) all.push_back(network_text(*address, width));
  }
  return all;
}

std::string_view kind_of_account(std::string_view account) {
  return account.starts_with('+') ? kind::kPhone : kind::kCard;
}

}  // namespace topup::risk
