#include "shared/pricing.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "shared/digits.h"
#include "shared/hash.h"
#include "shared/pricing_case.h"

namespace topup {
namespace {

constexpr std::size_t kUsualLines = 16;  // room for these is made at once
constexpr std::size_t kUsualReasons = 32;
constexpr std::array<std::string_view, kLineWords> kLineTexts = {
    "face", "markup", "margin_guard", "member", "card", "promotion", "coupon", "fee"};

void explain_member(const Case& the, const Plan& plan, Quote* out) {
  const std::int64_t taken = the.guarded - plan.after_member;
  for (const std::uint32_t index : the.buyer.benefits) {
    const Benefit& benefit = the.book.benefits[index];
    const LineWord word = benefit.is_card ? LineWord::card : LineWord::member;
    std::int64_t remainder = 0;
    const std::int64_t off = benefit_minor(the, benefit, &remainder);
    if (plan.benefit == static_cast<std::int32_t>(index)) {
      out->lines.push_back({word, index, benefit.discount_bp, -taken, -remainder});
    } else if (!the.in_scope(benefit.scope)) {
      out->not_applied.push_back({word, index, WhyNot::wrong_product, 0, 0});
    } else if (off == 0) {
      out->not_applied.push_back({word, index, WhyNot::no_benefit, 0, 0});
    } else {
      const WhyNot why = plan.takes_member ? WhyNot::better_in_group : WhyNot::not_with_coupon;
      out->not_applied.push_back({word, index, why, taken, off});
    }
  }
}

void explain_promotions(const Case& the, const Plan& plan, Quote* out) {
  std::int64_t price = plan.after_member;
  std::size_t next = 0;
  for (std::size_t at = 0; at < the.book.promotion_order.size();) {
    const std::uint32_t group = the.book.promotions[the.book.promotion_order[at]].group;
    const bool has_winner =
        next < plan.applied_count && the.book.promotions[plan.applied[next]].group == group;
    std::int64_t best = 0;
    std::int64_t remainder = 0;
    if (has_winner) {
      best = promotion_minor(the, the.book.promotions[plan.applied[next]], price, &remainder);
    }
    for (; at < the.book.promotion_order.size(); ++at) {
      const std::uint32_t index = the.book.promotion_order[at];
      const Promotion& promotion = the.book.promotions[index];
      if (promotion.group != group) break;
      if (has_winner && index == plan.applied[next]) {
        const bool is_rate = promotion.form == DiscountForm::percent;
        out->lines.push_back(
            {LineWord::promotion, index, is_rate ? promotion.value : 0, -best, -remainder});
        continue;
      }
      if (const Judged& judged = the.judged.promotions[index]; !judged.fits) {
        out->not_applied.push_back(
            {LineWord::promotion, index, judged.why, judged.need, judged.have});
        continue;
      }
      const std::int64_t off = promotion_minor(the, promotion, price, nullptr);
      const WhyNot why = off == 0                  ? WhyNot::no_benefit
                         : !takes(plan, promotion) ? WhyNot::not_with_coupon
                                                   : WhyNot::better_in_group;
      out->not_applied.push_back({LineWord::promotion, index, why, best, off});
    }
    if (has_winner) {
      price -= best;
      ++next;
    }
  }
}

void explain_idle_coupon(const Case& the, const Plan& plan, std::uint32_t owned, Quote* out) {
  NotApplied row{LineWord::coupon, owned, WhyNot::not_chosen, 0, 0};
  if (const auto refusal = coupon_refusal_in(the, plan, owned)) {
    row = {LineWord::coupon, owned, refusal->why, refusal->need, refusal->have};
  } else if (is_asked_for(the, owned)) {
    const std::int64_t off = coupon_minor(the, owned, plan.after_promotions, nullptr);
    const std::uint32_t group = template_of(the, owned)->group;
    row.have = off;
    row.need = plan.after_promotions - plan.after_coupons;
    row.why = off == 0 ? WhyNot::no_benefit : WhyNot::stands_alone;
    for (std::size_t i = 0; i < plan.coupon_count; ++i) {
      const std::uint32_t taken = template_of(the, plan.coupons[i])->group;
      if (taken == group && off > 0) row.why = WhyNot::better_in_group;
      if (taken != group && taken != 0 && group != 0 && off > 0 &&
          row.why == WhyNot::stands_alone) {
        row.why = WhyNot::no_benefit;  // the others take all there is to take
      }
    }
  }
  out->not_applied.push_back(row);
}

void explain_coupons(const Case& the, const Plan& plan, Quote* out) {
  std::int64_t price = plan.after_promotions;
  for (std::size_t i = 0; i < plan.coupon_count; ++i) {
    std::int64_t remainder = 0;
    const std::uint32_t owned = plan.coupons[i];
    const CouponTemplate& from = *template_of(the, owned);
    const std::int64_t off = coupon_minor(the, owned, price, &remainder);
    const bool is_rate = from.form == DiscountForm::percent;
    out->lines.push_back({LineWord::coupon, owned, is_rate ? from.value : 0, -off, -remainder});
    price -= off;
  }
  for (const std::uint32_t owned : the.buyer.order) {
    const auto* end = plan.coupons.data() + plan.coupon_count;
    if (std::find(plan.coupons.data(), end, owned) == end) {
      explain_idle_coupon(the, plan, owned, out);
    }
  }
}

// Rounded up: a fee covers what it is charged for.
std::int64_t fee_minor(const Fee& fee, std::int64_t price, std::int64_t* remainder) {
  const std::int64_t exact = price * std::min(fee.rate_bp, kMaxRateBp);
  const std::int64_t up = (exact + kBasisPointsPerWhole - 1) / kBasisPointsPerWhole;
  const std::int64_t asked = up + std::min(fee.fixed_minor, kMaxPriceMinor);
  *remainder = exact - up * kBasisPointsPerWhole;
  std::int64_t due = std::max(asked, std::min(fee.least_minor, kMaxPriceMinor));
  if (fee.most_minor > 0) due = std::min(due, fee.most_minor);
  if (due != asked) *remainder = 0;
  return due;
}

std::int64_t add_fees(const Case& the, std::int64_t price, Quote* out) {
  std::int64_t total = price;
  for (std::size_t i = 0; i < the.book.fees.size(); ++i) {
    const Fee& fee = the.book.fees[i];
    if (!the.in_scope(fee.scope)) continue;
    std::int64_t remainder = 0;
    const std::int64_t due = fee_minor(fee, price, &remainder);
    if (due == 0) continue;
    out->lines.push_back(
        {LineWord::fee, static_cast<std::uint32_t>(i), fee.rate_bp, due, remainder});
    total += due;
  }
  return total;
}

Result<void> check_limits(const Case& the, std::int64_t payable, Quote* out) {
  const BuyerFacts& facts = the.buyer.facts;
  for (const Limit& limit : the.book.limits) {
    if (!the.in_scope(limit.scope)) continue;
    const auto bound = [](std::string_view reason, std::int64_t at) {
      return refuse(Code::rejected, reason, "amount", digits_of(at));
    };
    if (payable < limit.least_minor) return bound("amount_below_limit", limit.least_minor);
    if (limit.most_minor > 0 && payable > limit.most_minor) {
      return bound("amount_above_limit", limit.most_minor);
    }
    if (limit.day_orders > 0 && facts.day_orders >= limit.day_orders) {
      return bound("day_limit_reached", limit.day_orders);
    }
    if (limit.day_minor > 0 && facts.day_minor > limit.day_minor - payable) {
      return bound("day_limit_reached", limit.day_minor);
    }
    if (limit.review_from_minor > 0 && payable >= limit.review_from_minor) out->needs_review = true;
  }
  return {};
}

void bound_expiry(std::int64_t until_ms, Quote* out) {
  if (until_ms != 0) out->expires_at_ms = std::min(out->expires_at_ms, until_ms);
}

void set_expiry(const Case& the, const Plan& plan, Quote* out) {
  out->expires_at_ms = the.request.now_ms + the.book.quote_ttl_ms;
  bound_expiry(the.book.valid_until_ms, out);
  for (std::size_t i = 0; i < plan.applied_count; ++i) {
    bound_expiry(the.book.promotions[plan.applied[i]].ends_at_ms, out);
  }
  for (std::size_t i = 0; i < plan.coupon_count; ++i) {
    bound_expiry(the.buyer.facts.coupons[plan.coupons[i]].expires_at_ms, out);
  }
}

// What the lines were made by, not where it stands in this book: the same price from another book
// has the same fingerprint.
void hash_line(const Case& the, const QuoteLine& line, Hash* hash) {
  hash->number(static_cast<std::uint64_t>(line.word));
  hash->number(static_cast<std::uint64_t>(line.effect_minor));
  hash->number(static_cast<std::uint64_t>(line.rate_bp));
  if (line.word == LineWord::coupon) hash->text(the.buyer.facts.coupons[line.index].id);
}

// The three letters as a number: a currency's place in the enum may change.
std::uint64_t letters_of(Currency currency) {
  const std::string_view word = to_word(currency);
  return static_cast<std::uint64_t>(word[0]) << 16 | static_cast<std::uint64_t>(word[1]) << 8 |
         static_cast<std::uint64_t>(word[2]);
}

void set_fingerprint(const Case& the, Quote* out) {
  Hash hash;
  hash.text(the.product.id.text).text(out->account_masked);
  for (const Money amount : {out->face, out->payable, out->delivered}) {
    hash.number(static_cast<std::uint64_t>(amount.minor)).number(letters_of(amount.currency));
  }
  for (const QuoteLine& line : out->lines) hash_line(the, line, &hash);
  out->fingerprint = hash.value();
}

Result<std::string> account_of(const Case& the) {
  const std::string& typed = the.request.account_number;
  if (the.product.kind == ProductKind::fuel_card) {
    return normalise_fuel_card(typed, the.op.issuer);
  }
  if (the.product.kind == ProductKind::pin && typed.empty()) return std::string();
  return normalise_phone(typed, the.op.country);
}

Result<void> set_account(const Case& the, Quote* out) {
  Result<std::string> account = account_of(the);
  if (!account) return tl::unexpected<Error>(account.error());
  if (!account->empty() && the.book.is_blocked(*account)) {
    return refuse(Code::rejected, "account_blocked", "account_number");
  }
  out->account = std::move(*account);
  if (out->account.empty()) return {};
  out->account_masked = the.product.kind == ProductKind::fuel_card ? mask_card(out->account)
                                                                   : mask_phone(out->account);
  return {};
}

Result<void> check_coupons_asked_for(const Case& the, const Plan& plan) {
  if (the.request.coupon_choice != CouponChoice::these) return {};
  if (plan.coupon_count == the.request.coupon_ids.size()) return {};
  return refuse(Code::rejected, "coupon_not_usable", "coupon_ids");
}

Result<void> price(Case& the, Judgements* judged, Quote* out) {
  if (const auto listed = set_list_price(&the, out); !listed) return listed;
  judge(the, judged);
  const Plan plan = best_plan(the);
  if (const auto usable = check_coupons_asked_for(the, plan); !usable) return usable;
  explain_member(the, plan, out);
  explain_promotions(the, plan, out);
  explain_coupons(the, plan, out);
  const std::int64_t payable = add_fees(the, plan.after_coupons, out);
  if (payable > kMaxPriceMinor) return refuse(Code::rejected, "amount_overflow");
  if (const auto allowed = check_limits(the, payable, out); !allowed) return allowed;
  out->product_index = static_cast<std::uint32_t>(the.product_index);
  out->face = {the.amount, the.product.face.currency};
  out->payable = {payable, the.book.currency};
  out->list_minor = the.guarded;
  out->saved_minor = the.guarded - plan.after_coupons;
  set_expiry(the, plan, out);
  set_fingerprint(the, out);
  return {};
}

void clear(Quote* out) {
  out->account.clear();
  out->account_masked.clear();
  out->lines.clear();
  out->lines.reserve(kUsualLines);
  out->not_applied.clear();
  out->not_applied.reserve(kUsualReasons);
  out->needs_review = false;
}

Result<void> price_into(const PriceBook& book, const Buyer& buyer, const QuoteRequest& request,
                        bool wants_account, Quote* out) {
  clear(out);
  const Product* product = book.find(request.product_id);
  if (product == nullptr) return refuse(Code::rejected, "product_not_found", "product_id");
  if (book.valid_until_ms != 0 && request.now_ms >= book.valid_until_ms) {
    return refuse(Code::rejected, "price_book_expired");
  }
  Judgements judged;
  Case the{book,
           buyer,
           request,
           *product,
           static_cast<std::size_t>(product - book.products.data()),
           book.operators[product->operator_index],
           judged};
  if (wants_account) {
    if (const auto account = set_account(the, out); !account) return account;
  }
  return price(the, &judged, out);
}

}  // namespace

std::string_view to_word(LineWord word) { return kLineTexts[static_cast<std::size_t>(word)]; }

Buyer prepare(const PriceBook& book, BuyerFacts facts) {
  Buyer buyer;
  if (facts.coupons.size() > kMaxOwnedCoupons) facts.coupons.resize(kMaxOwnedCoupons);
  if (facts.card_ids.size() > kMaxHeldCards) facts.card_ids.resize(kMaxHeldCards);
  for (std::uint32_t i = 0; i < book.benefits.size(); ++i) {
    const Benefit& benefit = book.benefits[i];
    const bool held =
        std::find(facts.card_ids.begin(), facts.card_ids.end(), benefit.id) != facts.card_ids.end();
    if (benefit.is_card ? held : benefit.id == facts.level_id) buyer.benefits.push_back(i);
  }
  for (const OwnedCoupon& coupon : facts.coupons) {
    std::int32_t from = -1;
    for (std::size_t i = 0; i < book.coupons.size() && from < 0; ++i) {
      if (book.coupons[i].id == coupon.template_id) from = static_cast<std::int32_t>(i);
    }
    buyer.templates.push_back(from);
  }
  const auto comes_first = [&](std::uint32_t a, std::uint32_t b) {
    const auto group = [&](std::uint32_t owned) {
      const std::int32_t from = buyer.templates[owned];
      return from < 0 ? 0U : book.coupons[static_cast<std::size_t>(from)].group;
    };
    if (group(a) != group(b)) return group(a) < group(b);
    const OwnedCoupon& one = facts.coupons[a];
    const OwnedCoupon& two = facts.coupons[b];
    const auto never_last = [](std::int64_t at) {
      return at == 0 ? std::numeric_limits<std::int64_t>::max() : at;
    };
    if (one.expires_at_ms != two.expires_at_ms) {
      return never_last(one.expires_at_ms) < never_last(two.expires_at_ms);
    }
    return one.id < two.id;
  };
  for (std::uint32_t i = 0; i < facts.coupons.size(); ++i) {
    std::size_t at = buyer.order.size();
    buyer.order.push_back(i);
    for (; at > 0 && comes_first(i, buyer.order[at - 1]); --at) {
      buyer.order[at] = buyer.order[at - 1];
    }
    buyer.order[at] = i;
  }
  buyer.facts = std::move(facts);
  return buyer;
}

Result<void> quote_into(const PriceBook& book, const Buyer& buyer, const QuoteRequest& request,
                        Quote* out) {
  return price_into(book, buyer, request, true, out);
}

Result<void> list_price_into(const PriceBook& book, const Buyer& buyer, const QuoteRequest& request,
                             Quote* out) {
  return price_into(book, buyer, request, false, out);
}

Result<Quote> quote(const PriceBook& book, const Buyer& buyer, const QuoteRequest& request) {
  Quote out;
  if (const auto priced = quote_into(book, buyer, request, &out); !priced) {
    return tl::unexpected<Error>(priced.error());
  }
  return out;
}

Result<Quote> quote(const PriceBook& book, const QuoteRequest& request) {
  return quote(book, Buyer{}, request);
}

}  // namespace topup
