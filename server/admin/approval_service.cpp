#include "server/admin/approval_service.h"

#include <algorithm>

#include "server/audit/audit_log.h"
#include "server/auth/rbac.h"
#include "server/auth/staff_store.h"
#include "server/base/crypto.h"
#include "shared/check.h"

namespace topup::admin {
namespace {

// No field holds a line break, so that no two deeds share one text.
std::string hash_of(std::string_view action, std::string_view subject, std::string_view body) {
  std::string text(action);
  text.append("\n").append(subject).append("\n").append(body);
  return base::hex(base::sha256(text));
}

bool may(storage::Reader& reader, const StaffId& id, std::string_view permission) {
  const auto staff = auth::staff_store::find(reader, id);
  return staff && staff->is_enabled && auth::may(staff->roles, permission);
}

}  // namespace

void ApprovalService::add(Action action) {
  check(auth::find_permission(action.ask_permission) != nullptr &&
            auth::find_permission(action.agree_permission) != nullptr && action.apply != nullptr,
        "a deed for two people names known permissions and what is done");
  actions_.push_back(std::move(action));
}

const Action& ApprovalService::action_of(std::string_view word) const {
  for (const Action& action : actions_) {
    if (action.word == word) return action;
  }
  check(false, "a deed for two people is added before it is asked for");
  return actions_.front();
}

Result<Approval> ApprovalService::request(storage::Tx& tx, std::string_view action,
                                          std::string_view subject, const base::Json& body,
                                          const Person& asker) {
  const std::int64_t now = clock_.wall_ms();
  check(action_of(action).word == action, "the action is known");
  Approval approval;
  approval.id = base::new_id(random_, now);
  approval.action = action;
  approval.subject = subject;
  approval.body = body.dump();  // members sorted, no blanks: the same deed has the same text
  approval.body_hash = hash_of(action, subject, approval.body);
  approval.state = "waiting";
  approval.requested_by = asker.id;
  approval.requested_in = asker.session_id;
  approval.created_at_ms = now;
  approval.expires_at_ms = now + kApprovalMs;
  const auto same = approval_store::find_waiting(tx, approval.body_hash, now);
  if (same && same->requested_by == asker.id) {
    approval = *same;
  } else {
    if (approval_store::count_waiting(tx, asker.id, now) >= kMaxWaitingEach)
      return refuse(Code::rejected, "approvals_full");
    approval_store::insert(tx, approval);
  }
  audit::append(tx,
                {"staff:" + asker.id.text, "approval.requested", approval.id,
                 approval.action + " " + approval.subject},
                asker.trace, now);
  return approval;
}

Result<Approval> ApprovalService::waiting(storage::Reader& reader, const std::string& id,
                                          std::int64_t now_ms) const {
  auto approval = approval_store::find(reader, id);
  if (!approval) return refuse(Code::not_found, "approval_not_found", "approval_id");
  if (approval->state != "waiting") return refuse(Code::conflict, "approval_settled");
  if (approval->expires_at_ms <= now_ms) return refuse(Code::conflict, "approval_expired");
  return std::move(*approval);
}

Result<Approval> ApprovalService::approve(const std::string& id, std::string_view body_hash,
                                          const Person& second) {
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<Approval> {
    auto approval = waiting(tx, id, now);
    if (!approval) return approval;
    if (approval->requested_by == second.id || approval->requested_in == second.session_id)
      return refuse(Code::forbidden, "approval_own");
    const Action& action = action_of(approval->action);
    if (!may(tx, second.id, action.agree_permission))
      return refuse(Code::forbidden, "approval_not_yours");
    if (!may(tx, approval->requested_by, action.ask_permission))
      return refuse(Code::conflict, "approval_stale");
    // The row itself may have been changed by somebody who holds the database.
    if (body_hash != approval->body_hash ||
        hash_of(approval->action, approval->subject, approval->body) != approval->body_hash) {
      return refuse(Code::conflict, "approval_changed", "body_hash");
    }
    if (!approval_store::decide(tx, id, "approved", second.id, second.session_id, now))
      return refuse(Code::conflict, "approval_settled");
    const auto done = action.apply(tx, *approval, second);
    if (!done) return tl::unexpected<Error>(done.error());
    return approval_store::find(tx, id).value();
  });
}

Result<Approval> ApprovalService::reject(const std::string& id, const Person& person) {
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<Approval> {
    auto approval = waiting(tx, id, now);
    if (!approval) return approval;
    const Action& action = action_of(approval->action);
    if (approval->requested_by != person.id && !may(tx, person.id, action.agree_permission))
      return refuse(Code::forbidden, "approval_not_yours");
    approval_store::decide(tx, id, "rejected", person.id, person.session_id, now);
    audit::append(tx,
                  {"staff:" + person.id.text, "approval.rejected", id,
                   approval->action + " " + approval->subject},
                  person.trace, now);
    return approval_store::find(tx, id).value();
  });
}

Result<Approval> ApprovalService::withdraw(const std::string& id, const Person& asker) {
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<Approval> {
    auto approval = waiting(tx, id, now);
    if (!approval) return approval;
    if (approval->requested_by != asker.id)
      return refuse(Code::not_found, "approval_not_found", "approval_id");
    approval_store::decide(tx, id, "rejected", asker.id, asker.session_id, now);
    audit::append(tx,
                  {"staff:" + asker.id.text, "approval.withdrawn", id,
                   approval->action + " " + approval->subject},
                  asker.trace, now);
    return approval_store::find(tx, id).value();
  });
}

std::vector<Approval> ApprovalService::list(std::string_view before_id, std::int64_t limit) {
  std::vector<Approval> found;
  db_.read(
      [&](storage::Reader& reader) { found = approval_store::list(reader, before_id, limit); });
  return found;
}

std::vector<Approval> ApprovalService::waiting(storage::Reader& reader, std::string_view after_id,
                                               const StaffId& by, std::int64_t limit) const {
  return approval_store::list_waiting(reader, clock_.wall_ms(), after_id, by, limit);
}

std::vector<StaffId> ApprovalService::seconds(storage::Reader& reader, std::string_view word,
                                              const StaffId& asker) const {
  const Action& action = action_of(word);
  std::vector<StaffId> found;
  for (const auth::Role& role : auth::kRoles) {
    if (!auth::allows(role.word, action.agree_permission)) continue;
    for (const StaffId& id : auth::staff_store::enabled_with_role(reader, role.word)) {
      if (id != asker && std::find(found.begin(), found.end(), id) == found.end())
        found.push_back(id);
    }
  }
  return found;
}

bool ApprovalService::has_second(storage::Reader& reader, std::string_view word,
                                 const StaffId& asker) const {
  return !seconds(reader, word, asker).empty();
}

std::string_view ApprovalService::shown_state(const Approval& approval) const {
  const bool late = approval.state == "waiting" && approval.expires_at_ms <= clock_.wall_ms();
  return late ? std::string_view("expired") : std::string_view(approval.state);
}

}  // namespace topup::admin
