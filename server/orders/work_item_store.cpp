#include "server/orders/work_item_store.h"

namespace topup::orders::work_item_store {
namespace {

WorkItem read_item(const storage::Row& row) {
  return {row.text(0), row.text(1), row.text(2),   OrderId(row.text(3)),
          row.text(4), row.text(5), row.integer(6)};
}

}  // namespace

bool insert(storage::Tx& tx, const WorkItem& item) {
  return tx.exec(R"sql(
    INSERT INTO work_items (work_item_id, kind, subject, order_id, detail, state, created_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (kind, subject) DO NOTHING)sql",
                 {item.id, item.kind, item.subject, item.order.text, item.detail, item.state,
                  item.created_at_ms}) == 1;
}

std::vector<WorkItem> of_order(storage::Reader& reader, const OrderId& order) {
  std::vector<WorkItem> items;
  reader.query(R"sql(
    SELECT work_item_id, kind, subject, order_id, detail, state, created_at_ms
      FROM work_items WHERE order_id = $1 ORDER BY created_at_ms LIMIT 100)sql",
               {order.text},
               [&items](const storage::Row& row) { items.push_back(read_item(row)); });
  return items;
}

std::vector<WorkItem> open_items(storage::Reader& reader, std::int64_t limit) {
  std::vector<WorkItem> items;
  reader.query(R"sql(
    SELECT work_item_id, kind, subject, order_id, detail, state, created_at_ms
      FROM work_items WHERE state = 'open' ORDER BY created_at_ms LIMIT $1)sql",
               {limit}, [&items](const storage::Row& row) { items.push_back(read_item(row)); });
  return items;
}

}  // namespace topup::orders::work_item_store
