// A customer's own balance, with holds. Every movement is one entry of the wallet and one journal,
// in the caller's transaction; `subject` names the event, and the same event a second time changes
// nothing and is answered as before. On PostgreSQL the wallet's row is locked first, on both
// engines its version is compared: of two that spend at once one waits or is run again, and no
// balance ever lies below zero, which the database checks as well. Errors: wallet_insufficient,
// hold_not_found, hold_settled, hold_exceeded, currency_mismatch, wallet_subject_reused (the same
// event with another amount or owner).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/money.h"
#include "shared/result.h"

namespace topup::ledger {

struct Wallet {
  UserId user;
  Money available, held;
  std::int64_t version = 0;
};
struct WalletEntry {
  std::string kind, subject;
  Money available, held;  // what changed, signed
  std::int64_t version = 0, at_ms = 0;
};
namespace hold_state {
inline constexpr std::string_view kHeld = "held";
inline constexpr std::string_view kCaptured = "captured";
inline constexpr std::string_view kReleased = "released";
}  // namespace hold_state
struct WalletHold {
  std::string id;
  UserId user;
  Money amount, captured, refunded;
  std::string state;
};

// Whose money it becomes or was, as an account of the chart.
struct WalletMove {
  UserId user;
  Money amount;  // positive
  std::string subject;
  std::string other_account;
};

class Wallets {
 public:
  Wallets(storage::Tx& tx, const TraceId& trace, std::int64_t now_ms)
      : tx_(tx), trace_(trace), now_ms_(now_ms) {}

  // From the other account to the customer.
  Result<Wallet> credit(const WalletMove& move);
  // From what is available to the other account, at once.
  Result<Wallet> debit(const WalletMove& move);
  // Sets the amount aside under the hold's id.
  Result<Wallet> hold(const UserId& user, const std::string& hold_id, Money amount);
  // Takes all or a part of what is held; the rest is available again.
  Result<Wallet> capture(const std::string& hold_id, Money amount, std::string_view other_account);
  Result<Wallet> release(const std::string& hold_id);
  // Of a captured hold, back from the other account; several parts, never more than was captured.
  Result<Wallet> refund(const std::string& hold_id, Money amount, const std::string& subject,
                        std::string_view other_account);

 private:
  struct Change;
  Result<Wallet> apply(const Change& change);
  std::optional<Result<Wallet>> heard(const Change& change);
  storage::Tx& tx_;
  const TraceId& trace_;
  const std::int64_t now_ms_;
};

bool knows_user(storage::Reader& reader, const UserId& user);
Wallet wallet_of(storage::Reader& reader, const UserId& user, Currency currency);
std::optional<WalletHold> hold_of(storage::Reader& reader, std::string_view hold_id);
// Newest first.
std::vector<WalletEntry> wallet_entries(storage::Reader& reader, const UserId& user,
                                        Currency currency, std::int64_t limit);

}  // namespace topup::ledger
