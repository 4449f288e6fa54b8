#include "server/orders/pin_reveal.h"

#include <string>

#include "server/audit/audit_log.h"
#include "server/base/log.h"
#include "server/orders/order_store.h"
#include "server/suppliers/pin_store.h"

namespace topup::orders {

Result<std::vector<suppliers::Pin>> reveal_pins(storage::Db& db, const base::Clock& clock,
                                                const privacy::Pii& pii, const UserId& user,
                                                const OrderId& id) {
  using Pins = std::vector<suppliers::Pin>;
  return storage::with_tx(db, [&](storage::Tx& tx) -> Result<Pins> {
    const auto order = order_store::find(tx, id);
    if (!order || order->user != user)
      return refuse(Code::not_found, "order_not_found", "order_id");
    if (order->state != State::succeeded)
      return refuse(Code::not_found, "pin_not_found", "order_id");
    Result<Pins> pins = suppliers::pin_store::delivered(tx, pii, id);
    if (!pins) return refuse(Code::unavailable, "pin_unreadable");
    if (pins->empty()) return refuse(Code::not_found, "pin_not_found", "order_id");
    const std::int64_t now = clock.wall_ms();
    const int fresh = suppliers::pin_store::mark_revealed(tx, id, now);
    audit::append(tx,
                  {"buyer:" + user.text, "pins.revealed", id.text,
                   fresh > 0 ? "for the first time" : "again"},
                  base::TraceScope::current(), now);
    return pins;
  });
}

}  // namespace topup::orders
