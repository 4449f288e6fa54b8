// The shop's own stock of PINs as a supplier, "stock": so that an order finds its PIN, or another
// supplier's, by the same choice as any other order. A submission takes one PIN from the stock in a
// transaction of its own and answers at once; a repeat of one attempt is given the same PIN.
// Thread-safe. `db` and `clock` must outlive it.
#pragma once

#include <memory>
#include <string_view>

#include "server/base/clock.h"
#include "server/storage/db.h"
#include "server/suppliers/supplier.h"

namespace topup::suppliers {

inline constexpr std::string_view kStock = "stock";

std::unique_ptr<Supplier> make_pin_stock(storage::Db& db, const base::Clock& clock);

}  // namespace topup::suppliers
