// What a fund flow is compared with: what trade bills said and their runs left, and what people
// booked on the account. Every function takes the transaction or reader of its caller.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/reconcile/funds.h"
#include "server/reconcile/reconcile_store.h"
#include "server/storage/db.h"

namespace topup::reconcile::fund_store {

// Of the shop's own account at the party, by the trade bills of the day that begins at `from_ms`
// and its neighbours; `only`: of one side.
Trade trade_said(storage::Reader& reader, const Party& funds, std::int64_t from_ms,
                 std::optional<Side> only = std::nullopt);
// Movements without a reference in runs from `from_ms` until `until_ms`: of matched runs, and of
// `run_id` whatever its state.
std::vector<Unnamed> unnamed_moves(storage::Reader& reader, const Party& funds,
                                   std::string_view run_id, std::int64_t from_ms,
                                   std::int64_t until_ms);
// Settlements and fees that people booked on the account, and did not take back.
std::vector<Unnamed> entries(storage::Reader& reader, const Party& funds, std::int64_t from_ms,
                             std::int64_t until_ms);
// Whether each day from `from_ms` until `until_ms` has a matched run.
bool has_runs(storage::Reader& reader, const Party& funds, std::int64_t from_ms,
              std::int64_t until_ms);
// The balance at the end of the last day with movements before `from_ms`, when every day since was
// compared after it was over.
std::optional<Money> balance_before(storage::Reader& reader, const Party& funds,
                                    std::int64_t from_ms);
// Figures that change whenever what the functions above read of trade bills and entries does.
std::vector<std::int64_t> stamp(storage::Reader& reader, const Party& funds, std::int64_t from_ms);
// A trade bill's run, a resolution or an entry that the run of this day has not seen.
bool is_stale(storage::Reader& reader, const Party& funds, const Run& run, std::int64_t from_ms);

}  // namespace topup::reconcile::fund_store
