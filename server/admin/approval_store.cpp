#include "server/admin/approval_store.h"

namespace topup::admin::approval_store {
namespace {

Approval read_approval(const storage::Row& row) {
  Approval approval;
  approval.id = row.text(0);
  approval.action = row.text(1);
  approval.subject = row.text(2);
  approval.body = row.text(3);
  approval.body_hash = row.text(4);
  approval.state = row.text(5);
  approval.requested_by = StaffId(row.text(6));
  approval.requested_in = row.text(7);
  approval.created_at_ms = row.integer(8);
  approval.expires_at_ms = row.integer(9);
  approval.decided_by = StaffId(row.text(10));
  approval.decided_in = row.text(11);
  approval.decided_at_ms = row.is_null(12) ? 0 : row.integer(12);
  return approval;
}

}  // namespace

void insert(storage::Tx& tx, const Approval& approval) {
  tx.exec(R"sql(
    INSERT INTO approvals (approval_id, action, subject, body, body_hash, state, requested_by,
                           requested_in, created_at_ms, expires_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10))sql",
          {approval.id, approval.action, approval.subject, approval.body, approval.body_hash,
           approval.state, approval.requested_by.text, approval.requested_in,
           approval.created_at_ms, approval.expires_at_ms});
}

std::optional<Approval> find(storage::Reader& reader, std::string_view id) {
  std::optional<Approval> approval;
  reader.query(R"sql(
    SELECT approval_id, action, subject, body, body_hash, state, requested_by, requested_in,
           created_at_ms, expires_at_ms, decided_by, decided_in, decided_at_ms
      FROM approvals WHERE approval_id = $1)sql",
               {id}, [&approval](const storage::Row& row) { approval = read_approval(row); });
  return approval;
}

std::optional<Approval> find_waiting(storage::Reader& reader, std::string_view body_hash,
                                     std::int64_t now_ms) {
  std::optional<Approval> approval;
  reader.query(R"sql(
    SELECT approval_id, action, subject, body, body_hash, state, requested_by, requested_in,
           created_at_ms, expires_at_ms, decided_by, decided_in, decided_at_ms
      FROM approvals WHERE state = 'waiting' AND body_hash = $1 AND expires_at_ms > $2)sql",
               {body_hash, now_ms},
               [&approval](const storage::Row& row) { approval = read_approval(row); });
  return approval;
}

std::int64_t count_waiting(storage::Reader& reader, const StaffId& requested_by,
                           std::int64_t now_ms) {
  std::int64_t count = 0;
  reader.query(R"sql(
    SELECT COUNT(*) FROM approvals
     WHERE state = 'waiting' AND requested_by = $1 AND expires_at_ms > $2)sql",
               {requested_by.text, now_ms},
               [&count](const storage::Row& row) { count = row.integer(0); });
  return count;
}

std::vector<Approval> list(storage::Reader& reader, std::string_view before_id,
                           std::int64_t limit) {
  std::vector<Approval> found;
  reader.query(R"sql(
    SELECT approval_id, action, subject, body, body_hash, state, requested_by, requested_in,
           created_at_ms, expires_at_ms, decided_by, decided_in, decided_at_ms
      FROM approvals WHERE $1 = '' OR approval_id < $1 ORDER BY approval_id DESC LIMIT $2)sql",
               {before_id, limit},
               [&found](const storage::Row& row) { found.push_back(read_approval(row)); });
  return found;
}

std::vector<Approval> list_waiting(storage::Reader& reader, std::int64_t now_ms,
                                   std::string_view after_id, const StaffId& by,
                                   std::int64_t limit) {
  std::vector<Approval> found;
  reader.query(R"sql(
    SELECT approval_id, action, subject, body, body_hash, state, requested_by, requested_in,
           created_at_ms, expires_at_ms, decided_by, decided_in, decided_at_ms
      FROM approvals
     WHERE state = 'waiting' AND approval_id > $2 AND expires_at_ms > $1
       AND ($3 = '' OR requested_by = $3)
     ORDER BY approval_id LIMIT $4)sql",
               {now_ms, after_id, by.text, limit},
               [&found](const storage::Row& row) { found.push_back(read_approval(row)); });
  return found;
}

bool decide(storage::Tx& tx, std::string_view id, std::string_view state, const StaffId& by,
            std::string_view session_id, std::int64_t now_ms) {
  return tx.exec(R"sql(
    UPDATE approvals SET state = $2, decided_by = $3, decided_in = $4, decided_at_ms = $5
     WHERE approval_id = $1 AND state = 'waiting')sql",
                 {id, state, by.text, session_id, now_ms}) == 1;
}

}  // namespace topup::admin::approval_store
