#include <algorithm>

#include "shared/check.h"
#include "shared/pricing_case.h"

namespace topup {

static_assert(kMaxOwnedCoupons <= UINT8_MAX, "Plan::coupons holds their indices in bytes");

std::int64_t benefit_minor(const Case& the, const Benefit& benefit, std::int64_t* remainder) {
  const std::int64_t percent = discount_minor(DiscountForm::percent, benefit.discount_bp, 0,
                                              the.guarded, the.floor, remainder);
  const std::int64_t asked = percent + std::min(benefit.amount_minor, kMaxPriceMinor);
  const std::int64_t off = discount_minor(DiscountForm::amount, asked, benefit.cap_minor,
                                          the.guarded, the.floor, nullptr);
  if (remainder != nullptr && off != asked) *remainder = 0;
  return off;
}

namespace {

std::optional<CouponRefusal> promotion_refusal(const Case& the, const Promotion& promotion) {
  const BuyerFacts& facts = the.buyer.facts;
  const std::int64_t now = the.request.now_ms;
  if (promotion.optional && the.request.skip_optional) return CouponRefusal{WhyNot::degraded};
  if (promotion.starts_at_ms != 0 && now < promotion.starts_at_ms) {
    return CouponRefusal{WhyNot::not_started, promotion.starts_at_ms, now};
  }
  if (promotion.ends_at_ms != 0 && now >= promotion.ends_at_ms) {
    return CouponRefusal{WhyNot::expired, promotion.ends_at_ms, now};
  }
  if (!the.in_scope(promotion.scope)) return CouponRefusal{WhyNot::wrong_product};
  if (promotion.first_order_only && !facts.first_order) {
    return CouponRefusal{WhyNot::first_order_only};
  }
  if (facts.growth < promotion.least_growth) {
    return CouponRefusal{WhyNot::growth_short, promotion.least_growth, facts.growth};
  }
  if (the.guarded < promotion.least_spend_minor) {
    return CouponRefusal{WhyNot::spend_short, promotion.least_spend_minor, the.guarded};
  }
  return std::nullopt;
}

void write_down(const std::optional<CouponRefusal>& refusal, Judged* judged) {
  judged->fits = !refusal;
  if (!refusal) return;
  judged->why = refusal->why;
  judged->need = refusal->need;
  judged->have = refusal->have;
}

}  // namespace

void judge(const Case& the, Judgements* out) {
  check(the.book.promotions.size() <= kMaxBookRows, "a price book has so many rows at most");
  for (std::size_t i = 0; i < the.book.promotions.size(); ++i) {
    write_down(promotion_refusal(the, the.book.promotions[i]), &out->promotions[i]);
  }
  for (std::size_t i = 0; i < the.buyer.facts.coupons.size(); ++i) {
    const CouponTemplate* from = template_of(the, i);
    const bool in_scope = from != nullptr && the.in_scope(from->scope);
    write_down(
        coupon_refusal(the.buyer.facts.coupons[i], from, in_scope, the.request.now_ms, the.guarded),
        &out->coupons[i]);
  }
}

// What stands between this coupon and this plan, apart from the other coupons.
std::optional<CouponRefusal> coupon_refusal_in(const Case& the, const Plan& plan,
                                               std::size_t owned) {
  const Judged& judged = the.judged.coupons.data()[owned];
  if (!judged.fits) return CouponRefusal{judged.why, judged.need, judged.have};
  const CouponTemplate& from = *template_of(the, owned);
  if (plan.benefit >= 0 && !from.allows_member) return CouponRefusal{WhyNot::not_with_member};
  if (plan.bars_coupons || (plan.applied_count > 0 && !from.allows_promotions)) {
    return CouponRefusal{WhyNot::not_with_promotion};
  }
  return std::nullopt;
}

namespace {

void plan_member(const Case& the, Plan* plan) {
  plan->after_member = the.guarded;
  if (!plan->takes_member) return;
  std::int64_t best = 0;
  for (const std::uint32_t index : the.buyer.benefits) {
    const Benefit& benefit = the.book.benefits[index];
    if (!the.in_scope(benefit.scope)) continue;
    const std::int64_t off = benefit_minor(the, benefit, nullptr);
    if (off <= best) continue;
    best = off;
    plan->benefit = static_cast<std::int32_t>(index);
  }
  plan->after_member -= best;
}

void plan_promotions(const Case& the, Plan* plan) {
  std::int64_t price = plan->after_member;
  const std::vector<std::uint32_t>& rows = the.book.promotion_order;
  const std::uint32_t* order = rows.data();
  const Promotion* promotions = the.book.promotions.data();
  const Judged* judged = the.judged.promotions.data();
  for (std::size_t at = 0; at < rows.size() && plan->promotions != Take::none;) {
    const std::uint32_t group = promotions[order[at]].group;
    std::int64_t best = 0;
    std::uint32_t winner = 0;
    for (; at < rows.size() && promotions[order[at]].group == group; ++at) {
      if (!judged[order[at]].fits) continue;
      const Promotion& promotion = promotions[order[at]];
      if (!takes(*plan, promotion)) continue;
      const std::int64_t off = promotion_minor(the, promotion, price, nullptr);
      if (off <= best) continue;
      best = off;
      winner = order[at];
    }
    if (best == 0 || plan->applied_count == kMaxApplied) continue;
    price -= best;
    plan->applied[plan->applied_count++] = winner;
    if (!promotions[winner].allows_coupons) plan->bars_coupons = true;
  }
  plan->after_promotions = price;
}

std::int64_t price_with(const Case& the, const Plan& plan, std::size_t without) {
  std::int64_t price = plan.after_promotions;
  for (std::size_t i = 0; i < plan.coupon_count; ++i) {
    if (i != without) price -= coupon_minor(the, plan.coupons[i], price, nullptr);
  }
  return price;
}

// No coupon is spent that does not lower the price.
void drop_idle_coupons(const Case& the, Plan* plan) {
  for (std::size_t i = 0; i < plan->coupon_count && plan->coupon_count > 1;) {
    if (price_with(the, *plan, i) != plan->after_coupons) {
      ++i;
      continue;
    }
    --plan->coupon_count;
    for (std::size_t k = i; k < plan->coupon_count; ++k) plan->coupons[k] = plan->coupons[k + 1];
  }
}

// See coupon.h for why one pass is exact. buyer.order has the groups together, 0 first.
void plan_coupons(const Case& the, Plan* plan) {
  std::int64_t price = plan->after_promotions;
  std::int64_t alone_best = 0;
  std::uint8_t alone = 0;
  const std::vector<std::uint32_t>& rows = the.buyer.order;
  const std::uint32_t* order = rows.data();
  const Judged* judged = the.judged.coupons.data();
  for (std::size_t at = 0; at < rows.size();) {
    const CouponTemplate* first = template_of(the, order[at]);
    const std::uint32_t group = first == nullptr ? 0 : first->group;
    std::int64_t best = 0;
    std::uint32_t winner = 0;
    for (; at < rows.size(); ++at) {
      const std::uint32_t owned = order[at];
      const CouponTemplate* from = template_of(the, owned);
      if ((from == nullptr ? 0 : from->group) != group) break;
      if (!judged[owned].fits || !is_asked_for(the, owned)) continue;
      if (coupon_refusal_in(the, *plan, owned)) continue;
      const std::int64_t off = coupon_minor(the, owned, price, nullptr);
      if (off <= best) continue;
      best = off;
      winner = owned;
    }
    if (best == 0) continue;
    if (group == 0) {
      alone_best = best;
      alone = static_cast<std::uint8_t>(winner);
      continue;
    }
    price -= best;
    plan->coupons[plan->coupon_count++] = static_cast<std::uint8_t>(winner);
  }
  plan->after_coupons = price;
  drop_idle_coupons(the, plan);
  const std::int64_t together = plan->after_promotions - price;
  if (alone_best == 0) return;
  if (alone_best > together || (alone_best == together && plan->coupon_count > 1)) {
    plan->coupons[0] = alone;
    plan->coupon_count = 1;
    plan->after_coupons = plan->after_promotions - alone_best;
  }
}

bool has_flash(const Case& the) {
  for (const Promotion& promotion : the.book.promotions) {
    if (!promotion.allows_coupons && the.in_scope(promotion.scope)) return true;
  }
  return false;
}

Plan make_plan(const Case& the, bool takes_member, Take promotions) {
  Plan plan;
  plan.takes_member = takes_member;
  plan.promotions = promotions;
  plan_member(the, &plan);
  plan_promotions(the, &plan);
  plan_coupons(the, &plan);
  return plan;
}

bool is_better(const Case& the, const Plan& plan, const Plan& than) {
  if (the.request.coupon_choice == CouponChoice::these && plan.coupon_count != than.coupon_count) {
    return plan.coupon_count > than.coupon_count;  // all that the buyer chose, if it can be done
  }
  return plan.after_coupons < than.after_coupons;
}

}  // namespace

// Discounts that exclude a coupon compete with it: each way is priced, the cheapest taken, the
// first of equals. Most buyers hold no such coupon and one plan is all.
Plan best_plan(const Case& the) {
  Plan best = make_plan(the, true, Take::all);
  bool drops_member = false;
  bool drops_promotions = false;
  bool holds_any = false;
  for (const std::uint32_t owned : the.buyer.order) {
    const CouponTemplate* from = template_of(the, owned);
    if (!the.judged.coupons[owned].fits || !is_asked_for(the, owned)) continue;
    holds_any = true;
    drops_member |= !from->allows_member;
    drops_promotions |= !from->allows_promotions;
  }
  const bool drops_flash = holds_any && has_flash(the);
  for (const bool takes_member : {true, false}) {
    if (!takes_member && !drops_member) continue;
    for (const Take take : {Take::all, Take::friendly, Take::none}) {
      if (takes_member && take == Take::all) continue;
      if (take == Take::friendly && !drops_flash) continue;
      if (take == Take::none && !drops_promotions) continue;
      const Plan plan = make_plan(the, takes_member, take);
      if (is_better(the, plan, best)) best = plan;
    }
  }
  return best;
}

}  // namespace topup
