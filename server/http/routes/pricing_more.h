// Beside the price rules: exchange rates, what is said of how products are shown, and rules that
// somebody has not published yet.
#pragma once

#include <functional>
#include <vector>

#include "server/base/clock.h"
#include "server/http/router.h"
#include "server/http/routes/mounts.h"
#include "server/storage/db.h"
#include "shared/money.h"

namespace topup::http::routes {

struct PricingMore {  // outlived by what it holds
  storage::Db& db;
  const base::Clock& clock;
  std::vector<topup::Rate> configured;
  std::function<void()> publish;  // rates reach the shelf
  PricingParts pricing;
};
void mount_admin_rates(Router& router, const PricingMore& more);
void mount_product_notes(Router& router, const PricingMore& more);
void mount_rule_drafts(Router& router, const PricingMore& more);

}  // namespace topup::http::routes
