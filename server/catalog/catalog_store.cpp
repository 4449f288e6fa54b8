#include "server/catalog/catalog_store.h"

namespace topup::catalog::catalog_store {

std::optional<StoredBook> newest_book(storage::Reader& reader) {
  std::optional<StoredBook> book;
  reader.query("SELECT version, bytes, fingerprint FROM price_books ORDER BY version DESC LIMIT 1",
               {}, [&book](const storage::Row& row) {
                 book = StoredBook{row.integer(0), row.text(1), row.text(2)};
               });
  return book;
}

void insert_book(storage::Tx& tx, const StoredBook& book, std::int64_t now_ms) {
  tx.exec(
      "INSERT INTO price_books (version, bytes, fingerprint, published_at_ms) VALUES ($1, $2, $3, "
      "$4)",
      {book.version, storage::Blob{book.bytes}, book.fingerprint, now_ms});
}

void replace_supplier_products(storage::Tx& tx, std::string_view supplier,
                               const std::vector<SupplierProduct>& rows) {
  tx.exec("DELETE FROM supplier_products WHERE supplier = $1", {supplier});
  for (const SupplierProduct& row : rows) {
    tx.exec(R"sql(
      INSERT INTO supplier_products (product_id, supplier, supplier_operator_id, country)
      VALUES ($1, $2, $3, $4))sql",
            {row.product_id, row.supplier, row.supplier_operator_id, row.country});
  }
}

std::optional<SupplierProduct> find_supplier_product(storage::Reader& reader,
                                                     const ProductId& product) {
  std::optional<SupplierProduct> found;
  reader.query(R"sql(
    SELECT product_id, supplier, supplier_operator_id, country FROM supplier_products
     WHERE product_id = $1 ORDER BY supplier LIMIT 1)sql",
               {product.text}, [&found](const storage::Row& row) {
                 found = SupplierProduct{row.text(0), row.text(1), row.text(2), row.text(3)};
               });
  return found;
}

}  // namespace topup::catalog::catalog_store
