// Text in GB18030, of which GBK and GB2312 are parts, to UTF-8 and back. Pure; thread-safe.
// nullopt: the bytes are no such text, or the system has no table for it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace topup::base {

std::optional<std::string> utf8_of_gb18030(std::string_view text);
std::optional<std::string> gb18030_of_utf8(std::string_view text);

}  // namespace topup::base
