#include "server/auth/staff_sessions.h"

#include <optional>

#include "server/audit/audit_log.h"
#include "server/auth/rbac.h"
#include "server/auth/staff_password.h"
#include "server/base/crypto.h"

namespace topup::auth {
namespace {

constexpr std::size_t kTokenLength = 43;
constexpr std::size_t kMaxName = 64;

std::string hash_of(std::string_view token) { return base::hex(base::sha256(token)); }

std::string actor_of(const StaffId& staff) { return "staff:" + staff.text; }

std::string place_of(const Caller& caller) {
  return masked_address(caller.address) + " " + device_class(caller.user_agent);
}

Error locked_out(std::int64_t ms) {
  return {Code::rate_limited, "locked_out", "name", std::to_string((ms + 999) / 1'000)};
}

}  // namespace

// What is counted when the answer is wrong: the same two rows whether the name is known or not.
struct StaffSessions::Attempt {
  std::optional<staff_store::Staff> staff;
  std::string name_subject, address_subject;
};

StaffSessions::StaffSessions(storage::Db& db, const base::Clock& clock, base::Random& random,
                             const privacy::Pii& pii, StaffRules rules)
    : db_(db),
      clock_(clock),
      random_(random),
      pii_(pii),
      rules_(std::move(rules)),
      totp_(pii, random, rules_.issuer) {}

Result<StaffSession> StaffSessions::sign_in(const StaffSignIn& given, const Caller& caller,
                                            std::string_view replaced) {
  const std::string name = given.name.substr(0, kMaxName);
  Attempt attempt;
  attempt.name_subject = pii_.blind_index("staff_name", name);
  attempt.address_subject = pii_.blind_index("staff_address", address_network(caller.address));
  db_.read([&](storage::Reader& reader) {
    attempt.staff = staff_store::find_by_name(reader, given.name);
  });
  if (attempt.staff) attempt.name_subject = attempt.staff->id.text;
  if (const auto lock = locked(attempt)) return tl::unexpected<Error>(*lock);

  const std::string stored = attempt.staff ? attempt.staff->password : "";
  const auto right = password_is(std::string_view(given.password).substr(0, kMaxPassword), stored);
  if (!right) return tl::unexpected<Error>(right.error());
  if (!*right || given.password.size() > kMaxPassword || !attempt.staff->is_enabled) {
    return tl::unexpected<Error>(refused(attempt, caller, "credentials_wrong"));
  }
  if (!attempt.staff->totp_sealed.empty() && given.code.empty()) {
    return refuse(Code::unauthenticated, "totp_needed", "code");
  }
  return open_session(attempt, given, caller, replaced);
}

std::optional<Error> StaffSessions::locked(const Attempt& attempt) {
  const std::int64_t now = clock_.wall_ms();
  std::int64_t by_name = 0, by_address = 0;
  db_.read([&](storage::Reader& reader) {
    by_name = lockout::locked_for_ms(reader, lockout::kName, attempt.name_subject, now);
    by_address = lockout::locked_for_ms(reader, lockout::kAddress, attempt.address_subject, now);
  });
  const std::int64_t wait = by_name > by_address ? by_name : by_address;
  if (wait == 0) return std::nullopt;
  return locked_out(wait);
}

Error StaffSessions::refused(const Attempt& attempt, const Caller& caller,
                             std::string_view reason) {
  const std::int64_t now = clock_.wall_ms();
  // A typed name is not kept: people type passwords there.
  const std::string subject = attempt.staff ? attempt.staff->id.text : "unknown";
  const std::string detail = std::string(reason) + " " + place_of(caller);
  db_.write([&](storage::Tx& tx) {
    lockout::count_failure(tx, lockout::kName, attempt.name_subject, now);
    lockout::count_failure(tx, lockout::kAddress, attempt.address_subject, now);
    audit::append(tx, {"system", "staff.sign_in_refused", subject, detail}, caller.trace, now);
    return true;
  });
  return {Code::unauthenticated, reason};
}

Result<StaffSession> StaffSessions::open_session(const Attempt& attempt, const StaffSignIn& given,
                                                 const Caller& caller, std::string_view replaced) {
  const std::int64_t now = clock_.wall_ms();
  const StaffId& id = attempt.staff->id;
  StaffSession opened;
  opened.token = base::new_token(random_);
  const staff_session_store::Session session{hash_of(opened.token),
                                             base::new_id(random_, now),
                                             id,
                                             device_class(caller.user_agent),
                                             masked_address(caller.address),
                                             now,
                                             now + kStaffSessionMs,
                                             now,
                                             now};
  const std::string detail = place_of(caller);
  bool proven = false;
  db_.write([&](storage::Tx& tx) {
    // Read again: the password took a while, and meanwhile the account may have been shut or its
    // password changed.
    const auto staff = staff_store::find(tx, id);
    proven = staff && staff->is_enabled && staff->password == attempt.staff->password &&
             (staff->totp_sealed.empty() || totp_.use(tx, *staff, given.code, now));
    if (!proven) return false;
    lockout::clear(tx, lockout::kName, attempt.name_subject);
    if (!replaced.empty()) staff_session_store::end(tx, hash_of(replaced), "replaced", now);
    staff_session_store::forget(tx, id, now - kStaffSessionsKeptMs);
    const auto others = staff_session_store::list_of(tx, id, now, now - kStaffIdleMs);
    for (std::size_t i = kMaxStaffSessions - 1; i < others.size(); ++i) {
      staff_session_store::end(tx, others[i].token_hash, "too_many", now);
    }
    staff_session_store::insert(tx, session);
    opened.staff = identity_of({session, staff->name, staff->must_change_password,
                                !staff->totp_sealed.empty(), staff->roles});
    audit::append(tx, {actor_of(id), "staff.signed_in", id.text, detail}, caller.trace, now);
    return true;
  });
  if (!proven) return tl::unexpected<Error>(refused(attempt, caller, "totp_wrong"));
  return opened;
}

StaffIdentity StaffSessions::identity_of(const staff_session_store::Holder& holder) const {
  StaffIdentity staff;
  staff.id = holder.session.staff;
  staff.name = holder.name;
  staff.session_id = holder.session.session_id;
  staff.roles = holder.roles;
  staff.must_change_password = holder.must_change_password;
  staff.has_totp = holder.has_totp;
  staff.must_enrol = rules_.totp_required && !holder.has_totp && holds_guarded(holder.roles);
  staff.step_up_until_ms = holder.session.stepped_up_at_ms + kStepUpMs;
  staff.expires_at_ms = holder.session.expires_at_ms;
  return staff;
}

Result<StaffIdentity> StaffSessions::who(std::string_view token) {
  if (token.size() != kTokenLength) return refuse(Code::unauthenticated, "session_missing");
  const std::string hash = hash_of(token);
  const std::int64_t now = clock_.wall_ms();
  std::optional<staff_session_store::Holder> holder;
  db_.read([&](storage::Reader& reader) {
    holder = staff_session_store::find(reader, hash, now, now - kStaffIdleMs);
  });
  if (!holder) return refuse(Code::unauthenticated, "session_ended");
  if (now - holder->session.seen_at_ms >= kStaffSeenEveryMs) {
    db_.write([&](storage::Tx& tx) {
      staff_session_store::save_seen(tx, hash, now);
      return true;
    });
  }
  return identity_of(*holder);
}

Result<bool> StaffSessions::may_now(const StaffIdentity& staff, std::string_view permission) const {
  const Permission* wanted = find_permission(permission);
  if (wanted == nullptr || !may(staff.roles, permission))
    return refuse(Code::forbidden, "permission_missing");
  if (!wanted->for_everybody && staff.must_change_password)
    return refuse(Code::forbidden, "password_change_needed");
  if (!wanted->for_everybody && staff.must_enrol)
    return refuse(Code::forbidden, "totp_enrolment_needed");
  if (wanted->step_up && clock_.wall_ms() >= staff.step_up_until_ms)
    return refuse(Code::forbidden, "step_up_needed");
  return true;
}

void StaffSessions::sign_out(std::string_view token, const StaffIdentity& staff,
                             const TraceId& trace) {
  const std::string hash = hash_of(token);
  const std::int64_t now = clock_.wall_ms();
  db_.write([&](storage::Tx& tx) {
    staff_session_store::end(tx, hash, "signed_out", now);
    audit::append(tx, {actor_of(staff.id), "staff.signed_out", staff.id.text, ""}, trace, now);
    return true;
  });
}

std::vector<StaffSessionView> StaffSessions::list(const StaffId& staff,
                                                  std::string_view current_session) {
  const std::int64_t now = clock_.wall_ms();
  std::vector<StaffSessionView> views;
  db_.read([&](storage::Reader& reader) {
    for (auto& session : staff_session_store::list_of(reader, staff, now, now - kStaffIdleMs)) {
      const bool is_current = session.session_id == current_session;
      views.push_back({std::move(session), is_current});
    }
  });
  return views;
}

Result<bool> StaffSessions::end(const StaffIdentity& staff, const std::string& session_id,
                                const TraceId& trace) {
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<bool> {
    if (staff_session_store::end_one(tx, staff.id, session_id, "ended_elsewhere", now) == 0)
      return refuse(Code::not_found, "session_not_found", "session_id");
    audit::append(tx, {actor_of(staff.id), "staff.session_ended", staff.id.text, session_id}, trace,
                  now);
    return true;
  });
}

std::optional<Error> StaffSessions::proof_locked(const StaffId& staff) {
  std::int64_t wait = 0;
  db_.read([&](storage::Reader& reader) {
    wait = lockout::locked_for_ms(reader, lockout::kStepUp, staff.text, clock_.wall_ms());
  });
  if (wait == 0) return std::nullopt;
  return locked_out(wait);
}

Error StaffSessions::wrong_proof(const StaffIdentity& staff, std::string_view reason,
                                 std::string_view field, const TraceId& trace) {
  const std::int64_t now = clock_.wall_ms();
  db_.write([&](storage::Tx& tx) {
    lockout::count_failure(tx, lockout::kStepUp, staff.id.text, now);
    audit::append(tx, {actor_of(staff.id), "staff.step_up_refused", staff.id.text, reason}, trace,
                  now);
    return true;
  });
  return {Code::forbidden, reason, field};
}

Result<std::int64_t> StaffSessions::step_up(std::string_view token, const StepUp& given,
                                            const TraceId& trace) {
  const auto staff = who(token);
  if (!staff) return tl::unexpected<Error>(staff.error());
  if (const auto lock = proof_locked(staff->id)) return tl::unexpected<Error>(*lock);
  std::optional<staff_store::Staff> row;
  db_.read([&](storage::Reader& reader) { row = staff_store::find(reader, staff->id); });
  if (!row) return refuse(Code::unauthenticated, "session_ended");
  if (!staff->has_totp) {
    const auto right = password_is(given.password.substr(0, kMaxPassword), row->password);
    if (!right) return tl::unexpected<Error>(right.error());
    if (!*right)
      return tl::unexpected<Error>(wrong_proof(*staff, "password_wrong", "password", trace));
  }
  const std::int64_t now = clock_.wall_ms();
  const std::string hash = hash_of(token);
  bool proven = false;
  db_.write([&](storage::Tx& tx) {
    const auto fresh = staff_store::find(tx, staff->id);
    proven =
        fresh && fresh->password == row->password &&
        (fresh->totp_sealed.empty() ? !staff->has_totp : totp_.use(tx, *fresh, given.code, now));
    if (!proven) return false;
    lockout::clear(tx, lockout::kStepUp, staff->id.text);
    staff_session_store::save_step_up(tx, hash, now);
    audit::append(tx, {actor_of(staff->id), "staff.stepped_up", staff->id.text, ""}, trace, now);
    return true;
  });
  if (!proven) return tl::unexpected<Error>(wrong_proof(*staff, "totp_wrong", "code", trace));
  return now + kStepUpMs;
}

StaffSession StaffSessions::renewed(storage::Tx& tx, std::string_view token,
                                    const StaffIdentity& staff) {
  StaffSession session{base::new_token(random_), staff};
  staff_session_store::save_token(tx, hash_of(token), hash_of(session.token));
  return session;
}

Result<StaffSession> StaffSessions::change_password(std::string_view token,
                                                    const std::string& old_password,
                                                    const std::string& new_password,
                                                    const TraceId& trace) {
  const auto staff = who(token);
  if (!staff) return tl::unexpected<Error>(staff.error());
  if (const auto lock = proof_locked(staff->id)) return tl::unexpected<Error>(*lock);
  const auto good = password_is_good(staff->name, new_password);
  if (!good) return tl::unexpected<Error>(good.error());
  std::optional<staff_store::Staff> row;
  db_.read([&](storage::Reader& reader) { row = staff_store::find(reader, staff->id); });
  if (!row) return refuse(Code::unauthenticated, "session_ended");
  const auto right = password_is(old_password.substr(0, kMaxPassword), row->password);
  if (!right) return tl::unexpected<Error>(right.error());
  if (!*right)
    return tl::unexpected<Error>(wrong_proof(*staff, "password_wrong", "old_password", trace));
  if (new_password == old_password)
    return refuse(Code::rejected, "password_unchanged", "new_password");
  const auto hash = hashed(new_password, random_);
  if (!hash) return tl::unexpected<Error>(hash.error());

  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<StaffSession> {
    const auto fresh = staff_store::find(tx, staff->id);
    if (!fresh || fresh->password != row->password)
      return refuse(Code::unauthenticated, "session_ended");
    staff_store::save_password(tx, staff->id, *hash, false);
    staff_session_store::end_all_but(tx, staff->id, hash_of(token), "password_changed", now);
    lockout::clear(tx, lockout::kStepUp, staff->id.text);
    audit::append(tx, {actor_of(staff->id), "staff.password_changed", staff->id.text, ""}, trace,
                  now);
    StaffSession session = renewed(tx, token, *staff);
    session.staff.must_change_password = false;
    return session;
  });
}

TotpOffer StaffSessions::offer_totp(const StaffIdentity& staff, const TraceId& trace) {
  const std::int64_t now = clock_.wall_ms();
  TotpOffer offer;
  db_.write([&](storage::Tx& tx) {
    const auto row = staff_store::find(tx, staff.id);
    if (!row) return false;
    offer = totp_.offer(tx, *row);
    audit::append(tx, {actor_of(staff.id), "staff.totp_offered", staff.id.text, ""}, trace, now);
    return true;
  });
  return offer;
}

Result<StaffSessions::Enrolled> StaffSessions::confirm_totp(std::string_view token,
                                                            const std::string& code,
                                                            const TraceId& trace) {
  const auto staff = who(token);
  if (!staff) return tl::unexpected<Error>(staff.error());
  if (const auto lock = proof_locked(staff->id)) return tl::unexpected<Error>(*lock);
  const std::int64_t now = clock_.wall_ms();
  auto enrolled = storage::with_tx(db_, [&](storage::Tx& tx) -> Result<Enrolled> {
    const auto row = staff_store::find(tx, staff->id);
    if (!row) return refuse(Code::unauthenticated, "session_ended");
    auto codes = totp_.confirm(tx, *row, code, now);
    if (!codes) return tl::unexpected<Error>(codes.error());
    lockout::clear(tx, lockout::kStepUp, staff->id.text);
    staff_session_store::end_all_but(tx, staff->id, hash_of(token), "totp_enrolled", now);
    audit::append(tx, {actor_of(staff->id), "staff.totp_enrolled", staff->id.text, ""}, trace, now);
    Enrolled done{renewed(tx, token, *staff), std::move(*codes)};
    done.session.staff.has_totp = true;
    done.session.staff.must_enrol = false;
    return done;
  });
  if (!enrolled && enrolled.error().reason == "totp_wrong")
    return tl::unexpected<Error>(wrong_proof(*staff, "totp_wrong", "code", trace));
  return enrolled;
}

std::vector<std::string> StaffSessions::renew_recovery_codes(const StaffIdentity& staff,
                                                             const TraceId& trace) {
  const std::int64_t now = clock_.wall_ms();
  std::vector<std::string> codes;
  db_.write([&](storage::Tx& tx) {
    codes = totp_.renew_recovery_codes(tx, staff.id);
    audit::append(tx, {actor_of(staff.id), "staff.recovery_codes_renewed", staff.id.text, ""},
                  trace, now);
    return true;
  });
  return codes;
}

std::int64_t StaffSessions::recovery_codes_left(const StaffId& staff) {
  std::int64_t left = 0;
  db_.read(
      [&](storage::Reader& reader) { left = staff_store::unused_recovery_codes(reader, staff); });
  return left;
}

}  // namespace topup::auth
