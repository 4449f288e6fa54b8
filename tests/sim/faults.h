// What goes wrong in one run. Each seed draws its own rates, many of them zero (swarm), so that
// runs differ in kind and not only in luck. Healing sets every rate to zero.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tests/support/seeded_random.h"

namespace topup::sim {

enum class Fault : std::uint8_t {
  crash,              // the process dies at a crash point, per 10,000
  request_loss,       // a request to a party never arrives, per cent
  reply_loss,         // it arrived, the answer does not
  late_arrival,       // the caller gave up long before it arrives
  notice_loss,        // a notification or callback is lost
  notice_duplicate,   // it comes twice
  notice_delay,       // it comes up to ten minutes late
  wrong_amount,       // the channel reports another sum than was asked for
  forged,             // an attacker notifies
  late_payment,       // paid after the sheet should be closed
  double_payment,     // paid through two sheets
  cancel_race,        // cancelled while it is being paid
  clock_jump,         // the wall clock of the shop jumps up to an hour, in either direction
  freeze,             // the process stands still before a request leaves
  supplier_reject,    // a definite no
  supplier_held,      // our balance, their line: nothing was taken on
  supplier_slow,      // accepted first, delivered up to half an hour later
  supplier_turncoat,  // says "rejected" after it said "delivered"
  refund_refused,     // not enough money at the channel, for now
  preempt,            // a thread waits before a transaction, and others go first
  refund_abnormal,    // the channel cannot pay the buyer back by itself
  wallet_payment,     // an order is paid from its buyer's wallet
  wallet_adjusted,    // staff take from a wallet, or give, while orders hold its money
};
inline constexpr std::size_t kFaultCount = static_cast<std::size_t>(Fault::wallet_adjusted) + 1;
std::string_view to_word(Fault fault);
std::optional<Fault> parse_fault(std::string_view word);

enum class Profile : std::uint8_t {
  swarm,
  all_callbacks_lost,
  no_dedup_supplier,
  clock,
  pg,  // swarm on PostgreSQL
  calm,
  file,  // swarm on the store's own SQLite file, with its threads
};
std::string_view to_word(Profile profile);
std::optional<Profile> parse_profile(std::string_view word);

class Faults {
 public:
  static Faults draw(testing::SeededRandom& chance, Profile profile);
  std::int64_t rate(Fault fault) const { return rates_[static_cast<std::size_t>(fault)]; }
  void set(Fault fault, std::int64_t rate) { rates_[static_cast<std::size_t>(fault)] = rate; }
  void heal();  // but callbacks that are all lost stay so
  bool supplier_deduplicates = true;
  bool shop_reviews = false;    // large orders wait for a person
  bool two_nodes = false;       // the shop has two processes on one store
  bool has_midnight = false;    // the business day ends while orders come
  bool has_bills = false;       // the run goes on until the days' bills are compared
  bool has_wallets = false;     // buyers may pay from one
  std::int64_t bill_slips = 0;  // lines of a bill that say something else, per cent

 private:
  std::array<std::int64_t, kFaultCount> rates_{};
};

}  // namespace topup::sim
