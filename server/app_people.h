// Customers, the blacklist, operation records and visitor records, wired. Outlives the router.
#pragma once

#include "server/admin/blacklist_desk.h"
#include "server/admin/customer_desk.h"
#include "server/app_keys.h"
#include "server/audit/chain_watch.h"
#include "server/config.h"
#include "server/http/routes/mounts.h"
#include "server/http/visits.h"
#include "server/orders/order_env.h"

namespace topup {

class PeopleParts {
 public:
  PeopleParts(const Config& config, const orders::OrderEnv& env, const ShopKeys& keys);
  void mount(http::Router& router, const http::routes::StaffDesk& staff,
             const http::Cursors& cursors, const settings::Settings& settings);
  void seen(const http::Route& route, const http::Request& request) {
    visits_.seen(route, request);
  }
  void keep_house() { visits_.flush_when_due(); }
  void stop();

 private:
  const orders::OrderEnv& env_;
  admin::CustomerDesk customers_;
  admin::BlacklistDesk blacklist_;
  audit::ChainWatch chain_;
  http::Visits visits_;
};

}  // namespace topup
