// Which of the coupons in a buyer's hands to use. Coupons of one stacking group exclude each other,
// groups stack in the order of their numbers, and a coupon of group 0 stands alone.
//
// The best choice is exact for any number of coupons in one pass: with x the price so far, what a
// coupon leaves, x - discount(x), never falls when x grows (a percentage is rounded down, a cap and
// the floor keep that true), so the least price after each group leads to the least price at the
// end. tests/shared/pricing_law_test.cpp holds it against trying every subset. Ties: fewer coupons,
// then the one that expires first, then the smaller id. Pure; thread-safe. What is asked twenty
// times a quote is inline.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/price_book.h"

namespace topup {

enum class CouponState : std::uint8_t { usable = 0, held = 1, used = 2 };  // held: by another order

struct OwnedCoupon {
  std::string id;
  std::string template_id;
  std::int64_t valid_from_ms = 0;
  std::int64_t expires_at_ms = 0;  // 0: never
  CouponState state = CouponState::usable;
};

enum class CouponChoice : std::uint8_t { best, none, these };

// Why a coupon, promotion or benefit does not apply. Stable words; `need` and `have` as noted.
enum class WhyNot : std::uint8_t {
  template_unknown,    // not in this price book
  used,                // spent already
  held,                // by another order
  not_started,         // need: when it starts, have: now (ms)
  expired,             // need: when it ended, have: now (ms)
  wrong_product,       // not for this country, operator, kind or product
  degraded,            // optional, and the shop runs without
  first_order_only,    // the buyer has ordered before
  growth_short,        // need, have: growth
  spend_short,         // need, have: minor units
  not_with_member,     // the member discount saves more
  not_with_promotion,  // the promotions save more
  not_with_coupon,     // the coupon saves more
  better_in_group,     // need: what the better one takes off, have: what this one would
  stands_alone,        // need: what the others take off together, have: what this one would
  no_benefit,          // it would take nothing off
  not_chosen           // the buyer chose otherwise
};
inline constexpr std::size_t kWhyNots = 17;
std::string_view to_word(WhyNot why);

// What a discount takes off `price`, never going below `floor_minor` and never above the cap.
// `remainder` (of a percentage, in 1/10,000 of a minor unit) may be null.
inline std::int64_t discount_minor(DiscountForm form, std::int64_t value, std::int64_t cap_minor,
                                   std::int64_t price_minor, std::int64_t floor_minor,
                                   std::int64_t* remainder) {
  if (remainder != nullptr) *remainder = 0;
  std::int64_t off = value;
  if (form == DiscountForm::flash_price) off = price_minor - value;
  if (form == DiscountForm::percent) {
    // Prices end at 10^12 (pricing.cpp), so this product fits.
    const std::int64_t exact = price_minor * std::min(value, kBasisPointsPerWhole);
    off = exact / kBasisPointsPerWhole;
    if (remainder != nullptr) *remainder = exact % kBasisPointsPerWhole;
  }
  std::int64_t most = price_minor - floor_minor;
  if (cap_minor > 0) most = std::min(most, cap_minor);
  if (off > most && remainder != nullptr) *remainder = 0;
  return std::max<std::int64_t>(0, std::min(off, most));
}

// Whether the coupon may be used, apart from what it is combined with; nullopt when it may.
struct CouponRefusal {
  WhyNot why = WhyNot::used;
  std::int64_t need = 0;
  std::int64_t have = 0;
};
inline std::optional<CouponRefusal> coupon_refusal(const OwnedCoupon& coupon,
                                                   const CouponTemplate* from, bool in_scope,
                                                   std::int64_t now_ms, std::int64_t list_minor) {
  if (from == nullptr) return CouponRefusal{WhyNot::template_unknown};
  if (coupon.state == CouponState::used) return CouponRefusal{WhyNot::used};
  if (coupon.state == CouponState::held) return CouponRefusal{WhyNot::held};
  if (now_ms < coupon.valid_from_ms) {
    return CouponRefusal{WhyNot::not_started, coupon.valid_from_ms, now_ms};
  }
  if (coupon.expires_at_ms != 0 && now_ms >= coupon.expires_at_ms) {
    return CouponRefusal{WhyNot::expired, coupon.expires_at_ms, now_ms};
  }
  if (!in_scope) return CouponRefusal{WhyNot::wrong_product};
  if (list_minor < from->least_spend_minor) {
    return CouponRefusal{WhyNot::spend_short, from->least_spend_minor, list_minor};
  }
  return std::nullopt;
}

}  // namespace topup
