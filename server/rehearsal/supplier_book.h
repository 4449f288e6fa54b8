// What a rehearsed supplier remembers: its resellers' wallet, the orders and the callbacks it still
// owes. One set of tables, supplier_*, for all parties, told apart by `party`. Every function takes
// the transaction or reader of its caller. Amounts are minor units, times UTC ms.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/money.h"

namespace topup::rehearsal {

struct SupplierOrder {
  std::int64_t number = 0;  // theirs
  std::string reference;    // the caller's
  std::string sku, account;
  Money face, cost;
  std::string state = "processing";  // reserved processing succeeded failed cancelled reversed
  std::string end = "succeeded";     // what it becomes when it is due: succeeded failed
  std::string code;                  // why it failed, in the party's word
  std::int64_t created_ms = 0, due_ms = 0;
  std::int64_t ended_ms = 0;           // 0: not yet
  std::int64_t takes_ms = 0;           // from its confirmation to its end
  std::int64_t reversed_after_ms = 0;  // of a success; 0: it stays
  int callbacks = 1;                   // how many are sent when it ends
  bool is_forged_first = false;
  std::string callback_url;
  std::string pin_code, pin_serial;
  std::string plant;  // a difference planted in statements: "missing", "amount" or ""
};

struct OwedCallback {
  std::int64_t row_id = 0;
  std::string url, content_type, body;
  std::int64_t due_ms = 0;
  int attempts = 0;
};

class SupplierBook {
 public:
  explicit SupplierBook(std::string party) : party_(std::move(party)) {}

  void create_tables(storage::Tx& tx, Money first_balance) const;

  Money balance(storage::Reader& reader) const;
  void set_balance(storage::Tx& tx, std::int64_t minor) const;

  std::int64_t insert(storage::Tx& tx, const SupplierOrder& order) const;  // its number
  void save(storage::Tx& tx, const SupplierOrder& order) const;            // state, code, times
  std::optional<SupplierOrder> find(storage::Reader& reader, std::int64_t number) const;
  // Oldest first; more than one where the party does not refuse a second request.
  std::vector<SupplierOrder> find_by_reference(storage::Reader& reader,
                                               std::string_view reference) const;
  std::vector<SupplierOrder> unfinished(storage::Reader& reader) const;
  // Made in [from_ms, until_ms), oldest first.
  std::vector<SupplierOrder> made_between(storage::Reader& reader, std::int64_t from_ms,
                                          std::int64_t until_ms) const;

  std::int64_t insert_callback(storage::Tx& tx, const OwedCallback& callback) const;
  std::optional<OwedCallback> find_callback(storage::Reader& reader, std::int64_t row_id) const;
  std::vector<OwedCallback> owed_callbacks(storage::Reader& reader) const;
  void postpone_callback(storage::Tx& tx, std::int64_t row_id, int attempts,
                         std::int64_t due_ms) const;
  void end_callback(storage::Tx& tx, std::int64_t row_id) const;

 private:
  std::vector<SupplierOrder> orders(storage::Reader& reader, std::string_view rest,
                                    std::initializer_list<storage::Value> values) const;
  const std::string party_;
};

}  // namespace topup::rehearsal
