// The rehearsed DT One's forms of the shared catalogue: ids, product and operator objects, prices.
// Pure; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/base/json.h"
#include "server/rehearsal/catalogue.h"

namespace topup::rehearsal::dtone {

inline constexpr std::int64_t kFirstProduct = 10'000;
inline constexpr std::int64_t kFirstOperator = 1'000;

std::string_view alpha3(std::string_view alpha2);  // "" for a country that is not in the catalogue
bool is_sold(const CatalogueProduct& product);     // no fuel cards here
const CatalogueProduct* find_product(std::int64_t product_id);
Money cost_of(const CatalogueProduct& product, Money amount);  // US dollars, rounded up
base::Json product_object(const CatalogueProduct& product, bool is_full);
base::Json operator_object(std::size_t index);
base::Json currency_value(Money amount);
std::string nine_digit_time(std::int64_t wall_ms);  // "2026-11-21T07:30:00.123000000Z"

}  // namespace topup::rehearsal::dtone
