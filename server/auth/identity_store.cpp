#include "server/auth/identity_store.h"

namespace topup::auth::identity_store {
namespace {

constexpr std::int64_t kShortLivedMs = 48LL * 3600 * 1000;

Identity read_identity(const storage::Row& row) {
  return {row.text(0), UserId(row.text(1)), row.text(2), row.text(3),
          row.text(4), row.text(5),         row.text(6), row.integer(7)};
}

}  // namespace

std::optional<Identity> find(storage::Reader& reader, std::string_view kind, std::string_view app,
                             std::string_view subject_index) {
  std::optional<Identity> found;
  reader.query(R"sql(
    SELECT identity_id, user_id, kind, app, subject_index, subject_sealed, subject_masked, bound_at_ms
      FROM identities WHERE kind = $1 AND app = $2 AND subject_index = $3)sql",
               {kind, app, subject_index},
               [&found](const storage::Row& row) { found = read_identity(row); });
  return found;
}

std::vector<Identity> of_user(storage::Reader& reader, const UserId& user) {
  std::vector<Identity> found;
  reader.query(R"sql(
    SELECT identity_id, user_id, kind, app, subject_index, subject_sealed, subject_masked, bound_at_ms
      FROM identities WHERE user_id = $1 ORDER BY bound_at_ms, identity_id)sql",
               {user.text},
               [&found](const storage::Row& row) { found.push_back(read_identity(row)); });
  return found;
}

void insert(storage::Tx& tx, const Identity& identity) {
  tx.exec(R"sql(
    INSERT INTO identities (identity_id, user_id, kind, app, subject_index, subject_sealed,
                            subject_masked, bound_at_ms, tail_index)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9))sql",
          {identity.identity_id, identity.user.text, identity.kind, identity.app,
           identity.subject_index, identity.subject_sealed, identity.subject_masked,
           identity.bound_at_ms, identity.tail_index});
}

void remove(storage::Tx& tx, std::string_view identity_id) {
  tx.exec("DELETE FROM identities WHERE identity_id = $1", {identity_id});
}

void give(storage::Tx& tx, std::string_view identity_id, const UserId& user) {
  tx.exec("UPDATE identities SET user_id = $2 WHERE identity_id = $1", {identity_id, user.text});
}

bool has_belongings(storage::Reader& reader, const UserId& user) {
  return reader.query("SELECT order_id FROM orders WHERE user_id = $1 LIMIT 1", {user.text},
                      [](const storage::Row&) {}) > 0;
}

int move_belongings(storage::Tx& tx, const UserId& from, const UserId& into) {
  tx.exec(R"sql(
    INSERT INTO consents (user_id, document, version, given_at_ms)
    SELECT $2, document, version, given_at_ms FROM consents
     WHERE user_id = $1 AND withdrawn_at_ms = 0
    ON CONFLICT (user_id, document, version) DO NOTHING)sql",
          {from.text, into.text});
  tx.exec("UPDATE owned_coupons SET user_id = $2 WHERE user_id = $1", {from.text, into.text});
  tx.exec("UPDATE messages SET user_id = $2 WHERE user_id = $1", {from.text, into.text});
  tx.exec("UPDATE customer_notes SET user_id = $2 WHERE user_id = $1", {from.text, into.text});
  // A frozen buyer does not thaw by becoming somebody else.
  tx.exec(R"sql(
    UPDATE users
       SET frozen_at_ms = (SELECT f.frozen_at_ms FROM users f WHERE f.user_id = $1),
           frozen_by = (SELECT f.frozen_by FROM users f WHERE f.user_id = $1)
     WHERE user_id = $2 AND frozen_at_ms = 0
       AND EXISTS (SELECT 1 FROM users f WHERE f.user_id = $1 AND f.frozen_at_ms > 0))sql",
          {from.text, into.text});
  tx.exec(R"sql(
    INSERT INTO message_quotas (user_id, template_id, accepted, updated_at_ms)
    SELECT $2, template_id, accepted, updated_at_ms FROM message_quotas WHERE user_id = $1
    ON CONFLICT (user_id, template_id) DO UPDATE
       SET accepted = message_quotas.accepted + excluded.accepted)sql",
          {from.text, into.text});
  tx.exec("DELETE FROM message_quotas WHERE user_id = $1", {from.text});
  if (tx.engine() == "postgres") {  // orders are kept by user there
    std::int64_t moved = 0;
    tx.query("SELECT topup_move_orders($1, $2)", {from.text, into.text},
             [&moved](const storage::Row& row) { moved = row.integer(0); });
    return static_cast<int>(moved);
  }
  return tx.exec("UPDATE orders SET user_id = $2 WHERE user_id = $1", {from.text, into.text});
}

