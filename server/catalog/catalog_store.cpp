#include "server/catalog/catalog_store.h"

#include <map>
#include <utility>

namespace topup::catalog::catalog_store {

std::optional<StoredBook> newest_book(storage::Reader& reader) {
  std::optional<StoredBook> book;
  reader.query("SELECT version, bytes, fingerprint FROM price_books ORDER BY version DESC LIMIT 1",
               {}, [&book](const storage::Row& row) {
                 book = StoredBook{row.integer(0), row.text(1), row.text(2)};
               });
  return book;
}

std::int64_t newest_version(storage::Reader& reader) {
  std::int64_t version = 0;
  reader.query("SELECT COALESCE(MAX(version), 0) FROM price_books", {},
               [&version](const storage::Row& row) { version = row.integer(0); });
  return version;
}

void insert_book(storage::Tx& tx, const StoredBook& book, std::int64_t now_ms) {
  tx.exec(
      "INSERT INTO price_books (version, bytes, fingerprint, published_at_ms) VALUES ($1, $2, $3, "
      "$4)",
      {book.version, storage::Blob{book.bytes}, book.fingerprint, now_ms});
}

SupplierProduct read_way(const storage::Row& row, int first) {
  const auto money = [&row](int column) {
    return Money{row.integer(column), parse_currency(row.text(column + 1)).value_or(Currency::cny)};
  };
  SupplierProduct way;
  way.product_id = row.text(first);
  way.supplier = row.text(first + 1);
  way.supplier_operator_id = row.text(first + 2);
  way.country = row.text(first + 3);
  way.sku = row.text(first + 4);
  way.kind = parse_product_kind(row.text(first + 5)).value_or(ProductKind::airtime);
  way.face = money(first + 6);
  way.most_minor = row.integer(first + 8);
  way.step_minor = row.integer(first + 9);
  way.cost = money(first + 10);
  way.delivered = money(first + 12);
  way.priority = row.integer(first + 14);
  way.is_enabled = row.integer(first + 15) != 0;
  return way;
}

void replace_supplier_products(storage::Tx& tx, std::string_view supplier,
                               const std::vector<SupplierProduct>& rows) {
  std::map<std::string, std::pair<std::int64_t, bool>> settings;
  for (const SupplierProduct& before : products_of_supplier(tx, supplier))
    settings[before.product_id] = {before.priority, before.is_enabled};
  tx.exec("DELETE FROM supplier_products WHERE supplier = $1", {supplier});
  for (const SupplierProduct& row : rows) {
    const auto set = settings.find(row.product_id);
    const std::int64_t priority = set == settings.end() ? row.priority : set->second.first;
    const bool is_enabled = set == settings.end() ? row.is_enabled : set->second.second;
    tx.exec(R"sql(
      INSERT INTO supplier_products (product_id, supplier, supplier_operator_id, country, sku, kind, face_minor,
                                     face_currency, most_minor, step_minor, cost_minor, cost_currency,
                                     delivered_minor, delivered_currency, priority, enabled)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16))sql",
            {row.product_id, row.supplier, row.supplier_operator_id, row.country, row.sku,
             to_word(row.kind), row.face.minor, to_word(row.face.currency), row.most_minor,
             row.step_minor, row.cost.minor, to_word(row.cost.currency), row.delivered.minor,
             to_word(row.delivered.currency), priority, std::int64_t{is_enabled ? 1 : 0}});
  }
}

std::vector<SupplierProduct> supplier_products_of(storage::Reader& reader,
                                                  const ProductId& product) {
  static const std::string sql = "SELECT " + std::string(kWayColumns) +
                                 " FROM supplier_products w WHERE w.product_id = $1"
                                 " ORDER BY w.supplier LIMIT $2";
  std::vector<SupplierProduct> ways;
  reader.query(sql, {product.text, kMaxWays},
               [&ways](const storage::Row& row) { ways.push_back(read_way(row, 0)); });
  return ways;
}

std::optional<SupplierProduct> find_supplier_product(storage::Reader& reader,
                                                     const ProductId& product) {
  std::vector<SupplierProduct> ways = supplier_products_of(reader, product);
  if (ways.empty()) return std::nullopt;
  return std::move(ways.front());
}

std::vector<SupplierProduct> products_of_supplier(storage::Reader& reader,
                                                  std::string_view supplier) {
  static const std::string sql = "SELECT " + std::string(kWayColumns) +
                                 " FROM supplier_products w WHERE w.supplier = $1"
                                 " ORDER BY w.product_id";
  std::vector<SupplierProduct> ways;
  reader.query(sql, {supplier},
               [&ways](const storage::Row& row) { ways.push_back(read_way(row, 0)); });
  return ways;
}

std::vector<std::string> suppliers(storage::Reader& reader) {
  std::vector<std::string> names;
  reader.query("SELECT DISTINCT supplier FROM supplier_products ORDER BY supplier", {},
               [&names](const storage::Row& row) { names.push_back(row.text(0)); });
  return names;
}

bool set_way(storage::Tx& tx, const ProductId& product, std::string_view supplier,
             std::int64_t priority, bool is_enabled) {
  return tx.exec(R"sql(
    UPDATE supplier_products SET priority = $3, enabled = $4
     WHERE product_id = $1 AND supplier = $2)sql",
                 {product.text, supplier, priority, std::int64_t{is_enabled ? 1 : 0}}) == 1;
}

std::optional<StoredBook> book_at(storage::Reader& reader, std::int64_t at_ms) {
  std::optional<StoredBook> book;
  reader.query(R"sql(
    SELECT version, bytes, fingerprint FROM price_books WHERE published_at_ms <= $1
     ORDER BY version DESC LIMIT 1)sql",
               {at_ms}, [&book](const storage::Row& row) {
                 book = StoredBook{row.integer(0), row.text(1), row.text(2)};
               });
  return book;
}

}  // namespace topup::catalog::catalog_store
