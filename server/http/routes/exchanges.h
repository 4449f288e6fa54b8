// What suppliers were asked and answered, in the console (feature F006).
#pragma once

#include "server/base/json.h"
#include "server/http/cursor.h"
#include "server/http/router.h"
#include "server/storage/db.h"
#include "server/suppliers/exchange_store.h"

namespace topup::http::routes {

base::Json exchange_json(const suppliers::Exchange& exchange);

// Both references outlive the router.
void mount_admin_exchanges(Router& router, storage::Db& db, const Cursors& cursors);

}  // namespace topup::http::routes
