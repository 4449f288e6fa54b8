// The routes of PINs: the stock for staff, what was delivered for its buyer.
#pragma once

#include <functional>

#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/http/router.h"
#include "server/orders/order_service.h"
#include "server/privacy/pii.h"
#include "server/storage/db.h"

namespace topup::http::routes {

struct PinParts {
  storage::Db& db;
  const base::Clock& clock;
  base::Random& random;
  const privacy::Pii& pii;
  const orders::OrderService& orders;
  std::function<void()> wake_jobs;
};
void mount_pins(Router& router, const PinParts& parts);

}  // namespace topup::http::routes
