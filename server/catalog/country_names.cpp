#include "server/catalog/country_names.h"

#include <algorithm>

namespace topup::catalog {
namespace {

// clang-format off
constexpr CountryName kNames[] = {
#include "server/catalog/country_names.inc"
};
// clang-format on

}  // namespace

std::span<const CountryName> country_names() { return kNames; }

const CountryName* find_country_name(std::string_view iso2) {
  const auto* found =
      std::lower_bound(std::begin(kNames), std::end(kNames), iso2,
                       [](const CountryName& row, std::string_view key) { return row.iso2 < key; });
  return found != std::end(kNames) && found->iso2 == iso2 ? found : nullptr;
}

}  // namespace topup::catalog
