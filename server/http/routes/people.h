// What staff do about people: customers, the blacklist, the audit trail, and the search over all of
// it. Mounted by app_people.cpp.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "server/admin/blacklist_desk.h"
#include "server/admin/customer_desk.h"
#include "server/audit/chain_watch.h"
#include "server/auth/rbac.h"
#include "server/auth/staff_accounts.h"
#include "server/auth/staff_sessions.h"
#include "server/base/clock.h"
#include "server/base/json.h"
#include "server/catalog/catalog_service.h"
#include "server/http/cursor.h"
#include "server/http/router.h"
#include "server/http/visits.h"
#include "server/orders/order_env.h"
#include "server/settings/settings.h"
#include "server/storage/db.h"

namespace topup::http::routes {

struct PeopleDesk {
  storage::Db& db;
  const base::Clock& clock;
  const Cursors& cursors;
  auth::StaffSessions& sessions;
  auth::StaffAccounts& accounts;
  const admin::CustomerDesk& customers;
  const admin::BlacklistDesk& blacklist;
  audit::ChainWatch& chain;
  Visits& visits;
  const settings::Settings& settings;
  const catalog::Catalog& catalog;
  const orders::OrderEnv& env;
};

inline constexpr std::size_t kMaxImportBody = 256 * 1024;

// A body with a reason, and who gives it. Errors: those of base/json.h; reason_missing.
struct GivenDeed {
  base::Json body;
  admin::Deed deed;
};
Result<GivenDeed> deed_in(const Request& request, std::initializer_list<std::string_view> fields);

void mount_admin_customers(Router& router, const PeopleDesk& desk);
void mount_admin_blacklist(Router& router, const PeopleDesk& desk);
void mount_admin_audit(Router& router, const PeopleDesk& desk);
void mount_admin_search(Router& router, const PeopleDesk& desk);
void mount_admin_visits(Router& router, const PeopleDesk& desk);

}  // namespace topup::http::routes
