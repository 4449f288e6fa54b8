#include "server/jobs/node_roll_store.h"

namespace topup::jobs::node_roll_store {

void beat(storage::Tx& tx, const Beat& beat) {
  const int known =
      tx.exec("UPDATE shop_nodes SET beats = beats + 1, seen_at_ms = $2 WHERE process = $1",
              {beat.process, beat.now_ms});
  if (known == 0) {
    tx.exec("INSERT INTO shop_nodes (process, node, beats, seen_at_ms) VALUES ($1, $2, 1, $3)",
            {beat.process, beat.node, beat.now_ms});
    tx.exec(
        "UPDATE shop_nodes SET seen_at_ms = $3 WHERE node = $1 AND process <> $2 AND seen_at_ms > "
        "$3",
        {beat.node, beat.process, beat.gone_ms});
    tx.exec("DELETE FROM shop_nodes WHERE seen_at_ms < $1", {beat.forget_ms});
  }
}

std::vector<Row> all(storage::Reader& reader) {
  std::vector<Row> rows;
  reader.query("SELECT process, node, beats, seen_at_ms FROM shop_nodes ORDER BY process", {},
               [&rows](const storage::Row& row) {
                 rows.push_back({row.text(0), row.text(1), row.integer(2), row.integer(3)});
               });
  return rows;
}

void leave(storage::Tx& tx, std::string_view process) {
  tx.exec("DELETE FROM shop_nodes WHERE process = $1", {process});
}

bool is_gone(storage::Reader& reader, std::string_view process, std::int64_t since_ms) {
  return reader.query("SELECT 1 FROM shop_nodes WHERE process = $1 AND seen_at_ms <= $2",
                      {process, since_ms}, [](const storage::Row&) {}) > 0;
}

}  // namespace topup::jobs::node_roll_store
