// Rows of wallets, wallet_entries and wallet_holds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/ledger/wallet.h"

namespace topup::ledger::wallet_store {

bool knows_user(storage::Reader& reader, const UserId& user);
// Makes the row when it is not there, and holds it to the end of the transaction.
Wallet lock(storage::Tx& tx, const UserId& user, Currency currency, std::int64_t now_ms);
Wallet find(storage::Reader& reader, const UserId& user, Currency currency);
// Compare-and-set on `wallet.version`; false when another was quicker.
bool save(storage::Tx& tx, const Wallet& wallet, std::int64_t now_ms);

struct StoredEntry {
  UserId user;
  WalletEntry entry;
};
std::optional<StoredEntry> find_entry(storage::Reader& reader, std::string_view kind,
                                      std::string_view subject);
void insert_entry(storage::Tx& tx, const UserId& user, const WalletEntry& entry);
std::vector<WalletEntry> entries(storage::Reader& reader, const UserId& user, Currency currency,
                                 std::int64_t limit);

void insert_hold(storage::Tx& tx, const WalletHold& hold, std::int64_t now_ms);
std::optional<WalletHold> find_hold(storage::Reader& reader, std::string_view hold_id);
void save_hold(storage::Tx& tx, const WalletHold& hold, std::int64_t now_ms);

// What does not fit, one sentence each: a wallet that is not the sum of its entries, an amount held
// that is not the sum of its holds, and wallets that are not what the books owe.
std::vector<std::string> verify(storage::Reader& reader);

}  // namespace topup::ledger::wallet_store
