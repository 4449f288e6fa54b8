#include "server/auth/session.h"

#include <algorithm>

#include "server/audit/audit_log.h"
#include "server/base/crypto.h"

namespace topup::auth {
namespace {

constexpr std::size_t kTokenLength = 43;
constexpr std::size_t kMaxPassword = 256;

std::string hash_of(std::string_view token) { return base::hex(base::sha256(token)); }

// Compared against when the name is unknown, so that both refusals cost one scrypt.
const std::string& nobody_password() {
  static const std::string stored = base::hash_password("nobody", "0123456789abcdef");
  return stored;
}

std::int64_t lock_ms(std::int64_t failures) {
  if (failures < kFreeFailures) return 0;
  const std::int64_t doublings = std::min<std::int64_t>(failures - kFreeFailures, 10);
  return std::min(kMaxLockMs, std::int64_t{5'000} << doublings);
}

}  // namespace

GuestSession Sessions::start_guest() {
  const std::int64_t now = clock_.wall_ms();
  GuestSession session{base::new_token(random_), UserId(base::new_id(random_, now)),
                       now + kGuestSessionMs};
  const std::string hash = hash_of(session.token);
  db_.write([&](storage::Tx& tx) {
    auth_store::insert_guest(tx, session.user, hash, now, session.expires_at_ms);
    return true;
  });
  return session;
}

Result<UserId> Sessions::buyer(std::string_view token) {
  if (token.size() != kTokenLength) return refuse(Code::unauthenticated, "session_missing");
  const std::string hash = hash_of(token);
  std::optional<UserId> user;
  db_.read([&](storage::Reader& reader) {
    user = auth_store::find_session(reader, hash, clock_.wall_ms());
  });
  if (!user) return refuse(Code::unauthenticated, "session_ended");
  return *user;
}

std::optional<std::string> Sessions::create_owner() {
  bool exists = false;
  db_.read([&exists](storage::Reader& reader) { exists = auth_store::any_staff(reader); });
  if (exists) return std::nullopt;
  const std::int64_t now = clock_.wall_ms();
  std::string password = base::new_token(random_).substr(0, 20);
  auth_store::StaffRow owner;
  owner.id = StaffId(base::new_id(random_, now));
  owner.name = "owner";
  owner.role = "owner";
  owner.password = base::hash_password(password, random_.bytes(16));
  db_.write([&](storage::Tx& tx) {
    auth_store::insert_staff(tx, owner, now);
    audit::append(tx, {"system", "staff.owner_created", owner.id.text, "first start"}, TraceId(),
                  now);
    return true;
  });
  return password;
}

Result<StaffSession> Sessions::sign_in(const std::string& name, const std::string& password,
                                       const TraceId& trace) {
  if (password.size() > kMaxPassword) return refuse(Code::unauthenticated, "credentials_wrong");
  std::optional<auth_store::StaffRow> staff;
  db_.read([&](storage::Reader& reader) { staff = auth_store::find_staff(reader, name); });
  const std::int64_t now = clock_.wall_ms();
  if (staff && staff->locked_until_ms > now) {
    const std::int64_t seconds = (staff->locked_until_ms - now + 999) / 1000;
    return refuse(Code::rate_limited, "locked_out", "name", std::to_string(seconds));
  }
  const bool right = base::verify_password(password, staff ? staff->password : nobody_password());
  if (!staff || !right) return refuse_sign_in(staff, trace);

  StaffSession session{
      base::new_token(random_), {staff->id, staff->name, staff->role}, now + kStaffSessionMs};
  const std::string hash = hash_of(session.token);
  db_.write([&](storage::Tx& tx) {
    auth_store::clear_failures(tx, staff->id);
    auth_store::insert_staff_session(tx, staff->id, hash, now, session.expires_at_ms);
    audit::append(tx, {"staff:" + staff->id.text, "staff.signed_in", staff->id.text, ""}, trace,
                  now);
    return true;
  });
  return session;
}

Result<StaffSession> Sessions::refuse_sign_in(const std::optional<auth_store::StaffRow>& staff,
                                              const TraceId& trace) {
  if (staff) {
    const std::int64_t now = clock_.wall_ms();
    db_.write([&](storage::Tx& tx) {
      // Counted in the row, not from what was read before the slow hash: parallel guesses each
      // count.
      const std::int64_t lock = lock_ms(auth_store::count_failure(tx, staff->id));
      if (lock > 0) auth_store::lock_until(tx, staff->id, now + lock);
      audit::append(tx, {"system", "staff.sign_in_refused", staff->id.text, "wrong password"},
                    trace, now);
      return true;
    });
  }
  return refuse(Code::unauthenticated, "credentials_wrong");
}

Result<StaffIdentity> Sessions::staff(std::string_view token) {
  if (token.size() != kTokenLength) return refuse(Code::unauthenticated, "session_missing");
  const std::string hash = hash_of(token);
  std::optional<auth_store::StaffRow> staff;
  db_.read([&](storage::Reader& reader) {
    staff = auth_store::find_staff_session(reader, hash, clock_.wall_ms());
  });
  if (!staff) return refuse(Code::unauthenticated, "session_ended");
  return StaffIdentity{staff->id, staff->name, staff->role};
}

void Sessions::sign_out(std::string_view token, const StaffId& staff, const TraceId& trace) {
  const std::string hash = hash_of(token);
  const std::int64_t now = clock_.wall_ms();
  db_.write([&](storage::Tx& tx) {
    auth_store::end_staff_session(tx, hash, now);
    audit::append(tx, {"staff:" + staff.text, "staff.signed_out", staff.text, ""}, trace, now);
    return true;
  });
}

}  // namespace topup::auth
