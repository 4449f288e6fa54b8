// A channel's fund-flow bill against our books. The trade bill says what happened, the fund flow
// what the account moved by: the account of ours follows the fund flow. A reference agrees when the
// fund flow repeats what the account holds for it after the trade bill's run, or what the trade
// bill said before a person took it back. What carries no reference of ours, such as a withdrawal,
// is paired with what people booked, by amount and time. Pure; the same input gives the same
// result.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/payments/channel.h"
#include "server/reconcile/matcher.h"
#include "shared/money.h"

namespace topup::reconcile {

// How long after a movement people may still book it, by its day.
inline constexpr std::int64_t kEntryDays = 7;

// The movements as lines of a run: payments and refunds, each with its fee, and the rest one by
// one, named by their flow_no. In the order of the bill. What a fee is of may have one number for a
// payment and its refunds: then what was kept is the payment's, what was given back a refund's.
std::vector<Theirs> fold_funds(const std::vector<payments::FundLine>& lines);

// The account's balance before the first movement and after the last one, in whatever order lines
// of one moment stand; nullopt without lines.
struct Ends {
  Money opening, closing;
};
std::optional<Ends> ends_of(const std::vector<payments::FundLine>& lines);

// What the trade bills around a day said of one reference, and where their runs left it. Signed as
// the account moves.
struct TradeSaid {
  std::int64_t lines = 0;
  std::int64_t fee_minor = 0;                        // of the lines
  std::int64_t carried_minor = 0, waived_minor = 0;  // of differences other than of a fee
  std::int64_t waived_fee_minor = 0;                 // of those
  std::int64_t amount_minor = 0;                     // of the last line; without any, as we have it
  Stand stand = Stand::done;                         // of the last line
  std::string their_number, order_id;
  std::string payment;  // ours, of a refund that no line has
  Currency currency = Currency::cny;
  std::int64_t at_ms = 0;
  bool has_difference = false;
};
using Trade = std::map<std::pair<Side, std::string>, TradeSaid>;

// Lines under the numbers that the trade bill has for them, those it lists several times as one,
// and refunds that were on their way as such. A refund that carries its payment's number is that
// one of the payment's refunds which has its amount, or else the first that no line is.
std::vector<Theirs> as_traded(const std::vector<Theirs>& lines, const Trade& trade);
// Our record as the account has it, after the trade bill's run.
Ours as_accounted(Ours record, const TradeSaid& said);
// A reference that only the trade bill knew.
Ours only_traded(Side side, const std::string& number, const TradeSaid& said);

// What carries no reference: a movement of theirs, or what a person booked on the account.
struct Unnamed {
  Side side = Side::withdrawal;
  std::string number;  // flow_no, or of the posting
  Money amount;
  std::string word;
  std::int64_t at_ms = 0;
};
// Movement to entry, by their numbers: each movement in order takes the first entry of its side and
// amount that nobody took, booked on its day or up to kEntryDays later.
std::map<std::string, std::string> pair_unnamed(std::vector<Unnamed> moved,
                                                std::vector<Unnamed> booked);

// nullopt: the balance is that of before and the movements since.
std::optional<Difference> balance_difference(const std::vector<Theirs>& lines, Money before,
                                             Money closing);

}  // namespace topup::reconcile
