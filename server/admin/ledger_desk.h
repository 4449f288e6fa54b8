// What staff book by hand: settlements of channels, supplier balances that were filled up, payouts,
// fees, corrections, a journal taken back, a customer's wallet, and money out of suspense. Each has
// a reason; above the shop's limit, and out of suspense always, a second person agrees first
// (approval_service.h). Suspense and wallets are moved only together with the work item or wallet
// that they are the sum of. Thread-safe. Errors: account_unknown, account_not_by_hand,
// journal_not_found, journal_not_by_hand, journal_taken_back, work_item_not_found,
// clearing_short (more than lies at the channel), work_item_settled, work_item_waits_for_order,
// user_not_found, those of wallet.h and approval_service.h, and those of base/json.h for a body.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "server/admin/approval_service.h"
#include "server/orders/order_env.h"

namespace topup::admin {

inline constexpr std::string_view kLedgerEntry = "ledger.entry";
inline constexpr std::size_t kMaxEntryReason = 200;  // bytes; no personal data

class LedgerDesk {
 public:
  LedgerDesk(const orders::OrderEnv& env, ApprovalService& approvals,
             std::function<std::int64_t()> second_above_minor);

  // `entry` is a body as the contract describes it (LedgerEntry): kind, reason, and what the kind
  // needs. The approval that it waits for, or nothing when it is posted.
  Result<std::optional<Approval>> enter(const Person& asker, const base::Json& entry);

 private:
  Result<bool> book(storage::Tx& tx, const base::Json& entry, const std::string& subject,
                    const StaffId& author, const std::string& note);
  const orders::OrderEnv& env_;
  ApprovalService& approvals_;
  std::function<std::int64_t()> second_above_minor_;
};

}  // namespace topup::admin
