// The finance view: what each account turned over on each business day (00:00 to 24:00 in
// Shanghai). It follows the journals in their order and keeps how far it came, so that it can be
// brought forward at any time, by any node, and made anew from nothing; both ways give the same
// bytes. Feature F040.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"

namespace topup::ledger {

struct FinanceDay {
  std::string day, account, currency;              // yyyy-mm-dd
  std::int64_t debit_minor = 0, credit_minor = 0;  // both positive
  std::int64_t postings = 0;
};

inline constexpr std::int64_t kFinanceStep = 500;  // journals in one transaction

// Takes up to `most` journals into the view; returns how many. 0: it is up to date.
std::int64_t advance_finance(storage::Tx& tx, std::int64_t most = kFinanceStep);
// By day, account and currency, from `from_day` to `to_day` inclusive; "" for no bound.
std::vector<FinanceDay> finance_days(storage::Reader& reader, std::string_view from_day = {},
                                     std::string_view to_day = {});

struct FinanceSum {
  std::int64_t seq = 0;  // the newest journal in it
  std::int64_t rows = 0;
  std::string checksum;  // SHA-256 over the rows in their order
};
FinanceSum finance_sum(storage::Reader& reader);      // of the view as it is kept
FinanceSum finance_rebuilt(storage::Reader& reader);  // made anew, up to the same journal
// The first row in which the two differ; "" when they are the same.
std::string finance_difference(storage::Reader& reader);

}  // namespace topup::ledger
