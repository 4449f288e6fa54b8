// Journals and balances. Insert-only. A second post of the same (template, subject) throws SqlError
// (is_constraint) and so rolls its transaction back: callers decide from order state, this is the
// last guard.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/ledger/posting.h"
#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::ledger {

void post(storage::Tx& tx, const Journal& journal, const OrderId& order, const TraceId& trace,
          std::int64_t now_ms);

struct PostedJournal {
  std::string journal_id, name, subject;
  std::int64_t at_ms = 0;
  std::vector<Posting> postings;
};
std::vector<PostedJournal> list_of(storage::Reader& reader, const OrderId& order);

struct Balance {
  std::string account;
  Money amount;
};
std::vector<Balance> trial_balance(storage::Reader& reader);  // sums to zero in each currency

// Recomputes every balance from the postings: for `verify` and tests. Empty when the books hold,
// else what is wrong.
std::vector<std::string> verify(storage::Reader& reader);

}  // namespace topup::ledger
