#include "server/catalog/rule_draft_store.h"

namespace topup::catalog::rule_drafts {

std::optional<Draft> find(storage::Reader& reader, const StaffId& staff) {
  std::optional<Draft> draft;
  reader.query(
      "SELECT staff_id, seen_version, rules, saved_at_ms FROM price_rule_drafts WHERE staff_id = "
      "$1",
      {staff.text}, [&draft](const storage::Row& row) {
        draft = Draft{StaffId(row.text(0)), row.integer(1), row.text(2), row.integer(3)};
      });
  return draft;
}

void save(storage::Tx& tx, const Draft& draft) {
  tx.exec(R"sql(
    INSERT INTO price_rule_drafts (staff_id, seen_version, rules, saved_at_ms)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (staff_id) DO UPDATE SET seen_version = excluded.seen_version,
      rules = excluded.rules, saved_at_ms = excluded.saved_at_ms)sql",
          {draft.staff.text, draft.seen_version, draft.rules, draft.saved_at_ms});
}

bool discard(storage::Tx& tx, const StaffId& staff) {
  return tx.exec("DELETE FROM price_rule_drafts WHERE staff_id = $1", {staff.text}) == 1;
}

}  // namespace topup::catalog::rule_drafts
