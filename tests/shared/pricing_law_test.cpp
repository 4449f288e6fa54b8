// What holds for every price, drawn from seeds: the laws that pricing.h and coupon.h promise.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <vector>

#include "shared/price_book.h"
#include "shared/pricing.h"
#include "tests/support/random_prices.h"

using namespace topup;
using topup::testing::BookShape;
using topup::testing::Dice;

namespace {

constexpr int kRequestsPerBook = 60;

// Runs `holds(book, buyer, request, quote)` for many priced requests of one random book.
template <class Law>
void for_prices(std::uint64_t seed, const BookShape& shape, int coupons, Law holds) {
  Dice dice(seed);
  const PriceBook book = random_book(dice, shape);
  for (int i = 0; i < kRequestsPerBook; ++i) {
    const BuyerFacts facts = random_buyer(dice, book, coupons);
    const Buyer buyer = prepare(book, facts);
    const QuoteRequest request = random_request(dice, book, facts);
    Quote priced;
    if (list_price_into(book, buyer, request, &priced)) holds(book, buyer, request, priced);
  }
}

std::int64_t sum_of(const Quote& priced, bool with_fees) {
  std::int64_t sum = 0;
  for (const QuoteLine& line : priced.lines) {
    if (with_fees || line.word != LineWord::fee) sum += line.effect_minor;
  }
  return sum;
}

std::int64_t fees_of(const Quote& priced) { return sum_of(priced, true) - sum_of(priced, false); }

template <class Row>
void shuffle(Dice& dice, std::vector<Row>& rows) {
  for (std::size_t i = rows.size(); i > 1; --i) {
    std::swap(rows[i - 1],
              rows[static_cast<std::size_t>(dice.between(0, static_cast<std::int64_t>(i) - 1))]);
  }
}

}  // namespace

