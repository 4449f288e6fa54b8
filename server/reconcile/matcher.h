// What a party's statement of one business day says against what our books say: pure, so that the
// same day compared again gives the same result. A party is a payment channel or a supplier; its
// account is what it holds for us. Every amount here is signed as it moves that account: a payment
// +, a refund −, a supplier's charge −, a fee −. For each reference the difference is what the
// account must move by to agree with the party. A fund flow, which lists the movements of that very
// account, is matched the same way (funds.h). Sources: design of features F037 and F038, threat
// L-03.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/money.h"

namespace topup::reconcile {

enum class Side : std::uint8_t {  // stored as words
  payment,
  refund,
  charge,
  withdrawal,  // from the channel to the bank
  movement     // of the account, with no reference of ours
};
enum class Stand : std::uint8_t {
  done,     // the money moved
  pending,  // not final; a bill keeps the word of the moment it was made
  stuck,    // final nowhere: the money left and did not arrive
  failed    // final: nothing moved
};

struct Theirs {
  Side side = Side::payment;
  std::string number;  // ours, as they keep it; "" when they do not say
  std::string their_number;
  Money amount;             // signed
  bool says_amount = true;  // false: it lists the reference without one, and none is compared
  Money fee;                // of the line: what they kept is negative
  std::string payee;
  std::string word;  // of the state, as they say it
  Stand stand = Stand::done;
  std::int64_t at_ms = 0;
};

struct Ours {
  Side side = Side::payment;
  std::string number, order_id;
  Money amount;  // signed: as our record of it says; 0 when it says none
  Money booked;  // signed: as the ledger says, in the party's account
  // What of `booked` a person took back, since the party is to correct its earlier word: it may
  // repeat that word, or not.
  std::int64_t waived_minor = 0, waived_fee_minor = 0;
  std::optional<Money> fee;  // signed: as booked; without it the contract's counts
  std::string payee;
  std::string word;
  Stand stand = Stand::pending;
  std::int64_t at_ms = 0;
};

enum class Kind : std::uint8_t {  // stored as words
  missing_ours,                   // a line whose reference we do not know
  missing_theirs,                 // ours, without a line
  amount_differs,                 // of both, or of the line and our ledger
  duplicate_theirs,               // a second line of one reference
  refund_state_differs,           // a refund done for one side only
  refund_missing,                 // our refund, without a line
  day_edge,                       // the two sides date it on different days: no money is missing
  fee_differs,                    // not the fee of the contract
  wrong_payee,                    // it went to another merchant's account
  state_differs,                  // a payment or charge done for one side only
  balance_differs                 // their balance is not that of before and what moved it since
};
inline constexpr int kKinds = 11;
std::string_view to_word(Kind kind);
std::string_view to_word(Side side);
std::optional<Kind> kind_of(std::string_view word);
std::optional<Side> side_of(std::string_view word);

struct Difference {
  Kind kind = Kind::missing_ours;
  Side side = Side::payment;
  std::string number;     // the reference; theirs when they do not say ours
  std::int64_t copy = 0;  // 1, 2 … of a duplicate
  std::string order_id, payee;
  std::optional<Money> ours, theirs;
  std::string ours_word, theirs_word;
  std::int64_t ours_at_ms = 0, theirs_at_ms = 0;
  Money move;            // what the account must move by; 0: no money is in question
  bool is_over = false;  // explained by itself: a day edge whose other half was found
};

// A reference that the statement of a neighbouring day has.
struct Neighbour {
  Side side = Side::payment;
  std::string number;
};

struct Terms {
  std::int64_t from_ms = 0, until_ms = 0;  // the business day
  // The neighbours' statements were read: what is not in them is missing, not merely late.
  bool has_before = false, has_after = false;
  std::int64_t edge_ms = 10 * 60'000;  // how far clocks and notices may lie apart at midnight
  std::int64_t fee_bp = -1;            // of the contract; negative: not known, no fee is compared
  std::int64_t slack_minor = 0;        // what a statement that rounds may be off by, each line
  // The lines are movements: a difference moves their fees as well. Otherwise fees are booked by
  // the day, from the statement (see book_fees).
  bool moves_fees = false;
};

struct Matched {
  std::int64_t lines = 0, agreed = 0;
  std::vector<Difference> differences;  // by side, number, copy
};

// `ours`: what we booked within the day, and whatever else the statement names. Linear but for
// sorting.
Matched match(const std::vector<Theirs>& theirs, const std::vector<Ours>& ours,
              const std::vector<Neighbour>& neighbours, const Terms& terms);

// A fee by the contract, signed as `amount`'s opposite: −60 for +10000 at 60 bp.
std::int64_t contract_fee(Money amount, std::int64_t fee_bp);

}  // namespace topup::reconcile
