#include "server/risk/blacklist_store.h"

#include <algorithm>

#include "server/storage/ahead.h"
#include "shared/check.h"

namespace topup::risk::blacklist_store {
namespace {

constexpr std::size_t kIndexesAtOnce = 8;

// No subject has the index "".
constexpr std::string_view kAnyOf = R"sql(
  SELECT 1 FROM blacklist
   WHERE subject_index IN ($1, $2, $3, $4, $5, $6, $7, $8) AND ended_at_ms = 0
     AND (expires_at_ms = 0 OR expires_at_ms > $9) LIMIT 1)sql";
constexpr std::string_view kIdentityOf = R"sql(
  SELECT 1 FROM identities i JOIN blacklist b ON b.subject_index = i.subject_index
   WHERE i.user_id = $1 AND b.ended_at_ms = 0
     AND (b.expires_at_ms = 0 OR b.expires_at_ms > $2) LIMIT 1)sql";

auto text_at(const std::vector<std::string>& indexes) {
  check(indexes.size() <= kIndexesAtOnce, "one asker has a few subjects");
  return [&indexes](std::size_t i) {
    return i < indexes.size() ? std::string_view(indexes[i]) : std::string_view();
  };
}

Entry read_entry(const storage::Row& row) {
  Entry entry;
  entry.id = row.text(0);
  entry.kind = row.text(1);
  entry.subject_index = row.text(2);
  entry.subject_sealed = row.text(3);
  entry.subject_masked = row.text(4);
  entry.reason = row.text(5);
  entry.created_by = row.text(6);
  entry.created_at_ms = row.integer(7);
  entry.expires_at_ms = row.integer(8);
  entry.ended_at_ms = row.integer(9);
  entry.ended_by = row.text(10);
  entry.ended_why = row.text(11);
  return entry;
}

}  // namespace

void insert(storage::Tx& tx, const Entry& entry) {
  tx.exec(R"sql(
    INSERT INTO blacklist (entry_id, kind, subject_index, subject_sealed, subject_masked, reason,
                           created_by, created_at_ms, expires_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9))sql",
          {entry.id, entry.kind, entry.subject_index, entry.subject_sealed, entry.subject_masked,
           entry.reason, entry.created_by, entry.created_at_ms, entry.expires_at_ms});
}

std::optional<Entry> find(storage::Reader& reader, std::string_view id) {
  std::optional<Entry> found;
  reader.query(R"sql(
    SELECT entry_id, kind, subject_index, subject_sealed, subject_masked, reason, created_by,
           created_at_ms, expires_at_ms, ended_at_ms, ended_by, ended_why
      FROM blacklist WHERE entry_id = $1)sql",
               {id}, [&found](const storage::Row& row) { found = read_entry(row); });
  return found;
}

std::optional<Entry> find_open(storage::Reader& reader, std::string_view subject_index) {
  std::optional<Entry> found;
  reader.query(R"sql(
    SELECT entry_id, kind, subject_index, subject_sealed, subject_masked, reason, created_by,
           created_at_ms, expires_at_ms, ended_at_ms, ended_by, ended_why
      FROM blacklist WHERE subject_index = $1 AND ended_at_ms = 0)sql",
               {subject_index}, [&found](const storage::Row& row) { found = read_entry(row); });
  return found;
}

void end(storage::Tx& tx, std::string_view id, std::string_view by, std::string_view why,
         std::int64_t now_ms) {
  tx.exec(R"sql(
    UPDATE blacklist SET ended_at_ms = $4, ended_by = $2, ended_why = $3
     WHERE entry_id = $1 AND ended_at_ms = 0)sql",
          {id, by, why, now_ms});
}

std::int64_t count_open(storage::Reader& reader) {
  std::int64_t count = 0;
  reader.query(R"sql(
    SELECT COUNT(*) FROM (SELECT 1 FROM blacklist WHERE ended_at_ms = 0 LIMIT $1) AS live)sql",
               {kMaxLive}, [&count](const storage::Row& row) { count = row.integer(0); });
  return count;
}

std::vector<Entry> list(storage::Reader& reader, const Selection& wanted, std::string_view before,
                        std::int64_t limit) {
  std::vector<Entry> found;
  reader.query(
      R"sql(
    SELECT entry_id, kind, subject_index, subject_sealed, subject_masked, reason, created_by,
           created_at_ms, expires_at_ms, ended_at_ms, ended_by, ended_why
      FROM blacklist
     WHERE ($1 = '' OR entry_id < $1) AND ($2 = '' OR kind = $2)
       AND ($3 = '' OR subject_index = $3) AND ($4 = 1 OR ended_at_ms = 0)
     ORDER BY entry_id DESC LIMIT $5)sql",
      {before, wanted.kind, wanted.subject_index, std::int64_t{wanted.with_ended ? 1 : 0}, limit},
      [&found](const storage::Row& row) { found.push_back(read_entry(row)); });
  return found;
}

bool has_any(storage::Reader& reader, const std::vector<std::string>& indexes,
             std::int64_t now_ms) {
  const auto at = text_at(indexes);
  return reader.query(kAnyOf, {at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7), now_ms},
                      [](const storage::Row&) {}) > 0;
}

Standing standing_of(storage::Reader& reader, const UserId& user, const std::string& account_index,
                     const std::vector<std::string>& indexes, std::int64_t now_ms) {
  Standing found;
  const auto at = text_at(indexes);
  const std::string_view none;
  storage::ask(reader, {{"SELECT 1 FROM users WHERE user_id = $1 AND frozen_at_ms > 0",
                         {user.text},
                         [&found](const storage::Row&) { found.is_frozen = true; }},
                        {kAnyOf,
                         {account_index, none, none, none, none, none, none, none, now_ms},
                         [&found](const storage::Row&) { found.is_account_blocked = true; }},
                        {kAnyOf,
                         {at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7), now_ms},
                         [&found](const storage::Row&) { found.is_asker_blocked = true; }},
                        {kIdentityOf, {user.text, now_ms}, [&found](const storage::Row&) {
                           found.is_asker_blocked = true;
                         }}});
  return found;
}

Freeze freeze_of(storage::Reader& reader, const UserId& user) {
  Freeze freeze;
  reader.query("SELECT frozen_at_ms, frozen_by, frozen_why_sealed FROM users WHERE user_id = $1",
               {user.text}, [&freeze](const storage::Row& row) {
                 freeze = {row.integer(0), row.text(1), row.text(2)};
               });
  return freeze;
}

bool set_freeze(storage::Tx& tx, const UserId& user, const Freeze& freeze) {
  return tx.exec(R"sql(
    UPDATE users SET frozen_at_ms = $2, frozen_by = $3, frozen_why_sealed = $4
     WHERE user_id = $1)sql",
                 {user.text, freeze.at_ms, freeze.by, freeze.why_sealed}) > 0;
}

}  // namespace topup::risk::blacklist_store
