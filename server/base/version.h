// The version of this program, as the build was told (project() in CMakeLists.txt).
#pragma once

#include <string_view>

namespace topup::base {

std::string_view version();  // "0.1.0"

}  // namespace topup::base
