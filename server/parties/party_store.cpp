#include "server/parties/party_store.h"

namespace topup::parties::party_store {
namespace {

Keys keys_of(const storage::Row& row) {
  Keys keys;
  keys.party = row.text(0);
  keys.version = row.integer(1);
  keys.plain = row.text(2);
  keys.secrets_sealed = row.text(3);
  keys.secret_names = row.text(4);
  keys.facts = row.text(5);
  keys.tested_at_ms = row.integer(6);
  keys.tested_well = row.integer(7) != 0;
  keys.tested_said = row.text(8);
  keys.saved_by = row.text(9);
  keys.saved_at_ms = row.integer(10);
  return keys;
}

}  // namespace

std::optional<Keys> newest(storage::Reader& reader, std::string_view party) {
  std::optional<Keys> found;
  reader.query(R"sql(
    SELECT party, version, plain, secrets_sealed, secret_names, facts, tested_at_ms, tested_well,
           tested_said, saved_by, saved_at_ms
      FROM party_keys WHERE party = $1 ORDER BY version DESC LIMIT 1)sql",
               {party}, [&found](const storage::Row& row) { found = keys_of(row); });
  return found;
}

std::optional<Keys> find(storage::Reader& reader, std::string_view party, std::int64_t version) {
  std::optional<Keys> found;
  reader.query(R"sql(
    SELECT party, version, plain, secrets_sealed, secret_names, facts, tested_at_ms, tested_well,
           tested_said, saved_by, saved_at_ms
      FROM party_keys WHERE party = $1 AND version = $2)sql",
               {party, version}, [&found](const storage::Row& row) { found = keys_of(row); });
  return found;
}

void insert(storage::Tx& tx, const Keys& keys) {
  tx.exec(R"sql(
    INSERT INTO party_keys (party, version, plain, secrets_sealed, secret_names, facts, saved_by,
                            saved_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8))sql",
          {keys.party, keys.version, keys.plain, keys.secrets_sealed, keys.secret_names, keys.facts,
           keys.saved_by, keys.saved_at_ms});
}

void save_test(storage::Tx& tx, const Keys& keys) {
  tx.exec(R"sql(
    UPDATE party_keys SET tested_at_ms = $3, tested_well = $4, tested_said = $5
     WHERE party = $1 AND version = $2)sql",
          {keys.party, keys.version, keys.tested_at_ms,
           static_cast<std::int64_t>(keys.tested_well ? 1 : 0), keys.tested_said});
}

std::vector<WorldRow> worlds(storage::Reader& reader) {
  std::vector<WorldRow> rows;
  reader.query(R"sql(
    SELECT party, from_ms, world, version, reason, set_by FROM party_worlds ORDER BY from_ms,
           party)sql",
               {}, [&rows](const storage::Row& row) {
                 rows.push_back({row.text(0), row.integer(1), row.text(2), row.integer(3),
                                 row.text(4), row.text(5)});
               });
  return rows;
}

void insert(storage::Tx& tx, const WorldRow& row) {
  tx.exec(R"sql(
    INSERT INTO party_worlds (party, from_ms, world, version, reason, set_by)
    VALUES ($1, $2, $3, $4, $5, $6))sql",
          {row.party, row.from_ms, row.world, row.version, row.reason, row.set_by});
}

std::vector<Note> notes(storage::Reader& reader) {
  std::vector<Note> rows;
  reader.query("SELECT name, value, set_by, set_at_ms FROM setup_notes ORDER BY name", {},
               [&rows](const storage::Row& row) {
                 rows.push_back({row.text(0), row.text(1), row.text(2), row.integer(3)});
               });
  return rows;
}

void save(storage::Tx& tx, const Note& note) {
  tx.exec(R"sql(
    INSERT INTO setup_notes (name, value, set_by, set_at_ms) VALUES ($1, $2, $3, $4)
    ON CONFLICT (name) DO UPDATE
       SET value = excluded.value, set_by = excluded.set_by, set_at_ms = excluded.set_at_ms)sql",
          {note.name, note.value, note.set_by, note.set_at_ms});
}

void forget_note(storage::Tx& tx, std::string_view name) {
  tx.exec("DELETE FROM setup_notes WHERE name = $1", {name});
}

void insert_probe(storage::Tx& tx, std::string_view nonce_hash, std::string_view path,
                  std::int64_t now_ms) {
  tx.exec("INSERT INTO notify_probes (nonce_hash, path, made_at_ms) VALUES ($1, $2, $3)",
          {nonce_hash, path, now_ms});
}

bool hear_probe(storage::Tx& tx, std::string_view nonce_hash, std::string_view path,
                std::int64_t made_after_ms, std::int64_t now_ms) {
  return tx.exec(R"sql(
    UPDATE notify_probes SET heard_at_ms = $4
     WHERE nonce_hash = $1 AND path = $2 AND made_at_ms > $3 AND heard_at_ms = 0)sql",
                 {nonce_hash, path, made_after_ms, now_ms}) == 1;
}

void forget_probes(storage::Tx& tx, std::int64_t before_ms) {
  tx.exec("DELETE FROM notify_probes WHERE made_at_ms < $1", {before_ms});
}

}  // namespace topup::parties::party_store
