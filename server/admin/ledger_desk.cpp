#include "server/admin/ledger_desk.h"

#include <algorithm>
#include <array>

#include "server/audit/audit_log.h"
#include "server/base/log.h"
#include "server/ledger/chart.h"
#include "server/ledger/ledger_store.h"
#include "server/ledger/posting.h"
#include "server/ledger/wallet.h"
#include "server/orders/refund_deeds.h"
#include "server/orders/work_items.h"

namespace topup::admin {
namespace {

using base::Json;
namespace account = ledger::account;

// The fields of each kind, beside kind and reason. What ends in '?' may be missing.
struct KindOfEntry {
  std::string_view word;
  std::array<std::string_view, 5> fields;
};
constexpr std::array kKinds = {
    KindOfEntry{"settlement", {"channel", "payee?", "bank?", "amount", "fee?"}},
    KindOfEntry{"supplier_topup", {"supplier", "bank?", "amount", "received"}},
    KindOfEntry{"payout", {"bank?", "amount"}},
    KindOfEntry{"channel_fee", {"channel", "payee?", "amount"}},
    KindOfEntry{"adjustment", {"debit", "credit", "amount"}},
    KindOfEntry{"take_back", {"journal_id"}},
    KindOfEntry{"wallet_credit", {"user_id", "amount"}},
    KindOfEntry{"wallet_debit", {"user_id", "amount"}},
    KindOfEntry{"suspense_to_account", {"work_item_id", "account"}},
    KindOfEntry{"suspense_to_payer", {"work_item_id"}},
};
// Only these may be taken back: the others are undone by an event of their own.
constexpr std::array<std::string_view, 5> kByHand = {
    ledger::journal::kSettlement, ledger::journal::kSupplierTopUp, ledger::journal::kPayout,
    ledger::journal::kFee, ledger::journal::kAdjustment};
// Each is the sum of rows elsewhere.
constexpr std::array<std::string_view, 4> kNotByHand = {
    account::kSuspense, account::kWalletAvailable, account::kWalletHeld,
    account::kCustomerLiability};

bool is_money(std::string_view field) {
  return field == "amount" || field == "received" || field == "fee";
}
bool is_out_of_suspense(std::string_view kind) { return kind.starts_with("suspense_"); }

std::string text_or_none(const Json& entry, const char* key) {
  const auto text = base::text_in(entry, key, 64);
  return text ? *text : "";
}
Money money_of(const Json& entry, const char* key) {
  const auto money = base::money_in(entry, key);
  return money ? *money : Money{};
}

Result<bool> is_for_hands(const Json& entry, const char* key) {
  const std::string name = text_or_none(entry, key);
  if (ledger::family_of(name) == nullptr)
    return refuse(Code::rejected, "account_unknown", key, name);
  for (const std::string_view closed : kNotByHand) {
    if (name == closed) return refuse(Code::rejected, "account_not_by_hand", key, name);
  }
  return true;
}

Result<bool> check_field(const Json& entry, std::string_view field) {
  const bool may_miss = field.ends_with('?');
  const std::string name(may_miss ? field.substr(0, field.size() - 1) : field);
  if (may_miss && !entry.contains(name)) return true;
  if (is_money(name)) {
    const auto money = base::money_in(entry, name.c_str());
    if (!money) return tl::unexpected<Error>(money.error());
    return true;
  }
  const auto text = base::text_in(entry, name.c_str(), 128);
  if (!text) return tl::unexpected<Error>(text.error());
  const bool is_part = name == "channel" || name == "payee" || name == "bank" || name == "supplier";
  if (is_part && !ledger::is_party_name(*text))
    return refuse(Code::invalid_argument, "out_of_range", "party", name);
  return true;
}

bool is_field_of_any(std::string_view name) {
  if (name == "kind" || name == "reason") return true;
  for (const KindOfEntry& kind : kKinds) {
    for (const std::string_view field : kind.fields)
      if (!field.empty() && field.substr(0, field.find('?')) == name) return true;
  }
  return false;
}

// Whether it is a whole entry of a known kind, before anything is looked up.
Result<bool> check_entry(const Json& entry) {
  for (const auto& [name, value] : entry.items())
    if (!is_field_of_any(name)) return refuse(Code::invalid_argument, "unknown_field");
  const auto kind = base::text_in(entry, "kind", 32);
  if (!kind) return tl::unexpected<Error>(kind.error());
  const auto* found = std::find_if(kKinds.begin(), kKinds.end(),
                                   [&kind](const KindOfEntry& one) { return one.word == *kind; });
  if (found == kKinds.end()) return refuse(Code::invalid_argument, "out_of_range", "kind");
  const auto reason = base::text_in(entry, "reason", kMaxEntryReason);
  if (!reason) return tl::unexpected<Error>(reason.error());
  if (reason->find_first_not_of(" \t\r\n") == std::string::npos)
    return refuse(Code::invalid_argument, "reason_missing", "reason");
  std::size_t known = 2;
  for (const std::string_view field : found->fields) {
    if (field.empty()) continue;
    if (const auto fits = check_field(entry, field); !fits) return fits;
    known += entry.contains(std::string(field.substr(0, field.find('?')))) ? 1 : 0;
  }
  if (known != entry.size()) return refuse(Code::invalid_argument, "unknown_field");
  for (const char* name : {"debit", "credit", "account"}) {
    if (!entry.contains(name)) continue;
    if (const auto fits = is_for_hands(entry, name); !fits) return fits;
  }
  if (*kind == "adjustment" && entry["debit"] == entry["credit"])
    return refuse(Code::invalid_argument, "out_of_range", "credit");
  if (entry.contains("fee") &&
      money_of(entry, "fee").currency != money_of(entry, "amount").currency)
    return refuse(Code::rejected, "currency_mismatch", "fee");
  return true;
}

ledger::Journal journal_of(const Json& entry, std::string_view kind, const std::string& subject) {
  const Money amount = money_of(entry, "amount");
  const std::string channel = text_or_none(entry, "channel");
  const std::string payee = text_or_none(entry, "payee");
  const std::string bank = text_or_none(entry, "bank");
  if (kind == "settlement") {
    const Money fee = entry.contains("fee") ? money_of(entry, "fee") : Money{0, amount.currency};
    return ledger::settled(subject, {channel, payee}, bank, amount, fee);
  }
  if (kind == "supplier_topup") {
    return ledger::supplier_topped_up(subject, text_or_none(entry, "supplier"), bank, amount,
                                      money_of(entry, "received"));
  }
  if (kind == "payout") return ledger::refund_paid_out(subject, bank, amount);
  if (kind == "channel_fee") return ledger::channel_fee(subject, {channel, payee}, amount);
  return ledger::adjusted(subject, text_or_none(entry, "debit"), text_or_none(entry, "credit"),
                          amount);
}

Result<bool> take_back(storage::Tx& tx, const Json& entry, std::int64_t now) {
  const auto id = base::text_in(entry, "journal_id", 128);
  const auto posted = ledger::find(tx, *id);
  if (!posted) return refuse(Code::not_found, "journal_not_found", "journal_id");
  if (std::find(kByHand.begin(), kByHand.end(), posted->name) == kByHand.end())
    return refuse(Code::rejected, "journal_not_by_hand", "journal_id");
  return ledger::take_back(tx, *id, base::TraceScope::current(), now);
}

Result<bool> move_wallet(storage::Tx& tx, const Json& entry, std::string_view kind,
                         const std::string& subject, std::int64_t now) {
  const UserId user(text_or_none(entry, "user_id"));
  if (!ledger::knows_user(tx, user)) return refuse(Code::not_found, "user_not_found", "user_id");
  ledger::Wallets wallets(tx, base::TraceScope::current(), now);
  const ledger::WalletMove move{user, money_of(entry, "amount"), subject,
                                std::string(account::kAdjustments)};
  const auto moved = kind == "wallet_credit" ? wallets.credit(move) : wallets.debit(move);
  if (!moved) return tl::unexpected<Error>(moved.error());
  return true;
}

// What lies at a channel is what refunds are paid from, so no more can be moved to the bank than
// the books know of. Where the bank shows more, reconciliation has a difference to explain first.
Result<bool> covers_settlement(storage::Tx& tx, const Json& entry) {
  const Money net = money_of(entry, "amount");
  const Money fee = entry.contains("fee") ? money_of(entry, "fee") : Money{0, net.currency};
  const auto leaves = add(net, fee);
  if (!leaves) return tl::unexpected<Error>(leaves.error());
  const std::string channel = text_or_none(entry, "channel"), payee = text_or_none(entry, "payee");
  const Money there = ledger::balance_of(tx, ledger::account_of({channel, payee}), net.currency);
  if (there.minor < leaves->minor) return refuse(Code::conflict, "clearing_short", "amount");
  return true;
}

// The amount that the limit is about; nothing where a second person is always asked.
std::optional<Money> amount_at_stake(storage::Tx& tx, const Json& entry, std::string_view kind) {
  if (is_out_of_suspense(kind)) return std::nullopt;
  if (kind != "take_back") return money_of(entry, "amount");
  const auto posted = ledger::find(tx, text_or_none(entry, "journal_id"));
  if (!posted || posted->postings.empty()) return Money{};
  Money most = posted->postings.front().amount;
  for (const ledger::Posting& posting : posted->postings) {
    if (posting.amount.minor > most.minor) most = posting.amount;
  }
  return most;
}

}  // namespace

LedgerDesk::LedgerDesk(const orders::OrderEnv& env, ApprovalService& approvals,
                       std::function<std::int64_t()> second_above_minor)
    : env_(env), approvals_(approvals), second_above_minor_(std::move(second_above_minor)) {
  approvals.add({kLedgerEntry, "ledger.post", "ledger.approve",
                 [this](storage::Tx& tx, const Approval& approval, const Person& second) {
                   return book(
                       tx, Json::parse(approval.body), approval.id, approval.requested_by,
                       " (approval " + approval.id + ", agreed by staff:" + second.id.text + ")");
                 }});
}

Result<std::optional<Approval>> LedgerDesk::enter(const Person& asker, const Json& entry) {
  if (const auto fits = check_entry(entry); !fits) return tl::unexpected<Error>(fits.error());
  const std::string kind = text_or_none(entry, "kind");
  return storage::with_tx(env_.db, [&](storage::Tx& tx) -> Result<std::optional<Approval>> {
    const auto amount = amount_at_stake(tx, entry, kind);
    const bool is_small =
        amount && amount->currency == Currency::cny && amount->minor <= second_above_minor_();
    if (is_small) {
      const auto booked =
          book(tx, entry, base::new_id(env_.random, env_.clock.wall_ms()), asker.id, "");
      if (!booked) return tl::unexpected<Error>(booked.error());
      return std::optional<Approval>();
    }
    const std::string subject =
        is_out_of_suspense(kind) ? text_or_none(entry, "work_item_id") : kind;
    auto approval = approvals_.request(tx, kLedgerEntry, subject, entry, asker);
    if (!approval) return tl::unexpected<Error>(approval.error());
    return std::optional<Approval>(std::move(*approval));
  });
}

Result<bool> LedgerDesk::book(storage::Tx& tx, const Json& entry, const std::string& subject,
                              const StaffId& author, const std::string& note) {
  if (const auto fits = check_entry(entry); !fits) return fits;
  const std::string kind = text_or_none(entry, "kind");
  const std::int64_t now = env_.clock.wall_ms();
  const TraceId& trace = base::TraceScope::current();
  const std::string actor = "staff:" + author.text;
  const std::string reason = *base::text_in(entry, "reason", kMaxEntryReason) + note;
  Result<bool> done = true;
  if (kind == "take_back") {
    done = take_back(tx, entry, now);
  } else if (kind.starts_with("wallet_")) {
    done = move_wallet(tx, entry, kind, subject, now);
  } else if (is_out_of_suspense(kind)) {
    const std::string item = *base::text_in(entry, "work_item_id", 128);
    done = kind == "suspense_to_payer"
               ? orders::give_back_unexplained(env_, tx, item, actor, reason)
               : orders::explain_suspense(env_, tx, item, text_or_none(entry, "account"), actor,
                                          reason);
  } else {
    if (kind == "settlement") done = covers_settlement(tx, entry);
    if (done) ledger::post(tx, journal_of(entry, kind, subject), OrderId(), trace, now);
  }
  if (!done) return done;
  Json told = entry;
  told.erase("reason");
  audit::append(tx, {actor, "ledger." + kind, subject, reason, "", told.dump()}, trace, now);
  return true;
}

}  // namespace topup::admin
