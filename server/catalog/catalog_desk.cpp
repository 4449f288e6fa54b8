#include "server/catalog/catalog_desk.h"

#include <algorithm>
#include <set>

#include "server/audit/audit_log.h"
#include "server/base/log.h"
#include "server/catalog/exchange_rate_store.h"

namespace topup::catalog {
namespace {

constexpr int kMaxTries = 3;

// A shop of an older release sold what the supplier listed: that stays on the shelf.
void keep_sold(std::vector<Listing>& rows, const std::vector<catalog_store::SupplierProduct>& sold,
               std::int64_t now_ms) {
  std::set<std::string> operators;
  for (const auto& way : sold) {
    if (way.face.minor == 0) operators.insert(way.country + "/" + way.supplier_operator_id);
  }
  for (Listing& row : rows) {
    const auto listed = parse_listed(row.listed);
    if (!listed || row.state != listing_state::kNew || listed->kind != ProductKind::airtime ||
        operators.count(listed->country + "/" + listed->supplier_operator_id) == 0) {
      continue;
    }
    row.approved = row.listed;
    row.state = listing_state::kApproved;
    row.decided_by = "rule:sold_before";
    row.decided_at_ms = now_ms;
  }
}

bool is_known_cost(Money cost, const std::vector<Rate>& rates) {
  if (cost.minor == 0 || cost.currency == Currency::cny) return cost.minor > 0;
  return std::any_of(rates.begin(), rates.end(),
                     [cost](const Rate& rate) { return rate.from == cost.currency; });
}

void settle(Listing& row, bool approve, std::string_view actor, std::int64_t now_ms) {
  if (approve) row.approved = row.listed;
  row.state = approve ? listing_state::kApproved : listing_state::kDeclined;
  if (!approve) row.approved.clear();
  row.decided_by = actor;
  row.decided_at_ms = now_ms;
}

}  // namespace

SyncReport CatalogDesk::sync(std::string_view supplier, std::string_view country,
                             const std::vector<Listed>& listed, std::string_view actor) {
  SyncReport report;
  const std::int64_t now = clock_.wall_ms();
  db_.write([&](storage::Tx& tx) {
    report = {};
    const std::vector<Listing> known = listing_store::of_supplier(tx, supplier, country);
    std::vector<Listing> rows = compare(known, supplier, listed, rules_.sync, now, &report);
    if (known.empty()) keep_sold(rows, catalog_store::products_of_supplier(tx, supplier), now);
    if (rows.empty()) return false;
    for (const Listing& row : rows) listing_store::save(tx, row);
    audit::append(
        tx,
        {std::string(actor), "catalog.synced",
         "supplier:" + std::string(supplier) + "/" + std::string(country),
         "added " + std::to_string(report.added) + ", changed " + std::to_string(report.changed) +
             ", withdrawn " + std::to_string(report.withdrawn)},
        base::TraceScope::current(), now);
    return true;
  });
  return report;
}

bool CatalogDesk::is_covered(const OnSale& one, const Balances& balances) const {
  const auto found = balances.find(one.supplier);
  if (found == balances.end()) return true;
  const Money cost = one.listed.cost;
  if (cost.minor == 0 || cost.currency != found->second.currency) return found->second.minor > 0;
  return found->second.minor / std::max<std::int64_t>(rules_.reserve_orders, 1) >= cost.minor;
}

std::vector<OnSale> CatalogDesk::on_sale(const Balances& balances,
                                         const std::set<std::string>& sold_out) const {
  std::vector<Listing> rows;
  db_.read([&rows](storage::Reader& reader) { rows = listing_store::approved(reader); });
  const std::vector<Rate> rates = exchange_rates::rates_now(db_, tariff_.rates);
  std::vector<OnSale> shelf;
  for (const Listing& row : rows) {
    const auto approved = parse_listed(row.approved);
    const auto listed = row.listed == row.approved ? approved : parse_listed(row.listed);
    // What would be delivered is no longer what was approved: off the shelf until a person agrees.
    if (!approved || !listed || !is_same_but_cost(*approved, *listed)) continue;
    // Abroad the price follows from the cost: without one there is none to show.
    if (approved->country != "CN" && !is_known_cost(approved->cost, rates)) continue;
    if (sold_out.count(row.supplier + "/" + listed->sku) > 0) continue;
    OnSale one{row.supplier, *approved, *listed};
    if (is_covered(one, balances)) shelf.push_back(std::move(one));
  }
  return shelf;
}

bool CatalogDesk::publish(const Balances& balances, std::string_view actor,
                          const std::set<std::string>& sold_out) {
  const std::lock_guard alone(publishing_);
  for (int tries = 0; tries < kMaxTries; ++tries) {
    const Rules rules = price_rules();
    const Assortment shelf = shelf_of({balances, sold_out});
    if (shelf.products.empty() && !catalog_.current()) return false;  // nothing was approved yet
    // Rules that another node publishes meanwhile are not overruled by a book priced before them.
    bool is_stale = false;
    const bool is_published = catalog_.publish(
        "", shelf, tariff_with(rules.rules, shelf), actor, [&](storage::Tx& tx, std::int64_t) {
          is_stale = rule_store::newest_version(tx) != rules.version;
          return !is_stale;
        });
    if (!is_stale) return is_published;
  }
  return false;
}

Result<std::int64_t> CatalogDesk::decide(const Decision& decision) {
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<std::int64_t> {
    std::int64_t changed = 0;
    for (const std::string& key : decision.keys) {
      auto row = listing_store::find(tx, decision.supplier, key);
      if (!row) return refuse(Code::not_found, "listing_not_found", "listings", key);
      if (row->state == listing_state::kWithdrawn && decision.approve)
        return refuse(Code::conflict, "listing_withdrawn", "listings", key);
      const Listing before = *row;
      settle(*row, decision.approve, decision.actor, now);
      if (row->state == before.state && row->approved == before.approved) continue;
      listing_store::save(tx, *row);
      ++changed;
      audit::append(tx,
                    {decision.actor, decision.approve ? "catalog.approved" : "catalog.declined",
                     "listing:" + decision.supplier + "/" + key,
                     decision.note.empty() ? row->listed : decision.note},
                    decision.trace, now);
    }
    return changed;
  });
}

std::int64_t CatalogDesk::approve_all(std::string_view supplier, std::string_view actor,
                                      const TraceId& trace) {
  const std::int64_t now = clock_.wall_ms();
  std::int64_t changed = 0;
  db_.write([&](storage::Tx& tx) {
    changed = 0;
    for (const std::string_view state : {listing_state::kNew, listing_state::kChanged}) {
      const auto rows =
          listing_store::page(tx, {std::string(state), std::string(supplier), ""}, {}, INT32_MAX);
      for (Listing row : rows) {
        settle(row, true, actor, now);
        listing_store::save(tx, row);
        ++changed;
      }
    }
    if (changed > 0) {
      audit::append(tx,
                    {std::string(actor), "catalog.approved",
                     "supplier:" + (supplier.empty() ? std::string("all") : std::string(supplier)),
                     std::to_string(changed) + " listings"},
                    trace, now);
    }
    return changed > 0;
  });
  return changed;
}

}  // namespace topup::catalog
