// What the order flows need from the floors below, handed in once by app.cpp. Nothing here is
// owned.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/base/random.h"
#include "server/catalog/catalog_service.h"
#include "server/payments/channels.h"
#include "server/privacy/pii.h"
#include "server/storage/db.h"
#include "server/suppliers/supplier_health.h"
#include "server/suppliers/suppliers.h"
#include "shared/ids.h"
#include "shared/order_state.h"

namespace topup::orders {

// Live settings of the order flow; every time is milliseconds.
struct OrderSettings {
  std::int64_t pay_within_ms = kPayWithinMs;
  std::int64_t repeat_window_ms = 10 * 60'000;  // 0: nobody is asked "again?"
  std::int64_t review_above_minor = 200'000;    // of CNY; 0: no order waits for a person
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
  std::int64_t max_supplier_attempts = 5;  // with different suppliers, for one order
  // How long a paid order waits for a supplier that can take it; then the money goes back.
  std::int64_t hold_promise_ms = kHoldPromiseMs;
  // How much more than when it was quoted a delivery may cost, in ten-thousandths.
  std::int64_t cost_cap_bp = 500;
  std::string public_origin;  // https://shop.example, without a slash at the end
};

// What may change while the shop runs: asked for at each order. Rules that are 0 or false are off.
struct OrderLimits {
  std::int64_t pay_within_ms, max_unpaid_per_user;
  // Kinds of product that are not paid for in the mini-program on iOS; shared by all who ask.
  std::shared_ptr<const std::vector<std::string>> not_on_ios = {};
  std::int64_t repeat_window_ms =
      0;  // the same recipient and amount again within it is asked about
  // What one recipient gets above this, by one order or by several within the window or the day,
  // waits for a person; likewise what one buyer buys in a day.
  std::int64_t review_above_minor = 0, review_window_ms = 0, review_buyer_day_minor = 0;
  std::int64_t review_within_ms = kApproveWithinMs;  // then the money goes back
  std::int64_t two_people_above_minor = 0;           // such an order is approved by two
  std::int64_t revive_within_ms = 0;    // a payment so long after closing may still be delivered
  std::int64_t verify_above_minor = 0;  // the buyer proves a phone before paying so much
  std::int64_t opens_at_minute = 0, closes_at_minute = 1'440;  // of the day in Shanghai
  bool confirm_account = false;                                // the number is typed twice
  std::int64_t refund_answer_within_ms = 24 * 3'600'000;       // then a buyer's wish is urgent
};

struct Order;
class Tickets;

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
  std::function<OrderLimits()> live_limits = {};            // none: those of `settings`
  suppliers::SupplierHealth* health = nullptr;              // none: nobody counts outcomes
  // Hears each transition in its transaction: messages and reports are enqueued there.
  std::function<void(storage::Tx&, const Order&, Event)> announce = {};
  // Tells the buyer of a topic that no transition stands for.
  std::function<void(storage::Tx&, const Order&, std::string_view topic)> tell = {};

  // The shop runs without coupons and optional promotions just now (feature F019).
  std::function<bool()> without_marketing = {};
  // Where tickets wait for their commit; none: each is written before the buyer has it.
  Tickets* tickets = nullptr;

  bool is_without_marketing() const { return without_marketing && without_marketing(); }
  OrderLimits limits() const {
    if (live_limits) return live_limits();
    return {settings.pay_within_ms, settings.max_unpaid_per_user};
  }
};

// Job kinds. Stored; do not rename.
namespace job_kind {
inline constexpr std::string_view kSubmit = "submit";                 // subject: attempt_id
inline constexpr std::string_view kSupplierQuery = "supplier_query";  // subject: attempt_id
inline constexpr std::string_view kSupplyWait = "supply_wait";        // subject: order_id
// Whether a delivery was taken back; subject: attempt_id.
inline constexpr std::string_view kSupplierRecheck = "supplier_recheck";
inline constexpr std::string_view kSupplierBalance = "supplier_balance";  // subject: supplier
inline constexpr std::string_view kPaymentQuery = "payment_query";        // subject: out_trade_no
inline constexpr std::string_view kRefund = "refund";                     // subject: out_refund_no
inline constexpr std::string_view kExpire = "order_expire";               // subject: order_id
inline constexpr std::string_view kReview = "order_review";               // subject: order_id
inline constexpr std::string_view kCloseSheet = "close_sheet";            // subject: out_trade_no
}  // namespace job_kind

}  // namespace topup::orders
