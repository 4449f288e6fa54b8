// Price books, buyers and requests drawn from a seed: the same seed gives the same ones on every
// machine. For properties of pricing and for holding the native core against the WebAssembly one.
#pragma once

#include <cstdint>
#include <string>

#include "shared/price_book.h"
#include "shared/pricing.h"

namespace topup::testing {

// splitmix64.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  std::int64_t between(std::int64_t least, std::int64_t most);  // both included
  bool one_in(int n) { return between(1, n) == 1; }

 private:
  std::uint64_t state_;
};

struct BookShape {
  int products = 20;
  int promotions = 6;
  int coupon_templates = 6;
  bool thresholds = true;  // least spends, windows and scopes; without, every rule always applies
};

PriceBook random_book(Dice& dice, const BookShape& shape = {});
BuyerFacts random_buyer(Dice& dice, const PriceBook& book, int coupons);
QuoteRequest random_request(Dice& dice, const PriceBook& book, const BuyerFacts& facts);

// The same as JSON for the border's calls set_buyer and quote.
std::string buyer_json(const BuyerFacts& facts);
std::string request_json(const QuoteRequest& request);
std::string hex_of(std::string_view bytes);

}  // namespace topup::testing
