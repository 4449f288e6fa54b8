// Rows of error_accounts: one for each order that failed after it was paid (why, how much, at
// whom); closed when the buyer has the money back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/money.h"

namespace topup::orders {

struct ErrorAccount {
  OrderId order;
  std::string cause;  // the event and the party's own code or a person's reason
  std::string party;  // the supplier or channel at which it failed, or who decided
  Money amount;
  std::string state;  // open, closed
  std::int64_t opened_at_ms = 0, closed_at_ms = 0;
  std::string closed_by;
};

namespace error_account_store {

// One that was closed is opened again with the new cause; an open one stays as it is.
void open(storage::Tx& tx, const ErrorAccount& account);
void close(storage::Tx& tx, const OrderId& order, std::string_view by, std::int64_t now_ms);
std::optional<ErrorAccount> find(storage::Reader& reader, const OrderId& order);
// `state` "" for all; oldest first, after `after` (an order id, "" for the first).
std::vector<ErrorAccount> list(storage::Reader& reader, std::string_view state,
                               std::string_view after, std::int64_t limit);

const std::string& list_sql(bool in_one_state);  // tests ask the engine how it would run it

}  // namespace error_account_store
}  // namespace topup::orders
