// What the operator offers, as data: coupon templates, promotions and member levels, and how they
// become rows of the price book. Scopes name operators and products by id; an offer about what is
// not on sale stays out of the book. Pure; thread-safe. Errors of read_offer(): unknown_field,
// missing_field, wrong_type, out_of_range with the field.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/json.h"
#include "shared/price_book.h"
#include "shared/result.h"

namespace topup::marketing {

enum class OfferKind : std::uint8_t { coupon, promotion, level };
inline constexpr std::string_view kOfferKinds[] = {"coupon", "promotion", "level"};  // stored
std::string_view to_word(OfferKind kind);
Result<OfferKind> parse_offer_kind(std::string_view word);

struct Terms {
  OfferKind kind = OfferKind::coupon;
  std::string name_zh, name_en;
  std::vector<ProductKind> kinds;  // none: every kind
  std::string country, operator_id, product_id;
  DiscountForm form = DiscountForm::amount;
  std::int64_t value = 0;  // bp off, minor units off, or the flash price
  std::int64_t least_spend_minor = 0, cap_minor = 0, group = 0;
  std::int64_t starts_at_ms = 0, ends_at_ms = 0, least_growth = 0;
  bool first_order_only = false, optional = true, allows_coupons = true;
  bool allows_promotions = true, allows_member = true;
  std::int64_t growth_from = 0, discount_bp = 0, amount_minor = 0;  // of a level
};

struct Offer {
  std::string id;
  std::int64_t version = 0;
  bool is_on = false;
  Terms terms;
  std::string changed_by = {};
  std::int64_t changed_at_ms = 0;
};

inline constexpr std::size_t kMaxOfferName = 60;
inline constexpr std::size_t kMaxOfferId = 40;
// [a-z0-9-], begins with a letter.
bool is_offer_id(std::string_view id);

// Members that the kind does not have are refused; those with a default may be absent.
Result<Terms> read_terms(OfferKind kind, const base::Json& object);
base::Json terms_json(const Terms& terms);  // canonical: equal terms give equal text
// Whether they differ in more than their names.
bool is_same_deal(const Terms& a, const Terms& b);

// Before canonical(): operators and products are looked up in the book as it stands.
void add_to_book(const std::vector<Offer>& offers, PriceBook* book);

}  // namespace topup::marketing
