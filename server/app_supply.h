// Supply, wired: the health of the lines to the suppliers, their balances, and the catalogue desk;
// the jobs and schedules that keep them; what /metrics shows of them; whose number it is.
// Translates between suppliers and catalogue, which do not know each other. Thread-safe once
// constructed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/app_lookup.h"
#include "server/base/clock.h"
#include "server/catalog/catalog_desk.h"
#include "server/config.h"
#include "server/jobs/schedule.h"
#include "server/observability/metrics.h"
#include "server/orders/order_env.h"
#include "server/orders/supply_flow.h"
#include "server/storage/db.h"
#include "server/suppliers/supplier_health.h"
#include "server/suppliers/suppliers.h"

namespace topup {

class SupplyParts {
 public:
  SupplyParts(const Config& config, storage::Db& db, const base::Clock& clock,
              suppliers::Suppliers& suppliers, catalog::Catalog& catalog,
              observability::Metrics& metrics);
  SupplyParts(const SupplyParts&) = delete;
  SupplyParts& operator=(const SupplyParts&) = delete;

  suppliers::SupplierHealth& health() { return health_; }
  catalog::CatalogDesk& desk() { return desk_; }
  // Before the first job runs and the routes are mounted; both outlive this.
  void attach(const orders::OrderEnv& env);
  void mount(http::Router& router) { lookups_->mount(router); }
  void register_jobs(jobs::Worker& worker, jobs::Schedules& schedules,
                     const orders::SupplyFlow& flow);

  // One supplier's lists, stored and compared; throws when it gave none. Then publishes.
  void sync(const std::string& supplier);
  // Asks for the balance, keeps it, and takes off or puts back what it covers; throws when the
  // supplier does not say.
  void look_at_balance(const std::string& supplier);
  bool publish(std::string_view actor);
  catalog::CatalogDesk::ShelfState shelf_state() const;
  bool has_outside_supplier() const;  // besides the shop's own stock

 private:
  bool is_low(Money balance) const;
  void tell(storage::Tx& tx, const suppliers::SupplierLine& line, suppliers::LineState before);
  void write_metrics(observability::Sheet& sheet) const;
  catalog::CatalogDesk::Balances balances() const;

  storage::Db& db_;
  const base::Clock& clock_;
  suppliers::Suppliers& suppliers_;
  catalog::Catalog& catalog_;
  const CatalogSection section_;
  const std::vector<std::string> countries_;
  suppliers::SupplierHealth health_;
  catalog::CatalogDesk desk_;
  const orders::OrderEnv* env_ = nullptr;
  std::unique_ptr<LookupParts> lookups_;  // from attach() on
};

}  // namespace topup
