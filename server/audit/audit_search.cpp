#include "server/audit/audit_search.h"

#include <algorithm>

#include "server/audit/audit_store.h"

namespace topup::audit {
namespace {

constexpr std::int64_t kStepRows = 1'000;

audit_store::Among among(const Search& wanted) {
  if (wanted.sign_ins) return audit_store::Among::sign_ins;
  return wanted.staff_only ? audit_store::Among::staff : audit_store::Among::all;
}

// "customer." stands for all that begin so.
bool fits_word(std::string_view text, std::string_view wanted) {
  if (wanted.empty()) return true;
  const bool is_start = wanted.ends_with('.') || wanted.ends_with(':');
  return is_start ? text.starts_with(wanted) : text == wanted;
}

bool fits(const Row& row, const Search& wanted) {
  return fits_word(row.actor, wanted.actor) && fits_word(row.action, wanted.action) &&
         (wanted.to_ms == 0 || row.at_ms < wanted.to_ms) &&
         (wanted.from_ms == 0 || row.at_ms >= wanted.from_ms);
}

// Rows are written in the order of their times, but for clocks that were set back: then a little
// more or less is found at the edge.
std::int64_t first_seq_from(storage::Reader& reader, std::int64_t at_ms) {
  std::int64_t low = 1;
  std::int64_t high = audit_store::load_head(reader).seq + 1;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    const audit_store::Moment moment = audit_store::moment_at(reader, middle);
    if (moment.at_ms >= at_ms) {
      high = middle;
    } else {
      low = moment.seq + 1;
    }
  }
  return low;
}

}  // namespace

Found search(storage::Reader& reader, const Search& wanted, std::int64_t before_seq,
             std::int64_t limit) {
  Found found;
  std::int64_t before = before_seq > 0 ? before_seq : audit_store::load_head(reader).seq + 1;
  if (wanted.to_ms > 0) before = std::min(before, first_seq_from(reader, wanted.to_ms));
  const std::int64_t from = wanted.from_ms > 0 ? first_seq_from(reader, wanted.from_ms) : 0;
  for (std::int64_t walked = 0; walked < kMaxWalked;) {
    const std::vector<Row> rows =
        wanted.subject.empty() ? audit_store::search(reader, among(wanted), before, from, kStepRows)
                               : audit_store::newest_of(reader, wanted.subject, before, kStepRows);
    for (const Row& row : rows) {
      before = row.seq;
      found.reached_ms = row.at_ms;
      if (!fits(row, wanted)) continue;
      found.rows.push_back(row);
      if (found.rows.size() == static_cast<std::size_t>(limit)) {
        found.before_seq = row.seq;
        return found;
      }
    }
    if (rows.size() < static_cast<std::size_t>(kStepRows)) return found;
    walked += kStepRows;
  }
  found.before_seq = before;
  return found;
}

std::int64_t count_of_staff(storage::Reader& reader, std::string_view actor,
                            std::string_view action, std::int64_t since_ms, std::int64_t most) {
  Search wanted;
  wanted.actor = actor;
  wanted.action = action;
  wanted.from_ms = since_ms;
  return static_cast<std::int64_t>(search(reader, wanted, 0, most).rows.size());
}

}  // namespace topup::audit
