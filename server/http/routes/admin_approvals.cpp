// Deeds that wait for a second person.
#include "server/http/routes/mounts.h"

namespace topup::http::routes {
namespace {

using admin::Approval;
using base::Json;

constexpr std::size_t kMaxDecisionBody = 512;

Json approval_json(const admin::ApprovalService& approvals, const Approval& approval) {
  Json out = {{"approval_id", approval.id},
              {"action", approval.action},
              {"subject", approval.subject},
              {"body", Json::parse(approval.body, nullptr, false)},
              {"body_hash", approval.body_hash},
              {"state", approvals.shown_state(approval)},
              {"requested_by", approval.requested_by.text},
              {"created_at_ms", approval.created_at_ms},
              {"expires_at_ms", approval.expires_at_ms}};
  if (!approval.decided_by.empty()) {
    out["decided_by"] = approval.decided_by.text;
    out["decided_at_ms"] = approval.decided_at_ms;
  }
  return out;
}

Result<admin::Person> person_of(const StaffDesk& desk, const Request& request) {
  const auto staff = desk.sessions.who(request.session_id);
  if (!staff) return tl::unexpected<Error>(staff.error());
  return admin::Person{staff->id, staff->session_id, request.trace};
}

Result<Response> list(const StaffDesk& desk, const Request& request) {
  auto page = desk.approvals.list(request.query_value("cursor"), admin::kApprovalsPage + 1);
  Json out = {{"approvals", Json::array()}};
  if (page.size() > static_cast<std::size_t>(admin::kApprovalsPage)) {
    page.pop_back();
    out["next_cursor"] = page.back().id;
  }
  for (const Approval& approval : page)
    out["approvals"].push_back(approval_json(desk.approvals, approval));
  return Response::json(out);
}

Result<Response> approve(const StaffDesk& desk, const Request& request) {
  const auto body = base::json_in(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  const auto known = base::only_fields(*body, {"body_hash"});
  if (!known) return tl::unexpected<Error>(known.error());
  const auto hash = base::text_in(*body, "body_hash", 64);
  if (!hash) return tl::unexpected<Error>(hash.error());
  const auto person = person_of(desk, request);
  if (!person) return tl::unexpected<Error>(person.error());
  const auto approval =
      desk.approvals.approve(std::string(request.capture("approval_id")), *hash, *person);
  if (!approval) return tl::unexpected<Error>(approval.error());
  return Response::json(approval_json(desk.approvals, *approval));
}

Result<Response> reject(const StaffDesk& desk, const Request& request) {
  const auto person = person_of(desk, request);
  if (!person) return tl::unexpected<Error>(person.error());
  const auto approval = desk.approvals.reject(std::string(request.capture("approval_id")), *person);
  if (!approval) return tl::unexpected<Error>(approval.error());
  return Response::json(approval_json(desk.approvals, *approval));
}

Result<Response> withdraw(const StaffDesk& desk, const Request& request) {
  const auto person = person_of(desk, request);
  if (!person) return tl::unexpected<Error>(person.error());
  const auto approval =
      desk.approvals.withdraw(std::string(request.capture("approval_id")), *person);
  if (!approval) return tl::unexpected<Error>(approval.error());
  return Response::json(approval_json(desk.approvals, *approval));
}

}  // namespace

void mount_admin_approvals(Router& router, const StaffDesk& desk) {
  router.add({"GET", "/api/admin/approvals", Auth::staff, "approvals.read", Pool::compute, 0, false,
              Rate::read, Audited::no, Level::maintenance,
              [desk](const Request& request) { return list(desk, request); }});
  router.add({"POST", "/api/admin/approvals/{approval_id}/approve", Auth::staff, "approvals.decide",
              Pool::store, kMaxDecisionBody, false, Rate::write, Audited::yes, Level::maintenance,
              [desk](const Request& request) { return approve(desk, request); }});
  router.add({"POST", "/api/admin/approvals/{approval_id}/reject", Auth::staff, "approvals.decide",
              Pool::store, 0, false, Rate::write, Audited::yes, Level::maintenance,
              [desk](const Request& request) { return reject(desk, request); }});
  router.add({"POST", "/api/admin/approvals/{approval_id}/withdraw", Auth::staff, "session.own",
              Pool::store, 0, false, Rate::write, Audited::yes, Level::maintenance,
              [desk](const Request& request) { return withdraw(desk, request); }});
}

}  // namespace topup::http::routes
