#include "server/orders/order_notes_store.h"

namespace topup::orders::order_notes {

bool insert(storage::Tx& tx, const privacy::Pii& pii, const OrderNote& note) {
  std::int64_t count = 0;
  tx.query("SELECT COUNT(*) FROM order_notes WHERE order_id = $1", {note.order.text},
           [&count](const storage::Row& row) { count = row.integer(0); });
  if (count >= kMaxNotes) return false;
  tx.exec(R"sql(
    INSERT INTO order_notes (note_id, order_id, staff_id, text_sealed, at_ms)
    VALUES ($1, $2, $3, $4, $5))sql",
          {note.id, note.order.text, note.staff.text,
           pii.seal("order_notes", "text_sealed", note.id, note.text), note.at_ms});
  return true;
}

std::vector<OrderNote> of_order(storage::Reader& reader, const privacy::Pii& pii,
                                const OrderId& order) {
  std::vector<OrderNote> notes;
  reader.query(
      R"sql(
    SELECT note_id, staff_id, text_sealed, at_ms
      FROM order_notes WHERE order_id = $1 ORDER BY note_id LIMIT $2)sql",
      {order.text, kMaxNotes}, [&](const storage::Row& row) {
        const std::string id = row.text(0);
        notes.push_back({id, order, StaffId(row.text(1)),
                         pii.open("order_notes", "text_sealed", id, row.text(2)).value_or(""),
                         row.integer(3)});
      });
  return notes;
}

}  // namespace topup::orders::order_notes
