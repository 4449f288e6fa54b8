// Rows of party_keys, party_worlds, setup_notes and notify_probes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/db.h"

namespace topup::parties::party_store {

struct Keys {  // one version of what was typed for a party
  std::string party;
  std::int64_t version = 0;
  std::string plain, secrets_sealed;  // JSON; sealed JSON, its row id is "<party>/<version>"
  std::string secret_names;           // separated by blanks: which secrets there are
  std::string facts;                  // JSON: serial, subject, begin_ms, end_ms
  std::int64_t tested_at_ms = 0;
  bool tested_well = false;
  std::string tested_said;
  std::string saved_by;
  std::int64_t saved_at_ms = 0;
};
struct WorldRow {
  std::string party;
  std::int64_t from_ms = 0;
  std::string world;
  std::int64_t version = 0;
  std::string reason, set_by;
};
struct Note {
  std::string name, value, set_by;
  std::int64_t set_at_ms = 0;
};

std::optional<Keys> newest(storage::Reader& reader, std::string_view party);
std::optional<Keys> find(storage::Reader& reader, std::string_view party, std::int64_t version);
void insert(storage::Tx& tx, const Keys& keys);
void save_test(storage::Tx& tx, const Keys& keys);

std::vector<WorldRow> worlds(storage::Reader& reader);  // oldest first
void insert(storage::Tx& tx, const WorldRow& row);

std::vector<Note> notes(storage::Reader& reader);
void save(storage::Tx& tx, const Note& note);
void forget_note(storage::Tx& tx, std::string_view name);

void insert_probe(storage::Tx& tx, std::string_view nonce_hash, std::string_view path,
                  std::int64_t now_ms);
// False when it is unknown, too old, meant for another path, or was heard before.
bool hear_probe(storage::Tx& tx, std::string_view nonce_hash, std::string_view path,
                std::int64_t made_after_ms, std::int64_t now_ms);
void forget_probes(storage::Tx& tx, std::int64_t before_ms);

}  // namespace topup::parties::party_store
