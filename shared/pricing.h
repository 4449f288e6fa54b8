// What the buyer pays, and why. Pure; the same code prices in the page (a preview) and on the
// server (binding). The steps have one fixed order, so that the order of rules in the book changes
// nothing: face → markup → margin guard → member → promotions by group → coupons by group → fees →
// payable. Each line names its rule and version, what it adds and what rounding left; everything
// that did not apply says why, with the numbers it was judged by.
//
// Laws (tests/shared/pricing_law_test.cpp): face + Σ effects = payable; 0 < payable <= list + fees;
// payable >= cost × (1 + margin) unless the rule allows less; one more coupon never raises
// the price; a larger amount never costs less unless a threshold or a promotion's scope is crossed.
//
// The fingerprint covers what the buyer sees and agrees to (product, recipient as masked, amounts,
// lines), not the book's version nor the reasons of what did not apply: a new book that changes
// nothing for this buyer changes no fingerprint.
//
// Errors by precedence: product_not_found, price_book_expired, account_number_invalid (the number's
// own reason is in `detail`), account_blocked, amount_not_offered, price_rule_missing,
// rate_missing, price_rule_out_of_range, amount_overflow, payable_not_positive, amount_below_limit,
// amount_above_limit, day_limit_reached, coupon_not_usable (asked for by id).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/coupon.h"
#include "shared/ids.h"
#include "shared/money.h"
#include "shared/price_book.h"
#include "shared/result.h"

namespace topup {

inline constexpr std::size_t kMaxOwnedCoupons = 100;
inline constexpr std::size_t kMaxHeldCards = 8;

// What the shop knows about the buyer; a guest is all defaults. Amounts in the book's currency.
struct BuyerFacts {
  std::string level_id;               // "" none
  std::int64_t growth = 0;            // what promotions for members look at
  std::vector<std::string> card_ids;  // at most kMaxHeldCards
  bool first_order = false;
  std::int64_t day_orders = 0, day_minor = 0;  // placed today so far
  std::vector<OwnedCoupon> coupons;            // at most kMaxOwnedCoupons
};

// The facts with their names looked up in one book: make it once, price often.
struct Buyer {
  BuyerFacts facts;
  std::vector<std::uint32_t> benefits;  // into book.benefits, ascending; unknown ids are left out
  std::vector<std::int32_t> templates;  // into book.coupons for each owned coupon; -1 unknown
  std::vector<std::uint32_t> order;     // owned coupons by group, expiry and id
};
Buyer prepare(const PriceBook& book, BuyerFacts facts);

struct QuoteRequest {
  ProductId product_id;
  std::string account_number;     // any spelling; checked and normalised here
  std::int64_t amount_minor = 0;  // of a range, in the face's currency; 0: the product's face
  std::int64_t now_ms = 0;
  bool skip_optional = false;  // degraded mode: promotions marked optional are left out
  CouponChoice coupon_choice = CouponChoice::best;
  std::vector<std::string> coupon_ids = {};  // with CouponChoice::these, at most kMaxOwnedCoupons
};

enum class LineWord : std::uint8_t {  // the fixed order
  face,
  markup,
  margin_guard,
  member,
  card,
  promotion,
  coupon,
  fee
};
inline constexpr std::size_t kLineWords = 8;
std::string_view to_word(LineWord word);

// `index` says which row it came from: markup and margin_guard book.rules, member and card
// book.benefits, promotion book.promotions, coupon buyer.facts.coupons, fee book.fees.
struct QuoteLine {
  LineWord word = LineWord::face;
  std::uint32_t index = 0;
  std::int64_t rate_bp = 0;       // the rate applied, 0 where none is
  std::int64_t effect_minor = 0;  // what this line adds (negative: takes off)
  std::int64_t remainder = 0;     // in 1/10,000 of a minor unit, what rounding left
};

// Why something was not applied; `need` and `have` are minor units, times or growth by the reason.
struct NotApplied {
  LineWord word = LineWord::promotion;
  std::uint32_t index = 0;
  WhyNot why = WhyNot::wrong_product;
  std::int64_t need = 0;
  std::int64_t have = 0;
};

// Room for every line and reason is kept between uses of one Quote.
struct Quote {
  std::uint32_t product_index = 0;
  std::string account;         // "+8613800138000" or a card's digits; empty for a list price
  std::string account_masked;  // what is shown and stored in the text
  Money face;                  // what is bought, in its own currency
  Money payable;
  Money delivered;  // what the recipient gets
  std::int64_t list_minor = 0;
  std::int64_t saved_minor = 0;  // list - discounted, without fees
  std::int64_t expires_at_ms = 0;
  bool needs_review = false;
  std::vector<QuoteLine> lines;
  std::vector<NotApplied> not_applied;
  std::uint64_t fingerprint = 0;
};

// Prices into `out`, whose room is reused. After a refusal `out` is unspecified.
Result<void> quote_into(const PriceBook& book, const Buyer& buyer, const QuoteRequest& request,
                        Quote* out);
Result<Quote> quote(const PriceBook& book, const Buyer& buyer, const QuoteRequest& request);
Result<Quote> quote(const PriceBook& book, const QuoteRequest& request);  // for a guest

// The price before a recipient is known, for tiles and lists: account_number is not looked at.
Result<void> list_price_into(const PriceBook& book, const Buyer& buyer, const QuoteRequest& request,
                             Quote* out);

// Canonical JSON text of a quote, fingerprint included; what the server stores on the order and
// both sides show.
std::string quote_text(const PriceBook& book, const Buyer& buyer, const Quote& quote);
std::string fingerprint_text(const Quote& quote);  // 16 hex digits

// The same quote as numbers, for a border where text is dear. kQuoteHead numbers: product_index,
// payable, list, saved (minor units of the book's currency), face minor, face currency, delivered
// minor, delivered currency (as the enum's number), expires_at_ms, needs_review, count of lines,
// count of not_applied. Then 5 for each line (word, index, rate_bp, effect, remainder) and 5 for
// each not_applied (word, index, why, need, have). Returns how many; 0 when `most` is too few.
inline constexpr std::size_t kQuoteHead = 12;
std::size_t write_slots(const Quote& quote, std::int64_t* out, std::size_t most);

}  // namespace topup
