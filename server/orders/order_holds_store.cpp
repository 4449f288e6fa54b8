#include "server/orders/order_holds_store.h"

namespace topup::orders::order_holds {
namespace {

constexpr std::string_view kHeld = "held";
constexpr std::string_view kReleased = "released";
constexpr std::int64_t kMostHolds = 50;

std::vector<Hold> holds_of(storage::Reader& reader, const OrderId& order, std::string_view state) {
  std::vector<Hold> holds;
  reader.query(R"sql(
    SELECT kind, subject FROM order_holds WHERE order_id = $1 AND state = $2 ORDER BY kind, subject LIMIT $3)sql",
               {order.text, state, kMostHolds}, [&holds](const storage::Row& row) {
                 holds.push_back({row.text(0), row.text(1)});
               });
  return holds;
}

bool is_coupon_free(storage::Reader& reader, std::string_view coupon) {
  return reader.query(R"sql(
    SELECT 1 FROM order_holds WHERE kind = 'coupon' AND subject = $1 AND state = 'held')sql",
                      {coupon}, [](const storage::Row&) {}) == 0;
}

}  // namespace

Result<bool> take(storage::Tx& tx, const OrderId& order, const Hold& hold, std::int64_t now_ms) {
  const bool is_stock = hold.kind == hold_kind::kStock;
  const int had = tx.query(R"sql(
    SELECT 1 FROM order_holds WHERE order_id = $1 AND kind = $2 AND subject = $3 AND state = 'held')sql",
                           {order.text, hold.kind, hold.subject}, [](const storage::Row&) {});
  if (had > 0) return true;
  if (!is_stock && !is_coupon_free(tx, hold.subject))
    return refuse(Code::conflict, "coupon_in_use", "coupon_id");
  if (is_stock &&
      tx.exec("UPDATE stocks SET taken = taken + 1 WHERE stock_id = $1 AND taken < amount",
              {hold.subject}) == 0)
    return refuse(Code::rejected, "out_of_stock", "product_id");
  tx.exec(R"sql(
    INSERT INTO order_holds (order_id, kind, subject, state, at_ms) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (order_id, kind, subject) DO UPDATE SET state = $4, at_ms = $5)sql",
          {order.text, hold.kind, hold.subject, kHeld, now_ms});
  return true;
}

int release(storage::Tx& tx, const OrderId& order, std::int64_t now_ms) {
  const std::vector<Hold> holds = holds_of(tx, order, kHeld);
  for (const Hold& hold : holds) {
    if (hold.kind == hold_kind::kStock)
      tx.exec("UPDATE stocks SET taken = taken - 1 WHERE stock_id = $1", {hold.subject});
  }
  if (holds.empty()) return 0;
  return tx.exec("UPDATE order_holds SET state = $2, at_ms = $3 WHERE order_id = $1 AND state = $4",
                 {order.text, kReleased, now_ms, kHeld});
}

bool can_retake(storage::Reader& reader, const OrderId& order) {
  for (const Hold& hold : holds_of(reader, order, kReleased)) {
    if (hold.kind == hold_kind::kStock ? left_of(reader, hold.subject) == 0
                                       : !is_coupon_free(reader, hold.subject))
      return false;
  }
  return true;
}

Result<bool> retake(storage::Tx& tx, const OrderId& order, std::int64_t now_ms) {
  for (const Hold& hold : holds_of(tx, order, kReleased)) {
    const auto taken = take(tx, order, hold, now_ms);
    if (!taken) return taken;
  }
  return true;
}

void set_stock(storage::Tx& tx, std::string_view stock, std::int64_t amount) {
  tx.exec(R"sql(
    INSERT INTO stocks (stock_id, amount, taken) VALUES ($1, $2, 0)
    ON CONFLICT (stock_id) DO UPDATE SET amount = $2)sql",
          {stock, amount});
}

std::int64_t left_of(storage::Reader& reader, std::string_view stock) {
  std::int64_t left = 0;
  reader.query("SELECT amount - taken FROM stocks WHERE stock_id = $1", {stock},
               [&left](const storage::Row& row) { left = row.integer(0); });
  return left;
}

}  // namespace topup::orders::order_holds
