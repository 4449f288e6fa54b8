#include "server/audit/audit_store.h"

namespace topup::audit::audit_store {
namespace {

Row read_row(const storage::Row& row) {
  return {row.integer(0), row.integer(1), row.text(2), row.text(3), row.text(4),
          row.text(5),    row.text(6),    row.text(7), row.text(8)};
}

}  // namespace

Head load_head(storage::Reader& reader) {
  Head head;
  reader.query("SELECT seq, hash FROM audit_head WHERE id = 1", {},
               [&head](const storage::Row& row) {
                 head = {row.integer(0), row.text(1)};
               });
  return head;
}

void insert(storage::Tx& tx, const Row& row) {
  tx.exec(R"sql(
    INSERT INTO audit_log (seq, at_ms, actor, action, subject, detail, trace_id, previous_hash, hash)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9))sql",
          {row.seq, row.at_ms, row.actor, row.action, row.subject, row.detail, row.trace_id,
           row.previous_hash, row.hash});
  tx.exec("UPDATE audit_head SET seq = $1, hash = $2 WHERE id = 1", {row.seq, row.hash});
}

void each(storage::Reader& reader, std::int64_t after_seq,
          const std::function<void(const Row&)>& row) {
  reader.query(R"sql(
    SELECT seq, at_ms, actor, action, subject, detail, trace_id, previous_hash, hash
      FROM audit_log WHERE seq > $1 ORDER BY seq)sql",
               {after_seq}, [&row](const storage::Row& found) { row(read_row(found)); });
}

std::vector<Row> list_of(storage::Reader& reader, std::string_view subject, std::int64_t limit) {
  std::vector<Row> rows;
  reader.query(R"sql(
    SELECT seq, at_ms, actor, action, subject, detail, trace_id, previous_hash, hash
      FROM audit_log WHERE subject = $1 ORDER BY seq LIMIT $2)sql",
               {subject, limit},
               [&rows](const storage::Row& found) { rows.push_back(read_row(found)); });
  return rows;
}

}  // namespace topup::audit::audit_store
