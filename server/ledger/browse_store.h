// The books as people read them: journals newest first, of one account or stretch of time, and what
// each of the last days earned. Journals are numbered without gaps, so a page looks at a bounded
// stretch of numbers, whatever fits, and whoever asks goes on from where it ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/ledger/ledger_store.h"
#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::ledger::browse_store {

inline constexpr std::int64_t kMostLookedAt = 5'000;  // journals, by one request

struct Wanted {
  std::string account, name;            // "" for any; `name`: of the journal's template
  std::int64_t from_ms = 0, to_ms = 0;  // posted from … to before; 0: open
};
struct Browsed {
  PostedJournal journal;
  OrderId order;  // empty when it belongs to none
};
struct Page {
  std::vector<Browsed> journals;  // newest first
  std::int64_t next_before = 0;   // go on before this number; 0: there is nothing further
};
// `before_seq` 0: from the newest.
Page journals(storage::Reader& reader, const Wanted& wanted, std::int64_t before_seq,
              std::int64_t limit);
std::optional<Browsed> journal(storage::Reader& reader, std::string_view journal_id);
const std::string& journals_sql();  // tests ask the engine how it would run it

struct Earned {  // of one business day and one currency, as the finance view has it
  std::string day;
  Money sales, cost;  // of every account of revenue and of cost
};
// From `from_day` ("2026-11-21") on, the earliest first; days without any are left out.
std::vector<Earned> earned_since(storage::Reader& reader, std::string_view from_day);
const std::string& earned_sql();

}  // namespace topup::ledger::browse_store
