// What the rehearsed Reloadly remembers: the wallet, tokens, top-ups and the webhooks it still
// owes. Owns the tables reloadly_*. Every function takes the transaction or reader of its caller.
// Amounts are 1/100,000 of a unit, times UTC ms.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"

namespace topup::rehearsal {

struct ReloadlyTopup {
  std::int64_t transaction_id = 0;
  std::string custom_identifier;  // "" when the caller gave none
  std::int64_t operator_id = 0;
  std::string recipient;                                           // digits with the country code
  std::int64_t requested_e5 = 0;                                   // USD
  std::int64_t discount_e5 = 0;                                    // USD
  std::int64_t delivered_e5 = 0;                                   // CNY
  std::string status = "PROCESSING", final_status = "SUCCESSFUL";  // SUCCESSFUL REFUNDED
  std::int64_t old_balance_e5 = 0, new_balance_e5 = 0;             // USD, at the debit
  std::int64_t created_ms = 0, due_ms = 0;
  int webhooks = 1;  // how many are sent when it ends
  bool is_bad_signature_first = false;
  std::int64_t cost_e5() const { return requested_e5 - discount_e5; }
};

struct ReloadlyWebhook {  // one delivery still owed
  std::int64_t row_id = 0;
  std::string body;
  std::int64_t due_ms = 0;
  int attempts = 0;
  bool is_bad_first = false;
};

namespace reloadly_book {

void create_tables(storage::Tx& tx, std::int64_t first_balance_e5);

std::int64_t balance(storage::Reader& reader);
void set_balance(storage::Tx& tx, std::int64_t balance_e5);

void insert_token(storage::Tx& tx, std::string_view token, std::int64_t expires_ms,
                  std::int64_t now_ms);
std::optional<std::int64_t> find_token_end(storage::Reader& reader, std::string_view token);
void expire_token(storage::Tx& tx, std::string_view token);

std::int64_t insert_topup(storage::Tx& tx, const ReloadlyTopup& topup);  // its transaction_id
void save_status(storage::Tx& tx, std::int64_t transaction_id, std::string_view status);
std::optional<ReloadlyTopup> find_topup(storage::Reader& reader, std::int64_t transaction_id);
std::optional<ReloadlyTopup> find_by_custom_identifier(storage::Reader& reader,
                                                       std::string_view custom_identifier);
std::vector<ReloadlyTopup> list_processing(storage::Reader& reader);
std::vector<ReloadlyTopup> list_newest(storage::Reader& reader, std::int64_t offset,
                                       std::int64_t limit);
std::int64_t count_topups(storage::Reader& reader);
std::vector<ReloadlyTopup> list_between(storage::Reader& reader, std::int64_t from_ms,
                                        std::int64_t until_ms, std::int64_t limit);

std::int64_t insert_webhook(storage::Tx& tx, const ReloadlyWebhook& webhook);  // its row_id
std::optional<ReloadlyWebhook> find_webhook(storage::Reader& reader, std::int64_t row_id);
std::vector<ReloadlyWebhook> list_webhooks(storage::Reader& reader);
void postpone_webhook(storage::Tx& tx, std::int64_t row_id, int attempts, std::int64_t due_ms);
void end_webhook(storage::Tx& tx, std::int64_t row_id);

}  // namespace reloadly_book
}  // namespace topup::rehearsal
