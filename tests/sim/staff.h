// Who stands behind the shop: a buyer who wants the money back, at once or by asking, the member of
// staff who gives back the whole or a part, and the one who decides on large orders or lets their
// time run out. Each does a thing again until the shop has answered, and looks first whether it was
// done. Drawn from the seed and the number of the order alone.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "tests/sim/buyers.h"
#include "tests/sim/shop.h"

namespace topup::sim {

// What was given back by hand of an order that had been delivered, as staff know it, in fen.
using GivenBack = std::map<std::string, std::int64_t>;

class Staff {
 public:
  Staff(World& world, Shop& shop, const Buyers& buyers, Bug bug)
      : world_(world), shop_(shop), buyers_(buyers), bug_(bug) {}

  void come(std::uint64_t seed, int first, int count);
  const GivenBack& given_back() const { return given_back_; }

 private:
  struct Plan {
    int number = 0;
    std::int64_t ask_after_ms = 0, give_after_ms = 0, review_after_ms = 0;
    bool asks = false, gives = false, reviews = false, approves = false;
    std::int64_t share_percent = 100;  // of what was paid
    std::int64_t take_after_ms = 0;
    bool takes_back = false;
    int tries = 0, looks = 0, review_looks = 0, take_looks = 0;
  };
  const Wish* wish_of(const Plan& plan) const;
  void ask(std::size_t plan);
  void take_back(std::size_t plan);
  void give_back(std::size_t plan);
  void review(std::size_t plan);
  bool try_again(std::size_t plan, void (Staff::*what)(std::size_t));

  World& world_;
  Shop& shop_;
  const Buyers& buyers_;
  Bug bug_;
  std::vector<Plan> plans_;
  GivenBack given_back_;
};

}  // namespace topup::sim
