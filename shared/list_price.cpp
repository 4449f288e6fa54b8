#include <algorithm>
#include <limits>

#include "shared/pricing_case.h"

namespace topup {
namespace {

constexpr std::int64_t kMaxStepMinor = 1'000'000'000;

using Wide = __int128;

// A price before it is rounded: numerator / denominator minor units of the book's currency.
struct Exact {
  Wide numerator = 0;
  Wide denominator = 1;
};

// Two numbers of 63 bits cannot overflow, and nearly all are; the check itself costs far more than
// the product.
bool multiply(Wide* value, Wide factor) {
  constexpr Wide kNarrow = std::numeric_limits<std::int64_t>::max();
  if (*value >= 0 && *value <= kNarrow && factor >= 0 && factor <= kNarrow) {
    *value = Wide{static_cast<std::int64_t>(*value)} * static_cast<std::int64_t>(factor);
    return true;
  }
  return !__builtin_mul_overflow(*value, factor, value);
}

tl::unexpected<Error> too_much() { return refuse(Code::rejected, "amount_overflow"); }

std::int64_t power_of_ten(int exponent) {
  std::int64_t power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}

// Wide division costs ten times a narrow one, and prices are nearly always narrow.
Wide divided(Wide numerator, Wide denominator) {
  if (numerator <= std::numeric_limits<std::int64_t>::max() &&
      denominator <= std::numeric_limits<std::int64_t>::max()) {
    return static_cast<std::int64_t>(numerator) / static_cast<std::int64_t>(denominator);
  }
  return numerator / denominator;
}

// Of numbers that are not negative.
Wide rounded(Wide numerator, Wide denominator, Round round) {
  const Wide quotient = divided(numerator, denominator);
  const Wide left = numerator - quotient * denominator;
  if (left == 0 || round == Round::down) return quotient;
  if (round == Round::up) return quotient + 1;
  return 2 * left >= denominator ? quotient + 1 : quotient;
}

// In the book's currency; false when it does not fit.
bool exchange(Exact* amount, const PriceBook& book, Currency from, const Rate& rate) {
  return multiply(&amount->numerator, rate.scaled) &&
         multiply(&amount->numerator, power_of_ten(minor_digits(book.currency))) &&
         multiply(&amount->denominator, kRateOne) &&
         multiply(&amount->denominator, power_of_ten(minor_digits(from)));
}

Result<Exact> cost_of(const Case& the) {
  Exact cost{the.product.cost.minor, 1};
  if (the.product.is_range()) {
    cost.numerator *= the.amount;
    cost.denominator = the.product.face.minor;
  }
  if (the.product.cost.currency == the.book.currency) return cost;
  const Rate* rate = the.book.find_rate(the.product.cost.currency);
  if (rate == nullptr) return refuse(Code::rejected, "rate_missing", "product_id");
  if (!exchange(&cost, the.book, rate->from, *rate)) return too_much();
  return cost;
}

// What the face is worth in the book's currency; nullopt where no rate says so.
Result<std::optional<Exact>> worth_of(const Case& the) {
  Exact worth{the.amount, 1};
  if (the.product.face.currency == the.book.currency) return std::optional<Exact>(worth);
  const Rate* rate = the.book.find_rate(the.product.face.currency);
  if (rate == nullptr) return std::optional<Exact>();
  if (!exchange(&worth, the.book, rate->from, *rate)) return too_much();
  return std::optional<Exact>(worth);
}

Result<std::int64_t> bounded(Wide minor) {
  if (minor > kMaxPriceMinor) return too_much();
  return static_cast<std::int64_t>(minor);
}

bool is_plausible(const PriceRule& rule) {
  return rule.rate_bp >= 1 && rule.rate_bp <= kMaxRateBp && rule.step_minor >= 1 &&
         rule.step_minor <= kMaxStepMinor && rule.fee_minor >= 0 &&
         rule.fee_minor <= kMaxPriceMinor && rule.price_minor <= kMaxPriceMinor &&
         rule.least_margin_bp <= kMaxRateBp;
}

// The list price in one rounding, and what that rounding left.
Result<std::int64_t> listed(const Case& the, const PriceRule& rule,
                            const std::optional<Exact>& worth, std::int64_t* remainder) {
  *remainder = 0;
  const Product& product = the.product;
  if (product.price > 0 && !product.is_range()) return bounded(product.price);
  if (rule.form == RuleForm::fixed_price) return rule.price_minor;
  Exact basis;
  if (product.price > 0) {
    basis = {Wide{product.price} * the.amount, Wide{product.face.minor} * kUnitScale};
  } else if (rule.form == RuleForm::of_cost) {
    const Result<Exact> cost = cost_of(the);
    if (!cost) return tl::unexpected<Error>(cost.error());
    if (cost->numerator == 0) return refuse(Code::rejected, "cost_missing", "product_id");
    basis = *cost;
  } else {
    if (!worth) return refuse(Code::rejected, "rate_missing", "product_id");
    basis = *worth;
  }
  Wide fee = Wide{rule.fee_minor} * kBasisPointsPerWhole;
  if (!multiply(&basis.numerator, rule.rate_bp) || !multiply(&fee, basis.denominator) ||
      __builtin_add_overflow(basis.numerator, fee, &basis.numerator)) {
    return too_much();
  }
  if (!multiply(&basis.denominator, kBasisPointsPerWhole)) return too_much();
  Wide step = basis.denominator;
  if (!multiply(&step, 2 * rule.step_minor))
    return too_much();  // room for the comparison by halves
  const Wide price =
      rounded(basis.numerator, basis.denominator * rule.step_minor, rule.round) * rule.step_minor;
  Wide left = basis.numerator - price * basis.denominator;
  if (multiply(&left, kBasisPointsPerWhole)) {
    *remainder = static_cast<std::int64_t>(left / basis.denominator);
  }
  return bounded(price);
}

Result<std::int64_t> floor_of(const Case& the, const PriceRule& rule) {
  if (const std::int64_t least = the.product.least; least > 0) {
    if (!the.product.is_range()) return least;
    return bounded(
        rounded(Wide{least} * the.amount, Wide{the.product.face.minor} * kUnitScale, Round::up));
  }
  if (rule.allow_below_cost || the.product.cost.minor == 0) return std::int64_t{1};
  Result<Exact> cost = cost_of(the);
  if (!cost) return tl::unexpected<Error>(cost.error());
  if (!multiply(&cost->numerator, kBasisPointsPerWhole + rule.least_margin_bp) ||
      !multiply(&cost->denominator, 2 * kBasisPointsPerWhole)) {
    return too_much();
  }
  const Wide least = rounded(cost->numerator, cost->denominator / 2, Round::up);
  return bounded(std::max<Wide>(1, least));
}

Result<void> check_amount(Case* the) {
  const Product& product = the->product;
  the->amount = the->request.amount_minor == 0 ? product.face.minor : the->request.amount_minor;
  const bool fits = product.is_range()
                        ? the->amount >= product.face.minor && the->amount <= product.most_minor &&
                              (the->amount - product.face.minor) % product.step_minor == 0
                        : the->amount == product.face.minor;
  if (!fits) return refuse(Code::rejected, "amount_not_offered", "amount");
  if (the->amount > kMaxPriceMinor || product.cost.minor > kMaxPriceMinor ||
      product.delivered.minor > kMaxPriceMinor) {
    return too_much();
  }
  return {};
}

Money delivered_of(const Case& the) {
  Money delivered = the.product.delivered;
  if (the.product.is_range()) {
    delivered.minor = static_cast<std::int64_t>(
        divided(Wide{delivered.minor} * the.amount, the.product.face.minor));
  }
  return delivered;
}

}  // namespace

Result<void> set_list_price(Case* the, Quote* out) {
  if (const auto fits = check_amount(the); !fits) return fits;
  out->delivered = delivered_of(*the);
  if (the->product.rule_index == Product::kNoRule) {
    return refuse(Code::rejected, "price_rule_missing", "product_id");
  }
  const PriceRule& rule = the->book.rules[the->product.rule_index];
  if (!is_plausible(rule)) return refuse(Code::rejected, "price_rule_out_of_range", "product_id");
  const Result<std::optional<Exact>> worth = worth_of(*the);
  if (!worth) return tl::unexpected<Error>(worth.error());
  std::int64_t remainder = 0;
  const Result<std::int64_t> list = listed(*the, rule, *worth, &remainder);
  if (!list) return tl::unexpected<Error>(list.error());
  const Result<std::int64_t> floor = floor_of(*the, rule);
  if (!floor) return tl::unexpected<Error>(floor.error());
  the->list = *list;
  the->floor = *floor;
  the->guarded = std::max(*list, *floor);
  if (*list < 1 && *floor <= 1) return refuse(Code::rejected, "payable_not_positive", "product_id");

  std::int64_t start = *list;
  if (*worth) {
    const Result<std::int64_t> value =
        bounded(rounded((*worth)->numerator, (*worth)->denominator, Round::half_up));
    if (!value) return tl::unexpected<Error>(value.error());
    start = *value;
  }
  out->lines.push_back({LineWord::face, 0, 0, start, 0});
  const std::uint32_t index = the->product.rule_index;
  const bool is_of_face = rule.form == RuleForm::of_face && the->product.price == 0;
  if (*list != start || remainder != 0 || rule.rate_bp != kBasisPointsPerWhole) {
    const std::int64_t rate = is_of_face ? rule.rate_bp : 0;
    out->lines.push_back({LineWord::markup, index, rate, *list - start, remainder});
  }
  if (the->guarded != *list) {
    out->lines.push_back({LineWord::margin_guard, index, 0, the->guarded - *list, 0});
  }
  return {};
}

}  // namespace topup
