// Who stands before the shop: buyers that place, pay, pay twice, pay late, give up, and an attacker
// who notifies in a channel's name. Each buyer's plan is drawn from the seed and the number of the
// order alone, so that leaving one out leaves the others as they were. Some pay from their wallet,
// all three orders of a buyer from one; who finds too little in it waits for more, or pays
// otherwise.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/shop.h"

namespace topup::sim {

// Each buyer has one coupon, for as many orders as they like to try it on; a third of the orders
// want a piece of a stock that has few.
inline constexpr std::int64_t kListBp = 9'950;  // of the face
inline constexpr std::int64_t kCouponMinor = 200;
inline constexpr std::string_view kScarce = "scarce";
inline constexpr std::int64_t kScarcePieces = 3;

struct Wish {  // one order as its buyer wants it
  int number = 0;
  UserId user;
  std::string key, account;
  ProductId product;
  OrderId order;  // empty until the shop has answered
  Money payable;
  std::int64_t start_after_ms = 0, pay_after_ms = 0;
  bool pays = true, cancels = false, pays_twice = false, pays_late = false, is_attacked = false;
  bool comes_back = false;  // and opens another sheet
  bool uses_app = false;    // jsapi: each start is a sheet of its own
  bool checks_out = false;  // places and starts in one request
  std::vector<OutTradeNo> sheets;
  int tries = 0;
  std::int64_t list_minor = 0;
  bool wants_scarce = false, found_none = false;
  bool wants_pin = false;
  std::string seen_pin;  // the code that the buyer was shown
  bool from_wallet = false;
  int times_short = 0;  // the wallet had too little
};

class Buyers {
 public:
  Buyers(World& world, Shop& shop, Parties& parties, Bug bug)
      : world_(world), shop_(shop), parties_(parties), bug_(bug) {}

  // Orders first … first + count - 1, each coming within the first twenty minutes.
  void come(std::uint64_t seed, int first, int count);
  const std::vector<Wish>& wishes() const { return wishes_; }
  static UserId user_of(int number) { return UserId("buyer-" + std::to_string(number / 3)); }
  static std::string account_of(int number);

 private:
  void plan(std::uint64_t seed, int number);
  void place(std::size_t wish);
  orders::StartPayment sheet_of(const Wish& wish, std::size_t channel) const;
  void start(std::size_t wish, std::size_t channel);
  void at_the_sheet(std::size_t wish, std::size_t channel, const OutTradeNo& no);
  void cancel(std::size_t wish);
  void confirm(std::size_t wish);
  void look_at_pin(std::size_t wish);
  void attack(std::size_t wish);
  std::size_t outside(const Wish& wish) const { return static_cast<std::size_t>(wish.number % 2); }
  void at_the_wallet(std::size_t wish, const OutTradeNo& no);
  void say_yes(std::size_t wish, const OutTradeNo& no);
  void find_money(std::size_t wish);
  void try_again(std::size_t wish, void (Buyers::*what)(std::size_t));

  World& world_;
  Shop& shop_;
  Parties& parties_;
  Bug bug_;
  std::vector<Wish> wishes_;
  std::map<std::string, int> shown_;  // PIN → whose wish
};

}  // namespace topup::sim
