#include "shared/pricing.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <vector>

using namespace topup;

namespace {

constexpr std::int64_t kNow = 1'790'000'000'000;
const Currency kBaht = *parse_currency("THB");

// One mainland product p1 of 100.00 at 99.5 %, one Thai range th from 100 to 1,000 baht, one
// Sinopec card fuel, one PIN; a change is made before the book is put in order.
PriceBook book_with(const std::function<void(PriceBook&)>& change = [](PriceBook&) {}) {
  PriceBook book;
  book.version = 7;
  book.operators = {
      {"cn-mobile", "中国移动", "China Mobile", "CN", MainlandOperator::mobile, CardIssuer::none},
      {"sinopec", "中国石化", "Sinopec", "CN", MainlandOperator::unknown, CardIssuer::sinopec},
      {"th-ais", "AIS", "AIS", "TH", MainlandOperator::unknown, CardIssuer::none}};
  book.rates = {{kBaht, Currency::cny, 20'000'000}, {Currency::usd, Currency::cny, 700'000'000}};
  const auto add = [&book](const char* id, std::uint32_t op, ProductKind kind, Money face) {
    Product product;
    product.id = ProductId(id);
    product.operator_index = op;
    product.kind = kind;
    product.face = product.delivered = face;
    book.products.push_back(product);
  };
  add("fuel", 1, ProductKind::fuel_card, fen(20'000));
  add("p1", 0, ProductKind::airtime, fen(10'000));
  add("pin", 0, ProductKind::pin, fen(5'000));
  add("th", 2, ProductKind::airtime, {10'000, kBaht});
  book.products[3].step_minor = 1'000;
  book.products[3].most_minor = 100'000;
  book.products[3].delivered = {9'346, kBaht};
  book.rules = {{.id = "default", .version = 4, .rate_bp = 9'950}};
  change(book);
  return canonical(std::move(book));
}

QuoteRequest for_p1() {
  QuoteRequest request;
  request.product_id = ProductId("p1");
  request.account_number = "138 1234 5678";
  request.now_ms = kNow;
  return request;
}

QuoteRequest for_thai(std::int64_t amount_minor) {
  QuoteRequest request = for_p1();
  request.product_id = ProductId("th");
  request.account_number = "081 234 5678";
  request.amount_minor = amount_minor;
  return request;
}

PriceRule& rule_of(PriceBook& book) { return book.rules[0]; }

std::string effects(const Quote& quote) {
  std::string text;
  for (const QuoteLine& line : quote.lines) {
    if (!text.empty()) text += " ";
    text += std::string(to_word(line.word)) + (line.effect_minor < 0 ? "" : "+") +
            std::to_string(line.effect_minor);
  }
  return text;
}

std::string reasons(const PriceBook& book, const Quote& quote) {
  std::string text;
  for (const NotApplied& row : quote.not_applied) {
    if (!text.empty()) text += " ";
    text += row.word == LineWord::promotion ? book.promotions[row.index].id
                                            : std::string(to_word(row.word));
    text += ":" + std::string(to_word(row.why)) + "(" + std::to_string(row.need) + "," +
            std::to_string(row.have) + ")";
  }
  return text;
}

}  // namespace

TEST_CASE("quote: each refusal, in order of precedence") {
  struct Row {
    const char* name;
    std::function<void(PriceBook&)> book;
    std::function<void(QuoteRequest&)> request;
    const char* reason;
  };
  const auto as_it_is = [](PriceBook&) {};
  const auto asked = [](QuoteRequest&) {};
  const Row rows[] = {
      {"unknown product, whatever else is wrong", [](PriceBook& b) { b.valid_until_ms = 1; },
       [](QuoteRequest& r) {
         r = {ProductId("p9"), "x"};
       },
       "product_not_found"},
      {"a book past its time", [](PriceBook& b) { b.valid_until_ms = kNow; },
       [](QuoteRequest& r) { r.account_number = "1"; }, "price_book_expired"},
      {"an incomplete number", as_it_is, [](QuoteRequest& r) { r.account_number = "138"; },
       "account_number_invalid"},
      {"a Thai number for a mainland product", as_it_is,
       [](QuoteRequest& r) { r.account_number = "+66812345678"; }, "account_number_invalid"},
      {"a phone number for a fuel card", as_it_is,
       [](QuoteRequest& r) { r.product_id = ProductId("fuel"); }, "account_number_invalid"},
      {"a number that is not served",
       [](PriceBook& b) { b.blocked_accounts = {blocked_hash(0, "+8613812345678")}; },
       [](QuoteRequest& r) { r.amount_minor = 7; }, "account_blocked"},
      {"another amount than the face", as_it_is, [](QuoteRequest& r) { r.amount_minor = 9'999; },
       "amount_not_offered"},
      {"below a range", as_it_is, [](QuoteRequest& r) { r = for_thai(9'000); },
       "amount_not_offered"},
      {"above a range", as_it_is, [](QuoteRequest& r) { r = for_thai(101'000); },
       "amount_not_offered"},
      {"between two steps", as_it_is, [](QuoteRequest& r) { r = for_thai(10'500); },
       "amount_not_offered"},
      {"no rule", [](PriceBook& b) { b.rules.clear(); }, asked, "price_rule_missing"},
      {"rate of zero", [](PriceBook& b) { rule_of(b).rate_bp = 0; }, asked,
       "price_rule_out_of_range"},
      {"rate above ten times face", [](PriceBook& b) { rule_of(b).rate_bp = 100'001; }, asked,
       "price_rule_out_of_range"},
      {"step of zero", [](PriceBook& b) { rule_of(b).step_minor = 0; }, asked,
       "price_rule_out_of_range"},
      {"negative fee", [](PriceBook& b) { rule_of(b).fee_minor = -1; }, asked,
       "price_rule_out_of_range"},
      {"no rate for the face", [](PriceBook& b) { b.rates.clear(); },
       [](QuoteRequest& r) { r = for_thai(0); }, "rate_missing"},
      {"no cost for a rule of cost", [](PriceBook& b) { rule_of(b).form = RuleForm::of_cost; },
       asked, "cost_missing"},
      {"no rate for the cost",
       [](PriceBook& b) {
         b.rates.clear();
         b.products[1].cost = {100, Currency::usd};
       },
       asked, "rate_missing"},
      {"more than any top-up costs",
       [](PriceBook& b) { b.products[1].face.minor = 1'000'000'000'001; }, asked,
       "amount_overflow"},
      {"a price beyond that",
       [](PriceBook& b) {
         b.products[1].face.minor = 900'000'000'000;
         rule_of(b).rate_bp = 20'000;
       },
       asked, "amount_overflow"},
      {"rounds to nothing",
       [](PriceBook& b) {
         b.products[1].face.minor = 1;
         rule_of(b).rate_bp = 1;
       },
       asked, "payable_not_positive"},
      {"below the least of an order",
       [](PriceBook& b) { b.limits = {{.id = "l", .least_minor = 9'951}}; }, asked,
       "amount_below_limit"},
      {"above the most of an order",
       [](PriceBook& b) { b.limits = {{.id = "l", .most_minor = 9'949}}; }, asked,
       "amount_above_limit"},
      {"a coupon that is not there", as_it_is,
       [](QuoteRequest& r) {
         r.coupon_choice = CouponChoice::these;
         r.coupon_ids = {"c9"};
       },
       "coupon_not_usable"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    QuoteRequest request = for_p1();
    row.request(request);
    const auto got = quote(book_with(row.book), request);
    REQUIRE_FALSE(got);
    CHECK(got.error().reason == row.reason);
  }
}

TEST_CASE("quote: a buyer's day has its limits, counted with this order") {
  const PriceBook book = book_with(
      [](PriceBook& b) { b.limits = {{.id = "l", .day_orders = 3, .day_minor = 20'000}}; });
  const auto placed = [&book](std::int64_t orders, std::int64_t minor) {
    BuyerFacts facts;
    facts.day_orders = orders;
    facts.day_minor = minor;
    const auto got = quote(book, prepare(book, facts), for_p1());
    return got ? std::string() : std::string(got.error().reason);
  };
  CHECK(placed(2, 10'050) == "");
  CHECK(placed(3, 0) == "day_limit_reached");
  CHECK(placed(0, 10'051) == "day_limit_reached");
}

TEST_CASE("list price: face, cost and fixed price, each rounded once") {
  struct Row {
    const char* name;
    std::function<void(PriceBook&)> book;
    QuoteRequest request;
    const char* lines;
  };
  const auto cost = [](std::int64_t minor, Currency currency,
                       std::function<void(PriceRule&)> rule) {
    return [=](PriceBook& b) {
      b.products[1].cost = {minor, currency};
      b.products[3].cost = {minor, currency};
      rule(rule_of(b));
    };
  };
  const Row rows[] = {
      {"99.5 %", [](PriceBook&) {}, for_p1(), "face+10000 markup-50"},
      {"at face nothing is added", [](PriceBook& b) { rule_of(b).rate_bp = 10'000; }, for_p1(),
       "face+10000"},
      {"half a fen rounds up", [](PriceBook& b) { b.products[1].face.minor = 100; }, for_p1(),
       "face+100 markup+0"},
      {"to whole jiao, down",
       [](PriceBook& b) {
         rule_of(b).step_minor = 10;
         rule_of(b).round = Round::down;
         b.products[1].face.minor = 1'000;
       },
       for_p1(), "face+1000 markup-10"},
      {"the rule's own fee is inside the rounding",
       [](PriceBook& b) {
         rule_of(b).step_minor = 100;
         rule_of(b).fee_minor = 30;
       },
       for_p1(), "face+10000 markup+0"},
      {"baht by the book's rate", [](PriceBook&) {}, for_thai(20'000), "face+4000 markup-20"},
      {"fixed price",
       [](PriceBook& b) {
         rule_of(b).form = RuleForm::fixed_price;
         rule_of(b).price_minor = 8'800;
       },
       for_p1(), "face+10000 markup-1200"},
      {"cost in dollars × rate × markup + fee, up to the jiao",
       cost(1'313, Currency::usd,
            [](PriceRule& r) {
              r.form = RuleForm::of_cost;
              r.rate_bp = 10'600;
              r.fee_minor = 50;
              r.step_minor = 10;
              r.round = Round::up;
            }),
       for_p1(), "face+10000 markup-200"},  // 9191 × 1.06 + 50 = 9792.46
      {"a range's cost grows with the amount",
       cost(280, Currency::usd,
            [](PriceRule& r) {
              r.form = RuleForm::of_cost;
              r.rate_bp = 10'000;
            }),
       for_thai(25'000), "face+5000 markup-100"},  // 2.80 × 2.5 × 7
      {"never below cost", cost(9'990, Currency::cny, [](PriceRule&) {}), for_p1(),
       "face+10000 markup-50 margin_guard+40"},
      {"nor below the margin",
       cost(9'990, Currency::cny, [](PriceRule& r) { r.least_margin_bp = 100; }), for_p1(),
       "face+10000 markup-50 margin_guard+140"},
      {"unless it is allowed",
       cost(9'990, Currency::cny, [](PriceRule& r) { r.allow_below_cost = true; }), for_p1(),
       "face+10000 markup-50"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto got = quote(book_with(row.book), row.request);
    REQUIRE_MESSAGE(got.has_value(), (got ? "" : got.error().reason));
    CHECK(effects(*got) == row.lines);
  }
}

TEST_CASE("discounts apply in one order: member, promotions by group, coupon, then fees") {
  const PriceBook book = book_with([](PriceBook& b) {
    b.benefits = {{.id = "gold", .discount_bp = 200},
                  {.id = "month", .is_card = true, .amount_minor = 150}};
    b.promotions = {{.id = "autumn", .value = 1'000, .group = 2},
                    {.id = "jiao", .form = DiscountForm::amount, .value = 500, .group = 1},
                    {.id = "less", .form = DiscountForm::amount, .value = 400, .group = 1},
                    {.id = "big", .value = 5'000, .least_spend_minor = 9'951},
                    {.id = "new", .value = 5'000, .first_order_only = true},
                    {.id = "gone", .value = 5'000, .ends_at_ms = kNow},
                    {.id = "soon", .value = 5'000, .starts_at_ms = kNow + 1},
                    {.id = "thai", .scope = {.country = "TH"}, .value = 5'000},
                    {.id = "vip", .value = 5'000, .least_growth = 100},
                    {.id = "extra", .value = 100, .group = 3, .optional = true}};
    b.coupons = {{.id = "five", .value = 500, .group = 1}};
    b.fees = {{.id = "service", .rate_bp = 60, .fixed_minor = 10}};
  });
  BuyerFacts facts;
  facts.level_id = "gold";
  facts.card_ids = {"month"};
  facts.growth = 99;
  facts.coupons = {{"c1", "five", 0, kNow + 1'000}};
  const auto got = quote(book, prepare(book, facts), for_p1());
  REQUIRE(got);
  // 9950 - 199 = 9751; - 500 = 9251; - 925 = 8326; - 83 = 8243; - 500 = 7743; + ceil(46.458) + 10
  CHECK(effects(*got) ==
        "face+10000 markup-50 member-199 promotion-500 promotion-925 promotion-83 coupon-500 "
        "fee+57");
  CHECK(got->payable == fen(7'800));
  CHECK(got->list_minor == 9'950);
  CHECK(got->saved_minor == 9'950 - 7'743);
  CHECK(got->expires_at_ms == kNow + 1'000);  // the coupon's, which comes first
  CHECK(reasons(book, *got) ==
        "card:better_in_group(199,150) "
        "big:spend_short(9951,9950) gone:expired(1790000000000,1790000000000) "
        "new:first_order_only(0,0) soon:not_started(1790000000001,1790000000000) "
        "thai:wrong_product(0,0) vip:growth_short(100,99) less:better_in_group(500,400)");

  QuoteRequest degraded = for_p1();
  degraded.skip_optional = true;
  const auto plain = quote(book, prepare(book, facts), degraded);
  REQUIRE(plain);
  CHECK(effects(*plain) ==
        "face+10000 markup-50 member-199 promotion-500 promotion-925 coupon-500 fee+57");
  CHECK(reasons(book, *plain).find("extra:degraded(0,0)") != std::string::npos);
}

TEST_CASE("caps, floors and flash prices bound what a discount takes off") {
  struct Row {
    const char* name;
    std::function<void(PriceBook&)> book;
    const char* lines;
  };
  const Row rows[] = {
      {"a cap",
       [](PriceBook& b) { b.promotions = {{.id = "p", .value = 5'000, .cap_minor = 700}}; },
       "face+10000 markup-50 promotion-700"},
      {"a flash price",
       [](PriceBook& b) {
         b.promotions = {{.id = "p", .form = DiscountForm::flash_price, .value = 6'600}};
       },
       "face+10000 markup-50 promotion-3350"},
      {"a flash price above the list is none",
       [](PriceBook& b) {
         b.promotions = {{.id = "p", .form = DiscountForm::flash_price, .value = 9'950}};
       },
       "face+10000 markup-50"},
      {"everything off leaves one fen",
       [](PriceBook& b) {
         b.promotions = {{.id = "p", .form = DiscountForm::amount, .value = 99'999}};
       },
       "face+10000 markup-50 promotion-9949"},
      {"cost stops it",
       [](PriceBook& b) {
         b.products[1].cost = fen(9'000);
         b.promotions = {{.id = "p", .form = DiscountForm::amount, .value = 99'999}};
       },
       "face+10000 markup-50 promotion-950"},
      {"a fee has its least and its most",
       [](PriceBook& b) {
         b.fees = {{.id = "a", .rate_bp = 1, .least_minor = 25},
                   {.id = "b", .rate_bp = 1'000, .most_minor = 300}};
       },
       "face+10000 markup-50 fee+25 fee+300"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto got = quote(book_with(row.book), for_p1());
    REQUIRE(got);
    CHECK(effects(*got) == row.lines);
  }
}

TEST_CASE("coupons: each reason why not, in order of precedence") {
  const PriceBook book = book_with([](PriceBook& b) {
    b.coupons = {{.id = "alone", .value = 250},
                 {.id = "five", .value = 500, .group = 1},
                 {.id = "four", .value = 400, .group = 1},
                 {.id = "tenth", .form = DiscountForm::percent, .value = 1'000, .group = 2},
                 {.id = "thai", .scope = {.country = "TH"}, .value = 100, .group = 3},
                 {.id = "rich", .value = 100, .least_spend_minor = 9'951, .group = 3},
                 {.id = "zero", .value = 0, .group = 3}};
  });
  BuyerFacts facts;
  facts.coupons = {{"c-alone", "alone"},
                   {"c-five", "five", 0, kNow + 9},
                   {"c-five-later", "five", 0, kNow + 99},
                   {"c-four", "four"},
                   {"c-tenth", "tenth"},
                   {"c-unknown", "nowhere"},
                   {"c-used", "five", 0, 0, CouponState::used},
                   {"c-held", "five", 0, 0, CouponState::held},
                   {"c-early", "five", kNow + 1, 0},
                   {"c-late", "five", 0, kNow},
                   {"c-thai", "thai"},
                   {"c-rich", "rich"},
                   {"c-zero", "zero"}};
  const auto got = quote(book, prepare(book, facts), for_p1());
  REQUIRE(got);
  CHECK(effects(*got) == "face+10000 markup-50 coupon-500 coupon-945");
  std::vector<std::string> why;
  for (const NotApplied& row : got->not_applied) {
    why.push_back(facts.coupons[row.index].id + " " + std::string(to_word(row.why)) + " " +
                  std::to_string(row.need) + " " + std::to_string(row.have));
  }
  std::sort(why.begin(), why.end());
  CHECK(why ==
        std::vector<std::string>{
            "c-alone stands_alone 1445 250", "c-early not_started 1790000000001 1790000000000",
            "c-five-later better_in_group 1445 500", "c-four better_in_group 1445 400",
            "c-held held 0 0", "c-late expired 1790000000000 1790000000000",
            "c-rich spend_short 9951 9950", "c-thai wrong_product 0 0",
            "c-unknown template_unknown 0 0", "c-used used 0 0", "c-zero no_benefit 1445 0"});
}

TEST_CASE("coupons that exclude other discounts compete with them, and the cheapest way wins") {
  const auto with = [](std::int64_t coupon, std::int64_t promotion, bool promotion_allows) {
    return book_with([=](PriceBook& b) {
      b.benefits = {{.id = "gold", .discount_bp = 100}};
      b.promotions = {{.id = "p",
                       .form = DiscountForm::amount,
                       .value = promotion,
                       .allows_coupons = promotion_allows}};
      b.coupons = {{.id = "shy", .value = coupon, .group = 1, .allows_promotions = false},
                   {.id = "proud", .value = coupon, .group = 2, .allows_member = false}};
    });
  };
  struct Row {
    const char* name;
    std::int64_t coupon, promotion;
    bool promotion_allows;
    const char* owned;
    const char* lines;
  };
  const Row rows[] = {
      {"the promotion saves more", 300, 500, true, "shy",
       "face+10000 markup-50 member-99 promotion-500"},
      {"the coupon saves more", 700, 500, true, "shy", "face+10000 markup-50 member-99 coupon-700"},
      {"as much: the promotion, and the coupon is kept", 500, 500, true, "shy",
       "face+10000 markup-50 member-99 promotion-500"},
      {"the member discount gives way", 300, 500, true, "proud",
       "face+10000 markup-50 promotion-500 coupon-300"},
      {"the member discount stays", 98, 500, true, "proud",
       "face+10000 markup-50 member-99 promotion-500"},
      {"a flash sale that allows no coupon", 300, 500, false, "proud",
       "face+10000 markup-50 member-99 promotion-500"},
      {"a dear coupon beats the flash sale", 900, 500, false, "proud",
       "face+10000 markup-50 coupon-900"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const PriceBook book = with(row.coupon, row.promotion, row.promotion_allows);
    BuyerFacts facts;
    facts.level_id = "gold";
    facts.coupons = {{"c1", row.owned}};
    const auto got = quote(book, prepare(book, facts), for_p1());
    REQUIRE(got);
    CHECK(effects(*got) == row.lines);
  }
}

TEST_CASE("the buyer may choose: none, or these and no others") {
  const PriceBook book = book_with([](PriceBook& b) {
    b.coupons = {{.id = "five", .value = 500, .group = 1},
                 {.id = "four", .value = 400, .group = 1}};
  });
  BuyerFacts facts;
  facts.coupons = {{"a", "five"}, {"b", "four"}};
  const Buyer buyer = prepare(book, facts);
  QuoteRequest request = for_p1();
  request.coupon_choice = CouponChoice::none;
  CHECK(quote(book, buyer, request)->payable == fen(9'950));
  CHECK(reasons(book, *quote(book, buyer, request)) ==
        "coupon:not_chosen(0,0) coupon:not_chosen(0,0)");
  request.coupon_choice = CouponChoice::these;
  request.coupon_ids = {"b"};
  CHECK(quote(book, buyer, request)->payable == fen(9'550));
  request.coupon_ids = {"a", "b"};  // of one group
  CHECK(quote(book, buyer, request).error().reason == "coupon_not_usable");
}

TEST_CASE("what the recipient gets, which account, and whether a person looks first") {
  const PriceBook book =
      book_with([](PriceBook& b) { b.limits = {{.id = "l", .review_from_minor = 19'900}}; });
  const auto thai = quote(book, for_thai(25'000));
  REQUIRE(thai);
  CHECK(thai->delivered == Money{23'365, kBaht});  // 93.46 × 2.5, rounded down
  CHECK(thai->face == Money{25'000, kBaht});
  CHECK(thai->account == "+66812345678");
  CHECK_FALSE(thai->needs_review);
  QuoteRequest fuel = for_p1();
  fuel.product_id = ProductId("fuel");
  fuel.account_number = "1000 1132 0000 0123 456";
  const auto card = quote(book, fuel);
  REQUIRE(card);
  CHECK(card->account == "1000113200000123456");
  CHECK(card->account_masked == "1000****3456");
  CHECK(card->needs_review);
  QuoteRequest pin = for_p1();
  pin.product_id = ProductId("pin");
  pin.account_number = "";
  const auto shown = quote(book, pin);
  REQUIRE(shown);
  CHECK(shown->account.empty());
}

TEST_CASE("the text is canonical, and the slots say the same in numbers") {
  const PriceBook book = book_with([](PriceBook& b) {
    b.coupons = {{.id = "five", .version = 2, .value = 500, .group = 1}};
    b.promotions = {{.id = "thai", .version = 3, .scope = {.country = "TH"}, .value = 100}};
  });
  BuyerFacts facts;
  facts.coupons = {{"c1", "five"}};
  const Buyer buyer = prepare(book, facts);
  const auto got = quote(book, buyer, for_p1());
  REQUIRE(got);
  CHECK(
      quote_text(book, buyer, *got) ==
      R"({"product_id":"p1","account_masked":"138****5678","face":{"minor":10000,"currency":"CNY"},)"
      R"("list":{"minor":9950,"currency":"CNY"},"payable":{"minor":9450,"currency":"CNY"},)"
      R"("saved":{"minor":500,"currency":"CNY"},"delivered":{"minor":10000,"currency":"CNY"},"lines":[)"
      R"({"word":"face","rule_id":"","rule_version":0,"rate_bp":0,"effect":{"minor":10000,"currency":"CNY"},"remainder":0},)"
      R"({"word":"markup","rule_id":"default","rule_version":4,"rate_bp":9950,"effect":{"minor":-50,"currency":"CNY"},"remainder":0},)"
      R"({"word":"coupon","rule_id":"five","rule_version":2,"coupon_id":"c1","rate_bp":0,"effect":{"minor":-500,"currency":"CNY"},"remainder":0}],)"
      R"("not_applied":[{"word":"promotion","rule_id":"thai","rule_version":3,"why":"wrong_product","need":0,"have":0}],)"
      R"("needs_review":false,"expires_at_ms":1790000900000,"fingerprint":")" +
          fingerprint_text(*got) + R"(","price_book_version":7})");
  std::array<std::int64_t, 64> slots{};
  const std::size_t size = write_slots(*got, slots.data(), slots.size());
  CHECK(size == kQuoteHead + 5 * 4);
  CHECK(slots[1] == 9'450);
  CHECK(slots[10] == 3);
  CHECK(slots[11] == 1);
  CHECK(slots[kQuoteHead + 13] == -500);
  CHECK(write_slots(*got, slots.data(), size - 1) == 0);
}

TEST_CASE(
    "a fingerprint changes with what the buyer sees and not with a book that changes nothing") {
  const auto first = quote(book_with(), for_p1());
  CHECK(quote(book_with([](PriceBook& b) { b.version = 8; }), for_p1())->fingerprint ==
        first->fingerprint);
  QuoteRequest later = for_p1();
  later.now_ms += 60'000;
  CHECK(quote(book_with(), later)->fingerprint == first->fingerprint);
  CHECK(quote(book_with([](PriceBook& b) { rule_of(b).rate_bp = 9'951; }), for_p1())->fingerprint !=
        first->fingerprint);
  QuoteRequest other = for_p1();
  other.account_number = "13812345679";
  CHECK(quote(book_with(), other)->fingerprint != first->fingerprint);
}
