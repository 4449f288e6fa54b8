// The blacklist as staff keep it: entries one by one or from a file, each with a reason and a time
// when it ends by itself. What an entry is about is sealed; showing it needs a reason and leaves a
// row of the audit trail. Each change is one transaction with its audit row and counts from its
// commit on. Thread-safe. Errors: those of risk/subject.h and base/csv.h;
// invalid_argument/out_of_range (expires_at_ms), reason_missing, csv_columns;
// not_found/entry_not_found, user_not_found; conflict/already_listed, entry_ended;
// rejected/blacklist_full; unavailable/ciphertext_invalid.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/admin/customer_desk.h"
#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/privacy/pii.h"
#include "server/risk/blacklist_store.h"
#include "server/storage/db.h"
#include "shared/result.h"

namespace topup::admin {

inline constexpr std::size_t kMaxImportRows = 1'000;
inline constexpr std::int64_t kMaxExportRows = risk::blacklist_store::kMaxLive;

struct NewEntry {
  std::string kind, subject;       // as typed
  std::int64_t expires_at_ms = 0;  // 0: never
};
struct RowMistake {
  std::size_t line = 0;
  std::string reason;  // a stable word
};
struct ImportReport {
  std::int64_t added = 0;
  std::int64_t known = 0;  // live already, left as they are
  std::vector<RowMistake> mistakes;
};

class BlacklistDesk {
 public:
  BlacklistDesk(storage::Db& db, const base::Clock& clock, base::Random& random,
                const privacy::Pii& pii)
      : db_(db), clock_(clock), random_(random), pii_(pii) {}

  Result<risk::Entry> add(const NewEntry& entry, const Deed& deed) const;
  Result<risk::Entry> end(const std::string& id, const Deed& deed) const;
  // Columns kind, subject, reason, expires (a day, or empty), in any order, named in the first row.
  // Good rows are entered together, bad ones told with their line; with `is_trial` none is entered.
  Result<ImportReport> import(std::string_view csv, bool is_trial, const Deed& deed) const;
  // Those that are live now, in the columns of import().
  Result<std::string> export_csv(const Deed& deed) const;
  Result<std::string> reveal(const std::string& id, const Deed& deed) const;

 private:
  struct Draft;
  Result<Draft> draft(const NewEntry& entry, const std::string& reason, std::int64_t now) const;
  Result<risk::Entry> insert(storage::Tx& tx, const Draft& draft, const Deed& deed,
                             std::int64_t now) const;
  storage::Db& db_;
  const base::Clock& clock_;
  base::Random& random_;
  const privacy::Pii& pii_;
};

}  // namespace topup::admin
