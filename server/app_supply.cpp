#include "server/app_supply.h"

#include <set>
#include <stdexcept>
#include <utility>

#include "server/base/log.h"
#include "server/base/process.h"
#include "server/catalog/exchange_rate_store.h"
#include "server/orders/transition.h"
#include "server/suppliers/pin_stock.h"
#include "server/suppliers/pin_store.h"

namespace topup {
namespace {

constexpr std::int64_t kCatalogAgainMs = 6 * 3'600'000;
constexpr std::int64_t kCatalogJitterMs = 30 * 60'000;
constexpr std::int64_t kBalanceAgainMs = 5 * 60'000;
constexpr std::string_view kCatalogSync = "catalog_sync";

// Mainland China first, so that a shop has something to sell as early as may be.
constexpr std::string_view kCountries =
    "CN HK MO TW TH MY SG VN PH ID KH LA MM JP KR IN PK BD NP LK AE TR KZ KG UZ TM MN RU NG KE GH "
    "ZA EG MA ET TZ UG SN CI CM GB FR DE ES IT US CA MX BR CO PE AU NZ SA QA IQ JO AF MV BT BN TL "
    "EE";

std::vector<std::string> countries_of(const CatalogSection& section) {
  if (!section.countries.empty()) return section.countries;
  std::vector<std::string> codes;
  for (std::size_t at = 0; at < kCountries.size(); at += 3)
    codes.emplace_back(kCountries.substr(at, 2));
  return codes;
}

catalog::Tariff tariff_of(const Config& config) {
  catalog::Tariff tariff{config.pricing, config.service_fee, {}, config.catalog.rates};
  tariff.rule.scope.country = "CN";
  PriceRule abroad = config.catalog.abroad;
  abroad.step_minor = config.pricing.step_minor;
  abroad.round = Round::up;
  tariff.more_rules.push_back(std::move(abroad));
  return tariff;
}

catalog::DeskRules desk_rules(const CatalogSection& section) {
  return {{section.approve_new, section.cost_moves_bp}, section.reserve_orders};
}

catalog::Listed listed_of(const suppliers::ListedProduct& item) {
  catalog::Listed listed;
  listed.supplier_operator_id = item.supplier_operator_id;
  listed.operator_name = item.operator_name;
  listed.country = item.country;
  listed.face = item.face;
  listed.kind = item.kind;
  listed.sku = item.sku;
  listed.most_minor = item.most_minor;
  listed.step_minor = item.step_minor;
  listed.delivered = item.delivered;
  listed.cost = item.cost;
  listed.validity_days = item.validity_days;
  listed.name = item.name;
  return listed;
}

}  // namespace

SupplyParts::SupplyParts(const Config& config, storage::Db& db, const base::Clock& clock,
                         suppliers::Suppliers& suppliers, catalog::Catalog& catalog,
                         observability::Metrics& metrics)
    : db_(db),
      clock_(clock),
      suppliers_(suppliers),
      catalog_(catalog),
      section_(config.catalog),
      countries_(countries_of(config.catalog)),
      health_(db, clock, {},
              [this](storage::Tx& tx, const suppliers::SupplierLine& line,
                     suppliers::LineState before) { tell(tx, line, before); }),
      desk_(db, clock, catalog, tariff_of(config), desk_rules(config.catalog)) {
  suppliers_.add(suppliers::make_pin_stock(db, clock));
  metrics.add_source([this](observability::Sheet& sheet) { write_metrics(sheet); });
}

void SupplyParts::attach(const orders::OrderEnv& env) {
  env_ = &env;
  lookups_ = std::make_unique<LookupParts>(db_, clock_, env.pii, suppliers_, catalog_);
}

void SupplyParts::register_jobs(jobs::Worker& worker, jobs::Schedules& schedules,
                                const orders::SupplyFlow& flow) {
  worker.handle(std::string(orders::job_kind::kSupplyWait),
                [&flow](const jobs::Job& job) { flow.run_wait(job); });
  worker.handle(std::string(orders::job_kind::kSupplierRecheck),
                [&flow](const jobs::Job& job) { flow.run_recheck(job); });
  lookups_->schedule(schedules, worker);
  for (const auto& supplier : suppliers_.all()) {
    const std::string name(supplier->name());
    schedules.add(worker,
                  {std::string(kCatalogSync), name, kCatalogAgainMs, kCatalogJitterMs, true,
                   jobs::Priority::normal},
                  [this](const jobs::Job& job) { sync(job.subject); });
    schedules.add(worker,
                  {std::string(orders::job_kind::kSupplierBalance), name, kBalanceAgainMs, 0, true,
                   jobs::Priority::normal},
                  [this](const jobs::Job& job) { look_at_balance(job.subject); });
  }
}

void SupplyParts::sync(const std::string& name) {
  suppliers::Supplier* supplier = suppliers_.find(name);
  if (supplier == nullptr) throw std::runtime_error("the shop has no supplier " + name);
  catalog::SyncReport sum;
  std::int64_t answered = 0;
  for (const std::string& country : countries_) {
    const auto products = supplier->products(country);
    if (!products) {
      base::log(base::Level::warn, "catalog_country_failed",
                {{"supplier", name}, {"country", country}, {"why", products.error().reason}});
      continue;
    }
    ++answered;
    std::vector<catalog::Listed> listed;
    for (const suppliers::ListedProduct& item : *products) listed.push_back(listed_of(item));
    const auto report = desk_.sync(name, country, listed, "job:catalog_sync");
    sum.listed += report.listed;
    sum.added += report.added;
    sum.changed += report.changed;
    sum.withdrawn += report.withdrawn;
    if (report.is_doubtful) {
      base::log(base::Level::error, "catalog_list_doubtful",
                {{"supplier", name}, {"country", country}, {"listed", report.listed}});
    }
    if (answered == 1 && !catalog_.current()) (void)publish("job:catalog_sync");
  }
  if (answered == 0) throw std::runtime_error("the list of " + name + " cannot be had");
  const bool is_published = publish("job:catalog_sync");
  base::log(base::Level::info, "catalog_synced",
            {{"supplier", name},
             {"products", sum.listed},
             {"added", sum.added},
             {"changed", sum.changed},
             {"withdrawn", sum.withdrawn},
             {"published", is_published}});
  base::give_memory_back();  // a catalogue is thousands of products
}

bool SupplyParts::is_low(Money balance) const {
  const auto rates = catalog::exchange_rates::rates_now(db_, section_.rates);
  const auto worth = suppliers::in_shop_currency(balance, rates, Currency::cny);
  return balance.minor <= 0 || (worth && *worth < section_.low_balance_minor);
}

void SupplyParts::look_at_balance(const std::string& name) {
  suppliers::Supplier* supplier = suppliers_.find(name);
  if (supplier == nullptr) throw std::runtime_error("the shop has no supplier " + name);
  const auto balance = supplier->balance();
  const bool has_none = !balance && balance.error().reason == "not_offered";
  if (!balance && !has_none) throw std::runtime_error("the balance at " + name + " cannot be had");
  if (balance) health_.keep_balance(name, *balance, is_low(*balance));
  if (catalog_.current()) (void)publish("job:supplier_balance");
}

catalog::CatalogDesk::Balances SupplyParts::balances() const {
  catalog::CatalogDesk::Balances known;
  db_.read([&known](storage::Reader& reader) {
    for (const auto& line : suppliers::supplier_line_store::all(reader)) {
      if (line.balance) known[line.line] = *line.balance;
    }
  });
  return known;
}

catalog::CatalogDesk::ShelfState SupplyParts::shelf_state() const {
  catalog::CatalogDesk::ShelfState state{balances(), {}};
  db_.read([&](storage::Reader& reader) {
    std::set<std::string> left;
    for (const auto& count : suppliers::pin_store::counts(reader, clock_.wall_ms())) {
      if (count.available > 0) left.insert(count.sku);
    }
    for (const auto& product : suppliers::pin_store::products(reader, "")) {
      if (left.count(product.sku) == 0)
        state.sold_out.insert(std::string(suppliers::kStock) + "/" + product.sku);
    }
  });
  return state;
}

bool SupplyParts::publish(std::string_view actor) {
  const catalog::CatalogDesk::ShelfState state = shelf_state();
  return desk_.publish(state.balances, actor, state.sold_out);
}

bool SupplyParts::has_outside_supplier() const {
  return suppliers_.all().size() > (suppliers_.find(suppliers::kStock) == nullptr ? 0U : 1U);
}

// A line that closes and opens again by itself is only logged; one that keeps failing, and a
// balance that runs out, wait for a person.
void SupplyParts::tell(storage::Tx& tx, const suppliers::SupplierLine& line,
                       suppliers::LineState before) {
  if (line.state != before) {
    base::log(line.state == suppliers::LineState::open ? base::Level::info : base::Level::warn,
              "supplier_line_changed",
              {{"line", line.line},
               {"from", suppliers::to_word(before)},
               {"to", suppliers::to_word(line.state)},
               {"why", line.reason}});
  } else {
    base::log(line.is_low ? base::Level::warn : base::Level::info, "supplier_balance_changed",
              {{"supplier", line.line}, {"low", line.is_low}});
  }
  if (env_ == nullptr) return;
  const std::string subject = line.line + "@" + std::to_string(line.changed_at_ms);
  const bool keeps_failing = line.state == suppliers::LineState::closed &&
                             line.closings == health_.rules().closings_to_tell;
  if (line.state != before && keeps_failing)
    orders::open_work_item(*env_, tx, "supplier_line_closed", subject, OrderId(), line.reason);
  if (line.state == before && line.is_low && line.balance) {
    orders::open_work_item(
        *env_, tx, "supplier_balance_low", line.line + "@" + std::to_string(line.balance_at_ms),
        OrderId(),
        decimal_text(*line.balance) + " " + std::string(to_word(line.balance->currency)));
  }
}

void SupplyParts::write_metrics(observability::Sheet& sheet) const {
  if (lookups_) lookups_->write_metrics(sheet);
  for (const auto& figure : health_.figures()) {
    sheet.counter("supplier_submissions_total", "Submissions by what the supplier answered.",
                  figure.count, {{"supplier", figure.supplier}, {"outcome", figure.state}});
  }
  std::vector<suppliers::SupplierLine> lines;
  try {
    db_.read(
        [&lines](storage::Reader& reader) { lines = suppliers::supplier_line_store::all(reader); });
  } catch (const storage::SqlError& failure) {
    base::log(base::Level::warn, "supplier_lines_unread", {{"why", failure.what()}});
  }
  for (const auto& line : lines) {
    sheet.gauge("supplier_line_state", "0 open, 1 closed, 2 on trial, 3 switched off.",
                static_cast<std::int64_t>(line.state), {{"line", line.line}});
  }
  for (const auto& line : lines) {
    if (!line.balance) continue;
    sheet.gauge("supplier_balance_minor", "What the supplier has of ours, in minor units.",
                line.balance->minor,
                {{"supplier", line.line}, {"currency", to_word(line.balance->currency)}});
  }
  for (const auto& line : lines) {
    if (!line.balance) continue;
    sheet.gauge("supplier_balance_low", "1 while the balance is below the alert.",
                line.is_low ? 1 : 0, {{"supplier", line.line}});
  }
}

}  // namespace topup
