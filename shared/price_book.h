// The price book: a versioned snapshot of everything that decides a price. The server writes it in
// a compact binary form; the server and the page both load it, so both price from the same bytes.
// Immutable once published. Everything in it is sorted by id (canonical()), so that equal content
// gives equal bytes whatever order it was entered in; lists refer to each other by index. Amounts
// without a currency are minor units of PriceBook::currency, what the buyer pays in. Pure;
// thread-safe. The binary form is described in price_book_bytes.cpp. Errors of decode():
// price_book_damaged, price_book_newer (schema above ours), price_book_too_large.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/card.h"
#include "shared/ids.h"
#include "shared/money.h"
#include "shared/phone.h"
#include "shared/result.h"

namespace topup {

inline constexpr std::uint32_t kPriceBookSchema = 3;
inline constexpr std::int64_t kUnitScale = 1'000'000;  // of Product::price and least of ranges
inline constexpr std::size_t kMaxPriceBookBytes = 300 * 1024;
inline constexpr std::size_t kMaxOperators = 2'000;
inline constexpr std::size_t kMaxProducts = 20'000;
inline constexpr std::size_t kMaxBookRows = 500;  // countries, rates, rules, promotions … each
inline constexpr std::size_t kMaxBlockedAccounts = 20'000;

enum class ProductKind : std::uint8_t {  // stored; do not renumber
  airtime = 0,
  data = 1,
  fuel_card = 2,
  pin = 3
};
inline constexpr std::size_t kProductKinds = 4;
std::string_view to_word(ProductKind kind);
std::optional<ProductKind> parse_product_kind(std::string_view word);

struct Country {
  std::string iso2;  // ISO 3166-1 alpha-2
  std::string name_zh = {}, name_en = {};
};

struct Operator {
  std::string id;                                     // ours, e.g. "cn-mobile"
  std::string name_zh;                                // 中国移动
  std::string name_en;                                // China Mobile
  std::string country;                                // ISO 3166-1 alpha-2
  MainlandOperator hint = MainlandOperator::unknown;  // preselected when a number's segment says so
  CardIssuer issuer = CardIssuer::none;               // of its fuel cards
};

// Fixed: `face` is what is bought. A range (step_minor > 0): any amount from face.minor to
// most_minor in steps; `cost` and `delivered` are then per `face` and scale with the amount.
struct Product {
  ProductId id;
  std::uint32_t operator_index = 0;
  ProductKind kind = ProductKind::airtime;
  Money face;
  Money delivered;  // what the recipient gets, in the recipient's currency
  Money cost;       // what the supplier takes; 0: not known
  // Only in the buyers' book (buyers_book.h), which has no cost: the list price instead of what the
  // rule makes of a cost, and below what no discount goes; 0: none. Of a fixed product minor units,
  // of a range 1 / kUnitScale minor units for `face`.
  std::int64_t price = 0, least = 0;
  std::int64_t most_minor = 0;  // of a range
  std::int64_t step_minor = 0;  // of a range; 0: fixed
  std::uint32_t validity_days = 0;
  std::string name_zh, name_en;        // of a bundle or PIN; empty where the amount says it all
  std::uint32_t rule_index = kNoRule;  // derived by canonical() and decode(), never stored

