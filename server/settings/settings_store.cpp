#include "server/settings/settings_store.h"

namespace topup::settings::settings_store {
namespace {

std::optional<std::string> text_or_none(const storage::Row& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return row.text(column);
}

storage::Value value_or_none(const std::optional<std::string>& text) {
  if (!text) return nullptr;
  return std::string_view(*text);
}

}  // namespace

std::int64_t newest_version(storage::Reader& reader) {
  std::int64_t version = 0;
  reader.query("SELECT COALESCE(MAX(version), 0) FROM settings", {},
               [&version](const storage::Row& row) { version = row.integer(0); });
  return version;
}

std::vector<StoredValue> values_at(storage::Reader& reader, std::int64_t version) {
  std::vector<StoredValue> values;
  reader.query(R"sql(
    SELECT setting, value FROM settings AS newest
     WHERE version = (SELECT MAX(version) FROM settings AS older
                       WHERE older.setting = newest.setting AND older.version <= $1)
     ORDER BY setting)sql",
               {version}, [&values](const storage::Row& row) {
                 values.push_back({row.text(0), text_or_none(row, 1)});
               });
  return values;
}

std::vector<StoredRow> history(storage::Reader& reader, const Place& after, std::int64_t limit) {
  std::vector<StoredRow> rows;
  reader.query(R"sql(
    SELECT version, setting, value, previous, changed_by, changed_at_ms FROM settings
     WHERE version < $1 OR (version = $1 AND setting > $2)
     ORDER BY version DESC, setting LIMIT $3)sql",
               {after.version, after.key, limit}, [&rows](const storage::Row& row) {
                 rows.push_back({row.integer(0), row.text(1), text_or_none(row, 2),
                                 text_or_none(row, 3), row.text(4), row.integer(5)});
               });
  return rows;
}

void insert(storage::Tx& tx, const StoredRow& row) {
  tx.exec(R"sql(
    INSERT INTO settings (version, setting, value, previous, changed_by, changed_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6))sql",
          {row.version, row.key, value_or_none(row.value), value_or_none(row.previous),
           row.changed_by, row.changed_at_ms});
}

}  // namespace topup::settings::settings_store
