#include "server/auth/buyer_session_store.h"

namespace topup::auth::buyer_session_store {
namespace {

SessionRow read_row(const storage::Row& row) {
  SessionRow session;
  session.token_hash = row.text(0);
  session.session_id = row.text(1);
  session.user = UserId(row.text(2));
  session.proof = row.text(3);
  session.device = row.text(4);
  session.address_masked = row.text(5);
  session.created_at_ms = row.integer(6);
  session.seen_at_ms = row.integer(7);
  session.expires_at_ms = row.integer(8);
  session.ends_by_ms = row.integer(9);
  session.device_code = row.text(10);
  return session;
}

}  // namespace

void insert_user(storage::Tx& tx, const UserId& user, std::int64_t now_ms) {
  tx.exec("INSERT INTO users (user_id, created_at_ms) VALUES ($1, $2)", {user.text, now_ms});
}

void insert(storage::Tx& tx, const SessionRow& session) {
  tx.exec(R"sql(
    INSERT INTO sessions (token_hash, session_id, user_id, proof, device, address_masked,
                          created_at_ms, seen_at_ms, expires_at_ms, ends_by_ms, device_code)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11))sql",
          {session.token_hash, session.session_id, session.user.text, session.proof, session.device,
           session.address_masked, session.created_at_ms, session.seen_at_ms, session.expires_at_ms,
           session.ends_by_ms, session.device_code});
}

std::optional<SessionRow> find(storage::Reader& reader, std::string_view token_hash,
                               std::int64_t now_ms) {
  std::optional<SessionRow> session;
  reader.query(R"sql(
    SELECT token_hash, session_id, user_id, proof, device, address_masked, created_at_ms,
           seen_at_ms, expires_at_ms, ends_by_ms, device_code
      FROM sessions WHERE token_hash = $1 AND expires_at_ms > $2 AND ended_at_ms IS NULL)sql",
               {token_hash, now_ms},
               [&session](const storage::Row& row) { session = read_row(row); });
  return session;
}

void touch(storage::Tx& tx, std::string_view token_hash, std::int64_t seen_at_ms,
           std::int64_t expires_at_ms) {
  tx.exec(R"sql(
    UPDATE sessions SET seen_at_ms = $2, expires_at_ms = $3
     WHERE token_hash = $1 AND seen_at_ms < $2 AND ended_at_ms IS NULL)sql",
          {token_hash, seen_at_ms, expires_at_ms});
}

std::vector<SessionRow> list(storage::Reader& reader, const UserId& user, std::int64_t now_ms) {
  std::vector<SessionRow> sessions;
  reader.query(R"sql(
    SELECT token_hash, session_id, user_id, proof, device, address_masked, created_at_ms,
           seen_at_ms, expires_at_ms, ends_by_ms, device_code
      FROM sessions WHERE user_id = $1 AND expires_at_ms > $2 AND ended_at_ms IS NULL
     ORDER BY seen_at_ms DESC, session_id DESC)sql",
               {user.text, now_ms},
               [&sessions](const storage::Row& row) { sessions.push_back(read_row(row)); });
  return sessions;
}

void end(storage::Tx& tx, std::string_view token_hash, std::string_view why, std::int64_t now_ms) {
  tx.exec(R"sql(
    UPDATE sessions SET ended_at_ms = $3, ended_why = $2
     WHERE token_hash = $1 AND ended_at_ms IS NULL)sql",
          {token_hash, why, now_ms});
}

int end_all(storage::Tx& tx, const UserId& user, std::string_view but_hash, std::string_view why,
            std::int64_t now_ms) {
  return tx.exec(R"sql(
    UPDATE sessions SET ended_at_ms = $4, ended_why = $3
     WHERE user_id = $1 AND token_hash <> $2 AND ended_at_ms IS NULL)sql",
                 {user.text, but_hash, why, now_ms});
}

}  // namespace topup::auth::buyer_session_store
