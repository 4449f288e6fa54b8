#include "server/app_lookup.h"

#include <vector>

#include "server/catalog/operator_names.h"
#include "server/http/routes/number_lookup.h"
#include "server/suppliers/number_lookup_store.h"

namespace topup {
namespace {

constexpr std::string_view kSweep = "number_lookup_sweep";
constexpr std::int64_t kSweepEveryMs = 3'600'000;
constexpr std::int64_t kSweepJitterMs = 10 * 60'000;

}  // namespace

std::string operator_on_sale(storage::Db& db, const catalog::Catalog& catalog,
                             std::string_view supplier, const suppliers::LookedUp& found) {
  const auto current = catalog.current();
  if (!current) return {};
  const PriceBook& book = (*current)->book;
  std::vector<std::string> products;
  db.read([&](storage::Reader& reader) {
    products = suppliers::number_lookup_store::products_of(reader, supplier, found);
  });
  for (const std::string& id : products) {
    const Product* product = book.find(ProductId(id));
    if (product != nullptr) return book.operators[product->operator_index].id;
  }
  if (found.operator_name.empty()) return {};
  const std::string named = catalog::operator_of(found.country, found.operator_name).id;
  for (const Operator& one : book.operators) {
    if (one.id == named && one.country == found.country) return named;
  }
  return {};
}

LookupParts::LookupParts(storage::Db& db, const base::Clock& clock, const privacy::Pii& pii,
                         const suppliers::Suppliers& suppliers, const catalog::Catalog& catalog)
    : lookup_(db, clock, pii, suppliers,
              [&db, &catalog](std::string_view supplier, const suppliers::LookedUp& found) {
                return operator_on_sale(db, catalog, supplier, found);
              }) {}

void LookupParts::schedule(jobs::Schedules& schedules, jobs::Worker& worker) {
  schedules.add(worker, {std::string(kSweep), "shop", kSweepEveryMs, kSweepJitterMs},
                [this](const jobs::Job&) { (void)lookup_.sweep(); });
}

void LookupParts::mount(http::Router& router) {
  http::routes::mount_number_lookup(router, lookup_);
}

void LookupParts::write_metrics(observability::Sheet& sheet) const {
  for (const auto& figure : lookup_.figures()) {
    sheet.counter("number_lookups_total", "Look-ups of numbers by who was asked and what was said.",
                  figure.count, {{"supplier", figure.supplier}, {"outcome", figure.outcome}});
  }
}

}  // namespace topup
