#include "server/orders/order_service.h"

#include <algorithm>
#include <utility>

#include "server/audit/audit_log.h"
#include "server/auth/lockout.h"
#include "server/base/log.h"
#include "server/jobs/outbox.h"
#include "server/orders/buyer_facts_store.h"
#include "server/orders/order_rules.h"
#include "server/orders/supply_choice.h"
#include "server/risk/standing.h"
#include "shared/check.h"
#include "shared/time_point.h"

namespace topup::orders {
namespace {

OrderView view_of(storage::Reader& reader, Order order, std::vector<OrderEvent> events,
                  bool replayed, std::int64_t hold_promise_ms) {
  OrderView view{std::move(order), std::move(events), replayed};
  if (hold_promise_ms > 0 && waits_for_supplier(reader, view.order)) {
    view.promised_until_ms =
        supply_choice_store::paid_at_ms(reader, view.order.id) + hold_promise_ms;
  }
  return view;
}
OrderView view_of(storage::Reader& reader, Order order, bool replayed,
                  std::int64_t hold_promise_ms) {
  auto events = order_store::events_of(reader, order.id);
  return view_of(reader, std::move(order), std::move(events), replayed, hold_promise_ms);
}

constexpr std::int64_t kChangesOverlapMs = 5'000;
constexpr auth::lockout::Kind kGuestLook{"guest_order", 5, 10, kDayMs};

// The same account, however it is typed: asked of the book that knows what kind it is.
Result<bool> check_typed_twice(const PriceBook& book, const PlaceRequest& request,
                               const Quote& quote, bool is_wanted) {
  if (request.account_again.empty() && !is_wanted) return true;
  QuoteRequest second = request.quote;
  second.account_number = request.account_again;
  second.now_ms = quote.expires_at_ms - 1;
  const Buyer guest;
  const auto again = topup::quote(book, guest, second);
  if (again && again->account == quote.account) return true;
  return refuse(Code::rejected, "account_not_confirmed", "account_number_again",
                "type the recipient's number a second time, the same");
}

Result<PricedQuote> price_in(const OrderEnv& env, const PriceBook& book, QuoteRequest request,
                             const UserId& user) {
  const std::int64_t now = env.clock.wall_ms();
  const Buyer buyer = buyer_now(env, book, user, now);
  Result<Quote> priced = price_now(env, book, buyer, std::move(request), now);
  if (!priced) return tl::unexpected<Error>(priced.error());
  std::string text = quote_text(book, buyer, *priced);
  std::vector<std::string> coupons = coupons_in(buyer, *priced);
  return PricedQuote{std::move(*priced), std::move(text), std::move(coupons)};
}

}  // namespace

Result<PricedQuote> OrderService::price(QuoteRequest request, const UserId& user) const {
  const auto current = env_.catalog.current();
  if (!current) return tl::unexpected<Error>(current.error());
  const std::int64_t now = env_.clock.wall_ms();
  Result<PricedQuote> priced = price_in(env_, (*current)->buyers.book, std::move(request), user);
  if (!priced) return priced;
  Result<bool> served = true;
  env_.db.read([&](storage::Reader& reader) {
    served = risk::may_be_served(reader, env_.pii, priced->quote.account, now);
  });
  if (!served) return tl::unexpected<Error>(served.error());
  return priced;
}

Result<OrderView> OrderService::place(const PlaceRequest& request, PricedQuote* current_quote,
                                      Order* earlier_order, const Along* along) const {
  const auto current = env_.catalog.current();
  if (!current) return tl::unexpected<Error>(current.error());

  std::optional<Result<OrderView>> earlier;
  env_.db.read([&](storage::Reader& reader) {
    auto found = order_store::find_by_key(reader, request.user, request.client_key);
    if (found && found->client_fingerprint != request.client_fingerprint) {
      earlier = refuse(Code::rejected, "idempotency_key_reused", "Idempotency-Key",
                       "this key placed another order");
    } else if (found) {
      earlier = view_of(reader, std::move(*found), true, env_.settings.hold_promise_ms);
    }
  });
  if (earlier) return std::move(*earlier);
  const OrderLimits limits = env_.limits();
  if (!is_open(limits, env_.clock.wall_ms()))
    return refuse(Code::rejected, "shop_closed_now", {}, "the shop takes no orders at this hour");
  Result<PricedQuote> priced = price_in(env_, (*current)->buyers.book, request.quote, request.user);
  if (!priced) return tl::unexpected<Error>(priced.error());
  const auto typed =
      check_typed_twice((*current)->buyers.book, request, priced->quote, limits.confirm_account);
  if (!typed) return tl::unexpected<Error>(typed.error());
  if (fingerprint_text(priced->quote) != request.quote_fingerprint) {
    *current_quote = std::move(*priced);
    return refuse(Code::conflict, "price_changed", "quote_fingerprint",
                  "look at the new price and confirm it");
  }
  return insert(request, **current, *priced, earlier_order, along);
}

Order OrderService::draft(const PlaceRequest& request, const catalog::CurrentBook& current,
                          const PricedQuote& priced, std::int64_t now) const {
  const Quote& quote = priced.quote;
  const Product& product = current.buyers.book.products[quote.product_index];
  const Operator& op = current.buyers.book.operators[product.operator_index];
  Order order;
  order.id = OrderId(base::new_id(env_.random, now));
  order.user = request.user;
  order.client_key = request.client_key;
  order.client_fingerprint = request.client_fingerprint;
  order.product = product.id;
  order.operator_id = op.id;
  order.operator_name_zh = op.name_zh;
  order.operator_name_en = op.name_en;
  order.account_sealed = env_.pii.seal("orders", "account_sealed", order.id.text, quote.account);
  order.account_masked = quote.account_masked;
  order.account_index = account_index_of(env_.pii, quote.account);
  order.tail_index = tail_index_of(env_.pii, quote.account);
  order.face = quote.face;
  order.payable = quote.payable;
  order.delivered = quote.delivered;
  order.quote = priced.text;
  order.trace = base::TraceScope::current();
  order.created_at_ms = order.updated_at_ms = now;
  order.pay_by_ms = now + env_.limits().pay_within_ms;
  order.event_seq = 1;
  return order;
}

Result<OrderView> OrderService::insert(const PlaceRequest& request,
                                       const catalog::CurrentBook& current,
                                       const PricedQuote& priced, Order* earlier,
                                       const Along* along) const {
  const std::int64_t now = env_.clock.wall_ms();
  const OrderLimits limits = env_.limits();
  const Order order = draft(request, current, priced, now);
  const Product& product = current.buyers.book.products[priced.quote.product_index];
  const OrderEvent placed{
      1,  "place",          "", std::string(to_word(order.state)), "buyer:" + order.user.text,
      "", order.trace.text, now};
  return storage::with_tx(env_.db, [&](storage::Tx& tx) -> Result<OrderView> {
    // The same key may have been used twice at once: the first one in wins, the second finds it
    // here.
    if (auto twin = order_store::find_by_key(tx, request.user, request.client_key)) {
      if (twin->client_fingerprint == request.client_fingerprint)
        return view_of(tx, std::move(*twin), true, env_.settings.hold_promise_ms);
      return refuse(Code::rejected, "idempotency_key_reused", "Idempotency-Key",
                    "this key placed another order");
    }
    const auto may =
        risk::may_buy(tx, env_.pii, {request.user, request.address, request.device_code},
                      priced.quote.account, now);
    if (!may) return tl::unexpected<Error>(may.error());
    if (order_store::has_unpaid(tx, request.user, limits.max_unpaid_per_user)) {
      return refuse(Code::rejected, "too_many_unpaid", {},
                    "pay or cancel one of your open orders first");
    }
    if (product.kind == ProductKind::pin && !hold_stock(env_, tx, order))
      return refuse(Code::rejected, "out_of_stock", "product_id");
    if (limits.repeat_window_ms > 0 && !request.confirms_repeat) {
      if (auto twin = order_store::find_twin(tx, order, now - limits.repeat_window_ms + 1)) {
        if (earlier != nullptr) *earlier = std::move(*twin);
        return refuse(Code::conflict, "same_recipient_again", "confirm_repeat",
                      "there is such an order already; confirm that this is another one");
      }
    }
    for (const Hold& hold : request.holds) {
      const Result<bool> held = order_holds::take(tx, order.id, hold, now);
      if (!held) return tl::unexpected<Error>(held.error());
    }
    for (const std::string& coupon : priced.coupons) {
      Result<bool> held = check_still_usable(tx, request.user, coupon, now);
      if (held)
        held = order_holds::take(tx, order.id, {std::string(hold_kind::kCoupon), coupon}, now);
      if (!held) return tl::unexpected<Error>(held.error());
    }
    order_store::insert(tx, order);
    order_store::insert_event(tx, order.id, placed);
    audit::append(
        tx, {placed.actor, "order.place", order.id.text, "payable " + decimal_text(order.payable)},
        order.trace, now);
    jobs::outbox::enqueue(tx, job_kind::kExpire, order.id.text, order.pay_by_ms, now, order.trace);
    tx.after_commit([this] { env_.count_state(to_word(State::awaiting_payment)); });
    if (along == nullptr) return OrderView{order, {placed}, false};
    Order begun = order;
    const Result<bool> went = (*along)(tx, begun);
    if (!went) return tl::unexpected<Error>(went.error());
    return view_of(tx, std::move(begun), false, env_.settings.hold_promise_ms);
  });
}

Result<OrderView> OrderService::find(const UserId& user, const OrderId& id) const {
  std::optional<OrderView> view = load_view(env_.db, id, env_.settings.hold_promise_ms);
  if (!view || view->order.user != user)
    return refuse(Code::not_found, "order_not_found", "order_id");
  return std::move(*view);
}

OrderPage OrderService::list(const order_store::Selection& wanted, const OrderId& cursor) const {
  check(!wanted.user.empty(), "a buyer's list has a buyer");
  OrderPage page;
  env_.db.read([&](storage::Reader& reader) {
    page.orders = order_store::list(reader, wanted, cursor, kPageSize + 1);
  });
  if (page.orders.size() > static_cast<std::size_t>(kPageSize)) {
    page.orders.pop_back();
    page.next_cursor = page.orders.back().id.text;
  }
  return page;
}

Result<OrderView> OrderService::find_for_guest(const OrderId& id, std::string_view tail) const {
  const std::string subject = env_.pii.blind_index("guest_order", id.text);
  std::optional<OrderView> view = load_view(env_.db, id, env_.settings.hold_promise_ms);
  const std::int64_t now = env_.clock.wall_ms();
  std::int64_t locked_ms = 0;
  env_.db.read([&](storage::Reader& reader) {
    locked_ms = auth::lockout::locked_for_ms(reader, kGuestLook, subject, now);
  });
  if (locked_ms > 0) {
    return refuse(Code::rate_limited, "order_look_up_locked", "order_id",
                  std::to_string((locked_ms + 999) / 1'000));
  }
  const Result<std::string> account =
      view ? env_.pii.open("orders", "account_sealed", id.text, view->order.account_sealed)
           : Result<std::string>(std::string());
  const bool fits = view && account && tail.size() == kTailDigits && account->ends_with(tail);
  if (fits) return std::move(*view);
  // Also for numbers of no order, so that being shut out tells nothing.
  env_.db.write([&](storage::Tx& tx) {
    auth::lockout::count_failure(tx, kGuestLook, subject, now);
    return true;
  });
  return refuse(Code::not_found, "order_not_found", "order_id");
}

OrderChanges changes_since(storage::Db& db, std::int64_t now_ms, const UserId& user,
                           std::int64_t after_ms) {
  OrderChanges changes;
  changes.last_ms = now_ms;
  if (after_ms <= 0) return changes;
  changes.resync = after_ms < now_ms - kChangesReachMs;
  db.read([&](storage::Reader& reader) {
    changes.orders = order_store::changed_since(reader, user, after_ms - kChangesOverlapMs,
                                                now_ms - kChangesReachMs, kChangesPage + 1);
  });
  changes.more = changes.orders.size() > static_cast<std::size_t>(kChangesPage);
  if (!changes.more) return changes;
  changes.orders.pop_back();
  // A page of orders of one moment must not be asked for again and again.
  changes.last_ms = std::max(after_ms + 1, changes.orders.back().updated_at_ms + kChangesOverlapMs);
  return changes;
}

std::optional<OrderView> load_view(storage::Db& db, const OrderId& id,
                                   std::int64_t hold_promise_ms) {
  std::optional<OrderView> view;
  db.read([&](storage::Reader& reader) {
    std::vector<OrderEvent> events;
    if (auto order = order_store::find_with_events(reader, id, &events))
      view = view_of(reader, std::move(*order), std::move(events), false, hold_promise_ms);
  });
  return view;
}

}  // namespace topup::orders
