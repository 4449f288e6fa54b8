#include "server/suppliers/number_lookup_store.h"

namespace topup::suppliers::number_lookup_store {

std::optional<Kept> find(storage::Reader& reader, std::string_view number_index,
                         std::int64_t now_ms) {
  std::optional<Kept> found;
  reader.query(R"sql(
    SELECT country, operator_id FROM number_lookups
     WHERE number_index = $1 AND expires_at_ms > $2)sql",
               {number_index, now_ms}, [&found](const storage::Row& row) {
                 found = Kept{std::string(row.text(0)), std::string(row.text(1))};
               });
  return found;
}

void save(storage::Tx& tx, std::string_view number_index, const Kept& kept,
          std::int64_t expires_at_ms) {
  tx.exec(R"sql(
    INSERT INTO number_lookups (number_index, country, operator_id, expires_at_ms)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (number_index) DO UPDATE SET country = excluded.country,
      operator_id = excluded.operator_id, expires_at_ms = excluded.expires_at_ms)sql",
          {number_index, kept.country, kept.operator_id, expires_at_ms});
}

int forget_expired(storage::Tx& tx, std::int64_t now_ms) {
  return tx.exec("DELETE FROM number_lookups WHERE expires_at_ms <= $1", {now_ms});
}

std::vector<std::string> suppliers_of(storage::Reader& reader, std::string_view country) {
  std::vector<std::string> names;
  reader.query(R"sql(
    SELECT w.supplier, COUNT(*) AS products
      FROM supplier_products w LEFT JOIN supplier_lines l ON l.line = w.supplier
     WHERE w.country = $1 AND w.kind = 'airtime' AND w.enabled = 1
       AND COALESCE(l.state, 'open') = 'open'
     GROUP BY w.supplier ORDER BY products DESC, w.supplier LIMIT $2)sql",
               {country, kMaxSuppliers},
               [&names](const storage::Row& row) { names.emplace_back(row.text(0)); });
  return names;
}

std::vector<std::string> products_of(storage::Reader& reader, std::string_view supplier,
                                     const LookedUp& found) {
  std::vector<std::string> ids;
  reader.query(R"sql(
    SELECT product_id FROM supplier_products
     WHERE supplier = $1 AND supplier_operator_id = $2 AND country = $3
     ORDER BY CASE WHEN kind = 'airtime' THEN 0 ELSE 1 END, product_id LIMIT $4)sql",
               {supplier, found.supplier_operator_id, found.country, kMaxProducts},
               [&ids](const storage::Row& row) { ids.emplace_back(row.text(0)); });
  return ids;
}

}  // namespace topup::suppliers::number_lookup_store
