// Names of countries in both languages of the shop. The table is made from Unicode CLDR and stands
// in country_names.inc. Pure; thread-safe.
#pragma once

#include <span>
#include <string_view>

namespace topup::catalog {

struct CountryName {
  std::string_view iso2, name_zh, name_en;
};
std::span<const CountryName> country_names();                 // by code
const CountryName* find_country_name(std::string_view iso2);  // nullptr: no such country

}  // namespace topup::catalog
