#include "server/catalog/catalog_service.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "server/audit/audit_log.h"
#include "server/base/log.h"
#include "shared/buyers_book.h"

namespace topup::catalog {
namespace {

using Ways = std::vector<catalog_store::SupplierProduct>;

// Priority and switch are a person's, not the list's.
bool same_ways(const Ways& a, const Ways& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return std::tie(x.product_id, x.supplier_operator_id, x.country, x.sku, x.kind, x.most_minor,
                    x.step_minor) == std::tie(y.product_id, y.supplier_operator_id, y.country,
                                              y.sku, y.kind, y.most_minor, y.step_minor) &&
           x.face == y.face && x.cost == y.cost && x.delivered == y.delivered;
  });
}

bool same_assortment(const PriceBook& a, const PriceBook& b) {
  PriceBook copy = a;
  copy.version = b.version;
  copy.published_at_ms = b.published_at_ms;
  return encode(copy) == encode(b);
}

Result<CurrentBook::ForBuyers> for_buyers(const PriceBook& book) {
  CurrentBook::ForBuyers out;
  out.bytes = encode(buyers_book(book));
  Result<PriceBook> read = decode(out.bytes);
  if (!read) return tl::unexpected<Error>(read.error());
  out.book = std::move(*read);
  out.fingerprint = fingerprint(out.bytes);
  return out;
}

}  // namespace

Catalog::Catalog(storage::Db& db, const base::Clock& clock) : db_(db), clock_(clock) { load(); }

void Catalog::load() {
  std::optional<catalog_store::StoredBook> stored;
  db_.read([&stored](storage::Reader& reader) { stored = catalog_store::newest_book(reader); });
  if (!stored) return;
  last_version_ = static_cast<std::uint64_t>(stored->version);
  Result<PriceBook> book = decode(stored->bytes);
  if (!book) {
    base::log(base::Level::error, "price_book_unreadable",
              {{"version", stored->version}, {"reason", book.error().reason}});
    return;
  }
  auto buyers = for_buyers(*book);
  if (!buyers) {
    base::log(base::Level::error, "price_book_unreadable",
              {{"version", stored->version}, {"reason", buyers.error().reason}});
    return;
  }
  auto current = std::make_shared<const CurrentBook>(
      CurrentBook{std::move(*book), std::move(stored->bytes), std::move(stored->fingerprint),
                  std::move(*buyers)});
  const std::lock_guard hold(mutex_);
  // A slower thread that read before another one published must not bring back the older book.
  if (current_ && current_->book.version > current->book.version) return;
  current_ = std::move(current);
}

void Catalog::refresh() {
  std::int64_t newest = 0;
  db_.read([&newest](storage::Reader& reader) { newest = catalog_store::newest_version(reader); });
  if (static_cast<std::uint64_t>(newest) > last_version_) load();
}

Result<std::shared_ptr<const CurrentBook>> Catalog::current() const {
  const std::lock_guard hold(mutex_);
  if (!current_) return refuse(Code::unavailable, "price_book_not_ready");
  return current_;
}

// False when all ways stand so already.
bool Catalog::keep_ways(storage::Tx& tx, std::string_view supplier, const Assortment& assortment) {
  std::map<std::string, Ways> wanted;
  for (const std::string& known : supplier.empty()
                                      ? catalog_store::suppliers(tx)
                                      : std::vector<std::string>{std::string(supplier)})
    wanted[known];
  for (const auto& way : assortment.supplier_products) wanted[way.supplier].push_back(way);
  bool is_changed = false;
  for (auto& [name, ways] : wanted) {
    std::sort(ways.begin(), ways.end(),
              [](const auto& a, const auto& b) { return a.product_id < b.product_id; });
    if (same_ways(ways, catalog_store::products_of_supplier(tx, name))) continue;
    catalog_store::replace_supplier_products(tx, name, ways);
    is_changed = true;
  }
  return is_changed;
}

PriceBook Catalog::put_together(const Assortment& assortment, const Tariff& tariff) {
  PriceBook book;
  book.countries = assortment.countries;
  book.operators = assortment.operators;
  book.products = assortment.products;
  book.rules = tariff.more_rules;
  book.rules.push_back(tariff.rule);
  book.rates = tariff.rates;
  if (tariff.fee.fixed_minor > 0 || tariff.fee.rate_bp > 0) book.fees.push_back(tariff.fee);
  return canonical(std::move(book));
}

bool Catalog::publish(std::string_view supplier, const Assortment& assortment, const Tariff& tariff,
                      std::string_view actor, const Also& also) {
  refresh();  // another node may have published meanwhile
  const auto before = current();
  PriceBook book = put_together(assortment, tariff);
  if (add_offers_) {
    add_offers_(&book);
    book = canonical(std::move(book));
  }
  book.version = last_version_ + 1;  // also after one that this release cannot read
  book.published_at_ms = clock_.wall_ms();
  if (before && same_assortment(book, (*before)->book)) {
    db_.write([&](storage::Tx& tx) {
      if (also && !also(tx, static_cast<std::int64_t>((*before)->book.version))) return false;
      return keep_ways(tx, supplier, assortment) || also;
    });
    return false;
  }

  catalog_store::StoredBook stored{static_cast<std::int64_t>(book.version), encode(book), {}};
  if (stored.bytes.size() > kMaxPriceBookBytes) {
    base::log(base::Level::error, "price_book_too_large",
              {{"bytes", static_cast<std::int64_t>(stored.bytes.size())}});
    return false;
  }
  stored.fingerprint = fingerprint(stored.bytes);
  bool is_written = false;
  db_.write([&](storage::Tx& tx) {
    is_written = false;
    if (also && !also(tx, stored.version)) return false;
    catalog_store::insert_book(tx, stored, book.published_at_ms);
    keep_ways(tx, supplier, assortment);
    audit::append(tx,
                  {actor, "catalog.published", "price_book:" + std::to_string(stored.version),
                   stored.fingerprint},
                  base::TraceScope::current(), book.published_at_ms);
    is_written = true;
    return true;
  });
  if (is_written) load();
  return is_written;
}

}  // namespace topup::catalog
