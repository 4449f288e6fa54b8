#include "server/orders/order_counts_store.h"

#include <array>

#include "shared/order_state.h"

namespace topup::orders::order_counts_store {
namespace {

// Money is held while one of these is open: they are shown also when there is none.
constexpr std::array<std::string_view, 4> kMoneyKinds = {
    "payment_mismatch", "payment_without_order", "refund_refused", "supplier_contradiction"};

}  // namespace

std::vector<std::pair<std::string, std::int64_t>> unfinished_orders(storage::Reader& reader) {
  std::vector<std::pair<std::string, std::int64_t>> counts;
  for (std::size_t i = 0; i < kStateCount; ++i) {
    const State state = static_cast<State>(i);
    if (is_final(state)) continue;
    std::int64_t found = 0;
    reader.query(R"sql(
      SELECT COUNT(*) FROM (SELECT 1 AS one FROM orders WHERE state = $1 LIMIT $2) AS counted)sql",
                 {to_word(state), kMostCounted},
                 [&found](const storage::Row& row) { found = row.integer(0); });
    counts.emplace_back(to_word(state), found);
  }
  return counts;
}

std::vector<std::pair<std::string, std::int64_t>> open_work_items(storage::Reader& reader) {
  std::vector<std::pair<std::string, std::int64_t>> counts;
  for (const std::string_view kind : kMoneyKinds) counts.emplace_back(kind, 0);
  reader.query(R"sql(
    SELECT kind, COUNT(*) FROM (SELECT kind FROM work_items WHERE state = 'open' LIMIT $1) AS counted
     GROUP BY kind ORDER BY kind)sql",
               {kMostCounted}, [&counts](const storage::Row& row) {
                 const std::string kind = row.text(0);
                 for (auto& [known, count] : counts) {
                   if (known != kind) continue;
                   count = row.integer(1);
                   return;
                 }
                 counts.emplace_back(kind, row.integer(1));
               });
  return counts;
}

}  // namespace topup::orders::order_counts_store
