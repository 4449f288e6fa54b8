// What the order flows need from the floors below, handed in once by app.cpp. Nothing here is
// owned.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/catalog/catalog_service.h"
#include "server/payments/channels.h"
#include "server/privacy/pii.h"
#include "server/storage/db.h"
#include "server/suppliers/suppliers.h"
#include "shared/ids.h"

namespace topup::orders {

// Live settings of the order flow; every time is milliseconds.
struct OrderSettings {
  std::int64_t pay_within_ms = 15 * 60'000;
  std::int64_t max_unpaid_per_user = 10;
  std::int64_t max_payment_attempts = 8;
  std::int64_t first_supplier_query_ms = 3'000;
  std::int64_t max_supplier_queries = 200;
  std::int64_t max_supplier_holds = 12;
  // "Not found" at a supplier counts as not delivered only when it was heard this often, this far
  // apart: a delayed request may still arrive. A number of queries, not a time on the wall, so that
  // a jumping clock cannot shorten it.
  std::int64_t not_found_needed = 10;
  std::int64_t not_found_gap_ms = 120'000;
  std::string public_origin;  // https://shop.example, without a slash at the end
};

struct OrderEnv {
  storage::Db& db;
  const base::Clock& clock;
  base::Random& random;
  const privacy::Pii& pii;
  catalog::Catalog& catalog;
  payments::Channels& channels;
  suppliers::Suppliers& suppliers;
  OrderSettings settings;
  std::function<void()> wake_jobs;                          // a job was committed
  std::function<void(const OrderId&)> order_changed;        // the order's state was committed
  std::function<void(std::string_view state)> count_state;  // for metrics
};

// Job kinds. Stored; do not rename.
namespace job_kind {
inline constexpr std::string_view kSubmit = "submit";                 // subject: attempt_id
inline constexpr std::string_view kSupplierQuery = "supplier_query";  // subject: attempt_id
inline constexpr std::string_view kPaymentQuery = "payment_query";    // subject: out_trade_no
inline constexpr std::string_view kRefund = "refund";                 // subject: out_refund_no
inline constexpr std::string_view kExpire = "order_expire";           // subject: order_id
}  // namespace job_kind

}  // namespace topup::orders
