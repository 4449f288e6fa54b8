// Rows of price_books and supplier_products.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::catalog::catalog_store {

struct StoredBook {
  std::int64_t version = 0;
  std::string bytes;
  std::string fingerprint;
};
std::optional<StoredBook> newest_book(storage::Reader& reader);
void insert_book(storage::Tx& tx, const StoredBook& book, std::int64_t now_ms);

struct SupplierProduct {
  std::string product_id, supplier, supplier_operator_id, country;
};
void replace_supplier_products(storage::Tx& tx, std::string_view supplier,
                               const std::vector<SupplierProduct>& rows);
std::optional<SupplierProduct> find_supplier_product(storage::Reader& reader,
                                                     const ProductId& product);

}  // namespace topup::catalog::catalog_store
