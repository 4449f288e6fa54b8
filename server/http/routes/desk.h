// The operator's desk: what waits for a person in one list, what may be done with an order and how
// it moves, refunds and journals page by page, figures of the day, and tables as files. Rules live
// below; this only gathers them for a page.
#pragma once

#include "server/admin/approval_service.h"
#include "server/admin/refund_desk.h"
#include "server/base/json.h"
#include "server/http/cursor.h"
#include "server/http/router.h"
#include "server/http/routes/mounts.h"
#include "server/http/routes/order_search.h"
#include "server/ledger/browse_store.h"
#include "server/orders/order_env.h"
#include "server/orders/refund_wish_store.h"
#include "server/payments/payment_store.h"

namespace topup::http::routes {

struct DeskParts {  // every reference outlives the router
  const orders::OrderEnv& env;
  const OrderFinding find;
  admin::ApprovalService& approvals;
  const admin::RefundDesk& refunds;
  const orders::PaymentFlow& payments;
  const orders::SupplyFlow& supply;
  const orders::RefundFlow& refund_flow;
  auth::StaffSessions& sessions;
};

// An order's outcome as a person vouches for it: asked by whoever works on orders, agreed to by
// whoever agrees to refunds.
inline constexpr std::string_view kOutcomeMark = "order.outcome";

// The member "answer" of a deed on a buyer's wish for a refund: a reason of the decision's list
// and, if wanted, words of staff. Without the member the list's first reason. Errors: out_of_range,
// unknown_field, missing_field.
Result<orders::RefundAnswer> refund_answer_in(const base::Json& body, std::string_view decision);

void mount_admin_work(Router& router, const DeskParts& desk);
void mount_admin_desk(Router& router, const DeskParts& desk);
void mount_admin_order_deeds(Router& router, const DeskParts& desk);
void mount_admin_books(Router& router, const DeskParts& desk);
void mount_admin_export(Router& router, const DeskParts& desk);

// A filter of journals as a request gives it, and the name of its list. Errors: account_unknown,
// out_of_range.
Result<ledger::browse_store::Wanted> journals_wanted(std::string_view account,
                                                     std::string_view name,
                                                     std::string_view from_ms,
                                                     std::string_view to_ms);
std::string journals_name(const ledger::browse_store::Wanted& wanted);

// The deeds of admin_order_deeds.cpp that this person may do with this order now.
void add_supply_deeds(const DeskParts& desk, storage::Reader& reader, const StaffId& staff,
                      const orders::Order& order, base::Json& deeds);

// What a refund offers, by its state: words of the routes under /api/admin/refunds.
std::vector<std::string> refund_actions(const payments::Refund& refund);
// {staff_id, name} of each; who has left is named by the id alone.
base::Json people_json(storage::Reader& reader, const std::vector<StaffId>& ids);
std::string staff_name(storage::Reader& reader, const StaffId& id);
bool may_staff(storage::Reader& reader, const StaffId& id, std::string_view permission);

}  // namespace topup::http::routes