TEST_CASE(
    "B-07: the lines add up, and the buyer pays something but never more than list and fees") {
  int priced_count = 0;
  int reviewed = 0;
  CHECK(rc::check("lines", [&](std::uint64_t seed) {
    for_prices(seed, {}, 6, [&](const auto&, const auto&, const auto&, const Quote& priced) {
      ++priced_count;
      reviewed += priced.needs_review ? 1 : 0;
      RC_ASSERT(sum_of(priced, true) == priced.payable.minor);
      RC_ASSERT(priced.payable.minor > 0);
      RC_ASSERT(priced.payable.minor <= priced.list_minor + fees_of(priced));
      RC_ASSERT(priced.saved_minor == priced.list_minor - sum_of(priced, false));
      RC_ASSERT(std::is_sorted(
          priced.lines.begin(), priced.lines.end(), [](const QuoteLine& a, const QuoteLine& b) {
            const auto step = [](LineWord word) {  // a card's benefit stands in the member's place
              return word == LineWord::card ? LineWord::member : word;
            };
            return step(a.word) < step(b.word);
          }));
    });
  }));
  CHECK(priced_count > 1'000);  // the generator does not draw refusals only
  CHECK(reviewed > 0);
}

TEST_CASE("law: nothing is sold below cost and margin unless its rule allows it") {
  int guarded = 0;
  CHECK(rc::check("margin", [&](std::uint64_t seed) {
    for_prices(seed, {}, 6, [&](const PriceBook& book, const auto&, const auto&, const Quote& out) {
      const Product& product = book.products[out.product_index];
      const PriceRule& rule = book.rules[product.rule_index];
      if (product.cost.minor == 0 || rule.allow_below_cost) return;
      // price × face × (rate's units) >= cost × amount × rate × (1 + margin), without a division
      const bool exchanged = product.cost.currency != book.currency;
      const __int128 scaled = exchanged ? book.find_rate(product.cost.currency)->scaled : kRateOne;
      const __int128 amount = product.is_range() ? out.face.minor : 1;
      const __int128 face = product.is_range() ? product.face.minor : 1;
      const __int128 least = __int128{product.cost.minor} * amount * scaled *
                             (kBasisPointsPerWhole + rule.least_margin_bp);
      const __int128 got = __int128{sum_of(out, false)} * face * kRateOne * kBasisPointsPerWhole;
      RC_ASSERT(got >= least);
      ++guarded;
    });
  }));
  CHECK(guarded > 200);
}

TEST_CASE("law: one more coupon never raises the price, and none is spent for nothing") {
  int with_coupons = 0;
  CHECK(rc::check("coupons", [&](std::uint64_t seed) {
    for_prices(seed, {}, 8,
               [&](const PriceBook& book, const Buyer& buyer, QuoteRequest request, const Quote&) {
                 request.coupon_choice = CouponChoice::best;
                 request.coupon_ids.clear();
                 Quote all;
                 if (!list_price_into(book, buyer, request, &all)) return;
                 BuyerFacts fewer = buyer.facts;
                 fewer.coupons.pop_back();
                 Quote without;
                 if (!list_price_into(book, prepare(book, fewer), request, &without)) return;
                 RC_ASSERT(all.payable.minor <= without.payable.minor);
                 for (const QuoteLine& line : all.lines) {
                   if (line.word != LineWord::coupon) continue;
                   RC_ASSERT(line.effect_minor < 0);
                   ++with_coupons;
                 }
               });
  }));
  CHECK(with_coupons > 200);
}

TEST_CASE("law: the best coupons are those that trying every subset finds") {
  int chosen = 0;
  CHECK(rc::check("brute force", [&](std::uint64_t seed) {
    Dice dice(seed);
    BookShape shape;
    shape.products = 4;
    shape.promotions = 3;
    const PriceBook book = random_book(dice, shape);
    for (int i = 0; i < 4; ++i) {
      const BuyerFacts facts = random_buyer(dice, book, 6);
      const Buyer buyer = prepare(book, facts);
      QuoteRequest request = random_request(dice, book, facts);
      request.coupon_choice = CouponChoice::best;
      request.coupon_ids.clear();
      Quote best;
      if (!list_price_into(book, buyer, request, &best)) continue;
      std::int64_t least = INT64_MAX;
      request.coupon_choice = CouponChoice::these;
      for (unsigned subset = 0; subset < 64; ++subset) {
        request.coupon_ids.clear();
        for (unsigned k = 0; k < 6; ++k) {
          if ((subset & (1U << k)) != 0) request.coupon_ids.push_back(facts.coupons[k].id);
        }
        Quote tried;
        if (!list_price_into(book, buyer, request, &tried)) continue;
        least = std::min(least, tried.payable.minor);
      }
      RC_ASSERT(best.payable.minor == least);
      chosen += std::any_of(best.lines.begin(), best.lines.end(),
                            [](const QuoteLine& line) { return line.word == LineWord::coupon; });
    }
  }));
  CHECK(chosen > 50);
}

TEST_CASE("B-07: without thresholds a larger amount never costs less") {
  int compared = 0;
  CHECK(rc::check("monotone", [&](std::uint64_t seed) {
    BookShape shape;
    shape.thresholds = false;
    for_prices(
        seed, shape, 5,
        [&](const PriceBook& book, const Buyer& buyer, QuoteRequest request, const Quote& priced) {
          const Product& product = book.products[priced.product_index];
          if (!product.is_range() || priced.face.minor == product.most_minor) return;
          request.amount_minor = priced.face.minor + product.step_minor;
          Quote more;
          if (!list_price_into(book, buyer, request, &more)) return;
          RC_ASSERT(more.payable.minor >= priced.payable.minor);
          RC_ASSERT(more.delivered.minor >= priced.delivered.minor);
          ++compared;
        });
  }));
  CHECK(compared > 200);
}

TEST_CASE("law: the order in which a book was put together changes no byte and no price") {
  CHECK(rc::check("permutation", [](std::uint64_t seed) {
    Dice dice(seed);
    const PriceBook book = random_book(dice);
    PriceBook shuffled = book;
    shuffle(dice, shuffled.rules);
    shuffle(dice, shuffled.benefits);
    shuffle(dice, shuffled.promotions);
    shuffle(dice, shuffled.coupons);
    shuffle(dice, shuffled.fees);
    shuffle(dice, shuffled.countries);
    shuffle(dice, shuffled.rates);
    RC_ASSERT(encode(canonical(shuffled)) == encode(book));

    BuyerFacts facts = random_buyer(dice, book, 6);
    const QuoteRequest request = random_request(dice, book, facts);
    const auto one = quote(book, prepare(book, facts), request);
    shuffle(dice, facts.coupons);
    const auto two = quote(canonical(shuffled), prepare(book, facts), request);
    RC_ASSERT(one.has_value() == two.has_value());
    if (one) {
      RC_ASSERT(one->payable == two->payable);
      RC_ASSERT(one->fingerprint == two->fingerprint);
    } else {
      RC_ASSERT(one.error().reason == two.error().reason);
    }
  }));
}

TEST_CASE("law: a book survives its bytes, and products and operators may come in any order") {
  CHECK(rc::check("bytes", [](std::uint64_t seed) {
    Dice dice(seed);
    const PriceBook book = random_book(dice);
    const std::string bytes = encode(book);
    const auto back = decode(bytes);
    RC_ASSERT(back.has_value());
    RC_ASSERT(encode(*back) == bytes);
    RC_ASSERT(back->promotion_order == book.promotion_order);
    for (std::size_t i = 0; i < book.products.size(); ++i) {
      RC_ASSERT(back->products[i].rule_index == book.products[i].rule_index);
    }
    RC_ASSERT(encode(canonical(*back)) == bytes);
    std::string damaged = bytes;
    damaged[static_cast<std::size_t>(
        dice.between(0, static_cast<std::int64_t>(bytes.size()) - 1))] ^= 0x10;
    RC_ASSERT(!decode(damaged).has_value());
    RC_ASSERT(!decode(bytes.substr(0, bytes.size() / 2)).has_value());
  }));
}

TEST_CASE(
    "law: the same price from a newer book has the same fingerprint; another price does not") {
  CHECK(rc::check("fingerprint", [](std::uint64_t seed) {
    for_prices(seed, {}, 4,
               [](const PriceBook& book, const Buyer& buyer, const QuoteRequest& request,
                  const Quote& priced) {
                 PriceBook newer = book;
                 newer.version += 1;
                 newer.published_at_ms += 5;
                 Quote again;
                 RC_ASSERT(list_price_into(newer, buyer, request, &again).has_value());
                 RC_ASSERT(again.fingerprint == priced.fingerprint);
                 PriceRule& rule = newer.rules[newer.products[priced.product_index].rule_index];
                 rule.fee_minor += 1'000;
                 rule.price_minor += 1'000;
                 if (!list_price_into(newer, buyer, request, &again)) return;
                 if (again.payable != priced.payable)
                   RC_ASSERT(again.fingerprint != priced.fingerprint);
               });
  }));
}
