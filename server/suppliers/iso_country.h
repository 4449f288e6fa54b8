// Country codes of three letters (ISO 3166-1 alpha-3), which some suppliers write, and ours of two.
// Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace topup::suppliers {

std::string alpha3_of(std::string_view alpha2);  // "" when there is no such country
std::string alpha2_of(std::string_view alpha3);

}  // namespace topup::suppliers
