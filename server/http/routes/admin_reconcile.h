// What staff see of reconciliation and do about it.
#pragma once

#include <cstdint>
#include <functional>

#include "server/admin/approval_service.h"
#include "server/auth/staff_sessions.h"
#include "server/http/cursor.h"
#include "server/http/router.h"
#include "server/reconcile/reconcile_service.h"
#include "server/storage/db.h"

namespace topup::http::routes {

struct ReconcileDesk {  // outlives the router
  storage::Db& db;
  const base::Clock& clock;
  reconcile::Reconciler& reconciler;
  admin::ApprovalService& approvals;
  auth::StaffSessions& sessions;
  const Cursors& cursors;
  std::function<std::int64_t()> second_above_minor;  // fen in suspense
  std::function<void()> wake_jobs;
};
void mount_admin_reconcile(Router& router, const ReconcileDesk& desk);

// What a second person agrees to.
admin::Action resolving_deed(reconcile::Reconciler& reconciler);

}  // namespace topup::http::routes
