#include "server/orders/refund_wish_store.h"

namespace topup::orders::refund_wish_store {

std::vector<RefundWish> of_order(storage::Reader& reader, const OrderId& order) {
  std::vector<RefundWish> wishes;
  reader.query(R"sql(
    SELECT wish_no, asked_at_ms, decision, reason, words, answered_by, answered_at_ms
      FROM refund_wishes WHERE order_id = $1 ORDER BY wish_no)sql",
               {order.text}, [&wishes](const storage::Row& row) {
                 RefundWish wish;
                 wish.no = row.integer(0);
                 wish.asked_at_ms = row.integer(1);
                 wish.decision = row.text(2);
                 wish.reason = row.text(3);
                 wish.words = row.text(4);
                 wish.answered_by = row.text(5);
                 wish.answered_at_ms = row.integer(6);
                 wishes.push_back(std::move(wish));
               });
  return wishes;
}

void insert(storage::Tx& tx, const OrderId& order, std::int64_t no, std::int64_t now_ms) {
  tx.exec("INSERT INTO refund_wishes (order_id, wish_no, asked_at_ms) VALUES ($1, $2, $3)",
          {order.text, no, now_ms});
}

bool answer(storage::Tx& tx, const OrderId& order, const RefundAnswer& said, std::string_view by,
            std::int64_t now_ms) {
  return tx.exec(R"sql(
    UPDATE refund_wishes SET decision = $2, reason = $3, words = $4, answered_by = $5,
           answered_at_ms = $6
     WHERE order_id = $1 AND decision = '')sql",
                 {order.text, said.decision, said.reason, said.words, by, now_ms}) > 0;
}

}  // namespace topup::orders::refund_wish_store
