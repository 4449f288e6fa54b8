#include "server/auth/sign_in_log_store.h"

namespace topup::auth::sign_in_log_store {

Failures failures_of(storage::Reader& reader, std::string_view subject_index,
                     std::int64_t since_ms) {
  Failures found;
  reader.query(R"sql(
    SELECT COUNT(*), COALESCE(MAX(at_ms), 0) FROM sign_ins
     WHERE subject_index = $1 AND outcome = 'refused' AND at_ms > $2
       AND at_ms > COALESCE((SELECT MAX(at_ms) FROM sign_ins
                              WHERE subject_index = $1 AND outcome = 'signed_in'), 0))sql",
               {subject_index, since_ms}, [&found](const storage::Row& row) {
                 found = {row.integer(0), row.integer(1)};
               });
  return found;
}

Failures failures_from(storage::Reader& reader, std::string_view address_index,
                       std::int64_t since_ms) {
  Failures found;
  reader.query(R"sql(
    SELECT COUNT(*), COALESCE(MIN(at_ms), 0) FROM sign_ins
     WHERE address_index = $1 AND outcome = 'refused' AND at_ms > $2)sql",
               {address_index, since_ms}, [&found](const storage::Row& row) {
                 found = {row.integer(0), row.integer(1)};
               });
  return found;
}

void insert(storage::Tx& tx, std::string_view id, const SignIn& entry,
            std::string_view address_index, const TraceId& trace) {
  tx.exec(R"sql(
    INSERT INTO sign_ins (sign_in_id, user_id, kind, outcome, reason, subject_index, subject_masked,
                          address_index, address_masked, device, trace_id, at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12))sql",
          {id, entry.user.text, entry.kind, entry.outcome, entry.reason, entry.subject_index,
           entry.subject_masked, address_index, entry.address_masked, entry.device, trace.text,
           entry.at_ms});
}

std::vector<SignIn> list(storage::Reader& reader, const UserId& user, std::int64_t limit) {
  std::vector<SignIn> found;
  reader.query(R"sql(
    SELECT user_id, kind, outcome, reason, subject_masked, address_masked, device, at_ms
      FROM sign_ins
     WHERE user_id = $1 OR user_id IN (SELECT user_id FROM merged_users WHERE into_user_id = $1)
     ORDER BY sign_in_id DESC LIMIT $2)sql",
               {user.text, limit}, [&found](const storage::Row& row) {
                 SignIn entry;
                 entry.user = UserId(row.text(0));
                 entry.kind = row.text(1);
                 entry.outcome = row.text(2);
                 entry.reason = row.text(3);
                 entry.subject_masked = row.text(4);
                 entry.address_masked = row.text(5);
                 entry.device = row.text(6);
                 entry.at_ms = row.integer(7);
                 found.push_back(std::move(entry));
               });
  return found;
}

}  // namespace topup::auth::sign_in_log_store
