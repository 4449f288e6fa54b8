#include "server/catalog/rule_store.h"

namespace topup::catalog::rule_store {
namespace {

RuleSet read_set(const storage::Row& row) {
  return {row.integer(0), row.text(1), row.text(2),   row.integer(3),
          row.integer(4), row.text(5), row.integer(6)};
}

}  // namespace

std::int64_t newest_version(storage::Reader& reader) {
  std::int64_t version = 0;
  reader.query("SELECT COALESCE(MAX(version), 0) FROM price_rule_sets", {},
               [&version](const storage::Row& row) { version = row.integer(0); });
  return version;
}

std::optional<RuleSet> newest(storage::Reader& reader) {
  return find(reader, newest_version(reader));
}

std::optional<RuleSet> find(storage::Reader& reader, std::int64_t version) {
  std::optional<RuleSet> found;
  reader.query(R"sql(
    SELECT version, rules, reason, back_to, book_version, published_by, published_at_ms
      FROM price_rule_sets WHERE version = $1)sql",
               {version}, [&found](const storage::Row& row) { found = read_set(row); });
  return found;
}

std::vector<RuleSet> page(storage::Reader& reader, std::int64_t before, std::int64_t limit) {
  std::vector<RuleSet> rows;
  reader.query(R"sql(
    SELECT version, rules, reason, back_to, book_version, published_by, published_at_ms
      FROM price_rule_sets WHERE version < $1 ORDER BY version DESC LIMIT $2)sql",
               {before, limit},
               [&rows](const storage::Row& row) { rows.push_back(read_set(row)); });
  return rows;
}

void insert(storage::Tx& tx, const RuleSet& row) {
  tx.exec(R"sql(
    INSERT INTO price_rule_sets
      (version, rules, reason, back_to, book_version, published_by, published_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7))sql",
          {row.version, row.rules, row.reason, row.back_to, row.book_version, row.published_by,
           row.published_at_ms});
}

std::map<std::string, ProductEdit> edits(storage::Reader& reader) {
  std::map<std::string, ProductEdit> rows;
  reader.query(R"sql(
    SELECT product_id, on_sale, name_zh, name_en, edited_by, edited_at_ms FROM product_edits)sql",
               {}, [&rows](const storage::Row& row) {
                 rows[row.text(0)] = {row.text(0), row.integer(1) != 0, row.text(2),
                                      row.text(3), row.text(4),         row.integer(5)};
               });
  return rows;
}

void save(storage::Tx& tx, const ProductEdit& row) {
  tx.exec(R"sql(
    INSERT INTO product_edits (product_id, on_sale, name_zh, name_en, edited_by, edited_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (product_id) DO UPDATE SET on_sale = excluded.on_sale,
      name_zh = excluded.name_zh, name_en = excluded.name_en, edited_by = excluded.edited_by,
      edited_at_ms = excluded.edited_at_ms)sql",
          {row.product_id, std::int64_t{row.on_sale ? 1 : 0}, row.name_zh, row.name_en,
           row.edited_by, row.edited_at_ms});
}

}  // namespace topup::catalog::rule_store
