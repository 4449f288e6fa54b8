// What the rehearsed suppliers have for sale: real countries, operators, currencies and usual face
// values; costs, rates and bundles are invented. One neutral list, from which each played supplier
// takes its part in its own words. Built once at first use; afterwards read-only and thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/money.h"
#include "shared/price_book.h"

namespace topup::rehearsal {

struct CatalogueOperator {
  std::string_view key;      // "th-ais"
  std::string_view country;  // ISO 3166-1 alpha-2
  std::string_view name_en, name_zh;
  Currency currency = Currency::cny;
};

struct CatalogueProduct {
  std::int64_t number = 0;  // 1, 2, …: the same in every run of one release
  std::size_t operator_index = 0;
  ProductKind kind = ProductKind::airtime;
  Money face;                   // the least of a range
  std::int64_t most_minor = 0;  // of a range
  std::int64_t step_minor = 0;  // of a range; 0: fixed
  Money delivered;              // what arrives of `face`, after the tax of that country
  std::int64_t cost_e5 = 0;     // 1/100,000 of a US dollar, per `face`
  std::uint32_t validity_days = 0;
  std::string name;  // "5 GB, 30 days" of a bundle; else empty
};

const std::vector<CatalogueOperator>& catalogue_operators();
const std::vector<CatalogueProduct>& catalogue_products();
const CatalogueProduct* find_catalogue_product(std::int64_t number);  // null when unknown

// US dollars of one unit of `currency`, in 1/1,000,000,000; checked at first use to exist for every
// currency of the list.
std::int64_t catalogue_usd_e9(Currency currency);

}  // namespace topup::rehearsal
