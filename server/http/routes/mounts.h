// Every group of routes is mounted here; app.cpp calls them once. A handler only reads the request,
// calls one service and writes the answer: rules live in shared/, conversations in server/orders.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "server/auth/session.h"
#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/catalog/catalog_service.h"
#include "server/http/router.h"
#include "server/orders/order_service.h"
#include "server/orders/payment_flow.h"
#include "server/orders/supply_flow.h"
#include "server/storage/db.h"

namespace topup::http::routes {

struct ShopFacts {  // what a page is told first
  std::string name;
  std::vector<std::string> rehearsed;  // outside parties that are played
};
void mount_shop(Router& router, const ShopFacts& facts, const catalog::Catalog& catalog,
                auth::Sessions& sessions, const base::Clock& clock);
void mount_orders(Router& router, const orders::OrderService& orders,
                  const orders::PaymentFlow& payments, const base::Clock& clock);
void mount_parties(Router& router, const payments::Channels& channels,
                   const suppliers::Suppliers& suppliers, const orders::PaymentFlow& payments,
                   const orders::SupplyFlow& supply);
void mount_admin_session(Router& router, auth::Sessions& sessions);
void mount_admin_orders(Router& router, storage::Db& db, const suppliers::Suppliers& suppliers,
                        const base::Clock& clock);

struct Probes {
  std::function<std::string()> metrics_text;
  std::function<std::vector<std::string>()>
      missing;  // what keeps the shop from taking orders; empty when ready
};
void mount_ops(Router& router, Probes probes);

}  // namespace topup::http::routes
