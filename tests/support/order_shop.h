// The order flows on a real database, with scripted parties, a manual clock and seeded chance. Jobs
// run only when a test says so, in the test's thread, and are settled as jobs::Worker settles them.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/audit/audit_log.h"
#include "server/jobs/outbox.h"
#include "server/jobs/worker.h"
#include "server/ledger/ledger_store.h"
#include "server/orders/money_proof_store.h"
#include "server/orders/order_service.h"
#include "server/orders/payment_flow.h"
#include "server/orders/refund_flow.h"
#include "server/orders/review_desk.h"
#include "server/orders/supply_flow.h"
#include "server/orders/work_item_store.h"
#include "shared/check.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/scripted_parties.h"
#include "tests/support/seeded_random.h"

namespace topup::testing {

inline constexpr std::string_view kProduct = "cn-mobile-5000";
inline constexpr std::string_view kNumber = "13800138000";
inline constexpr std::int64_t kPayable = 4'975;  // 50.00 at 99.5 %

class OrderShop {
 public:
  explicit OrderShop(std::uint64_t seed = 1) : OrderShop(seed, "") {}
  // On what another process of this shop has left, as ScratchShop takes it; "" for a new one.
  OrderShop(std::uint64_t seed, const std::string& left)
      : random(seed),
        shop(left.empty() ? ScratchShop() : ScratchShop(left)),
        pii(std::string(privacy::kMasterKeyBytes, 'k'), random),
        catalog(shop.db(), clock),
        env{shop.db(), clock, random, pii, catalog, channels, suppliers, {}, {}, {}, {}},
        orders(env),
        payments(env),
        supply(env),
        refunds(env),
        reviews(env) {
    env.settings.public_origin = "https://shop.example";
    env.wake_jobs = [this] { ++wakes_; };
    env.order_changed = [](const OrderId&) {};
    env.count_state = [](std::string_view) {};
    auto pay = std::make_unique<ScriptedChannel>("wechat");
    auto deliver = std::make_unique<ScriptedSupplier>("reloadly");
    wechat = pay.get();
    reloadly = deliver.get();
    channels.add(std::move(pay));
    suppliers.add(std::move(deliver));
    user = left.empty() ? new_user("buyer-one") : UserId("buyer-one");
    if (left.empty()) publish();
  }
  ~OrderShop() { shop.close(); }  // the writer's last hints still use what is destroyed next
  OrderShop(const OrderShop&) = delete;
  OrderShop& operator=(const OrderShop&) = delete;

  UserId new_user(const std::string& id) {
    shop.db().write([&](storage::Tx& tx) {
      tx.exec("INSERT INTO users (user_id, created_at_ms) VALUES ($1, $2)", {id, clock.wall_ms()});
      return true;
    });
    return UserId(id);
  }

  orders::PlaceRequest request(const std::string& key) {
    orders::PlaceRequest wanted;
    wanted.user = user;
    wanted.client_key = key;
    wanted.client_fingerprint = "body-of-" + key;
    wanted.quote.product_id = ProductId(std::string(kProduct));
    wanted.quote.account_number = std::string(kNumber);
    const auto quote = orders.price(wanted.quote);
    check(quote.has_value(), "the test's product is on sale");
    wanted.quote_fingerprint = fingerprint_text(quote->quote);
    return wanted;
  }
  OrderId place() {
    orders::PricedQuote shown;
    const auto placed = orders.place(request("client-key-" + std::to_string(++placed_)), &shown);
    check(placed.has_value(), "the test's order is accepted");
    return placed->order.id;
  }
  Result<orders::StartedPayment> try_start(const OrderId& order,
                                           payments::Scene scene = payments::Scene::h5) {
    orders::StartPayment start;
    start.user = user;
    start.order = order;
    start.channel = "wechat";
    start.scene = scene;
    start.openid = scene == payments::Scene::jsapi ? "openid-1" : "";
    start.client_address = "203.0.113.7";
    start.return_path = "/#/order";
    return payments.start(start);
  }
  OutTradeNo start(const OrderId& order, payments::Scene scene = payments::Scene::h5) {
    const auto started = try_start(order, scene);
    check(started.has_value(), "the test's payment starts");
    return started->out_trade_no;
  }
  // What the channel says of a paid attempt. Its number at the channel follows from ours.
  static payments::Trade paid(const OutTradeNo& no, Money amount = fen(kPayable)) {
    payments::Trade said = ScriptedChannel::trade(no, payments::TradeState::paid);
    said.transaction_id = TransactionId("wx-" + no.text);
    said.paid = amount;
    return said;
  }
  Result<bool> notify(const payments::Trade& trade, const std::string& notify_id = "") {
    return payments.on_notification(
        "wechat", {notify_id.empty() ? "n-" + trade.out_trade_no.text : notify_id, trade});
  }
  Result<bool> notify(const payments::RefundTrade& said, const std::string& notify_id = "") {
    return payments.on_notification(
        "wechat", {notify_id.empty() ? "n-" + said.out_refund_no.text : notify_id, said});
  }
  // Placed, started and paid; the job that calls the supplier is due.
  OrderId paid_order() {
    const OrderId order = place();
    check(notify(paid(start(order))).has_value(), "the test's payment is heard");
    return order;
  }

