// What goes onto the shelf: approved listings of all suppliers become countries, operators and
// products of ours, each product with its ways to be delivered. Products of different suppliers
// that are the same to a buyer become one: same operator, kind and face, of bundles and PINs the
// same name. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/catalog/catalog_store.h"
#include "server/catalog/listing.h"
#include "shared/price_book.h"

namespace topup::catalog {

struct OnSale {
  std::string supplier;
  Listed approved;  // what is promised and priced
  Listed listed;    // what the supplier says today: its cost is what an order will meet
};

struct Assortment {
  std::vector<Country> countries;
  std::vector<Operator> operators;
  std::vector<Product> products;
  std::vector<catalog_store::SupplierProduct> supplier_products;
  std::vector<std::string> skipped;  // countries we do not know
};

// Cheapest first, then by the order given: the first of equals gives the product its facts, the
// least that any of them delivers is what is promised, and the least cost is what it is priced by.
// `rates` convert costs into `shop` for that comparison.
Assortment assemble(const std::vector<OnSale>& listings, const std::vector<Rate>& rates,
                    Currency shop);
// One supplier's list as it is, for a shop that has no approvals.
Assortment product_changes(std::string_view supplier, const std::vector<Listed>& listed);

std::string product_id_of(std::string_view operator_id, const Listed& listed);

}  // namespace topup::catalog
