// Placing and reading orders. place() is safe to repeat with the same client key: the same body
// gives the same order, also after a crash between commit and answer; another body is refused.
// Errors of place(), by precedence: price_book_not_ready, idempotency_key_reused, those of quote(),
// price_changed (then *current holds the server's quote). Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/orders/order_env.h"
#include "server/orders/order_store.h"
#include "shared/pricing.h"
#include "shared/result.h"

namespace topup::orders {

struct PlaceRequest {
  UserId user;
  std::string client_key;          // 16…64 of [A-Za-z0-9_-], checked by the caller
  std::string client_fingerprint;  // of the body
  QuoteRequest quote;
  std::string quote_fingerprint;  // what the buyer saw
};
struct OrderView {
  Order order;
  std::vector<OrderEvent> events;
  bool replayed = false;  // this key had placed it before
};
struct OrderPage {
  std::vector<Order> orders;
  std::string next_cursor;  // empty at the end
};
inline constexpr std::int64_t kPageSize = 20;

class OrderService {
 public:
  explicit OrderService(const OrderEnv& env) : env_(env) {}

  Result<Quote> price(const QuoteRequest& request) const;
  Result<OrderView> place(const PlaceRequest& request, Quote* current) const;
  Result<OrderView> find(const UserId& user,
                         const OrderId& id) const;  // order_not_found for another's, too
  OrderPage list(const UserId& user, const OrderId& cursor) const;

 private:
  Result<OrderView> insert(const PlaceRequest& request, const catalog::CurrentBook& current,
                           const Quote& priced) const;
  const OrderEnv& env_;
};

// The order as the console and the live feed read it, whoever asks.
std::optional<OrderView> load_view(storage::Db& db, const OrderId& id);

}  // namespace topup::orders
