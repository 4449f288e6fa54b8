// What the shop knows of a buyer when it prices: member level, what was ordered today, and the
// coupons in their hands. The page is told the same facts and prices with them, so that both come
// to the same quote. Only what the price book asks for is read: a shop without offers reads
// nothing.
//
// Whether a coupon is held or used follows from the order that has it: held while that order waits
// for its payment, used from then on, and back in the buyer's hands, with its own end unchanged,
// when the order ends unpaid or all of its money goes back. A refund of a part keeps it used.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/orders/order_env.h"
#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/price_book.h"
#include "shared/pricing.h"
#include "shared/result.h"

namespace topup::orders {

struct CouponInHand {
  std::string id, template_id, campaign_id;
  std::int64_t valid_from_ms = 0, expires_at_ms = 0, revoked_at_ms = 0, created_at_ms = 0;
  OrderId order;                                      // that has it; empty for none
  bool is_paid = false;                               // that order is
  std::string_view state(std::int64_t now_ms) const;  // available, held, used, revoked, expired
};

// Nobody ("" user): a guest's facts, which are all defaults.
BuyerFacts facts_of(const OrderEnv& env, storage::Reader& reader, const PriceBook& book,
                    const UserId& user, std::int64_t now_ms);
// What the buyer has ordered: any ever, spent in a year, orders and money of the day from order id
// $4.
std::string_view history_sql();
// All of a buyer, the newest first, at most kMostCouponsShown.
inline constexpr std::int64_t kMostCouponsShown = 300;
std::vector<CouponInHand> coupons_of(storage::Reader& reader, const UserId& user);

// Whether the buyer has shown, by a code or through WeChat, that a phone is theirs.
bool has_proven_phone(storage::Reader& reader, const UserId& user);
// The coupons whose lines stand in the quote.
std::vector<std::string> coupons_in(const Buyer& buyer, const Quote& quote);
// In the transaction that places the order: still the buyer's, not revoked, not over. Errors:
// conflict/coupon_in_use.
Result<bool> check_still_usable(storage::Reader& reader, const UserId& user,
                                std::string_view coupon, std::int64_t now_ms);
// What a closed order had.
std::vector<std::string> released_coupons(storage::Reader& reader, const OrderId& order);

}  // namespace topup::orders
