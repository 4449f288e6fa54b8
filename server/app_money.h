// How people act on money, wired: refunds and entries of the books that wait for a second person,
// their routes, and the job that brings the finance view forward. Outlives the router.
#pragma once

#include "server/admin/approval_service.h"
#include "server/admin/ledger_desk.h"
#include "server/admin/refund_desk.h"
#include "server/auth/staff_sessions.h"
#include "server/http/router.h"
#include "server/jobs/schedule.h"
#include "server/jobs/worker.h"
#include "server/orders/order_env.h"
#include "server/orders/refund_flow.h"
#include "server/settings/settings.h"

namespace topup {

class MoneyParts {
 public:
  MoneyParts(const orders::OrderEnv& env, const orders::RefundFlow& refunds,
             admin::ApprovalService& approvals, const settings::Settings& settings);
  void mount(http::Router& router, auth::StaffSessions& sessions) const;
  const admin::RefundDesk& refunds() const { return refunds_; }
  void schedule(jobs::Schedules& schedules, jobs::Worker& worker) const;

 private:
  void advance_finance() const;
  const orders::OrderEnv& env_;
  const orders::RefundFlow& refund_flow_;
  mutable admin::RefundDesk refunds_;
  mutable admin::LedgerDesk ledger_;
};

}  // namespace topup
