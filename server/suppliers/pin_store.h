// Rows of pin_products and pin_stock. Codes and serials are sealed and only opened for the buyer of
// the order they were delivered to; a code that was seen before is refused by its blind index.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/privacy/pii.h"
#include "server/storage/db.h"
#include "server/suppliers/supplier.h"
#include "shared/ids.h"
#include "shared/money.h"

namespace topup::suppliers {

struct PinProduct {
  std::string sku, country, operator_name, name;
  Money face, cost;
  std::uint32_t validity_days = 0;
};

struct NewPin {
  std::string id;  // ours
  Pin pin;
  std::string sku, source, added_by;
  // Of one that a supplier's answer brought: it is delivered at once.
  OrderId order = {};
  AttemptId attempt = {};
};

struct PinCount {
  std::string sku;
  std::int64_t available = 0, held = 0, delivered = 0;
};

namespace pin_store {

void save_product(storage::Tx& tx, const PinProduct& product, std::string_view by,
                  std::int64_t now_ms);
std::vector<PinProduct> products(storage::Reader& reader, std::string_view country);  // "": all
std::optional<PinProduct> find_product(storage::Reader& reader, std::string_view sku);

// False when this code is known already.
bool add(storage::Tx& tx, const privacy::Pii& pii, const NewPin& pin, std::int64_t now_ms);
std::vector<PinCount> counts(storage::Reader& reader, std::int64_t now_ms);

// For an unpaid order, until then. False when none is left. A repeat keeps the one it has.
bool hold(storage::Tx& tx, std::string_view sku, const OrderId& order, std::int64_t until_ms,
          std::int64_t now_ms);
void release(storage::Tx& tx, const OrderId& order);  // what is held for it, not what it was given

// Gives a PIN to an attempt: the one held for its order, else the one that expires first. False
// when none is left, or when the attempt is over without one. A repeat gives the same one.
bool take(storage::Tx& tx, std::string_view sku, const OrderId& order, const AttemptId& attempt,
          std::int64_t now_ms);
bool was_taken(storage::Reader& reader, const AttemptId& attempt);
// Of the PIN that the attempt was given; nothing when it was given none.
std::optional<PinProduct> product_taken_by(storage::Reader& reader, const AttemptId& attempt);

// What was delivered for the order, opened. Errors: those of Pii::open().
Result<std::vector<Pin>> delivered(storage::Reader& reader, const privacy::Pii& pii,
                                   const OrderId& order);
// How many were looked at for the first time.
int mark_revealed(storage::Tx& tx, const OrderId& order, std::int64_t now_ms);

}  // namespace pin_store
}  // namespace topup::suppliers
