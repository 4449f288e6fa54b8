// The two-person rule. One person asks for a deed; it is done when another person, who may at that
// moment, agrees to exactly the body that was asked for. Refused: oneself, one's own session, a
// body that differs from what was seen, an asker or a second who was disabled or lost the role
// meanwhile, what has expired, and anything a second time. The deed is done in the transaction that
// uses the consent up, or leaves from there as a job. Thread-safe once every action is added.
// Errors: not_found/approval_not_found; conflict/approval_settled, approval_expired,
// approval_changed, approval_stale; forbidden/approval_own, approval_not_yours;
// rejected/approvals_full; and what the deed itself refuses.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/admin/approval_store.h"
#include "server/base/clock.h"
#include "server/base/json.h"
#include "server/base/random.h"
#include "server/storage/db.h"
#include "shared/ids.h"
#include "shared/result.h"

namespace topup::admin {

inline constexpr std::int64_t kApprovalMs = 24LL * 3600 * 1000;
inline constexpr std::int64_t kMaxWaitingEach = 50;
inline constexpr std::int64_t kApprovalsPage = 50;

struct Person {
  StaffId id;
  std::string session_id;
  TraceId trace;
};

// One kind of deed. `apply` does it, or enqueues it, inside the transaction, and writes its row of
// the audit trail.
struct Action {
  std::string_view word;
  std::string_view ask_permission, agree_permission;
  std::function<Result<bool>(storage::Tx& tx, const Approval& approval, const Person& second)>
      apply;
};

class ApprovalService {
 public:
  ApprovalService(storage::Db& db, const base::Clock& clock, base::Random& random)
      : db_(db), clock_(clock), random_(random) {}
  void add(Action action);

  // Inside the asker's transaction. Asking again for what waits already gives the one that waits.
  Result<Approval> request(storage::Tx& tx, std::string_view action, std::string_view subject,
                           const base::Json& body, const Person& asker);
  // `body_hash` is that of what the second person saw.
  Result<Approval> approve(const std::string& id, std::string_view body_hash, const Person& second);
  // By whoever asked, with no other permission. Errors: approval_not_found for anybody else's.
  Result<Approval> withdraw(const std::string& id, const Person& asker);
  // By anybody who could agree, or by the asker.
  Result<Approval> reject(const std::string& id, const Person& person);
  std::vector<Approval> list(std::string_view before_id, std::int64_t limit);
  // Those that wait and have not expired, the oldest first, after `after_id` ("" from the oldest).
  // `by`: asked for by this one; empty: by anybody.
  std::vector<Approval> waiting(storage::Reader& reader, std::string_view after_id,
                                const StaffId& by, std::int64_t limit) const;
  // Who else than this person could agree to such a deed now.
  std::vector<StaffId> seconds(storage::Reader& reader, std::string_view action,
                               const StaffId& asker) const;
  // Whether there is anybody.
  bool has_second(storage::Reader& reader, std::string_view action, const StaffId& asker) const;
  // As pages show it: "expired" for one that waits past its time.
  std::string_view shown_state(const Approval& approval) const;

 private:
  const Action& action_of(std::string_view word) const;
  Result<Approval> waiting(storage::Reader& reader, const std::string& id,
                           std::int64_t now_ms) const;
  storage::Db& db_;
  const base::Clock& clock_;
  base::Random& random_;
  std::vector<Action> actions_;
};

}  // namespace topup::admin
