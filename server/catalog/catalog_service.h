// What is on sale. The current price book is held in memory as one immutable snapshot that readers
// share without a lock; publishing swaps it. product_changes() is pure: what a supplier lists
// becomes operators and products of ours. Errors: unavailable/price_book_not_ready. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/clock.h"
#include "server/catalog/catalog_store.h"
#include "server/storage/db.h"
#include "shared/price_book.h"
#include "shared/result.h"

namespace topup::catalog {

// A product as a supplier lists it; the caller translates from the supplier's port (siblings do not
// include each other).
struct Listed {
  std::string supplier_operator_id, operator_name, country;
  Money face;
};

struct Assortment {
  std::vector<Operator> operators;
  std::vector<Product> products;
  std::vector<catalog_store::SupplierProduct> supplier_products;
  std::vector<std::string> skipped;  // names of operators we do not know
};
Assortment product_changes(std::string_view supplier, const std::vector<Listed>& listed);

struct CurrentBook {
  PriceBook book;
  std::string bytes;
  std::string fingerprint;
};

class Catalog {
 public:
  Catalog(storage::Db& db, const base::Clock& clock);
  Result<std::shared_ptr<const CurrentBook>> current() const;
  // Publishes a new version when the assortment or the rule differs from the current one; returns
  // whether it did.
  bool publish(std::string_view supplier, const Assortment& assortment, const PriceRule& rule,
               std::string_view actor);

 private:
  void load();
  storage::Db& db_;
  const base::Clock& clock_;
  mutable std::mutex mutex_;  // held for a pointer copy only
  std::shared_ptr<const CurrentBook> current_;
};

}  // namespace topup::catalog
