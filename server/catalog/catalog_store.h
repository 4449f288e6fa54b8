// Rows of price_books and supplier_products.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/money.h"
#include "shared/price_book.h"

namespace topup::catalog::catalog_store {

struct StoredBook {
  std::int64_t version = 0;
  std::string bytes;
  std::string fingerprint;
};
std::optional<StoredBook> newest_book(storage::Reader& reader);
std::int64_t newest_version(storage::Reader& reader);  // 0 when there is none
void insert_book(storage::Tx& tx, const StoredBook& book, std::int64_t now_ms);

// One way to deliver a product of ours. Of a range (step_minor > 0), cost and delivered are per
// `face`, which is also the least amount. A face of 0 is a row of an older release: any amount.
struct SupplierProduct {
  std::string product_id, supplier, supplier_operator_id, country;
  std::string sku = {};  // what they call it; "" where operator and amount say it
  ProductKind kind = ProductKind::airtime;
  Money face = {};
  std::int64_t most_minor = 0, step_minor = 0;
  Money cost = {};       // 0: not known
  Money delivered = {};  // 0: as the face
  std::int64_t priority = 100;
  bool is_enabled = true;
};
// Priority and switch of a way that was there before stay as they were.
void replace_supplier_products(storage::Tx& tx, std::string_view supplier,
                               const std::vector<SupplierProduct>& rows);
// All ways to one product, by supplier; at most kMaxWays.
std::vector<SupplierProduct> supplier_products_of(storage::Reader& reader,
                                                  const ProductId& product);
std::optional<SupplierProduct> find_supplier_product(storage::Reader& reader,
                                                     const ProductId& product);
std::vector<SupplierProduct> products_of_supplier(storage::Reader& reader,
                                                  std::string_view supplier);
inline constexpr std::int64_t kMaxWays = 50;
std::vector<std::string> suppliers(storage::Reader& reader);  // that have ways, by name
// False when there is no such way.
bool set_way(storage::Tx& tx, const ProductId& product, std::string_view supplier,
             std::int64_t priority, bool is_enabled);

// The columns of a SupplierProduct, in the order in which read_way() wants them from `first` on.
inline constexpr std::string_view kWayColumns =
    "w.product_id, w.supplier, w.supplier_operator_id, w.country, w.sku, w.kind, w.face_minor, "
    "w.face_currency, w.most_minor, w.step_minor, w.cost_minor, w.cost_currency, "
    "w.delivered_minor, w.delivered_currency, w.priority, w.enabled";
inline constexpr int kWayColumnCount = 16;
SupplierProduct read_way(const storage::Row& row, int first);

// The newest book published at or before this time.
std::optional<StoredBook> book_at(storage::Reader& reader, std::int64_t at_ms);

}  // namespace topup::catalog::catalog_store
