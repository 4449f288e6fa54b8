#include "server/app_reconcile.h"

#include <utility>

#include "server/base/log.h"
#include "server/base/process.h"
#include "server/http/routes/admin_reconcile.h"
#include "server/jobs/outbox.h"
#include "server/orders/work_item_store.h"

namespace topup {
namespace {

constexpr std::int64_t kLookEveryMs = 10 * 60'000;
constexpr std::int64_t kMinuteMs = 60'000;

reconcile::Rules rules_of(const settings::Snapshot& now) {
  return {now.integer("reconcile.supplier_day_offset_minutes") * kMinuteMs,
          now.boolean("reconcile.compare_fees") ? now.integer("reconcile.channel_fee_bp") : -1};
}

}  // namespace

reconcile::Deeds reconcile_deeds(const base::Clock& clock, base::Random& random,
                                 std::function<void()> wake_jobs) {
  reconcile::Deeds deeds;
  deeds.open_item = [&clock, &random](storage::Tx& tx, const std::string& subject,
                                      const std::string& order_id, const std::string& detail,
                                      Money held) {
    orders::WorkItem item;
    item.id = base::new_id(random, clock.wall_ms());
    item.kind = reconcile::kWorkItem;
    item.subject = subject;
    item.order = OrderId(order_id);
    item.detail = detail;
    item.state = orders::work_item_state::kOpen;
    item.held = held;
    item.created_at_ms = clock.wall_ms();
    orders::work_item_store::insert(tx, item);
  };
  deeds.close_item = [&clock](storage::Tx& tx, const std::string& subject, const std::string& by,
                              std::string_view resolution) {
    const auto item = orders::work_item_store::find_open(tx, reconcile::kWorkItem, subject);
    return item && orders::work_item_store::resolve(tx, item->id, by, resolution, clock.wall_ms());
  };
  deeds.query_again = [&clock, wake = std::move(wake_jobs)](storage::Tx& tx, reconcile::Side side,
                                                            const std::string& number) {
    const std::string_view kind = side == reconcile::Side::payment ? orders::job_kind::kPaymentQuery
                                  : side == reconcile::Side::refund
                                      ? orders::job_kind::kRefund
                                      : orders::job_kind::kSupplierQuery;
    const std::int64_t now = clock.wall_ms();
    jobs::outbox::enqueue(tx, kind, number, now, now, base::TraceScope::current());
    if (wake) tx.after_commit(wake);
    return true;
  };
  return deeds;
}

ReconcileParts::ReconcileParts(const orders::OrderEnv& env, const settings::Settings& settings,
                               admin::ApprovalService& approvals)
    : env_(env),
      settings_(settings),
      approvals_(approvals),
      reconciler_(env.db, env.clock, env.random, env.channels, env.suppliers,
                  reconcile_deeds(env.clock, env.random, env.wake_jobs),
                  [&settings] { return rules_of(*settings.current()); }) {
  approvals_.add(http::routes::resolving_deed(reconciler_));
}

void ReconcileParts::mount(http::Router& router, auth::StaffSessions& sessions,
                           const http::Cursors& cursors) {
  http::routes::mount_admin_reconcile(
      router,
      {env_.db, env_.clock, reconciler_, approvals_, sessions, cursors,
       [this] { return settings_.current()->integer("reconcile.second_person_above_minor"); },
       env_.wake_jobs});
}

void ReconcileParts::schedule(jobs::Schedules& schedules, jobs::Worker& worker) {
  schedules.add(worker, {"reconcile", "due", kLookEveryMs, 0, true, jobs::Priority::background},
                [this](const jobs::Job&) {
                  if (reconciler_.run_due() > 0) base::give_memory_back();
                });
  worker.handle(
      std::string(reconcile::kRunJob), [this](const jobs::Job& job) { run_asked(job); }, 1);
}

void ReconcileParts::run_asked(const jobs::Job& job) {
  reconciler_.run_asked(job.subject);
  (void)storage::with_tx(env_.db, [&](storage::Tx& tx) { return jobs::outbox::finish(tx, job); });
  base::give_memory_back();  // both sides of a whole day were in memory
}

}  // namespace topup
