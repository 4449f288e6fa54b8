// Rows of supplier_listings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/catalog/listing.h"
#include "server/storage/db.h"

namespace topup::catalog::listing_store {

std::vector<Listing> of_supplier(storage::Reader& reader, std::string_view supplier,
                                 std::string_view country);
// What is let onto the shelf and not withdrawn, of all suppliers.
std::vector<Listing> approved(storage::Reader& reader);
std::optional<Listing> find(storage::Reader& reader, std::string_view supplier,
                            std::string_view key);
void save(storage::Tx& tx, const Listing& row);  // inserts or replaces

struct Filter {
  std::string state, supplier, country;  // "": every one
};
struct Place {
  std::string supplier, key;  // the row after which the page begins; "": the first page
};
std::vector<Listing> page(storage::Reader& reader, const Filter& filter, const Place& after,
                          std::int64_t limit);

struct Count {
  std::string supplier, state;
  std::int64_t rows = 0;
};
std::vector<Count> counts(storage::Reader& reader);

}  // namespace topup::catalog::listing_store
