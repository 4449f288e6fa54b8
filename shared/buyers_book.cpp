#include "shared/buyers_book.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "shared/pricing.h"
#include "shared/pricing_case.h"

namespace topup {
namespace {

using Wide = __int128;

std::int64_t power_of_ten(int exponent) {
  std::int64_t power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}

// cost × factor_bp × scale in the book's money; nullopt where no rate says so or it does not fit.
std::optional<std::int64_t> times_cost(const PriceBook& book, Money cost, std::int64_t factor_bp,
                                       std::int64_t scale, Round round) {
  Wide numerator = Wide{cost.minor} * factor_bp;
  Wide denominator = kBasisPointsPerWhole;
  if (cost.currency != book.currency) {
    const Rate* rate = book.find_rate(cost.currency);
    if (rate == nullptr ||
        __builtin_mul_overflow(numerator,
                               Wide{rate->scaled} * power_of_ten(minor_digits(book.currency)),
                               &numerator)) {
      return std::nullopt;
    }
    denominator *= Wide{kRateOne} * power_of_ten(minor_digits(cost.currency));
  }
  if (__builtin_mul_overflow(numerator, Wide{scale}, &numerator)) return std::nullopt;
  const Wide added = round == Round::up ? denominator - 1 : denominator / 2;
  if (__builtin_add_overflow(numerator, added, &numerator)) return std::nullopt;
  const Wide value = numerator / denominator;
  if (value > kMaxMinor) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

// The most that all discounts of the book together could take off this product at this price; of a
// range without caps, so that it grows evenly with the price.
class Discounts {
 public:
  Discounts(const PriceBook& book, const Product& product, std::size_t index)
      : book_(book), product_(product), index_(index) {}

  std::int64_t most_off(std::int64_t price) const {
    std::int64_t benefit = 0;
    for (const Benefit& row : book_.benefits) {
      if (!in_scope(row.scope)) continue;
      const std::int64_t off = off_of(DiscountForm::percent, row.discount_bp, 0, price);
      benefit = std::max(benefit, capped(off + row.amount_minor, row.cap_minor));
    }
    std::map<std::uint32_t, std::int64_t> groups;
    for (const Promotion& row : book_.promotions) {
      if (!in_scope(row.scope)) continue;
      auto& most = groups[row.group];
      most = std::max(most, off_of(row.form, row.value, row.cap_minor, price));
    }
    std::int64_t sum = benefit;
    for (const auto& [group, most] : groups) sum = std::min(price, sum + most);
    groups.clear();
    for (const CouponTemplate& row : book_.coupons) {
      if (!in_scope(row.scope)) continue;
      auto& most = groups[row.group];
      most = std::max(most, off_of(row.form, row.value, row.cap_minor, price));
    }
    for (const auto& [group, most] : groups) sum = std::min(price, sum + most);
    return std::min(price, sum);
  }

 private:
  bool in_scope(const Scope& scope) const {
    return matches(scope, product_, index_, book_.operators[product_.operator_index]);
  }
  std::int64_t capped(std::int64_t off, std::int64_t cap) const {
    return cap > 0 && !product_.is_range() ? std::min(off, cap) : off;
  }
  std::int64_t off_of(DiscountForm form, std::int64_t value, std::int64_t cap,
                      std::int64_t price) const {
    std::int64_t off = std::min(value, kMaxPriceMinor);
    if (form == DiscountForm::percent)
      off = price * std::min(value, kBasisPointsPerWhole) / kBasisPointsPerWhole + 1;
    if (form == DiscountForm::flash_price) off = std::max<std::int64_t>(0, price - value);
    return capped(off, cap);
  }

  const PriceBook& book_;
  const Product& product_;
  const std::size_t index_;
};

struct Listed {
  std::int64_t raw = 0;      // what the rule asks
  std::int64_t guarded = 0;  // and after the margin guard
};

std::optional<Listed> list_of(const PriceBook& bare, const Product& product, std::int64_t amount) {
  QuoteRequest request;
  request.product_id = product.id;
  request.amount_minor = amount;
  Quote priced;
  if (!list_price_into(bare, Buyer{}, request, &priced)) return std::nullopt;
  Listed out{0, priced.list_minor};
  for (const QuoteLine& line : priced.lines) {
    if (line.word == LineWord::face || line.word == LineWord::markup) out.raw += line.effect_minor;
  }
  return out;
}

bool settle_fixed(const PriceBook& book, const PriceBook& bare, std::size_t index, Product* out) {
  const Product& product = book.products[index];
  const PriceRule& rule = book.rules[product.rule_index];
  const auto list = list_of(bare, product, 0);
  if (!list) return false;
  if (rule.form == RuleForm::of_cost || list->raw != list->guarded) out->price = list->guarded;
  if (product.cost.minor == 0 || rule.allow_below_cost) return true;
  const auto least =
      times_cost(book, product.cost, kBasisPointsPerWhole + rule.least_margin_bp, 1, Round::up);
  if (!least) return false;
  const Discounts discounts(book, product, index);
  if (list->guarded - discounts.most_off(list->guarded) < *least) out->least = *least;
  return true;
}

bool settle_range(const PriceBook& book, const PriceBook& bare, std::size_t index, Product* out) {
  const Product& product = book.products[index];
  const PriceRule& rule = book.rules[product.rule_index];
  const std::int64_t most =
      product.most_minor - (product.most_minor - product.face.minor) % product.step_minor;
  if (!list_of(bare, product, product.face.minor) || !list_of(bare, product, most)) return false;
  if (rule.form == RuleForm::of_cost) {
    const auto price = times_cost(book, product.cost, rule.rate_bp, kUnitScale, Round::half_up);
    if (!price || *price == 0) return false;
    out->price = *price;
  }
  if (product.cost.minor == 0 || rule.allow_below_cost) return true;
  const std::int64_t floor_bp = kBasisPointsPerWhole + rule.least_margin_bp;
  const auto least = times_cost(book, product.cost, floor_bp, kUnitScale, Round::up);
  if (!least) return false;
  // What the list price and the floor are before rounding are straight lines: clear of each other
  // at both ends, they are clear in between.
  const Discounts discounts(book, product, index);
  const auto is_clear = [&](std::int64_t amount) {
    const std::int64_t raw = list_of(bare, product, amount)->raw - 2 * rule.step_minor;
    const Wide floor = Wide{*least} * amount / (Wide{product.face.minor} * kUnitScale) + 1;
    return raw > 0 && raw - discounts.most_off(raw) >= floor;
  };
  if (!is_clear(product.face.minor) || !is_clear(most)) out->least = *least;
  return true;
}

// Scopes that name a product follow it; a row for a product that is left out goes with it.
template <class Row>
void follow(std::vector<Row>& rows, const std::vector<std::int32_t>& went) {
  std::erase_if(rows, [&](Row& row) {
    if (row.scope.product_index == Scope::kAny) return false;
    row.scope.product_index = went[static_cast<std::size_t>(row.scope.product_index)];
    return row.scope.product_index == Scope::kAny;
  });
}

void follow_all(PriceBook& book, const std::vector<std::int32_t>& went) {
  follow(book.rules, went);
  follow(book.benefits, went);
  follow(book.promotions, went);
  follow(book.coupons, went);
  follow(book.fees, went);
  follow(book.limits, went);
}

void hide_margins(PriceBook& out, const std::vector<bool>& prices_ranges) {
  for (std::size_t i = 0; i < out.rules.size(); ++i) {
    PriceRule& rule = out.rules[i];
    rule.least_margin_bp = 0;
    rule.allow_below_cost = false;
    if (rule.form != RuleForm::of_cost) continue;
    rule.rate_bp = kBasisPointsPerWhole;
    rule.price_minor = 0;
    if (!prices_ranges[i]) rule.fee_minor = 0;
  }
}

}  // namespace

PriceBook buyers_book(const PriceBook& book) {
  PriceBook bare = book;
  bare.valid_until_ms = 0;
  bare.promotions.clear();
  bare.fees.clear();
  bare.limits.clear();
  derive(bare);
  PriceBook out = book;
  out.products.clear();
  std::vector<std::int32_t> went(book.products.size(), Scope::kAny);
  std::vector<bool> prices_ranges(book.rules.size(), false);
  for (std::size_t i = 0; i < book.products.size(); ++i) {
    Product product = book.products[i];
    if (product.rule_index == Product::kNoRule) continue;
    const bool is_priced = product.is_range() ? settle_range(book, bare, i, &product)
                                              : settle_fixed(book, bare, i, &product);
    if (!is_priced) continue;
    if (product.is_range()) prices_ranges[product.rule_index] = true;
    product.cost = {};
    went[i] = static_cast<std::int32_t>(out.products.size());
    out.products.push_back(std::move(product));
  }
  hide_margins(out, prices_ranges);
  follow_all(out, went);
  derive(out);
  return out;
}

}  // namespace topup
