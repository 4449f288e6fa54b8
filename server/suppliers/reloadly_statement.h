// Rows of Reloadly's transaction report as lines of a statement. Pure; thread-safe. Source:
// Reloadly airtime API, "reports/transactions", and its own example of what a wallet is charged:
// the requested amount less the discount. transactionDate has no zone and is that of US Eastern.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "server/base/json.h"
#include "server/suppliers/supplier.h"
#include "shared/money.h"

namespace topup::suppliers {

inline constexpr std::int64_t kReloadlyOffsetMs = -5LL * 3'600'000;

// nullopt: not a row of the documented shape, so that nothing of the statement is used.
std::optional<StatementLine> reloadly_statement_line(const base::Json& row, Currency wallet);

// The path and query of one page of the report about [from, until), widened by the hours that an
// unknown zone may be off.
std::string reloadly_statement_target(std::int64_t from_ms, std::int64_t until_ms,
                                      std::int64_t page, std::int64_t size);

}  // namespace topup::suppliers
