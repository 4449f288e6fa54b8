#include "server/ledger/wallet.h"

#include <utility>

#include "server/ledger/chart.h"
#include "server/ledger/ledger_store.h"
#include "server/ledger/posting.h"
#include "server/ledger/wallet_store.h"
#include "shared/check.h"

namespace topup::ledger {
namespace {

constexpr std::string_view kCredit = "credit";
constexpr std::string_view kDebit = "debit";
constexpr std::string_view kHold = "hold";
constexpr std::string_view kCapture = "capture";
constexpr std::string_view kRelease = "release";
constexpr std::string_view kRefund = "refund";

void check_amount(Money amount) { check(amount.minor > 0, "a wallet moves a positive amount"); }

void add_line(std::vector<Posting>& postings, std::string_view account, Money amount) {
  if (amount.minor != 0) postings.push_back({std::string(account), amount});
}

}  // namespace

// What an event does: the customer's two balances, and whose money it was or becomes.
struct Wallets::Change {
  std::string_view kind;
  std::string subject;
  UserId user;
  Money available, held;  // signed
  std::string_view other_account = {};
};

// The same event again: nothing changes, and the wallet is as it is.
std::optional<Result<Wallet>> Wallets::heard(const Change& change) {
  const auto before = wallet_store::find_entry(tx_, change.kind, change.subject);
  if (!before) return std::nullopt;
  const bool is_same = before->user == change.user && before->entry.available == change.available &&
                       before->entry.held == change.held;
  if (!is_same) return refuse(Code::conflict, "wallet_subject_reused", "subject");
  return wallet_store::find(tx_, change.user, change.available.currency);
}

Result<Wallet> Wallets::apply(const Change& change) {
  if (auto before = heard(change)) return *std::move(before);
  Wallet wallet = wallet_store::lock(tx_, change.user, change.available.currency, now_ms_);
  const auto available = add(wallet.available, change.available);
  const auto held = add(wallet.held, change.held);
  if (!available) return tl::unexpected<Error>(available.error());
  if (!held) return tl::unexpected<Error>(held.error());
  if (available->minor < 0 || held->minor < 0)
    return refuse(Code::rejected, "wallet_insufficient", "amount");
  wallet.available = *available;
  wallet.held = *held;
  if (!wallet_store::save(tx_, wallet, now_ms_))
    return refuse(Code::conflict, "wallet_changed", "user_id");
  ++wallet.version;
  wallet_store::insert_entry(tx_, change.user,
                             {std::string(change.kind), change.subject, change.available,
                              change.held, wallet.version, now_ms_});
  std::vector<Posting> postings;
  const Money out{change.available.minor + change.held.minor, change.available.currency};
  add_line(postings, change.other_account, out);
  add_line(postings, account::kWalletAvailable,
           {-change.available.minor, change.available.currency});
  add_line(postings, account::kWalletHeld, {-change.held.minor, change.held.currency});
  post(tx_, Journal("wallet_" + std::string(change.kind), change.subject, std::move(postings)),
       OrderId(), trace_, now_ms_);
  return wallet;
}

Result<Wallet> Wallets::credit(const WalletMove& move) {
  check_amount(move.amount);
  return apply({kCredit,
                move.subject,
                move.user,
                move.amount,
                {0, move.amount.currency},
                move.other_account});
}

Result<Wallet> Wallets::debit(const WalletMove& move) {
  check_amount(move.amount);
  return apply({kDebit,
                move.subject,
                move.user,
                {-move.amount.minor, move.amount.currency},
                {0, move.amount.currency},
                move.other_account});
}

Result<Wallet> Wallets::hold(const UserId& user, const std::string& hold_id, Money amount) {
  check_amount(amount);
  const Change change{kHold, hold_id, user, {-amount.minor, amount.currency}, amount};
  if (auto before = heard(change)) return *std::move(before);
  auto wallet = apply(change);
  if (!wallet) return wallet;
  WalletHold hold;
  hold.id = hold_id;
  hold.user = user;
  hold.amount = amount;
  hold.state = hold_state::kHeld;
  wallet_store::insert_hold(tx_, hold, now_ms_);
  return wallet;
}

Result<Wallet> Wallets::capture(const std::string& hold_id, Money amount,
                                std::string_view other_account) {
  check_amount(amount);
  auto hold = wallet_store::find_hold(tx_, hold_id);
  if (!hold) return refuse(Code::not_found, "hold_not_found", "hold_id");
  if (amount.currency != hold->amount.currency) return refuse(Code::rejected, "currency_mismatch");
  if (amount.minor > hold->amount.minor) return refuse(Code::rejected, "hold_exceeded", "amount");
  const Change change{kCapture,
                      hold_id,
                      hold->user,
                      {hold->amount.minor - amount.minor, amount.currency},
                      {-hold->amount.minor, amount.currency},
                      other_account};
  if (hold->state != hold_state::kHeld) {
    if (auto before = heard(change)) return *std::move(before);
    return refuse(Code::conflict, "hold_settled", "hold_id");
  }
  auto wallet = apply(change);
  if (!wallet) return wallet;
  hold->captured = amount;
  hold->state = hold_state::kCaptured;
  wallet_store::save_hold(tx_, *hold, now_ms_);
  return wallet;
}

Result<Wallet> Wallets::release(const std::string& hold_id) {
  auto hold = wallet_store::find_hold(tx_, hold_id);
  if (!hold) return refuse(Code::not_found, "hold_not_found", "hold_id");
  if (hold->state == hold_state::kCaptured)
    return refuse(Code::conflict, "hold_settled", "hold_id");
  if (hold->state == hold_state::kReleased)
    return wallet_store::find(tx_, hold->user, hold->amount.currency);
  auto wallet = apply(
      {kRelease, hold_id, hold->user, hold->amount, {-hold->amount.minor, hold->amount.currency}});
  if (!wallet) return wallet;
  hold->state = hold_state::kReleased;
  wallet_store::save_hold(tx_, *hold, now_ms_);
  return wallet;
}

Result<Wallet> Wallets::refund(const std::string& hold_id, Money amount, const std::string& subject,
                               std::string_view other_account) {
  check_amount(amount);
  auto hold = wallet_store::find_hold(tx_, hold_id);
  if (!hold) return refuse(Code::not_found, "hold_not_found", "hold_id");
  if (amount.currency != hold->amount.currency) return refuse(Code::rejected, "currency_mismatch");
  const Change change{kRefund, subject, hold->user, amount, {0, amount.currency}, other_account};
  if (auto before = heard(change)) return *std::move(before);
  if (amount.minor > hold->captured.minor - hold->refunded.minor)
    return refuse(Code::rejected, "hold_exceeded", "amount");
  auto wallet = apply(change);
  if (!wallet) return wallet;
  hold->refunded.minor += amount.minor;
  wallet_store::save_hold(tx_, *hold, now_ms_);
  return wallet;
}

bool knows_user(storage::Reader& reader, const UserId& user) {
  return wallet_store::knows_user(reader, user);
}

Wallet wallet_of(storage::Reader& reader, const UserId& user, Currency currency) {
  return wallet_store::find(reader, user, currency);
}

std::optional<WalletHold> hold_of(storage::Reader& reader, std::string_view hold_id) {
  return wallet_store::find_hold(reader, hold_id);
}

std::vector<WalletEntry> wallet_entries(storage::Reader& reader, const UserId& user,
                                        Currency currency, std::int64_t limit) {
  return wallet_store::entries(reader, user, currency, limit);
}

}  // namespace topup::ledger
