#include "server/orders/order_service.h"

#include <utility>

#include "server/audit/audit_log.h"
#include "server/base/log.h"
#include "server/jobs/outbox.h"
#include "shared/phone.h"

namespace topup::orders {
namespace {

Result<OrderView> view_of(storage::Reader& reader, Order order, bool replayed) {
  OrderView view{std::move(order), {}, replayed};
  view.events = order_store::events_of(reader, view.order.id);
  return view;
}

const Operator& operator_of(const PriceBook& book, const ProductId& product) {
  return book.operators[book.find(product)->operator_index];
}

}  // namespace

Result<Quote> OrderService::price(const QuoteRequest& request) const {
  const auto current = env_.catalog.current();
  if (!current) return tl::unexpected<Error>(current.error());
  return quote((*current)->book, request);
}

Result<OrderView> OrderService::place(const PlaceRequest& request, Quote* current_quote) const {
  const auto current = env_.catalog.current();
  if (!current) return tl::unexpected<Error>(current.error());

  std::optional<Result<OrderView>> earlier;
  env_.db.read([&](storage::Reader& reader) {
    auto found = order_store::find_by_key(reader, request.user, request.client_key);
    if (found && found->client_fingerprint != request.client_fingerprint) {
      earlier = refuse(Code::rejected, "idempotency_key_reused", "Idempotency-Key",
                       "this key placed another order");
    } else if (found) {
      earlier = view_of(reader, std::move(*found), true);
    }
  });
  if (earlier) return std::move(*earlier);
  const Result<Quote> priced = quote((*current)->book, request.quote);
  if (!priced) return tl::unexpected<Error>(priced.error());
  if (priced->fingerprint != request.quote_fingerprint) {
    *current_quote = *priced;
    return refuse(Code::conflict, "price_changed", "quote_fingerprint",
                  "look at the new price and confirm it");
  }
  return insert(request, **current, *priced);
}

Result<OrderView> OrderService::insert(const PlaceRequest& request,
                                       const catalog::CurrentBook& current,
                                       const Quote& priced) const {
  const std::int64_t now = env_.clock.wall_ms();
  const Operator& op = operator_of(current.book, priced.product_id);
  Order order;
  order.id = OrderId(base::new_id(env_.random, now));
  order.user = request.user;
  order.client_key = request.client_key;
  order.client_fingerprint = request.client_fingerprint;
  order.product = priced.product_id;
  order.operator_id = op.id;
  order.operator_name_zh = op.name_zh;
  order.operator_name_en = op.name_en;
  const Result<std::string> account = normalise_mainland_phone(request.quote.account_number);
  if (!account) return tl::unexpected<Error>(account.error());
  order.account_sealed = env_.pii.seal("orders", "account_sealed", order.id.text, *account);
  order.account_masked = priced.account_masked;
  order.face = priced.face;
  order.payable = priced.payable;
  order.delivered = priced.delivered;
  order.quote = quote_text(priced);
  order.trace = base::TraceScope::current();
  order.created_at_ms = order.updated_at_ms = now;
  order.pay_by_ms = now + env_.settings.pay_within_ms;
  order.event_seq = 1;
  const OrderEvent placed{
      1,  "place",          "", std::string(to_word(order.state)), "buyer:" + order.user.text,
      "", order.trace.text, now};
  return storage::with_tx(env_.db, [&](storage::Tx& tx) -> Result<OrderView> {
    // The same key may have been used twice at once: the first one in wins, the second finds it
    // here.
    if (auto twin = order_store::find_by_key(tx, request.user, request.client_key)) {
      if (twin->client_fingerprint == request.client_fingerprint)
        return view_of(tx, std::move(*twin), true);
      return refuse(Code::rejected, "idempotency_key_reused", "Idempotency-Key",
                    "this key placed another order");
    }
    if (order_store::count_unpaid(tx, request.user) >= env_.settings.max_unpaid_per_user) {
      return refuse(Code::rejected, "too_many_unpaid", {},
                    "pay or cancel one of your open orders first");
    }
    order_store::insert(tx, order);
    order_store::insert_event(tx, order.id, placed);
    audit::append(
        tx, {placed.actor, "order.place", order.id.text, "payable " + decimal_text(order.payable)},
        order.trace, now);
    jobs::outbox::enqueue(tx, job_kind::kExpire, order.id.text, order.pay_by_ms, now, order.trace);
    tx.after_commit([this] { env_.count_state(to_word(State::awaiting_payment)); });
    return OrderView{order, {placed}, false};
  });
}

Result<OrderView> OrderService::find(const UserId& user, const OrderId& id) const {
  std::optional<OrderView> view = load_view(env_.db, id);
  if (!view || view->order.user != user)
    return refuse(Code::not_found, "order_not_found", "order_id");
  return std::move(*view);
}

OrderPage OrderService::list(const UserId& user, const OrderId& cursor) const {
  OrderPage page;
  env_.db.read([&](storage::Reader& reader) {
    page.orders = order_store::list(reader, user, "", cursor, kPageSize + 1);
  });
  if (page.orders.size() > static_cast<std::size_t>(kPageSize)) {
    page.orders.pop_back();
    page.next_cursor = page.orders.back().id.text;
  }
  return page;
}

std::optional<OrderView> load_view(storage::Db& db, const OrderId& id) {
  std::optional<OrderView> view;
  db.read([&](storage::Reader& reader) {
    if (auto order = order_store::find(reader, id))
      view = *view_of(reader, std::move(*order), false);
  });
  return view;
}

}  // namespace topup::orders
