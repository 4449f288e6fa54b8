// Rows of supplier_lines: how each line to a supplier stands, for all nodes and after a restart. A
// line without a row is open and its balance is not known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"
#include "server/suppliers/selection.h"
#include "shared/ids.h"
#include "shared/money.h"

namespace topup::suppliers {

struct SupplierLine {
  std::string line;  // "reloadly", or "reloadly/1161" for one operator of it
  LineState state = LineState::open;
  std::string reason;         // of the last change: "error_window", "trial_failed", a person's word
  std::int64_t closings = 0;  // in a row, without a good trial between them
  std::int64_t changed_at_ms = 0;
  std::int64_t reopen_at_ms = 0;  // when a closed line, or one whose trial is lost, may be tried
  std::string trial_attempt;
  std::optional<Money> balance;
  std::int64_t balance_at_ms = 0;
  bool is_low = false;  // below what the shop wants to have there
};

std::string line_of(std::string_view supplier, std::string_view supplier_operator_id);

namespace supplier_line_store {

std::optional<SupplierLine> find(storage::Reader& reader, std::string_view line);
std::vector<SupplierLine> all(storage::Reader& reader);  // by name, at most kMaxLines
void save(storage::Tx& tx, const SupplierLine& line);    // inserts or replaces
inline constexpr std::int64_t kMaxLines = 5'000;

}  // namespace supplier_line_store
}  // namespace topup::suppliers
