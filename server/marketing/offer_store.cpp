#include "server/marketing/offer_store.h"

#include <utility>

#include "shared/check.h"

namespace topup::marketing::offer_store {
namespace {

constexpr std::string_view kColumns =
    "kind, offer_id, version, is_on, terms, changed_by, changed_at_ms";

Offer read(const storage::Row& row) {
  const auto kind = parse_offer_kind(row.text(0));
  check(kind.has_value(), "a stored offer has a kind");
  const auto stored = base::json_in(row.text(4));
  check(stored.has_value(), "stored terms are JSON");
  auto terms = read_terms(*kind, *stored);
  check(terms.has_value(), "stored terms were checked");
  return {row.text(1),       row.integer(2), row.integer(3) != 0,
          std::move(*terms), row.text(5),    row.integer(6)};
}

}  // namespace

std::vector<Offer> all(storage::Reader& reader) {
  std::vector<Offer> offers;
  const std::string sql =
      "SELECT " + std::string(kColumns) + " FROM offers ORDER BY kind, offer_id";
  reader.query(sql, {}, [&offers](const storage::Row& row) { offers.push_back(read(row)); });
  return offers;
}

std::optional<Offer> find(storage::Reader& reader, OfferKind kind, std::string_view id) {
  std::optional<Offer> offer;
  const std::string sql =
      "SELECT " + std::string(kColumns) + " FROM offers WHERE kind = $1 AND offer_id = $2";
  reader.query(sql, {to_word(kind), id}, [&offer](const storage::Row& row) { offer = read(row); });
  return offer;
}

std::int64_t count(storage::Reader& reader, OfferKind kind) {
  std::int64_t rows = 0;
  reader.query("SELECT COUNT(*) FROM offers WHERE kind = $1", {to_word(kind)},
               [&rows](const storage::Row& row) { rows = row.integer(0); });
  return rows;
}

void save(storage::Tx& tx, const Offer& offer) {
  tx.exec(R"sql(
    INSERT INTO offers (kind, offer_id, version, is_on, terms, changed_by, changed_at_ms, created_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
    ON CONFLICT (kind, offer_id) DO UPDATE
       SET version = $3, is_on = $4, terms = $5, changed_by = $6, changed_at_ms = $7)sql",
          {to_word(offer.terms.kind), offer.id, offer.version, std::int64_t{offer.is_on},
           terms_json(offer.terms).dump(), offer.changed_by, offer.changed_at_ms});
}

bool is_issued(storage::Reader& reader, std::string_view template_id) {
  return reader.query("SELECT 1 FROM owned_coupons WHERE template_id = $1 LIMIT 1", {template_id},
                      [](const storage::Row&) {}) > 0;
}

}  // namespace topup::marketing::offer_store
