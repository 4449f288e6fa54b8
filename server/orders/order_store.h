// Rows of orders and order_events. save_state() is compare-and-set on `version`: whoever loses gets
// conflict/order_changed and its transaction rolls back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/money.h"
#include "shared/order_state.h"
#include "shared/result.h"

namespace topup::orders {

struct Order {
  OrderId id;
  UserId user;
  std::string client_key;          // the buyer's idempotency key: unique per user
  std::string client_fingerprint;  // of the request body that used it
  State state = State::awaiting_payment;
  std::int64_t version = 1;
  ProductId product;
  std::string operator_id, operator_name_zh, operator_name_en;
  std::string account_sealed;  // ciphertext; opened only to call a supplier
  std::string account_masked;
  std::string account_index, tail_index;  // keyed hashes; written at placing, read only by search
  Money face, payable, delivered;
  std::string quote;  // canonical JSON text
  std::int64_t event_seq = 0;
  TraceId trace;
  std::int64_t created_at_ms = 0, updated_at_ms = 0, pay_by_ms = 0;
};

struct OrderEvent {
  std::int64_t seq = 0;
  std::string event, from_state, to_state, actor, reason, trace_id;
  std::int64_t at_ms = 0;
};

namespace order_store {

void insert(storage::Tx& tx, const Order& order);
std::optional<Order> find(storage::Reader& reader, const OrderId& id);
std::optional<Order> find_by_key(storage::Reader& reader, const UserId& user,
                                 std::string_view client_key);
// Has this buyer at least so many orders that are not paid? Past orders cost nothing.
bool has_unpaid(storage::Reader& reader, const UserId& user, std::int64_t count);
std::string_view unpaid_sql();
// The least and the greatest order id of a moment: ids begin with their time.
std::string first_id_of(std::int64_t at_ms);

// Every member narrows the list; none: all orders. Each way in has an index of its own.
struct Selection {
  UserId user;
  std::string account_index, tail_index;  // at most one of them
  std::vector<State> states;              // one, or several with `user` only; none: every state
  std::int64_t from_ms = 0, to_ms = 0;    // placed from … to before; 0: open
};
// Newest first, after `before` (an order id; empty: from the newest).
std::vector<Order> list(storage::Reader& reader, const Selection& wanted, const OrderId& before,
                        std::int64_t limit);
// What `list` runs for such a selection: tests ask the engine how it would.
const std::string& list_sql(const Selection& wanted);
// Those whose payment or delivery bears a reference of another party's, and our own references.
std::vector<OrderId> find_by_reference(storage::Reader& reader, std::string_view reference,
                                       const std::vector<std::string>& channels);

// The newest order of this buyer for this recipient and amount, placed from `from_ms` on, that is
// neither closed nor refunded.
std::optional<Order> find_twin(storage::Reader& reader, const Order& like, std::int64_t from_ms);
// What was paid for orders placed in [from_ms, to_ms) that were or will be delivered, CNY fen,
// without `but`: for one recipient, and by one buyer.
std::int64_t paid_for_account(storage::Reader& reader, const Order& but, std::int64_t from_ms,
                              std::int64_t to_ms);
std::int64_t paid_by_user(storage::Reader& reader, const Order& but, std::int64_t from_ms,
                          std::int64_t to_ms);
// This buyer's orders that changed at or after `since_ms`, placed from `from_ms` on; the earliest
// change first.
std::vector<Order> changed_since(storage::Reader& reader, const UserId& user, std::int64_t since_ms,
                                 std::int64_t from_ms, std::int64_t limit);

// Writes order.state, event_seq and updated_at_ms if order.version is still the stored one; then
// order.version is the new one.
Result<bool> save_state(storage::Tx& tx, Order& order);
void insert_event(storage::Tx& tx, const OrderId& order, const OrderEvent& event);
// Both at once; no events without an order.
std::optional<Order> find_with_events(storage::Reader& reader, const OrderId& id,
                                      std::vector<OrderEvent>* events);
std::vector<OrderEvent> events_of(storage::Reader& reader, const OrderId& order);

struct DayFigures {
  std::vector<std::pair<std::string, std::int64_t>> by_state;
  std::int64_t sold_minor = 0;  // payable of the day's succeeded orders, CNY fen
};
DayFigures figures_since(storage::Reader& reader, std::int64_t from_ms);

}  // namespace order_store
}  // namespace topup::orders
