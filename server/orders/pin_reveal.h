// A buyer looks at the PINs of an order. Only what was delivered is opened, only for whoever
// ordered it, and each look is written down; a look and a refund of the same order come one after
// the other. Errors: not_found/order_not_found (another's, too), not_found/pin_not_found (none was
// delivered, or it was given back), unavailable/pin_unreadable. Thread-safe; may be repeated.
#pragma once

#include <vector>

#include "server/orders/order_env.h"
#include "server/suppliers/supplier.h"
#include "shared/ids.h"
#include "shared/result.h"

namespace topup::orders {

Result<std::vector<suppliers::Pin>> reveal_pins(storage::Db& db, const base::Clock& clock,
                                                const privacy::Pii& pii, const UserId& user,
                                                const OrderId& order);

}  // namespace topup::orders
