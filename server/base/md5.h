// MD5, only where a party's protocol wants it (Juhe). It proves nothing about who wrote a message.
#pragma once

#include <string>
#include <string_view>

namespace topup::base {

std::string md5(std::string_view bytes);  // 16 raw bytes

}  // namespace topup::base
