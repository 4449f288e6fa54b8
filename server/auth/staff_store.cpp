#include "server/auth/staff_store.h"

namespace topup::auth::staff_store {
namespace {

Staff read_staff(const storage::Row& row) {
  Staff staff;
  staff.id = StaffId(row.text(0));
  staff.name = row.text(1);
  staff.password = row.text(2);
  staff.is_enabled = row.text(3) == "enabled";
  staff.must_change_password = row.integer(4) != 0;
  staff.totp_sealed = row.text(5);
  staff.totp_next_sealed = row.text(6);
  staff.totp_last_step = row.integer(7);
  staff.created_at_ms = row.integer(8);
  return staff;
}

std::optional<Staff> with_roles(storage::Reader& reader, std::optional<Staff> staff) {
  if (staff) staff->roles = roles_of(reader, staff->id);
  return staff;
}

void insert_roles(storage::Tx& tx, const StaffId& id, const std::vector<std::string>& roles,
                  std::int64_t now_ms) {
  for (const std::string& role : roles) {
    tx.exec("INSERT INTO staff_roles (staff_id, role, given_at_ms) VALUES ($1, $2, $3)",
            {id.text, role, now_ms});
  }
}

}  // namespace

bool any(storage::Reader& reader) {
  return reader.query("SELECT staff_id FROM staff LIMIT 1", {}, [](const storage::Row&) {}) > 0;
}

void insert(storage::Tx& tx, const Staff& staff) {
  tx.exec(R"sql(
    INSERT INTO staff (staff_id, name, password, state, must_change_password, created_at_ms)
    VALUES ($1, $2, $3, 'enabled', $4, $5))sql",
          {staff.id.text, staff.name, staff.password, std::int64_t{staff.must_change_password},
           staff.created_at_ms});
  insert_roles(tx, staff.id, staff.roles, staff.created_at_ms);
}

std::optional<Staff> find(storage::Reader& reader, const StaffId& id) {
  std::optional<Staff> staff;
  reader.query(R"sql(
    SELECT staff_id, name, password, state, must_change_password, totp_sealed, totp_next_sealed,
           totp_last_step, created_at_ms FROM staff WHERE staff_id = $1)sql",
               {id.text}, [&staff](const storage::Row& row) { staff = read_staff(row); });
  return with_roles(reader, std::move(staff));
}

std::optional<Staff> find_by_name(storage::Reader& reader, std::string_view name) {
  std::optional<Staff> staff;
  reader.query(R"sql(
    SELECT staff_id, name, password, state, must_change_password, totp_sealed, totp_next_sealed,
           totp_last_step, created_at_ms FROM staff WHERE name = $1)sql",
               {name}, [&staff](const storage::Row& row) { staff = read_staff(row); });
  return with_roles(reader, std::move(staff));
}

std::vector<Staff> list(storage::Reader& reader, std::string_view after_name, std::int64_t limit) {
  std::vector<Staff> all;
  reader.query(R"sql(
    SELECT staff_id, name, password, state, must_change_password, totp_sealed, totp_next_sealed,
           totp_last_step, created_at_ms FROM staff WHERE name > $1 ORDER BY name LIMIT $2)sql",
               {after_name, limit},
               [&all](const storage::Row& row) { all.push_back(read_staff(row)); });
  for (Staff& staff : all) staff.roles = roles_of(reader, staff.id);
  return all;
}

std::vector<std::string> roles_of(storage::Reader& reader, const StaffId& id) {
  std::vector<std::string> roles;
  reader.query("SELECT role FROM staff_roles WHERE staff_id = $1 ORDER BY role", {id.text},
               [&roles](const storage::Row& row) { roles.push_back(row.text(0)); });
  return roles;
}

std::vector<StaffId> enabled_with_role(storage::Reader& reader, std::string_view role) {
  std::vector<StaffId> found;
  reader.query(R"sql(
    SELECT r.staff_id FROM staff_roles r JOIN staff s ON s.staff_id = r.staff_id
     WHERE r.role = $1 AND s.state = 'enabled')sql",
               {role}, [&found](const storage::Row& row) { found.emplace_back(row.text(0)); });
  return found;
}

void save_password(storage::Tx& tx, const StaffId& id, std::string_view password,
                   bool must_change) {
  tx.exec("UPDATE staff SET password = $2, must_change_password = $3 WHERE staff_id = $1",
          {id.text, password, std::int64_t{must_change}});
}

