// What leaves the shop prices like the shop's own book and tells nothing of costs.
#include "shared/buyers_book.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>

#include "shared/pricing.h"
#include "tests/support/random_prices.h"

using namespace topup;
using topup::testing::Dice;

namespace {

Product product_of(const char* id, Money face, Money cost) {
  Product product;
  product.id = ProductId(id);
  product.face = product.delivered = face;
  product.cost = cost;
  return product;
}

PriceBook small_book(PriceRule rule) {
  PriceBook book;
  book.version = 1;
  book.countries = {{"CN", "中国", "China"}};
  book.operators = {
      {"cn-mobile", "中国移动", "China Mobile", "CN", MainlandOperator::mobile, CardIssuer::none}};
  book.rates = {{Currency::usd, Currency::cny, 720'000'000}};
  book.products = {product_of("cn-mobile-5000", fen(5'000), {677, Currency::usd}),
                   product_of("cn-mobile-9000", fen(9'000), {})};
  Product range = product_of("cn-mobile-range", fen(1'000), {131, Currency::usd});
  range.step_minor = 100;
  range.most_minor = 50'000;
  book.products.push_back(range);
  book.rules = {std::move(rule)};
  return canonical(book);
}

std::int64_t payable(const PriceBook& book, const char* id, std::int64_t amount = 0) {
  QuoteRequest request;
  request.product_id = ProductId(id);
  request.account_number = "13800138000";
  request.amount_minor = amount;
  const auto priced = quote(book, request);
  return priced ? priced->payable.minor : -1;
}

}  // namespace

TEST_CASE("law: the buyers' book prices as the shop's does, and holds no cost and no margin") {
  int compared = 0;
  CHECK(rc::check("buyers' book", [&](std::uint64_t seed) {
    Dice dice(seed);
    const PriceBook full = random_book(dice);
    const std::string bytes = encode(buyers_book(full));
    const PriceBook sold = *decode(bytes);
    RC_ASSERT(encode(canonical(sold)) == bytes);
    for (const Product& product : sold.products) RC_ASSERT(product.cost.minor == 0);
    for (const PriceRule& rule : sold.rules) {
      RC_ASSERT(rule.least_margin_bp == 0 && !rule.allow_below_cost);
      if (rule.form == RuleForm::of_cost) RC_ASSERT(rule.rate_bp == kBasisPointsPerWhole);
    }
    for (int i = 0; i < 60; ++i) {
      const BuyerFacts facts = random_buyer(dice, full, 5);
      const QuoteRequest request = random_request(dice, full, facts);
      Quote own, theirs;
      const bool is_priced = list_price_into(full, prepare(full, facts), request, &own).has_value();
      const auto again = list_price_into(sold, prepare(sold, facts), request, &theirs);
      const Product* product = full.find(request.product_id);
      if (!again) {
        // What cannot be priced at one of its amounts is not sold at any.
        RC_ASSERT(!is_priced || again.error().reason == "product_not_found");
        continue;
      }
      RC_ASSERT(is_priced);
      ++compared;
      const PriceRule& rule = full.rules[product->rule_index];
      const std::int64_t step = product->is_range() ? rule.step_minor : 0;
      RC_ASSERT(std::abs(theirs.list_minor - own.list_minor) <= step);
      if (theirs.list_minor == own.list_minor) RC_ASSERT(theirs.payable == own.payable);
    }
  }));
  CHECK(compared > 1'000);
}

TEST_CASE("buyers' book: a price made of a cost is told, the cost and the markup are not") {
  const PriceBook full = small_book({.id = "of_cost",
                                     .form = RuleForm::of_cost,
                                     .rate_bp = 10'730,
                                     .fee_minor = 37,
                                     .step_minor = 10,
                                     .round = Round::up,
                                     .least_margin_bp = 210});
  const PriceBook sold = buyers_book(full);
  CHECK(payable(full, "cn-mobile-5000") == payable(sold, "cn-mobile-5000"));
  CHECK(payable(sold, "cn-mobile-5000") == 5'270);  // 6.77 × 7.2 × 1.073 + 0.37, up to 0.1
  CHECK(sold.find(ProductId("cn-mobile-5000"))->price == 5'270);
  CHECK(sold.find(ProductId("cn-mobile-5000"))->least == 0);  // no discount could get there
  CHECK(sold.find(ProductId("cn-mobile-9000")) == nullptr);   // its cost is not known
  for (std::int64_t amount = 1'000; amount <= 50'000; amount += 100) {
    CHECK(payable(full, "cn-mobile-range", amount) == payable(sold, "cn-mobile-range", amount));
  }
}

TEST_CASE(
    "buyers' book: the margin guard is inside the price, and told where a discount reaches it") {
  PriceBook full = small_book({.id = "of_face", .rate_bp = 9'000, .least_margin_bp = 500});
  full.products[2].most_minor = 1'000;
  full = canonical(full);
  PriceBook sold = buyers_book(full);
  CHECK(sold.find(ProductId("cn-mobile-5000"))->price == payable(full, "cn-mobile-5000"));
  CHECK(payable(full, "cn-mobile-5000") == 5'119);  // 48.744 × 1.05, not 45.00
  CHECK(sold.find(ProductId("cn-mobile-9000"))->price == 0);
  full.rules[0].rate_bp = 12'000;
  CHECK(buyers_book(full).find(ProductId("cn-mobile-5000"))->least == 0);
  full.promotions = {{.id = "half", .value = 5'000}};
  full = canonical(full);
  sold = buyers_book(full);
  CHECK(sold.find(ProductId("cn-mobile-5000"))->least == 5'119);
  CHECK(payable(sold, "cn-mobile-5000") == payable(full, "cn-mobile-5000"));
}