void insert_merged(storage::Tx& tx, const UserId& from, const UserId& into, std::int64_t now_ms) {
  // Those merged into `from` earlier now belong to `into` as well.
  tx.exec("UPDATE merged_users SET into_user_id = $2 WHERE into_user_id = $1",
          {from.text, into.text});
  tx.exec("INSERT INTO merged_users (user_id, into_user_id, merged_at_ms) VALUES ($1, $2, $3)",
          {from.text, into.text, now_ms});
}

void insert_ticket(storage::Tx& tx, std::string_view hash, const Ticket& ticket,
                   std::int64_t now_ms, std::int64_t expires_at_ms) {
  tx.exec(R"sql(
    INSERT INTO merge_tickets (ticket_hash, from_user_id, into_user_id, proof, created_at_ms,
                               expires_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6))sql",
          {hash, ticket.from.text, ticket.into.text, ticket.proof, now_ms, expires_at_ms});
}

std::optional<Ticket> find_ticket(storage::Reader& reader, std::string_view hash,
                                  std::int64_t now_ms) {
  std::optional<Ticket> found;
  reader.query(R"sql(
    SELECT from_user_id, into_user_id, proof FROM merge_tickets
     WHERE ticket_hash = $1 AND used_at_ms IS NULL AND expires_at_ms > $2)sql",
               {hash, now_ms}, [&found](const storage::Row& row) {
                 found = Ticket{UserId(row.text(0)), UserId(row.text(1)), row.text(2)};
               });
  return found;
}

void use_ticket(storage::Tx& tx, std::string_view hash, std::int64_t now_ms) {
  tx.exec("UPDATE merge_tickets SET used_at_ms = $2 WHERE ticket_hash = $1", {hash, now_ms});
}

void insert_consent(storage::Tx& tx, const UserId& user, const Consent& consent) {
  tx.exec(R"sql(
    INSERT INTO consents (user_id, document, version, given_at_ms) VALUES ($1, $2, $3, $4)
    ON CONFLICT (user_id, document, version) DO UPDATE
       SET given_at_ms = CASE WHEN consents.withdrawn_at_ms = 0 THEN consents.given_at_ms
                              ELSE excluded.given_at_ms END,
           withdrawn_at_ms = 0)sql",
          {user.text, consent.document, consent.version, consent.given_at_ms});
}

int withdraw_consents(storage::Tx& tx, const UserId& user, std::string_view document,
                      std::int64_t now_ms) {
  return tx.exec(R"sql(
    UPDATE consents SET withdrawn_at_ms = $3
     WHERE user_id = $1 AND ($2 = '' OR document = $2) AND withdrawn_at_ms = 0)sql",
                 {user.text, document, now_ms});
}

std::vector<Consent> consents_of(storage::Reader& reader, const UserId& user) {
  std::vector<Consent> found;
  reader.query(R"sql(
    SELECT document, version, given_at_ms, withdrawn_at_ms FROM consents WHERE user_id = $1
     ORDER BY given_at_ms DESC, document, version LIMIT 50)sql",
               {user.text}, [&found](const storage::Row& row) {
                 found.push_back({row.text(0), row.text(1), row.integer(2), row.integer(3)});
               });
  return found;
}

void sweep(storage::Tx& tx, std::int64_t now_ms, std::int64_t sign_ins_before_ms) {
  const std::int64_t before = now_ms - kShortLivedMs;
  tx.exec("DELETE FROM wechat_journeys WHERE created_at_ms < $1", {before});
  tx.exec("DELETE FROM merge_tickets WHERE created_at_ms < $1", {before});
  tx.exec("DELETE FROM sms_codes WHERE created_at_ms < $1", {before});
  tx.exec("DELETE FROM sign_ins WHERE at_ms < $1", {sign_ins_before_ms});
}

}  // namespace topup::auth::identity_store
