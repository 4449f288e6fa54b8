#include "server/ledger/posting.h"

#include <map>
#include <utility>

#include "server/ledger/chart.h"
#include "shared/check.h"

namespace topup::ledger {
namespace {

Money negative(Money amount) { return {-amount.minor, amount.currency}; }
std::string of(std::string_view account, std::string_view party) {
  return std::string(account) + "." + std::string(party);
}

// Debit `to`, credit `from`, the same amount.
std::vector<Posting> move(std::string to, std::string from, Money amount) {
  check(amount.minor > 0, "a posting moves a positive amount");
  return {{std::move(to), amount}, {std::move(from), negative(amount)}};
}

}  // namespace

Journal::Journal(std::string_view name, std::string_view subject, std::vector<Posting> postings)
    : name_(name), subject_(subject), postings_(std::move(postings)) {
  std::map<Currency, __int128> sums;
  for (const Posting& posting : postings_) sums[posting.amount.currency] += posting.amount.minor;
  for (const auto& [currency, sum] : sums) check(sum == 0, "a journal balances in each currency");
  check(postings_.size() >= 2, "a journal has two sides");
}

Journal payment_received(std::string_view out_trade_no, std::string_view channel, Money paid) {
  return {
      "payment", out_trade_no,
      move(of(account::kChannelClearing, channel), std::string(account::kCustomerLiability), paid)};
}

Journal order_fulfilled(std::string_view attempt_id, std::string_view supplier, Money payable,
                        const Money* cost) {
  std::vector<Posting> postings =
      move(std::string(account::kCustomerLiability), std::string(account::kRevenue), payable);
  if (cost != nullptr && cost->minor > 0) {
    for (Posting& posting :
         move(std::string(account::kCostOfSales), of(account::kSupplierPrepaid, supplier), *cost)) {
      postings.push_back(std::move(posting));
    }
  }
  return {"fulfilment", attempt_id, std::move(postings)};
}

Journal order_refunded(std::string_view out_refund_no, std::string_view channel, Money refunded) {
  return {"refund", out_refund_no,
          move(std::string(account::kCustomerLiability), of(account::kChannelClearing, channel),
               refunded)};
}

Journal payment_unexplained(std::string_view out_trade_no, std::string_view channel, Money paid) {
  return {"suspense", out_trade_no,
          move(of(account::kChannelClearing, channel), std::string(account::kSuspense), paid)};
}

}  // namespace topup::ledger
