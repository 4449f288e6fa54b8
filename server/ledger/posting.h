// A journal: balanced postings for one business event. It cannot be built unbalanced, with a line
// of nothing or on an account that the chart does not have (check()), and the database refuses such
// a one or a second one as well: (template, subject) is unique, so one event is posted once however
// often it is heard. Everything here is pure; amounts are given positive.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shared/money.h"

namespace topup::ledger {

struct Posting {
  std::string account;
  Money amount;  // debit positive, credit negative
  friend bool operator==(const Posting& a, const Posting& b) {
    return a.account == b.account && a.amount == b.amount;
  }
};

class Journal {
 public:
  // `name` is the template's stored word, `subject` the id of the event: out_trade_no, attempt_id,
  // out_refund_no.
  Journal(std::string_view name, std::string_view subject, std::vector<Posting> postings);
  const std::string& name() const { return name_; }
  const std::string& subject() const { return subject_; }
  const std::vector<Posting>& postings() const { return postings_; }
  std::string id() const { return name_ + ":" + subject_; }

 private:
  std::string name_, subject_;
  std::vector<Posting> postings_;
};

// The stored words of the templates.
namespace journal {
inline constexpr std::string_view kPayment = "payment";
inline constexpr std::string_view kFulfilment = "fulfilment";
inline constexpr std::string_view kRefund = "refund";
inline constexpr std::string_view kRefundByHand = "refund_by_hand";
inline constexpr std::string_view kRefundLoss = "refund_loss";
inline constexpr std::string_view kRefundLossReturned = "refund_loss_returned";
inline constexpr std::string_view kDeliveryReversed = "reversal";
inline constexpr std::string_view kSuspense = "suspense";
inline constexpr std::string_view kSuspenseSettled = "suspense_settled";
inline constexpr std::string_view kSuspenseMoved = "suspense_moved";
inline constexpr std::string_view kFee = "channel_fee";
inline constexpr std::string_view kSettlement = "settlement";
inline constexpr std::string_view kPayout = "payout";
inline constexpr std::string_view kSupplierTopUp = "supplier_topup";
inline constexpr std::string_view kAdjustment = "adjustment";
inline constexpr std::string_view kTakenBack = "taken_back";
}  // namespace journal

// Where a channel's money lies. `payee` is the merchant within the channel; "" for the shop's own.
struct Clearing {
  std::string_view channel;
  std::string_view payee = {};
};
std::string account_of(const Clearing& clearing);
std::string supplier_account(std::string_view supplier);
std::string bank_account(std::string_view bank);  // "" for the shop's only one

// ---- orders

// Also of a duplicate: its money is owed until it has gone back.
Journal payment_received(std::string_view out_trade_no, const Clearing& from, Money paid);
// `cost` null or 0: not known, or vouched for by a person.
Journal order_fulfilled(std::string_view subject, std::string_view supplier, Money worth,
                        const Money* cost);
Journal delivery_reversed(std::string_view subject, std::string_view supplier, Money worth,
                          const Money* cost);
// The whole or a part; and for all that was delivered already, the loss is booked first.
Journal order_refunded(std::string_view out_refund_no, const Clearing& from, Money refunded);
Journal refund_lost(std::string_view subject, Money refunded);
Journal refund_loss_returned(std::string_view subject, Money refunded);
// The channel will not carry it: it is paid out by another way, and the payout stands when the bank
// shows it.
Journal refund_by_hand(std::string_view out_refund_no, Money refunded);
Journal refund_paid_out(std::string_view subject, std::string_view bank, Money paid);

// ---- what nobody has explained

Journal payment_unexplained(std::string_view out_trade_no, const Clearing& from, Money paid);
// It was the order's after all; payment_received() follows.
Journal suspense_settled(std::string_view out_trade_no, const Clearing& from, Money paid);
// A line of a bill or statement that has no event of ours: the account moves, suspense answers. A
// negative amount leaves the account.
Journal account_unexplained(std::string_view subject, std::string_view account, Money amount);
// Explained by a person: out of suspense, to the account that it belongs to.
Journal suspense_moved(std::string_view subject, std::string_view account, Money amount);

// ---- channels, suppliers, bank

// A negative fee comes back with a refund.
Journal channel_fee(std::string_view subject, const Clearing& from, Money fee);
// What a channel paid out to the bank. `fee` may be 0: then it was kept from each payment.
Journal settled(std::string_view subject, const Clearing& from, std::string_view bank, Money net,
                Money fee);
// What left the bank and what it became at the supplier, in one currency or two.
Journal supplier_topped_up(std::string_view subject, std::string_view supplier,
                           std::string_view bank, Money paid, Money received);
// A correction between two accounts of the chart, in one currency.
Journal adjusted(std::string_view subject, std::string_view debit, std::string_view credit,
                 Money amount);

// The same accounts, the other sides: nothing posted is ever changed. Its subject is the id of what
// it takes back, so that nothing is taken back twice.
Journal taken_back(const Journal& posted);
Journal opposite(const Journal& posted, std::string_view name, std::string_view subject);

}  // namespace topup::ledger
