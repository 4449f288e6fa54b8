// The rehearsed DingConnect's forms of the shared catalogue: codes, products, prices. Pure;
// thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/base/json.h"
#include "server/rehearsal/catalogue.h"

namespace topup::rehearsal::ding {

bool is_sold(const CatalogueProduct& product);  // no fuel cards here
std::string provider_code(std::size_t operator_index);
std::string sku_of(const CatalogueProduct& product);
const CatalogueProduct* find_product(std::string_view sku);
Money send_value(const CatalogueProduct& product, Money face);  // US dollars
Money commission_of(Money send);                                // of what was sent
Money face_of(const CatalogueProduct& product, Money send);     // of a range
base::Json price_object(const CatalogueProduct& product, Money face);
base::Json product_object(const CatalogueProduct& product);

}  // namespace topup::rehearsal::ding
