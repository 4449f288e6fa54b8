#include "server/catalog/sample_store.h"

namespace topup::catalog::sample_store {

std::vector<Sample> newest(storage::Reader& reader, std::int64_t limit) {
  std::vector<Sample> rows;
  reader.query(R"sql(
    SELECT order_id, product_id, face_currency, face_minor, payable_minor, created_at_ms
      FROM orders ORDER BY order_id DESC LIMIT $1)sql",
               {limit}, [&rows](const storage::Row& row) {
                 rows.push_back({row.text(0), row.text(1), row.text(2), row.integer(3),
                                 row.integer(4), row.integer(5)});
               });
  return rows;
}

}  // namespace topup::catalog::sample_store
