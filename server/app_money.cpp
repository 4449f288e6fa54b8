#include "server/app_money.h"

#include "server/http/routes/mounts.h"
#include "server/ledger/finance_store.h"

namespace topup {
namespace {

constexpr std::int64_t kFinanceEveryMs = 10'000;
constexpr int kMaxSteps = 200;  // of one run; the next goes on

std::function<std::int64_t()> limit(const settings::Settings& settings, const char* key) {
  return [&settings, key] { return settings.current()->integer(key); };
}

}  // namespace

MoneyParts::MoneyParts(const orders::OrderEnv& env, const orders::RefundFlow& refunds,
                       admin::ApprovalService& approvals, const settings::Settings& settings)
    : env_(env),
      refund_flow_(refunds),
      refunds_(env, approvals, limit(settings, "refunds.second_person_above_minor")),
      ledger_(env, approvals, limit(settings, "ledger.second_person_above_minor")) {}

void MoneyParts::mount(http::Router& router, auth::StaffSessions& sessions) const {
  http::routes::mount_refunds(router, env_);
  http::routes::mount_admin_money(router, {env_, sessions, refunds_, ledger_, refund_flow_});
  http::routes::mount_admin_work_items(router, env_);
}

void MoneyParts::schedule(jobs::Schedules& schedules, jobs::Worker& worker) const {
  schedules.add(worker,
                {"finance_view", "shop", kFinanceEveryMs, 0, true, jobs::Priority::background},
                [this](const jobs::Job&) { advance_finance(); });
}

void MoneyParts::advance_finance() const {
  for (int step = 0; step < kMaxSteps; ++step) {
    std::int64_t taken = 0;
    env_.db.write([&taken](storage::Tx& tx) {
      taken = ledger::advance_finance(tx);
      return taken > 0;
    });
    if (taken == 0) return;
  }
}

}  // namespace topup
