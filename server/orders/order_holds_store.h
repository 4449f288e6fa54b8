// What an order keeps from others: a coupon, or a piece of a stock. Taken in the transaction that
// places the order, given back in the one that ends it unpaid or refunds it, taken again when a
// late payment revives it; a delivery keeps it. Two live orders never have the same coupon, and
// never more pieces are taken than there are: the database keeps both. Repeating changes nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/result.h"

namespace topup::orders {

// Stored words; do not rename.
namespace hold_kind {
inline constexpr std::string_view kCoupon = "coupon";  // subject: the owned coupon's id
inline constexpr std::string_view kStock = "stock";    // subject: the stock's id
}  // namespace hold_kind

struct Hold {
  std::string kind, subject;
};

namespace order_holds {

// Errors: conflict/coupon_in_use, rejected/out_of_stock (also for a stock that nobody set up).
Result<bool> take(storage::Tx& tx, const OrderId& order, const Hold& hold, std::int64_t now_ms);
// All of the order. How many were given back now.
int release(storage::Tx& tx, const OrderId& order, std::int64_t now_ms);
// Whether all that was given back could be taken again now.
bool can_retake(storage::Reader& reader, const OrderId& order);
// Errors as of take(); whatever it had is then as it was when the caller rolls back.
Result<bool> retake(storage::Tx& tx, const OrderId& order, std::int64_t now_ms);

// How many pieces there are from now on; fewer than are taken is a broken constraint (SqlError).
void set_stock(storage::Tx& tx, std::string_view stock, std::int64_t amount);
std::int64_t left_of(storage::Reader& reader, std::string_view stock);  // 0 for none set up

}  // namespace order_holds
}  // namespace topup::orders
