#include "server/auth/auth_store.h"

namespace topup::auth::auth_store {
namespace {

StaffRow read_staff(const storage::Row& row) {
  return {StaffId(row.text(0)), row.text(1),    row.text(2),
          row.text(3),          row.integer(4), row.integer(5)};
}

}  // namespace

void insert_guest(storage::Tx& tx, const UserId& user, std::string_view token_hash,
                  std::int64_t now_ms, std::int64_t expires_at_ms) {
  tx.exec("INSERT INTO users (user_id, created_at_ms) VALUES ($1, $2)", {user.text, now_ms});
  tx.exec(R"sql(
    INSERT INTO sessions (token_hash, user_id, created_at_ms, expires_at_ms) VALUES ($1, $2, $3, $4))sql",
          {token_hash, user.text, now_ms, expires_at_ms});
}

std::optional<UserId> find_session(storage::Reader& reader, std::string_view token_hash,
                                   std::int64_t now_ms) {
  std::optional<UserId> user;
  reader.query(R"sql(
    SELECT user_id FROM sessions
     WHERE token_hash = $1 AND expires_at_ms > $2 AND ended_at_ms IS NULL)sql",
               {token_hash, now_ms},
               [&user](const storage::Row& row) { user = UserId(row.text(0)); });
  return user;
}

bool any_staff(storage::Reader& reader) {
  return reader.query("SELECT staff_id FROM staff LIMIT 1", {}, [](const storage::Row&) {}) > 0;
}

void insert_staff(storage::Tx& tx, const StaffRow& staff, std::int64_t now_ms) {
  tx.exec(R"sql(
    INSERT INTO staff (staff_id, name, role, password, created_at_ms) VALUES ($1, $2, $3, $4, $5))sql",
          {staff.id.text, staff.name, staff.role, staff.password, now_ms});
}

std::optional<StaffRow> find_staff(storage::Reader& reader, std::string_view name) {
  std::optional<StaffRow> staff;
  reader.query(R"sql(
    SELECT staff_id, name, role, password, failures, locked_until_ms FROM staff WHERE name = $1)sql",
               {name}, [&staff](const storage::Row& row) { staff = read_staff(row); });
  return staff;
}

void clear_failures(storage::Tx& tx, const StaffId& staff) {
  tx.exec("UPDATE staff SET failures = 0, locked_until_ms = 0 WHERE staff_id = $1", {staff.text});
}

std::int64_t count_failure(storage::Tx& tx, const StaffId& staff) {
  std::int64_t failures = 0;
  tx.query("UPDATE staff SET failures = failures + 1 WHERE staff_id = $1 RETURNING failures",
           {staff.text}, [&failures](const storage::Row& row) { failures = row.integer(0); });
  return failures;
}

void lock_until(storage::Tx& tx, const StaffId& staff, std::int64_t locked_until_ms) {
  tx.exec("UPDATE staff SET locked_until_ms = $2 WHERE staff_id = $1",
          {staff.text, locked_until_ms});
}

void insert_staff_session(storage::Tx& tx, const StaffId& staff, std::string_view token_hash,
                          std::int64_t now_ms, std::int64_t expires_at_ms) {
  tx.exec(R"sql(
    INSERT INTO staff_sessions (token_hash, staff_id, created_at_ms, expires_at_ms)
    VALUES ($1, $2, $3, $4))sql",
          {token_hash, staff.text, now_ms, expires_at_ms});
}

std::optional<StaffRow> find_staff_session(storage::Reader& reader, std::string_view token_hash,
                                           std::int64_t now_ms) {
  std::optional<StaffRow> staff;
  reader.query(R"sql(
    SELECT s.staff_id, s.name, s.role, s.password, s.failures, s.locked_until_ms
      FROM staff_sessions t JOIN staff s ON s.staff_id = t.staff_id
     WHERE t.token_hash = $1 AND t.expires_at_ms > $2 AND t.ended_at_ms IS NULL)sql",
               {token_hash, now_ms},
               [&staff](const storage::Row& row) { staff = read_staff(row); });
  return staff;
}

void end_staff_session(storage::Tx& tx, std::string_view token_hash, std::int64_t now_ms) {
  tx.exec(
      "UPDATE staff_sessions SET ended_at_ms = $2 WHERE token_hash = $1 AND ended_at_ms IS NULL",
      {token_hash, now_ms});
}

}  // namespace topup::auth::auth_store
