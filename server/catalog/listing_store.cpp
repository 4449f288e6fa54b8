#include "server/catalog/listing_store.h"

namespace topup::catalog::listing_store {
namespace {

constexpr std::string_view kColumns =
    "SELECT supplier, listing, country, state, listed, approved, first_seen_at_ms, changed_at_ms, "
    "decided_by, decided_at_ms FROM supplier_listings ";

Listing read_listing(const storage::Row& row) {
  Listing one;
  one.supplier = row.text(0);
  one.key = row.text(1);
  one.country = row.text(2);
  one.state = row.text(3);
  one.listed = row.text(4);
  one.approved = row.text(5);
  one.first_seen_at_ms = row.integer(6);
  one.changed_at_ms = row.integer(7);
  one.decided_by = row.text(8);
  one.decided_at_ms = row.integer(9);
  return one;
}

std::vector<Listing> rows(storage::Reader& reader, const std::string& sql,
                          std::initializer_list<storage::Value> values) {
  std::vector<Listing> found;
  reader.query(sql, values,
               [&found](const storage::Row& row) { found.push_back(read_listing(row)); });
  return found;
}

}  // namespace

std::vector<Listing> of_supplier(storage::Reader& reader, std::string_view supplier,
                                 std::string_view country) {
  static const std::string sql =
      std::string(kColumns) + "WHERE supplier = $1 AND country = $2 ORDER BY listing";
  return rows(reader, sql, {supplier, country});
}

std::vector<Listing> approved(storage::Reader& reader) {
  static const std::string sql =
      std::string(kColumns) +
      "WHERE approved <> '' AND state <> 'withdrawn' ORDER BY supplier, listing";
  return rows(reader, sql, {});
}

std::optional<Listing> find(storage::Reader& reader, std::string_view supplier,
                            std::string_view key) {
  static const std::string sql = std::string(kColumns) + "WHERE supplier = $1 AND listing = $2";
  std::vector<Listing> found = rows(reader, sql, {supplier, key});
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

void save(storage::Tx& tx, const Listing& row) {
  tx.exec(R"sql(
    INSERT INTO supplier_listings (supplier, listing, country, state, listed, approved, first_seen_at_ms, changed_at_ms,
                                   decided_by, decided_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (supplier, listing) DO UPDATE
       SET country = excluded.country, state = excluded.state, listed = excluded.listed,
           approved = excluded.approved, changed_at_ms = excluded.changed_at_ms,
           decided_by = excluded.decided_by, decided_at_ms = excluded.decided_at_ms)sql",
          {row.supplier, row.key, row.country, row.state, row.listed, row.approved,
           row.first_seen_at_ms, row.changed_at_ms, row.decided_by, row.decided_at_ms});
}

std::vector<Listing> page(storage::Reader& reader, const Filter& filter, const Place& after,
                          std::int64_t limit) {
  static const std::string sql = std::string(kColumns) + R"sql(
     WHERE ($1 = '' OR state = $1) AND ($2 = '' OR supplier = $2) AND ($3 = '' OR country = $3)
       AND (supplier > $4 OR (supplier = $4 AND listing > $5))
     ORDER BY supplier, listing LIMIT $6)sql";
  return rows(reader, sql,
              {filter.state, filter.supplier, filter.country, after.supplier, after.key, limit});
}

std::vector<Count> counts(storage::Reader& reader) {
  std::vector<Count> found;
  reader.query(
      "SELECT supplier, state, COUNT(*) FROM supplier_listings GROUP BY supplier, state"
      " ORDER BY supplier, state",
      {}, [&found](const storage::Row& row) {
        found.push_back({row.text(0), row.text(1), row.integer(2)});
      });
  return found;
}

}  // namespace topup::catalog::listing_store
