#include "server/base/origin.h"

namespace topup::base {

thread_local const Origin* OriginScope::current_ = nullptr;

std::string device_text(std::string_view user_agent) {
  std::string text;
  for (const char byte : user_agent) {
    if (text.size() == kMaxDevice) break;
    if (byte >= ' ' && byte < '\x7f') text += byte;
  }
  return text;
}

}  // namespace topup::base
