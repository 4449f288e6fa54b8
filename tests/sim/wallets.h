// Buyers' wallets in one run. Staff put money in and take money out, each sum asked for by one
// person and agreed to by another, while orders hold it; both do a thing again until the shop has
// answered, and look first whether it was done. And what must be true of every wallet: I12 at each
// commit that touches one (it is the sum of its entries, of its holds and of its part of the books,
// never below nothing, and each hold ends once), and at rest that it has what it was given less
// what its orders kept.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "server/storage/db.h"
#include "tests/sim/buyers.h"
#include "tests/sim/shop.h"
#include "tests/sim/world.h"

namespace topup::sim {

// What two people agreed to put in, less what they took out, by buyer, in fen.
using Granted = std::map<std::string, std::int64_t>;

inline constexpr std::string_view kBookkeeper = "bookkeeper", kDirector = "director";
void hire_bookkeepers(storage::Tx& tx, std::int64_t now_ms);

class Treasury {
 public:
  Treasury(World& world, Shop& shop) : world_(world), shop_(shop) {}
  // For each buyer who means to pay from a wallet.
  void come(std::uint64_t seed, const std::vector<Wish>& wishes);
  const Granted& granted() const { return granted_; }

 private:
  struct Sum {
    UserId user;
    bool takes = false;
    std::int64_t minor = 0, agree_after_ms = 0;
    std::string reason;  // no other has it
    int tries = 0;
  };
  void plan(std::uint64_t seed, const UserId& user);
  void plan_sum(const UserId& user, bool takes, std::int64_t minor, std::int64_t ask_after_ms,
                std::int64_t agree_after_ms);
  void ask(std::size_t sum);
  void agree(std::size_t sum);
  bool try_again(std::size_t sum, void (Treasury::*what)(std::size_t));

  World& world_;
  Shop& shop_;
  std::vector<Sum> sums_;
  Granted granted_;
};

struct HoldFacts {
  std::string user, state;
  std::int64_t amount = 0, captured = 0, refunded = 0;
};
struct WalletFacts {
  struct Balance {
    std::int64_t available = 0, held = 0;
    friend bool operator==(const Balance& a, const Balance& b) {
      return a.available == b.available && a.held == b.held;
    }
  };
  std::map<std::string, Balance> wallets, entered;  // by user: as it stands, and of its entries
  std::map<std::string, HoldFacts> holds;           // by out_trade_no
  std::map<std::string, Balance> moves;             // by "kind subject"
  Balance booked;                                   // what the books owe, as positive sums
};
WalletFacts wallets_of(storage::Reader& reader);

// Before a commit that touches a wallet.
void judge_wallets(World& world, storage::Reader& reader);
// When nothing will happen any more.
void judge_wallets_at_rest(World& world, storage::Reader& reader, const Granted& granted);

}  // namespace topup::sim