  State state(const OrderId& order) { return load(order).state; }
  orders::Order load(const OrderId& order) {
    const auto view = orders::load_view(shop.db(), order);
    check(view.has_value(), "the order is there");
    return view->order;
  }
  std::vector<payments::Attempt> attempts(const OrderId& order) {
    std::vector<payments::Attempt> found;
    shop.db().read([&](storage::Reader& reader) {
      found = payments::payment_store::attempts_of(reader, order);
    });
    return found;
  }
  std::vector<payments::Refund> refunds_of(const OrderId& order) {
    std::vector<payments::Refund> found;
    shop.db().read([&](storage::Reader& reader) {
      found = payments::payment_store::refunds_of(reader, order);
    });
    return found;
  }
  suppliers::SupplyAttempt supply_of(const OrderId& order) {
    std::vector<suppliers::SupplyAttempt> found;
    shop.db().read([&](storage::Reader& reader) {
      found = suppliers::supplier_store::attempts_of(reader, order);
    });
    check(found.size() == 1, "an order has one supplier attempt");
    return found.front();
  }
  std::vector<std::string> work_items() {
    return shop.texts("SELECT kind FROM work_items ORDER BY created_at_ms, kind");
  }
  std::int64_t journals(std::string_view name) {
    return shop.integer("SELECT COUNT(*) FROM journals WHERE template = $1", {name});
  }
  std::int64_t balance(std::string_view account) {
    return shop.integer(
        "SELECT balance_minor FROM account_balances WHERE account = $1 AND currency = 'CNY'",
        {account});
  }
  std::int64_t jobs(std::string_view kind) {
    return shop.integer("SELECT COUNT(*) FROM outbox WHERE kind = $1 AND state <> 'dead'", {kind});
  }
  std::int64_t due_at(std::string_view kind) {
    return shop.integer("SELECT run_at_ms FROM outbox WHERE kind = $1", {kind});
  }
  // What must hold at any moment, whatever was heard: "" or what is wrong.
  std::string broken_books() {
    std::string wrong;
    shop.db().read([&](storage::Reader& reader) {
      wrong.clear();
      for (const std::string& line : ledger::verify(reader)) wrong += line + "; ";
      for (const std::string& line : orders::verify_money(reader)) wrong += line + "; ";
      if (!audit::verify(reader).holds) wrong += "the audit chain is broken; ";
    });
    const std::int64_t unequal = shop.integer(
        "SELECT COUNT(*) FROM (SELECT currency FROM account_balances GROUP BY currency"
        " HAVING SUM(balance_minor) <> 0) unequal");
    if (unequal != 0) wrong += "the trial balance is not zero; ";
    return wrong;
  }

  // Hints follow their commit on the writer's thread; when a later write returns, all earlier ones
  // have run.
  int wakes() {
    shop.db().write([](storage::Tx&) { return true; });
    return wakes_;
  }