  static constexpr std::uint32_t kNoRule = UINT32_MAX;
  bool is_range() const { return step_minor > 0; }
};

// What a rule, promotion, coupon, fee or limit is about. Unset members match everything.
struct Scope {
  static constexpr std::int32_t kAny = -1;
  std::uint8_t kinds = 0;    // bit 1 << ProductKind; 0: every kind
  std::string country = {};  // "": every country
  std::int32_t operator_index = kAny;
  std::int32_t product_index = kAny;
};

enum class RuleForm : std::uint8_t { fixed_price = 0, of_face = 1, of_cost = 2 };  // stored

// The list price. fixed_price: price_minor. Otherwise (face or cost, exchanged) × rate_bp +
// fee_minor, rounded to step_minor in one rounding. The most specific rule wins: product before
// operator before country before kinds, then the lowest id. Unless allow_below_cost, neither the
// list price nor any discount goes below cost × (1 + least_margin_bp), rounded up.
struct PriceRule {
  std::string id;
  std::uint32_t version = 1;
  Scope scope = {};
  RuleForm form = RuleForm::of_face;
  std::int64_t price_minor = 0;
  std::int64_t rate_bp = kBasisPointsPerWhole;
  std::int64_t fee_minor = 0;
  std::int64_t step_minor = 1;
  Round round = Round::half_up;
  std::int64_t least_margin_bp = 0;
  bool allow_below_cost = false;
};

// A member level (is_card false) or the benefit of a card the buyer holds. The larger of the
// buyer's level and cards applies, never their sum.
struct Benefit {
  std::string id;
  std::uint32_t version = 1;
  std::string name_zh = {}, name_en = {};
  bool is_card = false;
  std::int64_t growth_from = 0;  // a level is reached with this much growth
  Scope scope = {};
  std::int64_t discount_bp = 0;  // off the list price, rounded down
  std::int64_t amount_minor = 0;
  std::int64_t cap_minor = 0;  // 0: none
};

enum class DiscountForm : std::uint8_t { percent = 0, amount = 1, flash_price = 2 };  // stored

// A least spend, here and of coupons, is judged by the list price, so that one discount never takes
// away another. Within a stacking group the promotion that takes off most applies; groups stack in
// the order of their numbers.
struct Promotion {
  std::string id;
  std::uint32_t version = 1;
  std::string name_zh = {}, name_en = {};
  Scope scope = {};
  DiscountForm form = DiscountForm::percent;
  std::int64_t value = 0;  // bp off, minor units off, or the flash price
  std::int64_t least_spend_minor = 0;
  std::int64_t cap_minor = 0;  // 0: none
  std::uint32_t group = 0;
  std::int64_t starts_at_ms = 0, ends_at_ms = 0;  // 0: open
  std::int64_t least_growth = 0;                  // members from this growth on
  bool first_order_only = false;
  bool optional = false;  // left out in degraded mode
  bool allows_coupons = true;
};

// Coupons of one template in the buyer's hands are OwnedCoupons (pricing.h). Group 0 stands alone;
// of every other group at most one applies, in the order of the group numbers.
struct CouponTemplate {
  std::string id;
  std::uint32_t version = 1;
  std::string name_zh = {}, name_en = {};
  Scope scope = {};
  DiscountForm form = DiscountForm::amount;  // percent or amount
  std::int64_t value = 0;
  std::int64_t least_spend_minor = 0;
  std::int64_t cap_minor = 0;  // 0: none
  std::uint32_t group = 0;
  bool allows_promotions = true;
  bool allows_member = true;
};

// bp of what is left after discounts (rounded up) + fixed, between least and most. All that match
// apply.
struct Fee {
  std::string id;
  std::uint32_t version = 1;
  Scope scope = {};
  std::int64_t rate_bp = 0;
  std::int64_t fixed_minor = 0;
  std::int64_t least_minor = 0;
  std::int64_t most_minor = 0;  // 0: none
};

// Bounds of one order's payable and of a buyer's day; 0: none.
struct Limit {
  std::string id;
  Scope scope = {};
  std::int64_t least_minor = 0, most_minor = 0;
  std::int64_t day_orders = 0, day_minor = 0;
  std::int64_t review_from_minor = 0;  // a person looks at the order first
};

struct PriceBook {
  std::uint64_t version = 0;
  std::int64_t published_at_ms = 0;
  std::int64_t valid_until_ms = 0;  // 0: until the next one
  std::int64_t quote_ttl_ms = 15 * 60'000;
  Currency currency = Currency::cny;
  std::uint64_t blocked_salt = 0;
  std::vector<Country> countries;
  std::vector<Operator> operators;
  std::vector<Rate> rates;  // into `currency`, at most one from each
  std::vector<Product> products;
  std::vector<PriceRule> rules;
  std::vector<Benefit> benefits;
  std::vector<Promotion> promotions;
  std::vector<CouponTemplate> coupons;
  std::vector<Fee> fees;
  std::vector<Limit> limits;
  std::vector<std::uint64_t> blocked_accounts;  // blocked_hash() of numbers not served
  std::vector<std::uint32_t> promotion_order;   // by group, then id; derived like rule_index

  // Binary searches; the book must be canonical. find(): nullptr when it is not on sale.
  const Product* find(const ProductId& id) const;
  const Rate* find_rate(Currency from) const;  // nullptr when the book has none
  bool is_blocked(std::string_view account) const;
};

// Sorts every list by id and follows with the indices; which rule prices which product is worked
// out here. Call it on a book that was put together by hand. A repeat changes nothing.
PriceBook canonical(PriceBook book);
void derive(
    PriceBook& book);  // what is worked out, not stored; canonical() and decode() end with it
inline bool matches(const Scope& scope, const Product& product, std::size_t product_index,
                    const Operator& op) {
  if (scope.kinds != 0 && (scope.kinds & (1U << static_cast<unsigned>(product.kind))) == 0) {
    return false;
  }
  if (scope.operator_index != Scope::kAny &&
      static_cast<std::uint32_t>(scope.operator_index) != product.operator_index) {
    return false;
  }
  if (scope.product_index != Scope::kAny &&
      static_cast<std::size_t>(scope.product_index) != product_index) {
    return false;
  }
  return scope.country.empty() || scope.country == op.country;
}

// The book must be canonical.
std::string encode(const PriceBook& book);
Result<PriceBook> decode(std::string_view bytes);

// What stands in blocked_accounts for "+8613800138000" or a card's digits. It keeps numbers off the
// page's plain sight; it does not keep them from somebody who tries all numbers.
std::uint64_t blocked_hash(std::uint64_t salt, std::string_view account);

// 16 hex digits; equal for equal bytes on every machine.
std::string fingerprint(std::string_view bytes);

}  // namespace topup
