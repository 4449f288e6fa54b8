// Rows of number_lookups, and what of the shelf a look-up needs: which suppliers deliver airtime to
// a country, and which products of ours belong to an operator of theirs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "server/suppliers/supplier.h"

namespace topup::suppliers::number_lookup_store {

struct Kept {
  std::string country;
  std::string operator_id;  // ours; "" when nobody knew
};
// Nothing once it has expired.
std::optional<Kept> find(storage::Reader& reader, std::string_view number_index,
                         std::int64_t now_ms);
void save(storage::Tx& tx, std::string_view number_index, const Kept& kept,
          std::int64_t expires_at_ms);
int forget_expired(storage::Tx& tx, std::int64_t now_ms);

// Those whose line is open and not switched off for all of it; who has most products first.
std::vector<std::string> suppliers_of(storage::Reader& reader, std::string_view country);
inline constexpr std::int64_t kMaxSuppliers = 16;

// Airtime first, then by id; at most kMaxProducts.
std::vector<std::string> products_of(storage::Reader& reader, std::string_view supplier,
                                     const LookedUp& found);
inline constexpr std::int64_t kMaxProducts = 50;

}  // namespace topup::suppliers::number_lookup_store
