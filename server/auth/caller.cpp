#include "server/auth/caller.h"

#include <arpa/inet.h>

#include <array>
#include <cstdio>
#include <optional>

namespace topup::auth {
namespace {

struct Mark {
  std::string_view in_agent, word;
};
// The first that is found counts: an iPad says Macintosh too, and every browser says Safari.
constexpr std::array kSystems = {
    Mark{"iPhone", "ios"},          Mark{"iPad", "ios"},        Mark{"HarmonyOS", "harmony"},
    Mark{"OpenHarmony", "harmony"}, Mark{"Android", "android"}, Mark{"Windows", "windows"},
    Mark{"Macintosh", "mac"},       Mark{"Linux", "linux"},
};
constexpr std::array kPrograms = {
    Mark{"miniProgram", "mini_program"}, Mark{"MicroMessenger", "wechat"},
    Mark{"AlipayClient", "alipay"},      Mark{"Edg/", "edge"},
    Mark{"Firefox/", "firefox"},         Mark{"Chrome/", "chrome"},
    Mark{"Safari/", "safari"},
};

template <std::size_t kCount>
std::string_view word_in(std::string_view agent, const std::array<Mark, kCount>& marks) {
  for (const Mark& mark : marks) {
    if (agent.find(mark.in_agent) != std::string_view::npos) return mark.word;
  }
  return "other";
}

struct Address {
  bool is_v4 = false;
  std::array<unsigned char, 16> bytes{};  // of IPv4 the last four
};

std::optional<Address> parsed(std::string_view text) {
  Address out;
  const std::string address(text.substr(0, 64));
  if (::inet_pton(AF_INET, address.c_str(), &out.bytes[12]) == 1) {
    out.is_v4 = true;
    return out;
  }
  if (::inet_pton(AF_INET6, address.c_str(), out.bytes.data()) != 1) return std::nullopt;
  out.is_v4 = out.bytes[10] == 0xff && out.bytes[11] == 0xff;
  for (std::size_t i = 0; i < 10; ++i) out.is_v4 = out.is_v4 && out.bytes[i] == 0;
  return out;
}

std::string hex_groups(const Address& address, std::size_t groups) {
  std::string out;
  for (std::size_t i = 0; i < groups; ++i) {
    std::array<char, 8> group{};
    const int value = (address.bytes[2 * i] << 8) | address.bytes[2 * i + 1];
    std::snprintf(group.data(), group.size(), "%x:", static_cast<unsigned>(value));
    out += group.data();
  }
  return out;
}

}  // namespace

std::string device_class(std::string_view user_agent) {
  const std::string_view agent = user_agent.substr(0, 512);
  return std::string(word_in(agent, kSystems)) + " " + std::string(word_in(agent, kPrograms));
}

std::string masked_address(std::string_view address) {
  const auto found = parsed(address);
  if (!found) return {};
  if (!found->is_v4) return hex_groups(*found, 3) + ":*";
  return std::to_string(found->bytes[12]) + "." + std::to_string(found->bytes[13]) + "." +
         std::to_string(found->bytes[14]) + ".*";
}

std::string address_network(std::string_view address) {
  const auto found = parsed(address);
  if (!found) return "none";
  if (!found->is_v4) return hex_groups(*found, 4) + ":/64";
  return std::to_string(found->bytes[12]) + "." + std::to_string(found->bytes[13]) + "." +
         std::to_string(found->bytes[14]) + "." + std::to_string(found->bytes[15]);
}

}  // namespace topup::auth
