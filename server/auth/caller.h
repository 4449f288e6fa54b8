// From where somebody asks, and how much of it may be kept: the address masked, the device as a
// class of two words. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "shared/ids.h"

namespace topup::auth {

struct Caller {
  std::string address;     // as the door saw it
  std::string user_agent;  // as sent: never stored, never believed
  TraceId trace;
  std::string device_code = {};  // tells devices apart; "" when the client named none
};

// "android wechat", "ios mini_program", "windows chrome", "other other": stable words.
std::string device_class(std::string_view user_agent);
// "203.0.113.*", "2001:db8:1::*"; "" for what is no address.
std::string masked_address(std::string_view address);
// What limits count by: an IPv4 address, or the /64 of an IPv6 one, since a home has that many.
std::string address_network(std::string_view address);

}  // namespace topup::auth
