#include "server/suppliers/supplier_line_store.h"

namespace topup::suppliers {

std::string line_of(std::string_view supplier, std::string_view supplier_operator_id) {
  return std::string(supplier) + "/" + std::string(supplier_operator_id);
}

namespace supplier_line_store {
namespace {

SupplierLine read_line(const storage::Row& row) {
  SupplierLine line;
  line.line = row.text(0);
  line.state = parse_line_state(row.text(1)).value_or(LineState::open);
  line.reason = row.text(2);
  line.closings = row.integer(3);
  line.changed_at_ms = row.integer(4);
  line.reopen_at_ms = row.integer(5);
  line.trial_attempt = row.text(6);
  const auto currency = parse_currency(row.text(8));
  if (!row.is_null(7) && currency) line.balance = Money{row.integer(7), *currency};
  line.balance_at_ms = row.integer(9);
  line.is_low = row.integer(10) != 0;
  return line;
}

}  // namespace

std::optional<SupplierLine> find(storage::Reader& reader, std::string_view line) {
  std::optional<SupplierLine> found;
  reader.query(R"sql(
    SELECT line, state, reason, closings, changed_at_ms, reopen_at_ms, trial_attempt, balance_minor,
           balance_currency, balance_at_ms, is_low FROM supplier_lines WHERE line = $1)sql",
               {line}, [&found](const storage::Row& row) { found = read_line(row); });
  return found;
}

std::vector<SupplierLine> all(storage::Reader& reader) {
  std::vector<SupplierLine> lines;
  reader.query(R"sql(
    SELECT line, state, reason, closings, changed_at_ms, reopen_at_ms, trial_attempt, balance_minor,
           balance_currency, balance_at_ms, is_low FROM supplier_lines ORDER BY line LIMIT $1)sql",
               {kMaxLines}, [&lines](const storage::Row& row) { lines.push_back(read_line(row)); });
  return lines;
}

void save(storage::Tx& tx, const SupplierLine& line) {
  const storage::Value minor =
      line.balance ? storage::Value(line.balance->minor) : storage::Value(nullptr);
  const storage::Value currency =
      line.balance ? storage::Value(to_word(line.balance->currency)) : storage::Value(nullptr);
  tx.exec(R"sql(
    INSERT INTO supplier_lines (line, state, reason, closings, changed_at_ms, reopen_at_ms, trial_attempt,
                                balance_minor, balance_currency, balance_at_ms, is_low)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    ON CONFLICT (line) DO UPDATE
       SET state = excluded.state, reason = excluded.reason, closings = excluded.closings,
           changed_at_ms = excluded.changed_at_ms, reopen_at_ms = excluded.reopen_at_ms,
           trial_attempt = excluded.trial_attempt, balance_minor = excluded.balance_minor,
           balance_currency = excluded.balance_currency, balance_at_ms = excluded.balance_at_ms,
           is_low = excluded.is_low)sql",
          {line.line, to_word(line.state), line.reason, line.closings, line.changed_at_ms,
           line.reopen_at_ms, line.trial_attempt, minor, currency, line.balance_at_ms,
           std::int64_t{line.is_low ? 1 : 0}});
}

}  // namespace supplier_line_store
}  // namespace topup::suppliers
