#include "server/orders/order_rules.h"

#include <algorithm>

#include "server/orders/buyer_facts_store.h"
#include "server/orders/order_holds_store.h"
#include "server/risk/standing.h"
#include "shared/time_point.h"

namespace topup::orders {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::string_view kReviewMark = "\"needs_review\":true";  // in our own canonical text

}  // namespace

std::string account_index_of(const privacy::Pii& pii, std::string_view account) {
  return pii.blind_index("orders.account", account);
}

std::string tail_index_of(const privacy::Pii& pii, std::string_view digits) {
  const std::size_t from = digits.size() > kTailDigits ? digits.size() - kTailDigits : 0;
  return pii.blind_index("orders.tail", digits.substr(from));
}

bool is_open(const OrderLimits& limits, std::int64_t now_ms) {
  const std::int64_t opens = limits.opens_at_minute;
  const std::int64_t closes = limits.closes_at_minute;
  if (opens == closes) return true;
  const std::int64_t minute = (now_ms - start_of_day_ms(now_ms, kShanghaiOffsetMs)) / kMinuteMs;
  if (opens < closes) return minute >= opens && minute < closes;
  return minute >= opens || minute < closes;
}

bool needs_review(const OrderEnv& env, storage::Reader& reader, const Order& order) {
  if (order.quote.find(kReviewMark) != std::string::npos) return true;
  // Frozen between the sheet and the payment: the money is there, so a person decides.
  if (risk::is_frozen(reader, order.user)) return true;
  if (order.payable.currency != Currency::cny) return false;
  const OrderLimits limits = env.limits();
  const std::int64_t own = order.payable.minor;
  const std::int64_t placed = order.created_at_ms;
  const std::int64_t day = start_of_day_ms(placed, kShanghaiOffsetMs);
  const std::int64_t day_end = day + kDayMs;
  const std::int64_t window = limits.review_window_ms;
  if (limits.review_above_minor <= 0) return false;
  if (own > limits.review_above_minor) return true;
  // Whoever pays: several buyers for one recipient are one way to split an order. What was placed
  // after this order but paid before it counts, too.
  if (!order.account_index.empty()) {
    const std::int64_t others = std::max(
        order_store::paid_for_account(reader, order, day, day_end),
        order_store::paid_for_account(reader, order, placed - window + 1, placed + window));
    if (own + others > limits.review_above_minor) return true;
  }
  return limits.review_buyer_day_minor > 0 &&
         own + order_store::paid_by_user(reader, order, day, day_end) >
             limits.review_buyer_day_minor;
}

Buyer buyer_now(const OrderEnv& env, const PriceBook& book, const UserId& user,
                std::int64_t now_ms) {
  BuyerFacts facts;
  if (!user.empty()) {
    env.db.read(
        [&](storage::Reader& reader) { facts = facts_of(env, reader, book, user, now_ms); });
  }
  return prepare(book, std::move(facts));
}

Result<Quote> price_now(const OrderEnv& env, const PriceBook& book, const Buyer& buyer,
                        QuoteRequest request, std::int64_t now_ms) {
  request.now_ms = now_ms;
  request.skip_optional = env.is_without_marketing();
  return quote(book, buyer, request);
}

bool is_still_sold(const OrderEnv& env, storage::Reader& reader, const Order& order) {
  const std::int64_t now = env.clock.wall_ms();
  const OrderLimits limits = env.limits();
  if (limits.revive_within_ms <= 0 || now - order.updated_at_ms > limits.revive_within_ms)
    return false;
  const auto current = env.catalog.current();
  const auto account =
      env.pii.open("orders", "account_sealed", order.id.text, order.account_sealed);
  if (!current || !account) return false;
  const PriceBook& book = (*current)->buyers.book;
  QuoteRequest wanted;
  wanted.product_id = order.product;
  wanted.account_number = *account;
  const auto product = std::find_if(book.products.begin(), book.products.end(),
                                    [&](const Product& one) { return one.id == order.product; });
  if (product == book.products.end()) return false;
  if (product->is_range()) wanted.amount_minor = order.face.minor;
  // With just the coupons it had, which came back when it closed and may be spent or revoked now.
  wanted.coupon_ids = released_coupons(reader, order.id);
  wanted.coupon_choice = wanted.coupon_ids.empty() ? CouponChoice::none : CouponChoice::these;
  const Buyer buyer = prepare(book, facts_of(env, reader, book, order.user, now));
  const Result<Quote> priced = price_now(env, book, buyer, std::move(wanted), now);
  if (!priced) return false;
  return order.quote.find("\"fingerprint\":\"" + fingerprint_text(*priced) + "\"") !=
         std::string::npos;
}

Event event_of_payment(const OrderEnv& env, storage::Reader& reader, const Order& order) {
  const bool is_late = order.state == State::closed;
  if (!is_late && order.state != State::paying) return Event::payment_confirmed;
  if (is_late && !(is_still_sold(env, reader, order) && order_holds::can_retake(reader, order.id)))
    return Event::payment_confirmed;
  if (needs_review(env, reader, order)) return Event::review_required;
  return is_late ? Event::late_payment_revived : Event::payment_confirmed;
}

}  // namespace topup::orders
