// Whose number it is, wired: their operators become ours by the shelf, and what was asked is
// counted.
#pragma once

#include <string>

#include "server/base/clock.h"
#include "server/catalog/catalog_service.h"
#include "server/http/router.h"
#include "server/jobs/schedule.h"
#include "server/jobs/worker.h"
#include "server/observability/metrics.h"
#include "server/privacy/pii.h"
#include "server/storage/db.h"
#include "server/suppliers/number_lookup.h"
#include "server/suppliers/suppliers.h"

namespace topup {

class LookupParts {
 public:
  LookupParts(storage::Db& db, const base::Clock& clock, const privacy::Pii& pii,
              const suppliers::Suppliers& suppliers, const catalog::Catalog& catalog);
  LookupParts(const LookupParts&) = delete;
  LookupParts& operator=(const LookupParts&) = delete;

  void schedule(jobs::Schedules& schedules, jobs::Worker& worker);
  void mount(http::Router& router);
  void write_metrics(observability::Sheet& sheet) const;

 private:
  suppliers::NumberLookup lookup_;
};

// The operator of ours that is on sale for what a supplier names: by the products it delivers
// there, else by its name; "" when there is none.
std::string operator_on_sale(storage::Db& db, const catalog::Catalog& catalog,
                             std::string_view supplier, const suppliers::LookedUp& found);

}  // namespace topup
