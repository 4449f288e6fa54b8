// Mistakes that a shop like this could make, planted one at a time around the real services: at the
// ports, at the statements, at the restart. The simulator is trusted because it catches each. They
// exist in this program only.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "server/storage/db.h"
#include "tests/sim/faults.h"

namespace topup::sim {

enum class Bug : std::uint8_t {
  none,
  notice_counted_twice,    // a payment is settled whatever became of it before
  amount_unchecked,        // whatever was paid is taken for what was asked
  sent_before_mark,        // the supplier is called before "sent" is durable
  resubmit_new_number,     // no answer: the order is sent again under a new reference
  resubmit_same_number,    // no answer: sent again under the same, whoever the supplier is
  refund_new_number,       // each try of a refund has a number of its own
  refund_on_timeout,       // no answer of a supplier is taken for "no"
  memory_queue,            // jobs do not outlive the process
  signature_unchecked,     // notifications are believed
  late_payment_ignored,    // money for a closed attempt is not looked at
  callback_flips_success,  // a supplier's callback is believed after the end
  ack_before_commit,       // a notification is acknowledged before it is durable
  not_found_at_once,       // a supplier that does not know the reference yet is believed
  window_by_wall_clock,    // "not found" counts by the time of day
  half_transaction,        // what was done before a crash stays
  no_active_query,         // nobody asks the channel
  suspense_not_posted,     // unexplained money is not booked
  audit_row_missing,       // a delivery leaves no trace
  duplicate_kept,          // a second payment is booked and not given back
  processing_is_success,   // a refund that was accepted is taken for done
  refusal_is_final,        // a refund that must wait is given up
  lease_ignored,           // a late holder still sends
  key_per_try,             // a repeated request is a new order
  cost_forgotten,          // what a delivery cost is not booked
  balance_drifts,          // a balance is not moved with its posting
  closed_unasked,          // the sheet is closed here, not at the channel, and money after it lost
  number_mistaken,         // now and then another number is topped up
  refund_forgotten,        // the refund of an undelivered order is planned in memory only
  review_skipped,          // a large order goes on without anybody having looked
  review_never_ends,       // what nobody decides waits for ever
  loss_not_booked,         // what was delivered is given back, and stays revenue
  coupon_not_held,         // an order does not keep its coupon from others
  stock_not_counted,       // nor its piece of a stock
  pin_answered_first,      // a PIN is marked a moment after it was given
  pin_not_returned,        // what an order held stays away when the order ends
  pin_returned_twice,      // what was delivered comes back with what was held
  lease_by_time,           // whoever stood still believes the lease it remembers
  schedule_on_both,        // each node has a clock of its own for what is done once
  fees_not_booked,         // what a channel keeps stays in the books
  bill_line_lost,          // the refunds of a bill are not read
  difference_unseen,       // an amount that differs is not told of
  resolution_not_kept,     // money moves, and the difference stays as it was
  taken_back_too_late,     // the buyer takes the money back of what may have left
  hold_captured_twice,     // each yes at a wallet takes the money again
  hold_released_twice,     // each close of a wallet's sheet gives it back again
  hold_left,               // a closed sheet still holds the money
  wallet_checked_early,    // a balance is read, and held of, before the wallet is locked
  wallet_not_returned,     // a refund to a wallet is told, and not done
  wallet_returned_twice,   // a refund that is asked for again is done again
  hold_not_settled,        // what a hold held is free again or taken, and the hold stands
};
inline constexpr std::size_t kBugCount = static_cast<std::size_t>(Bug::hold_not_settled) + 1;
std::string_view to_word(Bug bug);
std::optional<Bug> parse_bug(std::string_view word);
Profile profile_for(Bug bug);           // most need no other than swarm
std::uint64_t first_seed_for(Bug bug);  // the one that caught it last time

enum class Treatment : std::uint8_t { run, drop };

// What a bug does to the statements of one transaction; made anew for each.
class StatementBug {
 public:
  explicit StatementBug(Bug bug) : bug_(bug) {}
  // May replace *sql. Dropped: it is not run, and "0 rows" is the answer.
  Treatment treat(std::string_view table, std::string* sql,
                  std::initializer_list<storage::Value> values);

 private:
  Treatment treat_bills(std::string_view table, std::string* sql,
                        std::initializer_list<storage::Value> values);
  Treatment dropped_journal(std::string_view table, std::initializer_list<storage::Value> values,
                            std::string_view name);
  Bug bug_;
  bool is_after_duplicate_ = false;
  bool drops_entry_ = false;
  bool drops_journal_ = false;
  bool is_after_rejection_ = false;
};

std::string_view text_of(std::initializer_list<storage::Value> values, std::size_t index);

}  // namespace topup::sim
