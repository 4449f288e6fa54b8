// Placing and reading orders. place() is safe to repeat with the same client key: the same body
// gives the same order, also after a crash between commit and answer; another body is refused.
// Errors of place(), by precedence: price_book_not_ready, idempotency_key_reused,
// rejected/shop_closed_now, those of quote(), account_not_confirmed, price_changed (then *current
// holds the server's quote), too_many_unpaid, conflict/same_recipient_again (then *earlier is the
// order before; never with confirms_repeat), those of order_holds::take(). In the transaction that
// places, those of risk::may_buy() come first. Thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/orders/order_env.h"
#include "server/orders/order_holds_store.h"
#include "server/orders/order_store.h"
#include "shared/pricing.h"
#include "shared/result.h"

namespace topup::orders {

struct PlaceRequest {
  UserId user;
  std::string client_key;          // 16…64 of [A-Za-z0-9_-], checked by the caller
  std::string client_fingerprint;  // of the body
  QuoteRequest quote;
  std::string quote_fingerprint;   // what the buyer saw
  bool confirms_repeat = false;    // has been told of the order before and wants this one as well
  std::vector<Hold> holds = {};    // what the order keeps from others while it lives
  std::string account_again = {};  // the recipient typed a second time; "" when it was not
  std::string address = {}, device_code = {};  // from where, for risk::may_buy()
};
// A quote with its canonical text; the book it was made from may be gone by now.
struct PricedQuote {
  Quote quote;
  std::string text;
  std::vector<std::string> coupons = {};  // that it uses: what the order then holds
};
struct OrderView {
  Order order;
  std::vector<OrderEvent> events;
  bool replayed = false;  // this key had placed it before
  // While nobody can take it on: it goes out by then, or the money goes back. 0: it does not wait.
  std::int64_t promised_until_ms = 0;
};
struct OrderPage {
  std::vector<Order> orders;
  std::string next_cursor;  // empty at the end
};
inline constexpr std::int64_t kPageSize = 20;
inline constexpr std::int64_t kChangesPage = 100;
inline constexpr std::int64_t kChangesReachMs = 7LL * 24 * 3'600'000;  // older orders are in lists

// What else a new order commits with; not run for an order that was there already. An error takes
// the order back. As a body of Db::write(): it may run again.
using Along = std::function<Result<bool>(storage::Tx&, Order&)>;

class OrderService {
 public:
  explicit OrderService(const OrderEnv& env) : env_(env) {}

  // now_ms is the shop's own. With a user: at that buyer's level and with their coupons.
  Result<PricedQuote> price(QuoteRequest request, const UserId& user = {}) const;
  Result<OrderView> place(const PlaceRequest& request, PricedQuote* current,
                          Order* earlier = nullptr, const Along* along = nullptr) const;
  Result<OrderView> find(const UserId& user,
                         const OrderId& id) const;  // order_not_found for another's, too
  // `wanted.user` says whose.
  OrderPage list(const order_store::Selection& wanted, const OrderId& cursor) const;
  // For somebody without a session who knows the order's number and the end of its recipient's.
  // Whoever guesses is shut out for that order; missing and wrong are the same refusal. Errors:
  // order_not_found, rate_limited/order_look_up_locked (detail: seconds).
  Result<OrderView> find_for_guest(const OrderId& id, std::string_view tail) const;

 private:
  Result<OrderView> insert(const PlaceRequest& request, const catalog::CurrentBook& current,
                           const PricedQuote& priced, Order* earlier, const Along* along) const;
  Order draft(const PlaceRequest& request, const catalog::CurrentBook& current,
              const PricedQuote& priced, std::int64_t now) const;
  const OrderEnv& env_;
};

// The order as the console and the live feed read it, whoever asks. `hold_promise_ms` is that of
// OrderSettings; 0: nobody is told until when it waits.
std::optional<OrderView> load_view(storage::Db& db, const OrderId& id,
                                   std::int64_t hold_promise_ms = 0);

// What changed among a buyer's orders since the `last_ms` of an earlier answer (0: where to begin),
// the earliest first and bounded: `more` says to ask again from `last_ms`. Commits may overtake
// each other, so a little is told twice; pages drop what they know by event_seq. `resync`: too long
// ago, read the lists anew.
struct OrderChanges {
  std::vector<Order> orders;
  std::int64_t last_ms = 0;
  bool more = false, resync = false;
};
OrderChanges changes_since(storage::Db& db, std::int64_t now_ms, const UserId& user,
                           std::int64_t after_ms);

}  // namespace topup::orders
