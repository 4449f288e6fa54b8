// Inside pricing.cpp, list_price.cpp and discounts.cpp only: one product priced for one buyer, step
// by step. Amounts are minor units of the book's currency unless said otherwise.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "shared/coupon.h"
#include "shared/price_book.h"
#include "shared/pricing.h"
#include "shared/result.h"

namespace topup {

inline constexpr std::int64_t kMaxPriceMinor = 1'000'000'000'000;  // what no top-up costs
inline constexpr std::int64_t kMaxRateBp =
    10 * kBasisPointsPerWhole;                  // more is a typing slip, not a price
inline constexpr std::size_t kMaxApplied = 32;  // promotions in one quote

// What keeps a promotion or coupon out, whatever it is combined with.
struct Judged {
  bool fits;
  WhyNot why;  // this and what follows: when it does not fit
  std::int64_t need, have;
};
struct Judgements {
  Judgements() {}  // NOLINT: room for many more than there are; only those are ever written
  std::array<Judged, kMaxBookRows> promotions;   // as book.promotions
  std::array<Judged, kMaxOwnedCoupons> coupons;  // as buyer.facts.coupons
};

// One product for one buyer, and what is fixed before any discount.
struct Case {
  const PriceBook& book;
  const Buyer& buyer;
  const QuoteRequest& request;
  const Product& product;
  std::size_t product_index;
  const Operator& op;
  const Judgements& judged;
  std::int64_t amount = 0;   // of the face's currency
  std::int64_t list = 0;     // what the rule asks
  std::int64_t guarded = 0;  // list, raised to the floor
  std::int64_t floor = 1;    // no discount goes below

  bool in_scope(const Scope& scope) const { return matches(scope, product, product_index, op); }
};

// list_price.cpp: checks the amount, then fills list, floor and guarded, and writes the lines face,
// markup and margin_guard.
Result<void> set_list_price(Case* the, Quote* out);

enum class Take : std::uint8_t { all, friendly, none };  // promotions; friendly: allows coupons

struct Plan {
  bool takes_member = true;
  Take promotions = Take::all;
  std::int32_t benefit = -1;
  std::int64_t after_member = 0, after_promotions = 0, after_coupons = 0;
  std::array<std::uint32_t, kMaxApplied> applied;  // promotions, in order; as many as are counted
  std::size_t applied_count = 0;
  bool bars_coupons = false;
  std::array<std::uint8_t, kMaxOwnedCoupons> coupons;  // owned, in order
  std::size_t coupon_count = 0;
};

// discounts.cpp: the cheapest way to take member discount, promotions and coupons, and what stands
// in the way of each.
void judge(const Case& the, Judgements* out);  // once, when the list price is known
Plan best_plan(const Case& the);
// nullopt when this coupon and this plan go together.
std::optional<CouponRefusal> coupon_refusal_in(const Case& the, const Plan& plan,
                                               std::size_t owned);

// What one of them takes off. Asked for each of them twice a quote, hence inline and without the
// checked index: prepare() and canonical() made the indices.
std::int64_t benefit_minor(const Case& the, const Benefit& benefit, std::int64_t* remainder);
inline std::int64_t promotion_minor(const Case& the, const Promotion& promotion, std::int64_t price,
                                    std::int64_t* remainder) {
  return discount_minor(promotion.form, promotion.value, promotion.cap_minor, price, the.floor,
                        remainder);
}
inline const CouponTemplate* template_of(const Case& the, std::size_t owned) {  // nullptr: unknown
  const std::int32_t index = the.buyer.templates.data()[owned];
  return index < 0 ? nullptr : the.book.coupons.data() + index;
}
inline std::int64_t coupon_minor(const Case& the, std::size_t owned, std::int64_t price,
                                 std::int64_t* remainder) {
  const CouponTemplate& from = *template_of(the, owned);
  return discount_minor(from.form, from.value, from.cap_minor, price, the.floor, remainder);
}

inline bool takes(const Plan& plan, const Promotion& promotion) {
  return plan.promotions == Take::all ||
         (plan.promotions == Take::friendly && promotion.allows_coupons);
}
inline bool is_asked_for(const Case& the, std::size_t owned) {
  if (the.request.coupon_choice == CouponChoice::best) return true;
  if (the.request.coupon_choice == CouponChoice::none) return false;
  const std::vector<std::string>& ids = the.request.coupon_ids;
  return std::find(ids.begin(), ids.end(), the.buyer.facts.coupons[owned].id) != ids.end();
}

}  // namespace topup
