#include "server/operate/doctor_store.h"

#include <string_view>
#include <utility>

namespace topup::operate::doctor_store {
namespace {

std::int64_t number(storage::Reader& reader, std::string_view sql,
                    std::initializer_list<storage::Value> values) {
  std::int64_t found = 0;
  reader.query(sql, values, [&found](const storage::Row& row) { found = row.integer(0); });
  return found;
}

}  // namespace

Waiting count(storage::Reader& reader, std::int64_t now_ms, std::int64_t stuck_ms) {
  const std::int64_t stuck_since = now_ms - stuck_ms;
  Waiting waiting;
  waiting.unpaid_overdue = number(reader, R"sql(
    SELECT COUNT(*) FROM orders WHERE state IN ('awaiting_payment', 'paying') AND pay_by_ms < $1)sql",
                                  {stuck_since});
  waiting.paid_undelivered = number(reader, R"sql(
    SELECT COUNT(*) FROM orders
     WHERE state IN ('paid', 'submitting', 'recharging', 'unknown', 'reversed', 'refunding')
       AND updated_at_ms < $1)sql",
                                    {stuck_since});
  waiting.dead_jobs = number(reader, "SELECT COUNT(*) FROM outbox WHERE state = 'dead'", {});
  waiting.late_jobs = number(
      reader, "SELECT COUNT(*) FROM outbox WHERE state = 'due' AND run_at_ms < $1", {stuck_since});
  waiting.open_items = number(reader, "SELECT COUNT(*) FROM work_items WHERE state = 'open'", {});
  return waiting;
}

std::vector<std::pair<std::string, std::string>> settings(storage::Reader& reader, bool is_sqlite) {
  std::vector<std::pair<std::string, std::string>> found;
  const auto ask = [&](const char* name, std::string_view sql) {
    reader.query(sql, {}, [&](const storage::Row& row) { found.emplace_back(name, row.text(0)); });
  };
  if (is_sqlite) {
    ask("journal_mode", "PRAGMA journal_mode");
    ask("page_size", "PRAGMA page_size");
    return found;
  }
  ask("fsync", "SELECT current_setting('fsync', true)");
  ask("full_page_writes", "SELECT current_setting('full_page_writes', true)");
  ask("synchronous_commit", "SELECT current_setting('synchronous_commit', true)");
  return found;
}

}  // namespace topup::operate::doctor_store
