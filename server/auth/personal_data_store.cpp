#include "server/auth/personal_data_store.h"

#include <string>

#include "server/auth/identity_store.h"

namespace topup::auth {
namespace {

using base::Json;
using privacy::Persons;

constexpr std::int64_t kMaxRowsTold = 1'000;  // of each list; a person has a few dozen

// What was sealed is "kind␟app␟subject": the last part is the person's own.
Json identities_of(storage::Reader& reader, const privacy::Pii& pii, const UserId& user) {
  Json out = Json::array();
  for (const Identity& identity : identity_store::of_user(reader, user)) {
    const auto whole =
        pii.open("identities", "subject_sealed", identity.identity_id, identity.subject_sealed);
    out.push_back({{"kind", identity.kind},
                   {"app", identity.app},
                   {"value", whole ? whole->substr(whole->rfind('\x1f') + 1) : ""},
                   {"bound_at_ms", identity.bound_at_ms}});
  }
  return out;
}

void add_sessions(storage::Reader& reader, const UserId& user, Json& out) {
  reader.query(R"sql(
    SELECT proof, device, address_masked, created_at_ms, seen_at_ms, ended_at_ms FROM sessions
     WHERE user_id = $1 ORDER BY created_at_ms DESC LIMIT $2)sql",
               {user.text, kMaxRowsTold}, [&out](const storage::Row& row) {
                 out.push_back({{"kind", row.text(0)},
                                {"device", row.text(1)},
                                {"address_masked", row.text(2)},
                                {"created_at_ms", row.integer(3)},
                                {"seen_at_ms", row.integer(4)},
                                {"ended_at_ms", row.is_null(5) ? 0 : row.integer(5)}});
               });
}

void add_sign_ins(storage::Reader& reader, const UserId& user, Json& out) {
  reader.query(R"sql(
    SELECT kind, outcome, reason, subject_masked, address_masked, device, at_ms FROM sign_ins
     WHERE user_id = $1 ORDER BY sign_in_id DESC LIMIT $2)sql",
               {user.text, kMaxRowsTold}, [&out](const storage::Row& row) {
                 out.push_back({{"kind", row.text(0)},
                                {"outcome", row.text(1)},
                                {"reason", row.text(2)},
                                {"subject_masked", row.text(3)},
                                {"address_masked", row.text(4)},
                                {"device", row.text(5)},
                                {"at_ms", row.integer(6)}});
               });
}

Json tell(storage::Reader& reader, const privacy::Pii& pii, const Persons& persons) {
  Json consents = Json::array(), sessions = Json::array(), sign_ins = Json::array();
  std::int64_t created = 0;
  reader.query("SELECT created_at_ms FROM users WHERE user_id = $1", {persons.front().text},
               [&created](const storage::Row& row) { created = row.integer(0); });
  for (const Consent& consent : identity_store::consents_of(reader, persons.front())) {
    consents.push_back({{"document", consent.document},
                        {"version", consent.version},
                        {"given_at_ms", consent.given_at_ms},
                        {"withdrawn_at_ms", consent.withdrawn_at_ms}});
  }
  for (const UserId& user : persons) {
    add_sessions(reader, user, sessions);
    add_sign_ins(reader, user, sign_ins);
  }
  return {{"created_at_ms", created},
          {"identities", identities_of(reader, pii, persons.front())},
          {"consents", std::move(consents)},
          {"sessions", std::move(sessions)},
          {"sign_ins", std::move(sign_ins)}};
}

std::int64_t erase(storage::Tx& tx, const Persons& persons) {
  std::int64_t removed = 0;
  for (const UserId& user : persons) {
    for (const Identity& identity : identity_store::of_user(tx, user)) {
      // Attempts that nobody was known to mean then, and codes, are found by the same index.
      removed += tx.exec("DELETE FROM sign_ins WHERE subject_index = $1", {identity.subject_index});
      removed += tx.exec("DELETE FROM sms_codes WHERE phone_index = $1", {identity.subject_index});
    }
    removed += tx.exec("DELETE FROM identities WHERE user_id = $1", {user.text});
    removed += tx.exec("DELETE FROM sign_ins WHERE user_id = $1", {user.text});
    removed += tx.exec("DELETE FROM consents WHERE user_id = $1", {user.text});
    removed += tx.exec("DELETE FROM sessions WHERE user_id = $1", {user.text});
    removed += tx.exec("DELETE FROM customer_notes WHERE user_id = $1", {user.text});
    tx.exec("UPDATE users SET frozen_why_sealed = '' WHERE user_id = $1", {user.text});
    removed += tx.exec("DELETE FROM merge_tickets WHERE from_user_id = $1 OR into_user_id = $1",
                       {user.text});
  }
  return removed;
}

}  // namespace

privacy::Holder account_holder(const privacy::Pii& pii) {
  privacy::Holder holder;
  holder.name = "account";
  holder.tables = {"users", "identities", "sign_ins", "consents", "sessions", "customer_notes"};
  holder.tell = [&pii](storage::Reader& reader, const Persons& persons) {
    return tell(reader, pii, persons);
  };
  holder.erase = erase;
  return holder;
}

}  // namespace topup::auth
