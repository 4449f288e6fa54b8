#include "server/auth/staff_session_store.h"

namespace topup::auth::staff_session_store {
namespace {

Session read_session(const storage::Row& row) {
  return {row.text(0),    row.text(1),    StaffId(row.text(2)), row.text(3),   row.text(4),
          row.integer(5), row.integer(6), row.integer(7),       row.integer(8)};
}

}  // namespace

void insert(storage::Tx& tx, const Session& session) {
  tx.exec(R"sql(
    INSERT INTO staff_sessions (token_hash, session_id, staff_id, device, address_masked,
                                created_at_ms, expires_at_ms, seen_at_ms, stepped_up_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9))sql",
          {session.token_hash, session.session_id, session.staff.text, session.device,
           session.address_masked, session.created_at_ms, session.expires_at_ms, session.seen_at_ms,
           session.stepped_up_at_ms});
}

std::optional<Holder> find(storage::Reader& reader, std::string_view token_hash,
                           std::int64_t now_ms, std::int64_t seen_after_ms) {
  std::optional<Holder> holder;
  reader.query(
      R"sql(
    SELECT t.token_hash, t.session_id, t.staff_id, t.device, t.address_masked, t.created_at_ms,
           t.expires_at_ms, t.seen_at_ms, t.stepped_up_at_ms, s.name, s.must_change_password,
           CASE WHEN s.totp_sealed = '' THEN 0 ELSE 1 END, COALESCE(r.role, '')
      FROM staff_sessions t
      JOIN staff s ON s.staff_id = t.staff_id
      LEFT JOIN staff_roles r ON r.staff_id = t.staff_id
     WHERE t.token_hash = $1 AND t.expires_at_ms > $2 AND t.seen_at_ms > $3
       AND t.ended_at_ms IS NULL AND s.state = 'enabled'
     ORDER BY r.role)sql",
      {token_hash, now_ms, seen_after_ms}, [&holder](const storage::Row& row) {
        if (!holder) {
          holder = Holder{
              read_session(row), row.text(9), row.integer(10) != 0, row.integer(11) != 0, {}};
        }
        if (!row.text(12).empty()) holder->roles.push_back(row.text(12));
      });
  return holder;
}

std::vector<Session> list_of(storage::Reader& reader, const StaffId& staff, std::int64_t now_ms,
                             std::int64_t seen_after_ms) {
  std::vector<Session> sessions;
  reader.query(R"sql(
    SELECT token_hash, session_id, staff_id, device, address_masked, created_at_ms, expires_at_ms,
           seen_at_ms, stepped_up_at_ms
      FROM staff_sessions
     WHERE staff_id = $1 AND expires_at_ms > $2 AND seen_at_ms > $3 AND ended_at_ms IS NULL
     ORDER BY session_id DESC)sql",
               {staff.text, now_ms, seen_after_ms},
               [&sessions](const storage::Row& row) { sessions.push_back(read_session(row)); });
  return sessions;
}

void save_seen(storage::Tx& tx, std::string_view token_hash, std::int64_t now_ms) {
  tx.exec("UPDATE staff_sessions SET seen_at_ms = $2 WHERE token_hash = $1 AND seen_at_ms < $2",
          {token_hash, now_ms});
}

void save_step_up(storage::Tx& tx, std::string_view token_hash, std::int64_t now_ms) {
  tx.exec("UPDATE staff_sessions SET stepped_up_at_ms = $2 WHERE token_hash = $1",
          {token_hash, now_ms});
}

void save_token(storage::Tx& tx, std::string_view token_hash, std::string_view new_hash) {
  tx.exec("UPDATE staff_sessions SET token_hash = $2 WHERE token_hash = $1",
          {token_hash, new_hash});
}

int end(storage::Tx& tx, std::string_view token_hash, std::string_view why, std::int64_t now_ms) {
  return tx.exec(R"sql(
    UPDATE staff_sessions SET ended_at_ms = $2, ended_why = $3
     WHERE token_hash = $1 AND ended_at_ms IS NULL)sql",
                 {token_hash, now_ms, why});
}

int end_one(storage::Tx& tx, const StaffId& staff, std::string_view session_id,
            std::string_view why, std::int64_t now_ms) {
  return tx.exec(R"sql(
    UPDATE staff_sessions SET ended_at_ms = $3, ended_why = $4
     WHERE staff_id = $1 AND session_id = $2 AND ended_at_ms IS NULL)sql",
                 {staff.text, session_id, now_ms, why});
}

int end_all_but(storage::Tx& tx, const StaffId& staff, std::string_view kept_token_hash,
                std::string_view why, std::int64_t now_ms) {
  return tx.exec(R"sql(
    UPDATE staff_sessions SET ended_at_ms = $3, ended_why = $4
     WHERE staff_id = $1 AND token_hash <> $2 AND ended_at_ms IS NULL)sql",
                 {staff.text, kept_token_hash, now_ms, why});
}

void forget(storage::Tx& tx, const StaffId& staff, std::int64_t expired_before_ms) {
  tx.exec("DELETE FROM staff_sessions WHERE staff_id = $1 AND expires_at_ms < $2",
          {staff.text, expired_before_ms});
}

}  // namespace topup::auth::staff_session_store
