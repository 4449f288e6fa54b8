#include "tests/support/random_prices.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "shared/json_text.h"

namespace topup::testing {
namespace {

constexpr std::int64_t kNow = 1'770'000'000'000;
constexpr std::int64_t kHour = 3'600'000;

template <class T, std::size_t N>
const T& pick(Dice& dice, const T (&from)[N]) {
  return from[static_cast<std::size_t>(dice.between(0, N - 1))];
}

Scope random_scope(Dice& dice, const PriceBook& book) {
  Scope scope;
  switch (dice.between(0, 6)) {
    case 0:
      scope.kinds = static_cast<std::uint8_t>(dice.between(1, 15));
      break;
    case 1:
      scope.country =
          book.countries[static_cast<std::size_t>(dice.between(0, std::ssize(book.countries) - 1))]
              .iso2;
      break;
    case 2:
      scope.operator_index =
          static_cast<std::int32_t>(dice.between(0, std::ssize(book.operators) - 1));
      break;
    case 3:
      scope.product_index =
          static_cast<std::int32_t>(dice.between(0, std::ssize(book.products) - 1));
      break;
    default:
      break;
  }
  return scope;
}

std::string numbered(const char* prefix, int number) { return prefix + std::to_string(number); }

void add_places(PriceBook* book) {
  book->countries = {{"CN", "中国", "China"}, {"TH", "泰国", "Thailand"}, {"JP", "日本", "Japan"}};
  book->operators = {
      {"cn-mobile", "中国移动", "China Mobile", "CN", MainlandOperator::mobile, CardIssuer::none},
      {"cn-sinopec", "中国石化", "Sinopec", "CN", MainlandOperator::unknown, CardIssuer::sinopec},
      {"cn-petro", "中国石油", "PetroChina", "CN", MainlandOperator::unknown,
       CardIssuer::petrochina},
      {"th-ais", "AIS", "AIS", "TH", MainlandOperator::unknown, CardIssuer::none},
      {"jp-docomo", "Docomo", "Docomo", "JP", MainlandOperator::unknown, CardIssuer::none}};
  book->rates = {{*parse_currency("THB"), Currency::cny, 20'345'678},
                 {Currency::jpy, Currency::cny, 4'756'000},
                 {Currency::usd, Currency::cny, 712'340'000}};
}

Product random_product(Dice& dice, const PriceBook& book, int number) {
  Product product;
  product.id = ProductId(numbered("p-", number));
  product.operator_index =
      static_cast<std::uint32_t>(dice.between(0, std::ssize(book.operators) - 1));
  const Operator& op = book.operators[product.operator_index];
  product.kind = op.issuer != CardIssuer::none
                     ? ProductKind::fuel_card
                     : pick(dice, {ProductKind::airtime, ProductKind::data, ProductKind::pin});
  const Currency local = op.country == "TH"   ? *parse_currency("THB")
                         : op.country == "JP" ? Currency::jpy
                                              : Currency::cny;
  product.face = {dice.between(1, 50'000), local};
  product.delivered = dice.one_in(3) ? Money{dice.between(1, 60'000), local} : product.face;
  if (dice.one_in(2)) {
    product.cost = {dice.between(1, 60'000), dice.one_in(2) ? Currency::usd : Currency::cny};
  }
  if (dice.one_in(3)) {
    product.step_minor = dice.between(1, 500);
    product.most_minor = product.face.minor + product.step_minor * dice.between(0, 400);
  }
  if (dice.one_in(4)) product.validity_days = static_cast<std::uint32_t>(dice.between(1, 365));
  if (product.kind == ProductKind::data) {
    product.name_zh = "流量包";
    product.name_en = "Data bundle";
  }
  return product;
}

PriceRule random_rule(Dice& dice, const PriceBook& book, int number) {
  PriceRule rule;
  rule.id = numbered("r-", number);
  rule.version = static_cast<std::uint32_t>(dice.between(1, 9));
  if (number > 0) rule.scope = random_scope(dice, book);
  rule.form =
      pick(dice, {RuleForm::of_face, RuleForm::of_face, RuleForm::fixed_price, RuleForm::of_cost});
  rule.price_minor = dice.between(1, 50'000);
  rule.rate_bp = dice.between(8'000, 14'000);
  rule.fee_minor = dice.one_in(2) ? dice.between(0, 300) : 0;
  rule.step_minor = pick(dice, {std::int64_t{1}, std::int64_t{10}, std::int64_t{100}});
  rule.round = pick(dice, {Round::half_up, Round::up, Round::down});
  rule.least_margin_bp = dice.one_in(2) ? dice.between(0, 800) : 0;
  rule.allow_below_cost = dice.one_in(3);
  return rule;
}

Promotion random_promotion(Dice& dice, const PriceBook& book, int number, bool thresholds) {
  Promotion promotion;
  promotion.id = numbered("promo-", number);
  promotion.version = static_cast<std::uint32_t>(dice.between(1, 9));
  promotion.name_zh = "促销";
  promotion.name_en = "Promotion";
  promotion.form = pick(dice, {DiscountForm::percent, DiscountForm::amount, DiscountForm::percent,
                               DiscountForm::flash_price});
  promotion.value = promotion.form == DiscountForm::percent  ? dice.between(1, 3'000)
                    : promotion.form == DiscountForm::amount ? dice.between(1, 2'000)
                                                             : dice.between(100, 20'000);
  promotion.cap_minor = dice.one_in(3) ? dice.between(1, 1'500) : 0;
  promotion.group = static_cast<std::uint32_t>(dice.between(0, 3));
  promotion.allows_coupons = !dice.one_in(4);
  promotion.optional = dice.one_in(3);
  if (!thresholds) {
    if (promotion.form == DiscountForm::flash_price) promotion.form = DiscountForm::percent;
    promotion.value = std::min<std::int64_t>(promotion.value, 3'000);
    return promotion;
  }
  promotion.scope = random_scope(dice, book);
  promotion.least_spend_minor = dice.one_in(3) ? dice.between(1, 20'000) : 0;
  promotion.least_growth = dice.one_in(4) ? dice.between(1, 1'000) : 0;
  promotion.first_order_only = dice.one_in(6);
  if (dice.one_in(3)) promotion.starts_at_ms = kNow + dice.between(-5, 2) * kHour;
  if (dice.one_in(3)) promotion.ends_at_ms = kNow + dice.between(-2, 9) * kHour;
  return promotion;
}

CouponTemplate random_template(Dice& dice, const PriceBook& book, int number, bool thresholds) {
  CouponTemplate coupon;
  coupon.id = numbered("tpl-", number);
  coupon.version = static_cast<std::uint32_t>(dice.between(1, 9));
  coupon.name_zh = "优惠券";
  coupon.name_en = "Coupon";
  coupon.form = dice.one_in(2) ? DiscountForm::percent : DiscountForm::amount;
  coupon.value =
      coupon.form == DiscountForm::percent ? dice.between(1, 5'000) : dice.between(1, 3'000);
  coupon.cap_minor = dice.one_in(3) ? dice.between(1, 2'000) : 0;
  coupon.group = static_cast<std::uint32_t>(dice.between(0, 4));
  coupon.allows_promotions = !dice.one_in(4);
  coupon.allows_member = !dice.one_in(4);
  if (!thresholds) return coupon;
  coupon.scope = random_scope(dice, book);
  coupon.least_spend_minor = dice.one_in(3) ? dice.between(1, 20'000) : 0;
  return coupon;
}

void add_benefits(Dice& dice, PriceBook* book) {
  for (int i = 0; i < 4; ++i) {
    Benefit benefit;
    benefit.id = numbered(i < 2 ? "level-" : "card-", i);
    benefit.is_card = i >= 2;
    benefit.name_zh = "会员";
    benefit.name_en = "Member";
    benefit.discount_bp = dice.between(0, 1'500);
    benefit.amount_minor = dice.one_in(3) ? dice.between(0, 300) : 0;
    benefit.cap_minor = dice.one_in(3) ? dice.between(1, 1'000) : 0;
    if (dice.one_in(3)) benefit.scope = random_scope(dice, *book);
    book->benefits.push_back(benefit);
  }
}

void add_fees_and_limits(Dice& dice, PriceBook* book, bool thresholds) {
  for (int i = 0; i < 2; ++i) {
    Fee fee;
    fee.id = numbered("fee-", i);
    fee.rate_bp = dice.one_in(2) ? dice.between(0, 200) : 0;
    fee.fixed_minor = dice.one_in(2) ? dice.between(0, 200) : 0;
    fee.least_minor = dice.one_in(4) ? dice.between(0, 100) : 0;
    fee.most_minor = dice.one_in(4) ? dice.between(100, 500) : 0;
    if (thresholds) fee.scope = random_scope(dice, *book);
    book->fees.push_back(fee);
  }
  if (!thresholds) return;
  Limit limit;
  limit.id = "limit-0";
  limit.scope = random_scope(dice, *book);
  limit.most_minor = dice.one_in(2) ? dice.between(10'000, 90'000) : 0;
  limit.day_orders = dice.one_in(3) ? dice.between(1, 5) : 0;
  limit.review_from_minor = dice.between(1, 80'000);
  book->limits.push_back(limit);
}

}  // namespace

std::uint64_t Dice::next() {
  std::uint64_t mixed = (state_ += 0x9E3779B97F4A7C15ULL);
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
  return mixed ^ (mixed >> 31);
}

std::int64_t Dice::between(std::int64_t least, std::int64_t most) {
  const auto span = static_cast<std::uint64_t>(most - least) + 1;
  return least + static_cast<std::int64_t>(next() % span);
}

PriceBook random_book(Dice& dice, const BookShape& shape) {
  PriceBook book;
  book.version = static_cast<std::uint64_t>(dice.between(1, 1'000));
  book.published_at_ms = kNow;
  book.blocked_salt = dice.next() >> 1;
  add_places(&book);
  for (int i = 0; i < shape.products; ++i) book.products.push_back(random_product(dice, book, i));
  for (int i = 0; i < 5; ++i) book.rules.push_back(random_rule(dice, book, i));
  add_benefits(dice, &book);
  for (int i = 0; i < shape.promotions; ++i) {
    book.promotions.push_back(random_promotion(dice, book, i, shape.thresholds));
  }
  for (int i = 0; i < shape.coupon_templates; ++i) {
    book.coupons.push_back(random_template(dice, book, i, shape.thresholds));
  }
  add_fees_and_limits(dice, &book, shape.thresholds);
  book.blocked_accounts = {blocked_hash(book.blocked_salt, "+8613800138000")};
  return canonical(std::move(book));
}

BuyerFacts random_buyer(Dice& dice, const PriceBook& book, int coupons) {
  BuyerFacts facts;
  facts.level_id = dice.one_in(3) ? "" : numbered("level-", static_cast<int>(dice.between(0, 2)));
  if (dice.one_in(2)) facts.card_ids.push_back("card-2");
  if (dice.one_in(3)) facts.card_ids.push_back("card-3");
  facts.growth = dice.between(0, 1'000);
  facts.first_order = dice.one_in(2);
  facts.day_orders = dice.between(0, 3);
  facts.day_minor = dice.between(0, 50'000);
  for (int i = 0; i < coupons; ++i) {
    OwnedCoupon coupon;
    coupon.id = numbered("c-", i);
    coupon.template_id =
        dice.one_in(12)
            ? "tpl-gone"
            : book.coupons[static_cast<std::size_t>(dice.between(0, std::ssize(book.coupons) - 1))]
                  .id;
    if (dice.one_in(8)) coupon.valid_from_ms = kNow + dice.between(-2, 2) * kHour;
    if (dice.one_in(2)) coupon.expires_at_ms = kNow + dice.between(-1, 9) * kHour;
    if (dice.one_in(10)) coupon.state = dice.one_in(2) ? CouponState::held : CouponState::used;
    facts.coupons.push_back(coupon);
  }
  return facts;
}

QuoteRequest random_request(Dice& dice, const PriceBook& book, const BuyerFacts& facts) {
  static constexpr const char* kAccounts[] = {"13812345678",
                                              "138 0013 8000",
                                              "+66812345678",
                                              "0812345678",
                                              "09012345678",
                                              "+819012345678",
                                              "1000113200000123456",
                                              "9011223344556677",
                                              "9011 2233 4455 6677",
                                              "+8618612345678",
                                              "",
                                              "12",
                                              "１３９１２３４５６７８",
                                              "not a number"};
  QuoteRequest request;
  request.product_id =
      dice.one_in(40)
          ? ProductId("p-gone")
          : book.products[static_cast<std::size_t>(dice.between(0, std::ssize(book.products) - 1))]
                .id;
  request.account_number = pick(dice, kAccounts);
  if (const Product* product = book.find(request.product_id); product && product->is_range()) {
    request.amount_minor =
        dice.one_in(8) ? dice.between(1, 100'000)
                       : product->face.minor +
                             product->step_minor *
                                 dice.between(0, (product->most_minor - product->face.minor) /
                                                     product->step_minor);
  }
  request.now_ms = kNow + dice.between(-3, 3) * kHour;
  request.skip_optional = dice.one_in(6);
  if (dice.one_in(6)) request.coupon_choice = CouponChoice::none;
  if (dice.one_in(5) && !facts.coupons.empty()) {
    request.coupon_choice = CouponChoice::these;
    for (const OwnedCoupon& coupon : facts.coupons) {
      if (dice.one_in(3)) request.coupon_ids.push_back(coupon.id);
    }
  }
  return request;
}

std::string buyer_json(const BuyerFacts& facts) {
  static constexpr std::array<std::string_view, 3> kStates = {"usable", "held", "used"};
  JsonText out;
  out.begin_object().key("level_id").text(facts.level_id).key("growth").integer(facts.growth);
  out.key("first_order").boolean(facts.first_order);
  out.key("day_orders").integer(facts.day_orders).key("day_minor").integer(facts.day_minor);
  out.key("card_ids").begin_array();
  for (const std::string& id : facts.card_ids) out.text(id);
  out.end_array().key("coupons").begin_array();
  for (const OwnedCoupon& coupon : facts.coupons) {
    out.begin_object().key("id").text(coupon.id).key("template_id").text(coupon.template_id);
    out.key("valid_from_ms").integer(coupon.valid_from_ms);
    out.key("expires_at_ms").integer(coupon.expires_at_ms);
    out.key("state").text(kStates[static_cast<std::size_t>(coupon.state)]).end_object();
  }
  return out.end_array().end_object().take();
}

std::string request_json(const QuoteRequest& request) {
  JsonText out;
  out.begin_object().key("product_id").text(request.product_id.text);
  out.key("account_number").text(request.account_number);
  out.key("amount_minor").integer(request.amount_minor).key("now_ms").integer(request.now_ms);
  out.key("degraded").boolean(request.skip_optional).key("coupons");
  if (request.coupon_choice == CouponChoice::these) {
    out.begin_array();
    for (const std::string& id : request.coupon_ids) out.text(id);
    out.end_array();
  } else {
    out.text(request.coupon_choice == CouponChoice::best ? "best" : "none");
  }
  return out.end_object().take();
}

std::string hex_of(std::string_view bytes) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex += kHex[static_cast<unsigned char>(c) >> 4];
    hex += kHex[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

}  // namespace topup::testing
