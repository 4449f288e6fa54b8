// Journals and balances. Insert-only. A second post of the same (template, subject) throws SqlError
// (is_constraint) and so rolls its transaction back: callers decide from order state, this is the
// last guard.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/ledger/posting.h"
#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/result.h"

namespace topup::ledger {

void post(storage::Tx& tx, const Journal& journal, const OrderId& order, const TraceId& trace,
          std::int64_t now_ms);

struct PostedJournal {
  std::string journal_id, name, subject;
  std::int64_t at_ms = 0;
  std::int64_t seq = 0;  // its place in the order of all journals, counted from 1 without gaps
  std::vector<Posting> postings;
};
std::vector<PostedJournal> list_of(storage::Reader& reader, const OrderId& order);
std::optional<PostedJournal> find(storage::Reader& reader, std::string_view journal_id);
// Those that belong to no order, newest first, before `before_seq` (0: from the newest).
std::vector<PostedJournal> list_by_hand(storage::Reader& reader, std::int64_t before_seq,
                                        std::int64_t limit);
// Posts the opposite of a journal, once. Errors: not_found/journal_not_found,
// rejected/journal_not_reversible (it takes one back itself), conflict/journal_taken_back.
Result<bool> take_back(storage::Tx& tx, std::string_view journal_id, const TraceId& trace,
                       std::int64_t now_ms);
Money balance_of(storage::Reader& reader, std::string_view account, Currency currency);

struct Balance {
  std::string account;
  Money amount;
};
std::vector<Balance> trial_balance(storage::Reader& reader);  // sums to zero in each currency

// Recomputes every balance from the postings: for `verify` and tests. Empty when the books hold,
// else what is wrong.
std::vector<std::string> verify(storage::Reader& reader);

}  // namespace topup::ledger
