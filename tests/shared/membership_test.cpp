#include "shared/membership.h"

#include <doctest/doctest.h>

namespace topup {
namespace {

Benefit level(std::string id, std::int64_t from) {
  Benefit one;
  one.id = std::move(id);
  one.growth_from = from;
  return one;
}

TEST_CASE("membership: growth is whole units of money, of any currency") {
  CHECK(growth_of(9'999, Currency::cny) == 99);
  CHECK(growth_of(-1, Currency::cny) == 0);
  CHECK(growth_of(120, Currency::jpy) == 120);
}

TEST_CASE("membership: the level is the highest reached, the next the lowest not reached") {
  PriceBook book;
  book.benefits = {level("gold", 1'000), level("plain", 0), level("silver", 200)};
  book.benefits.push_back(level("card", 0));
  book.benefits.back().is_card = true;
  const Standing low = standing_at(book, 199);
  CHECK(low.level->id == "plain");
  CHECK(low.next->id == "silver");
  CHECK(standing_at(book, 200).level->id == "silver");
  const Standing top = standing_at(book, 5'000);
  CHECK(top.level->id == "gold");
  CHECK(top.next == nullptr);
  book.benefits.clear();
  CHECK(standing_at(book, 5'000).level == nullptr);
}

}  // namespace
}  // namespace topup
