#include "server/auth/buyer_sessions.h"

#include <algorithm>

#include "server/audit/audit_log.h"
#include "server/auth/buyer_session_store.h"
#include "server/base/crypto.h"
#include "server/base/log.h"

namespace topup::auth {
namespace {

namespace rows = buyer_session_store;
constexpr std::size_t kSecretLength = 43;  // base::new_token
constexpr std::size_t kMarkLength = 10;    // base::id_floor
constexpr std::size_t kTokenLength = kMarkLength + kSecretLength;

// A token of before the marks is a secret alone; it lives on.
bool has_length(std::string_view token) {
  return token.size() == kTokenLength || token.size() == kSecretLength;
}

// Keys begin with the time, so that new sessions are written beside each other and not each into a
// page of its own. What no mark can hold never reaches the database.
std::string key_of(std::string_view token) {
  const std::string hash = base::hex(base::sha256(token));
  if (token.size() != kTokenLength) return hash;
  const std::string_view mark = token.substr(0, kMarkLength);
  const bool is_ours = std::all_of(mark.begin(), mark.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
  });
  return is_ours ? std::string(mark) + hash : hash;
}

struct Opened {
  StartedSession session;
  rows::SessionRow row;
};
Opened opened(base::Random& random, std::int64_t now, const UserId& user, std::string_view proof,
              const Caller& caller) {
  Opened made;
  made.session = {base::id_floor(now) + base::new_token(random), base::new_id(random, now), user,
                  now + kSessionIdleMs};
  rows::SessionRow& row = made.row;
  row.token_hash = key_of(made.session.token);
  row.session_id = made.session.session_id;
  row.user = user;
  row.proof = proof;
  row.device = device_class(caller.user_agent);
  row.address_masked = masked_address(caller.address);
  row.device_code = caller.device_code;
  row.created_at_ms = row.seen_at_ms = now;
  row.expires_at_ms = made.session.expires_at_ms;
  row.ends_by_ms = now + kSessionMostMs;
  return made;
}

}  // namespace

StartedSession BuyerSessions::start_guest(const Caller& caller) {
  const std::int64_t now = clock_.wall_ms();
  const UserId user(base::new_id(random_, now));
  const Opened made = opened(random_, now, user, kGuestProof, caller);
  db_.write([&](storage::Tx& tx) {
    rows::insert_user(tx, user, now);
    rows::insert(tx, made.row);
    return true;
  });
  return made.session;
}

StartedSession BuyerSessions::open(storage::Tx& tx, const UserId& user, std::string_view proof,
                                   const Caller& caller, std::string_view replaced) {
  const std::int64_t now = clock_.wall_ms();
  const Opened made = opened(random_, now, user, proof, caller);
  if (!replaced.empty()) rows::end(tx, key_of(replaced), "replaced", now);
  const auto living = rows::list(tx, user, now);
  for (std::size_t i = kMaxSessionsPerUser - 1; i < living.size(); ++i) {
    rows::end(tx, living[i].token_hash, "too_many", now);
  }
  rows::insert(tx, made.row);
  return made.session;
}

Result<UserId> BuyerSessions::buyer(std::string_view token) {
  if (!has_length(token)) return refuse(Code::unauthenticated, "session_missing");
  const std::string key = key_of(token);
  const std::int64_t now = clock_.wall_ms();
  std::optional<rows::SessionRow> session;
  db_.read([&](storage::Reader& reader) { session = rows::find(reader, key, now); });
  if (!session) return refuse(Code::unauthenticated, "session_ended");
  if (now - session->seen_at_ms >= kSeenEveryMs) {
    const std::int64_t expires = std::min(now + kSessionIdleMs, session->ends_by_ms);
    try {
      db_.write([&](storage::Tx& tx) {
        rows::touch(tx, key, now, std::max(expires, session->expires_at_ms));
        return true;
      });
    } catch (const storage::SqlError& failure) {  // the next request will note it
      base::log(base::Level::warn, "session_not_touched", {{"why", failure.what()}});
    }
  }
  return session->user;
}

std::optional<UserId> BuyerSessions::holder(storage::Reader& reader, std::string_view token) const {
  if (!has_length(token)) return std::nullopt;
  const auto session = rows::find(reader, key_of(token), clock_.wall_ms());
  if (!session) return std::nullopt;
  return session->user;
}

std::vector<SessionView> BuyerSessions::list(const UserId& user, std::string_view current_token) {
  const std::string current = key_of(current_token);
  std::vector<SessionView> views;
  db_.read([&](storage::Reader& reader) {
    views.clear();
    for (const rows::SessionRow& row : rows::list(reader, user, clock_.wall_ms())) {
      views.push_back({row.session_id, row.proof, row.device, row.address_masked, row.created_at_ms,
                       row.seen_at_ms, row.expires_at_ms,
                       base::constant_time_equal(row.token_hash, current)});
    }
  });
  return views;
}

Result<bool> BuyerSessions::end(const UserId& user, const std::string& session_id,
                                const TraceId& trace) {
  const std::int64_t now = clock_.wall_ms();
  return storage::with_tx(db_, [&](storage::Tx& tx) -> Result<bool> {
    const auto living = rows::list(tx, user, now);
    const auto found = std::find_if(living.begin(), living.end(),
                                    [&](const auto& row) { return row.session_id == session_id; });
    if (found == living.end()) return refuse(Code::not_found, "session_not_found", "session_id");
    rows::end(tx, found->token_hash, "signed_out", now);
    audit::append(tx, {"buyer:" + user.text, "session.signed_out", session_id, ""}, trace, now);
    return true;
  });
}

int BuyerSessions::end_others(const UserId& user, std::string_view current_token,
                              const TraceId& trace) {
  const std::string current = key_of(current_token);
  const std::int64_t now = clock_.wall_ms();
  int ended = 0;
  db_.write([&](storage::Tx& tx) {
    ended = rows::end_all(tx, user, current, "signed_out_elsewhere", now);
    audit::append(tx,
                  {"buyer:" + user.text, "session.others_signed_out", user.text,
                   std::to_string(ended) + " sessions"},
                  trace, now);
    return true;
  });
  return ended;
}

}  // namespace topup::auth
