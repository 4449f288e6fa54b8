#include "server/ledger/posting.h"

#include <map>
#include <utility>

#include "server/ledger/chart.h"
#include "shared/check.h"

namespace topup::ledger {
namespace {

Money negative(Money amount) { return {-amount.minor, amount.currency}; }
std::string of(std::string_view account, std::string_view party) {
  std::string name(account);
  if (!party.empty()) name.append(".").append(party);
  return name;
}
std::string owed() { return std::string(account::kCustomerLiability); }
std::string suspense() { return std::string(account::kSuspense); }

// Debit `to`, credit `from`, the same amount.
std::vector<Posting> move(std::string to, std::string from, Money amount) {
  check(amount.minor > 0, "a posting moves a positive amount");
  return {{std::move(to), amount}, {std::move(from), negative(amount)}};
}
// A negative amount goes the other way.
std::vector<Posting> move_signed(std::string to, std::string from, Money amount) {
  return amount.minor < 0 ? move(std::move(from), std::move(to), negative(amount))
                          : move(std::move(to), std::move(from), amount);
}
void append(std::vector<Posting>& all, std::vector<Posting> more) {
  for (Posting& posting : more) all.push_back(std::move(posting));
}

std::vector<Posting> delivery(std::string_view supplier, Money worth, const Money* cost) {
  std::vector<Posting> postings = move(owed(), std::string(account::kRevenue), worth);
  if (cost != nullptr && cost->minor > 0) {
    append(postings, move(std::string(account::kCostOfSales), supplier_account(supplier), *cost));
  }
  return postings;
}

}  // namespace

Journal::Journal(std::string_view name, std::string_view subject, std::vector<Posting> postings)
    : name_(name), subject_(subject), postings_(std::move(postings)) {
  std::map<Currency, __int128> sums;
  for (const Posting& posting : postings_) {
    sums[posting.amount.currency] += posting.amount.minor;
    check(posting.amount.minor != 0, "a line of a journal moves something");
    check(family_of(posting.account) != nullptr, "a journal names accounts of the chart");
  }
  for (const auto& [currency, sum] : sums) check(sum == 0, "a journal balances in each currency");
  check(postings_.size() >= 2, "a journal has two sides");
  check(!name_.empty() && !subject_.empty(), "a journal is of an event");
}

std::string account_of(const Clearing& clearing) {
  check(!clearing.channel.empty(), "a channel has a name");
  return of(of(account::kChannelClearing, clearing.channel), clearing.payee);
}
std::string supplier_account(std::string_view supplier) {
  check(!supplier.empty(), "a supplier has a name");
  return of(account::kSupplierPrepaid, supplier);
}
std::string bank_account(std::string_view bank) { return of(account::kBank, bank); }

Journal payment_received(std::string_view out_trade_no, const Clearing& from, Money paid) {
  return {journal::kPayment, out_trade_no, move(account_of(from), owed(), paid)};
}

Journal order_fulfilled(std::string_view subject, std::string_view supplier, Money worth,
                        const Money* cost) {
  return {journal::kFulfilment, subject, delivery(supplier, worth, cost)};
}

Journal delivery_reversed(std::string_view subject, std::string_view supplier, Money worth,
                          const Money* cost) {
  return opposite(order_fulfilled(subject, supplier, worth, cost), journal::kDeliveryReversed,
                  subject);
}

Journal order_refunded(std::string_view out_refund_no, const Clearing& from, Money refunded) {
  return {journal::kRefund, out_refund_no, move(owed(), account_of(from), refunded)};
}

Journal refund_lost(std::string_view subject, Money refunded) {
  return {journal::kRefundLoss, subject, move(std::string(account::kRevenue), owed(), refunded)};
}

Journal refund_loss_returned(std::string_view subject, Money refunded) {
  return {journal::kRefundLossReturned, subject,
          move(owed(), std::string(account::kRevenue), refunded)};
}

Journal refund_by_hand(std::string_view out_refund_no, Money refunded) {
  return {journal::kRefundByHand, out_refund_no,
          move(owed(), std::string(account::kRefundsPayable), refunded)};
}

Journal refund_paid_out(std::string_view subject, std::string_view bank, Money paid) {
  return {journal::kPayout, subject,
          move(std::string(account::kRefundsPayable), bank_account(bank), paid)};
}

Journal payment_unexplained(std::string_view out_trade_no, const Clearing& from, Money paid) {
  return {journal::kSuspense, out_trade_no, move(account_of(from), suspense(), paid)};
}

Journal suspense_settled(std::string_view out_trade_no, const Clearing& from, Money paid) {
  return opposite(payment_unexplained(out_trade_no, from, paid), journal::kSuspenseSettled,
                  out_trade_no);
}

Journal account_unexplained(std::string_view subject, std::string_view account, Money amount) {
  return {journal::kSuspense, subject, move_signed(std::string(account), suspense(), amount)};
}

Journal suspense_moved(std::string_view subject, std::string_view account, Money amount) {
  return {journal::kSuspenseMoved, subject, move_signed(suspense(), std::string(account), amount)};
}

Journal channel_fee(std::string_view subject, const Clearing& from, Money fee) {
  return {journal::kFee, subject,
          move_signed(of(account::kChannelFees, from.channel), account_of(from), fee)};
}

Journal settled(std::string_view subject, const Clearing& from, std::string_view bank, Money net,
                Money fee) {
  std::vector<Posting> postings = move(bank_account(bank), account_of(from), net);
  if (fee.minor != 0)
    append(postings, move(of(account::kChannelFees, from.channel), account_of(from), fee));
  return {journal::kSettlement, subject, std::move(postings)};
}

Journal supplier_topped_up(std::string_view subject, std::string_view supplier,
                           std::string_view bank, Money paid, Money received) {
  if (paid.currency == received.currency) {
    std::vector<Posting> postings = move(supplier_account(supplier), bank_account(bank), received);
    const Money difference{paid.minor - received.minor, paid.currency};
    if (difference.minor != 0) {
      append(postings, move_signed(std::string(account::kCurrencyDifference), bank_account(bank),
                                   difference));
    }
    return {journal::kSupplierTopUp, subject, std::move(postings)};
  }
  const std::string bridge(account::kCurrencyExchange);
  std::vector<Posting> postings = move(supplier_account(supplier), bridge, received);
  append(postings, move(bridge, bank_account(bank), paid));
  return {journal::kSupplierTopUp, subject, std::move(postings)};
}

Journal adjusted(std::string_view subject, std::string_view debit, std::string_view credit,
                 Money amount) {
  check(debit != credit, "an adjustment is between two accounts");
  return {journal::kAdjustment, subject, move(std::string(debit), std::string(credit), amount)};
}

Journal taken_back(const Journal& posted) {
  return opposite(posted, journal::kTakenBack, posted.id());
}

Journal opposite(const Journal& posted, std::string_view name, std::string_view subject) {
  std::vector<Posting> postings = posted.postings();
  for (Posting& posting : postings) posting.amount.minor = -posting.amount.minor;
  return {name, subject, std::move(postings)};
}

}  // namespace topup::ledger
