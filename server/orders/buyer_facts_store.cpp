#include "server/orders/buyer_facts_store.h"

#include <algorithm>

#include "server/orders/order_store.h"
#include "shared/membership.h"

namespace topup::orders {
namespace {

// The orders that are still to be paid: their hold may yet come back.
constexpr std::string_view kUnpaid = "('awaiting_payment', 'paying')";

constexpr std::string_view kCouponRows = R"sql(
  SELECT c.coupon_id, c.template_id, c.campaign_id, c.valid_from_ms, c.expires_at_ms,
         c.revoked_at_ms, c.created_at_ms, COALESCE(h.order_id, ''), COALESCE(o.state, '')
    FROM owned_coupons c
    LEFT JOIN order_holds h ON h.kind = 'coupon' AND h.subject = c.coupon_id AND h.state = 'held'
    LEFT JOIN orders o ON o.order_id = h.order_id
   WHERE c.user_id = $1)sql";

CouponInHand read_coupon(const storage::Row& row) {
  CouponInHand one;
  one.id = row.text(0);
  one.template_id = row.text(1);
  one.campaign_id = row.text(2);
  one.valid_from_ms = row.integer(3);
  one.expires_at_ms = row.integer(4);
  one.revoked_at_ms = row.integer(5);
  one.created_at_ms = row.integer(6);
  one.order = OrderId(row.text(7));
  const std::string state = row.text(8);
  one.is_paid = !one.order.empty() && state != to_word(State::awaiting_payment) &&
                state != to_word(State::paying);
  return one;
}

// Those that may lower a price now, those that end first before the others.
std::vector<OwnedCoupon> usable_coupons(storage::Reader& reader, const UserId& user,
                                        std::int64_t now_ms) {
  const std::string sql = std::string(kCouponRows) +
                          " AND c.revoked_at_ms = 0 AND (c.expires_at_ms = 0 OR c.expires_at_ms > "
                          "$2) AND (h.order_id IS NULL OR o.state IN " +
                          std::string(kUnpaid) +
                          ") ORDER BY CASE WHEN c.expires_at_ms = 0 THEN 1 ELSE 0 END, "
                          "c.expires_at_ms, c.coupon_id LIMIT $3";
  std::vector<OwnedCoupon> coupons;
  reader.query(sql, {user.text, now_ms, static_cast<std::int64_t>(kMaxOwnedCoupons)},
               [&coupons](const storage::Row& row) {
                 const CouponInHand one = read_coupon(row);
                 coupons.push_back({one.id, one.template_id, one.valid_from_ms, one.expires_at_ms,
                                    one.order.empty() ? CouponState::usable : CouponState::held});
               });
  return coupons;
}

void read_history(storage::Reader& reader, const PriceBook& book, const UserId& user,
                  std::int64_t now_ms, BuyerFacts* facts) {
  const std::int64_t day = start_of_day_ms(now_ms, kShanghaiOffsetMs);
  reader.query(
      history_sql(),
      {user.text, to_word(book.currency), now_ms - kGrowthWindowMs, order_store::first_id_of(day)},
      [&](const storage::Row& row) {
        facts->first_order = row.integer(0) == 0;
        facts->growth = growth_of(row.integer(1), book.currency);
        facts->day_orders = row.integer(2);
        facts->day_minor = row.integer(3);
      });
}

}  // namespace

// Whoever orders often has many orders and asks for many prices: of the year, the index alone
// tells.
std::string_view history_sql() {
  return R"sql(
    SELECT (SELECT COUNT(*) FROM (SELECT 1 AS one FROM orders
             WHERE user_id = $1 AND payable_currency = $2 AND state <> 'closed' LIMIT 1) AS first_one),
           (SELECT COALESCE(SUM(payable_minor), 0) FROM orders
             WHERE user_id = $1 AND payable_currency = $2 AND state = 'succeeded' AND created_at_ms > $3),
           today.orders, today.minor
      FROM (SELECT COUNT(*) AS orders, COALESCE(SUM(payable_minor), 0) AS minor FROM orders
             WHERE user_id = $1 AND payable_currency = $2 AND order_id >= $4 AND state <> 'closed') AS today)sql";
}

std::string_view CouponInHand::state(std::int64_t now_ms) const {
  if (!order.empty()) return is_paid ? "used" : "held";
  if (revoked_at_ms != 0) return "revoked";
  return expires_at_ms != 0 && now_ms >= expires_at_ms ? "expired" : "available";
}

BuyerFacts facts_of(const OrderEnv& env, storage::Reader& reader, const PriceBook& book,
                    const UserId& user, std::int64_t now_ms) {
  BuyerFacts facts;
  if (user.empty()) return facts;
  if (!book.benefits.empty() || !book.promotions.empty() || !book.limits.empty()) {
    read_history(reader, book, user, now_ms, &facts);
    const Standing standing = standing_at(book, facts.growth);
    if (standing.level != nullptr) facts.level_id = standing.level->id;
  }
  if (!book.coupons.empty() && !env.is_without_marketing())
    facts.coupons = usable_coupons(reader, user, now_ms);
  return facts;
}

std::vector<CouponInHand> coupons_of(storage::Reader& reader, const UserId& user) {
  std::vector<CouponInHand> coupons;
  reader.query(std::string(kCouponRows) + " ORDER BY c.coupon_id DESC LIMIT $2",
               {user.text, kMostCouponsShown},
               [&coupons](const storage::Row& row) { coupons.push_back(read_coupon(row)); });
  return coupons;
}

bool has_proven_phone(storage::Reader& reader, const UserId& user) {
  return reader.query("SELECT 1 FROM identities WHERE user_id = $1 AND kind = 'phone' LIMIT 1",
                      {user.text}, [](const storage::Row&) {}) > 0;
}

std::vector<std::string> coupons_in(const Buyer& buyer, const Quote& quote) {
  std::vector<std::string> ids;
  for (const QuoteLine& line : quote.lines) {
    if (line.word == LineWord::coupon) ids.push_back(buyer.facts.coupons[line.index].id);
  }
  return ids;
}

Result<bool> check_still_usable(storage::Reader& reader, const UserId& user,
                                std::string_view coupon, std::int64_t now_ms) {
  const int found = reader.query(R"sql(
    SELECT 1 FROM owned_coupons WHERE coupon_id = $1 AND user_id = $2 AND revoked_at_ms = 0
       AND (expires_at_ms = 0 OR expires_at_ms > $3))sql",
                                 {coupon, user.text, now_ms}, [](const storage::Row&) {});
  if (found > 0) return true;
  return refuse(Code::conflict, "coupon_in_use", "coupons");
}

std::vector<std::string> released_coupons(storage::Reader& reader, const OrderId& order) {
  std::vector<std::string> ids;
  reader.query(R"sql(
    SELECT subject FROM order_holds WHERE order_id = $1 AND kind = 'coupon' AND state = 'released'
     ORDER BY subject)sql",
               {order.text}, [&ids](const storage::Row& row) { ids.push_back(row.text(0)); });
  return ids;
}

}  // namespace topup::orders
