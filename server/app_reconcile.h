// Reconciliation, wired: what it does to work items and jobs, when it runs, its routes and the deed
// that waits for a second person. Outlives the router and the worker's handlers.
#pragma once

#include <functional>
#include <memory>

#include "server/admin/approval_service.h"
#include "server/auth/staff_sessions.h"
#include "server/http/cursor.h"
#include "server/http/router.h"
#include "server/jobs/schedule.h"
#include "server/jobs/worker.h"
#include "server/orders/order_env.h"
#include "server/reconcile/reconcile_service.h"
#include "server/settings/settings.h"

namespace topup {

// What reconciliation does beyond its own tables. All arguments outlive it.
reconcile::Deeds reconcile_deeds(const base::Clock& clock, base::Random& random,
                                 std::function<void()> wake_jobs);

class ReconcileParts {
 public:
  ReconcileParts(const orders::OrderEnv& env, const settings::Settings& settings,
                 admin::ApprovalService& approvals);
  void mount(http::Router& router, auth::StaffSessions& sessions, const http::Cursors& cursors);
  void schedule(jobs::Schedules& schedules, jobs::Worker& worker);

 private:
  void run_asked(const jobs::Job& job);
  const orders::OrderEnv& env_;
  const settings::Settings& settings_;
  admin::ApprovalService& approvals_;
  reconcile::Reconciler reconciler_;
};

}  // namespace topup