void save_enabled(storage::Tx& tx, const StaffId& id, bool is_enabled) {
  tx.exec("UPDATE staff SET state = $2 WHERE staff_id = $1",
          {id.text, std::string_view(is_enabled ? "enabled" : "disabled")});
}

void save_roles(storage::Tx& tx, const StaffId& id, const std::vector<std::string>& roles,
                std::int64_t now_ms) {
  tx.exec("DELETE FROM staff_roles WHERE staff_id = $1", {id.text});
  insert_roles(tx, id, roles, now_ms);
}

void save_next_totp(storage::Tx& tx, const StaffId& id, std::string_view sealed) {
  tx.exec("UPDATE staff SET totp_next_sealed = $2 WHERE staff_id = $1", {id.text, sealed});
}

void save_totp(storage::Tx& tx, const StaffId& id, std::string_view sealed,
               std::int64_t last_step) {
  tx.exec(R"sql(
    UPDATE staff SET totp_sealed = $2, totp_next_sealed = '', totp_last_step = $3
     WHERE staff_id = $1)sql",
          {id.text, sealed, last_step});
  if (sealed.empty()) replace_recovery_codes(tx, id, {});
}

bool use_totp_step(storage::Tx& tx, const StaffId& id, std::int64_t step) {
  return tx.exec("UPDATE staff SET totp_last_step = $2 WHERE staff_id = $1 AND totp_last_step < $2",
                 {id.text, step}) == 1;
}

void replace_recovery_codes(storage::Tx& tx, const StaffId& id,
                            const std::vector<std::string>& hashes) {
  tx.exec("DELETE FROM staff_recovery_codes WHERE staff_id = $1", {id.text});
  for (const std::string& hash : hashes) {
    tx.exec("INSERT INTO staff_recovery_codes (staff_id, code_hash) VALUES ($1, $2)",
            {id.text, hash});
  }
}

bool use_recovery_code(storage::Tx& tx, const StaffId& id, std::string_view hash,
                       std::int64_t now_ms) {
  return tx.exec(R"sql(
    UPDATE staff_recovery_codes SET used_at_ms = $3
     WHERE staff_id = $1 AND code_hash = $2 AND used_at_ms IS NULL)sql",
                 {id.text, hash, now_ms}) == 1;
}

std::int64_t unused_recovery_codes(storage::Reader& reader, const StaffId& id) {
  std::int64_t count = 0;
  reader.query(
      "SELECT COUNT(*) FROM staff_recovery_codes WHERE staff_id = $1 AND used_at_ms IS NULL",
      {id.text}, [&count](const storage::Row& row) { count = row.integer(0); });
  return count;
}

std::int64_t locked_until(storage::Reader& reader, std::string_view kind,
                          std::string_view subject) {
  std::int64_t until = 0;
  reader.query("SELECT locked_until_ms FROM staff_failures WHERE kind = $1 AND subject_index = $2",
               {kind, subject}, [&until](const storage::Row& row) { until = row.integer(0); });
  return until;
}

std::int64_t count_failure(storage::Tx& tx, std::string_view kind, std::string_view subject,
                           std::int64_t now_ms, std::int64_t forget_before_ms) {
  std::int64_t failures = 0;
  tx.query(R"sql(
    INSERT INTO staff_failures (kind, subject_index, failures, last_at_ms, locked_until_ms)
    VALUES ($1, $2, 1, $3, 0)
    ON CONFLICT (kind, subject_index) DO UPDATE SET last_at_ms = $3,
      failures = CASE WHEN staff_failures.last_at_ms < $4 THEN 1
                      ELSE staff_failures.failures + 1 END
    RETURNING failures)sql",
           {kind, subject, now_ms, forget_before_ms},
           [&failures](const storage::Row& row) { failures = row.integer(0); });
  return failures;
}

void lock_until(storage::Tx& tx, std::string_view kind, std::string_view subject,
                std::int64_t until_ms) {
  tx.exec("UPDATE staff_failures SET locked_until_ms = $3 WHERE kind = $1 AND subject_index = $2",
          {kind, subject, until_ms});
}

void clear_failures(storage::Tx& tx, std::string_view kind, std::string_view subject) {
  tx.exec("DELETE FROM staff_failures WHERE kind = $1 AND subject_index = $2", {kind, subject});
}

void forget_failures(storage::Tx& tx, std::int64_t before_ms) {
  tx.exec("DELETE FROM staff_failures WHERE last_at_ms < $1", {before_ms});
}

}  // namespace topup::auth::staff_store
