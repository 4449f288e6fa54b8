#include "server/orders/order_watch_store.h"

#include "server/base/id_time.h"

namespace topup::orders::order_watch_store {
namespace {

std::function<void(const storage::Row&)> into(std::vector<Moved>* found) {
  return [found](const storage::Row& row) {
    found->push_back({row.text(0), row.text(1), row.integer(2)});
  };
}

}  // namespace

std::vector<Moved> seqs_of(storage::Reader& reader, std::string_view orders) {
  std::vector<Moved> found;
  reader.query(R"sql(
    SELECT order_id, user_id, event_seq FROM orders
     WHERE order_id = ANY (string_to_array($1, ',')))sql",
               {orders}, into(&found));
  return found;
}

std::vector<Moved> moved_of(storage::Reader& reader, std::string_view users, std::int64_t from_ms,
                            std::int64_t since_ms) {
  std::vector<Moved> found;
  reader.query(R"sql(
    SELECT order_id, user_id, event_seq FROM orders
     WHERE user_id = ANY (string_to_array($1, ',')) AND order_id >= $2 AND updated_at_ms >= $3
     ORDER BY updated_at_ms LIMIT $4)sql",
               {users, base::id_time(from_ms), since_ms, kMostMoved}, into(&found));
  return found;
}

}  // namespace topup::orders::order_watch_store