  void run(const jobs::Job& job) {
    if (job.kind == orders::job_kind::kSubmit) return supply.run_submit(job);
    if (job.kind == orders::job_kind::kSupplierQuery) return supply.run_query(job);
    if (job.kind == orders::job_kind::kSupplyWait) return supply.run_wait(job);
    if (job.kind == orders::job_kind::kSupplierRecheck) return supply.run_recheck(job);
    if (job.kind == orders::job_kind::kPaymentQuery) return payments.run_query(job);
    if (job.kind == orders::job_kind::kExpire) return payments.run_expire(job);
    if (job.kind == orders::job_kind::kRefund) return refunds.run(job);
    if (job.kind == orders::job_kind::kReview) return reviews.run_expiry(job);
    if (job.kind == orders::job_kind::kCloseSheet) return payments.run_close(job);
    broken("a job of an unknown kind");
  }
  // INT64_MAX when no job waits.
  std::int64_t next_due() {
    std::optional<std::int64_t> due;
    shop.db().read([&due](storage::Reader& reader) { due = jobs::outbox::next_due_ms(reader); });
    return due.value_or(INT64_MAX);
  }
  std::vector<jobs::Job> claim(std::int64_t limit = 1) {
    std::vector<jobs::Job> claimed;
    shop.db().write([&](storage::Tx& tx) {
      const std::int64_t now = clock.wall_ms();
      claimed = jobs::outbox::claim(tx, now, now + jobs::kLeaseMs, limit);
      return true;
    });
    return claimed;
  }
  // Runs what is due now, until nothing is. Returns how many jobs ran.
  int run_due(int limit = 1'000) {
    int ran = 0;
    while (ran < limit && next_due() <= clock.wall_ms()) {
      run_one(claim().at(0));
      ++ran;
    }
    return ran;
  }
  // Moves the clock from job to job until none is due within `within_ms`. False when the jobs never
  // end.
  bool run_until_quiet(std::int64_t within_ms, int limit = 3'000) {
    const std::int64_t end = clock.wall_ms() + within_ms;
    for (int ran = 0; ran < limit;) {
      ran += run_due(limit - ran);
      const std::int64_t due = next_due();
      if (due > end) return true;
      clock.advance_to(due);
    }
    return false;
  }
  void run_one(const jobs::Job& job) {
    try {
      run(job);
    } catch (const std::exception&) {
      ++failed_jobs;
    }
    const bool left =
        shop.integer(
            "SELECT COUNT(*) FROM outbox WHERE job_id = $1 AND fence = $2 AND state = 'leased'",
            {job.job_id, job.fence}) == 1;
    if (!left) return;
    const bool dead = job.attempts >= jobs::kMaxFailures;
    (void)storage::with_tx(shop.db(), [&](storage::Tx& tx) {
      return dead ? jobs::outbox::bury(tx, job, "failed")
                  : jobs::outbox::fail(tx, job, clock.wall_ms() + 1'000, "failed");
    });
  }

  QuietLog quiet;
  ManualClock clock;
  SeededRandom random;
  ScratchShop shop;
  privacy::Pii pii;
  catalog::Catalog catalog;
  payments::Channels channels;
  suppliers::Suppliers suppliers;
  orders::OrderEnv env;
  orders::OrderService orders;
  orders::PaymentFlow payments;
  orders::SupplyFlow supply;
  orders::RefundFlow refunds;
  orders::ReviewDesk reviews;
  ScriptedChannel* wechat = nullptr;
  ScriptedSupplier* reloadly = nullptr;
  UserId user;
  int failed_jobs = 0;

 private:
  void publish() {
    const std::vector<catalog::Listed> listed = {{"1", "China Mobile", "CN", fen(5'000)},
                                                 {"2", "China Unicom", "CN", fen(10'000)}};
    catalog.publish("reloadly", catalog::product_changes("reloadly", listed),
                    {{.id = "default", .rate_bp = 9'950}, {.id = "service"}}, "system");
  }
  std::atomic<int> wakes_{0};
  int placed_ = 0;
};

}  // namespace topup::testing
