#include "server/privacy/key_store.h"

namespace topup::privacy::key_store {
namespace {

constexpr std::int64_t kPrefixBytes = 12;  // "v1.<key id>."

// Names come from the table of columns in this program's text, never from a request.
std::string from(const Column& column) { return " FROM " + std::string(column.table); }
std::string holds_value(const Column& column) {
  return std::string(column.column) + " IS NOT NULL AND " + std::string(column.column) + " <> ''";
}
std::string place_of(const Column& column) {
  return std::string(column.table) + "." + std::string(column.column);
}

std::int64_t count(storage::Reader& reader, const std::string& sql,
                   std::initializer_list<storage::Value> values) {
  std::int64_t found = 0;
  reader.query(sql, values, [&found](const storage::Row& row) { found = row.integer(0); });
  return found;
}

}  // namespace

std::vector<DataKey> keys(storage::Reader& reader) {
  std::vector<DataKey> found;
  reader.query(R"sql(
    SELECT key_id, purpose, state, seals, created_at_ms, left_at_ms FROM data_keys
     ORDER BY created_at_ms, key_id)sql",
               {}, [&found](const storage::Row& row) {
                 found.push_back({row.text(0), row.text(1), row.text(2), row.integer(3),
                                  row.integer(4), row.integer(5)});
               });
  return found;
}

std::vector<Wrap> wraps(storage::Reader& reader) {
  std::vector<Wrap> found;
  reader.query("SELECT key_id, master_id, wrapped FROM data_key_wraps ORDER BY key_id, master_id",
               {}, [&found](const storage::Row& row) {
                 found.push_back({row.text(0), row.text(1), row.text(2)});
               });
  return found;
}

void insert(storage::Tx& tx, const DataKey& key) {
  tx.exec(R"sql(
    INSERT INTO data_keys (key_id, purpose, state, seals, created_at_ms, left_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6))sql",
          {key.id, key.purpose, key.state, key.seals, key.created_at_ms, key.left_at_ms});
}

void insert_wrap(storage::Tx& tx, const Wrap& wrap) {
  tx.exec(R"sql(
    INSERT INTO data_key_wraps (key_id, master_id, wrapped) VALUES ($1, $2, $3)
    ON CONFLICT (key_id, master_id) DO UPDATE SET wrapped = excluded.wrapped)sql",
          {wrap.key_id, wrap.master_id, wrap.wrapped});
}

void delete_wraps_of_key(storage::Tx& tx, std::string_view key_id) {
  tx.exec("DELETE FROM data_key_wraps WHERE key_id = $1", {key_id});
}

void delete_wraps_of_master(storage::Tx& tx, std::string_view master_id) {
  tx.exec("DELETE FROM data_key_wraps WHERE master_id = $1", {master_id});
}

void leave(storage::Tx& tx, std::string_view purpose, std::int64_t now_ms) {
  tx.exec(
      "UPDATE data_keys SET state = 'kept', left_at_ms = $1 WHERE purpose = $2 AND state = "
      "'active'",
      {now_ms, purpose});
}

void set_state(storage::Tx& tx, std::string_view key_id, std::string_view state) {
  tx.exec("UPDATE data_keys SET state = $1 WHERE key_id = $2", {state, key_id});
}

void set_aside(storage::Tx& tx, std::string_view key_id, std::int64_t seals) {
  tx.exec("UPDATE data_keys SET seals = seals + $1 WHERE key_id = $2", {seals, key_id});
}

bool hold_work(storage::Tx& tx, std::string_view holder, std::int64_t now_ms,
               std::int64_t until_ms) {
  return tx.exec(R"sql(
    UPDATE key_work SET holder = $1, until_ms = $2
     WHERE id = 1 AND (holder = $1 OR holder = '' OR until_ms <= $3))sql",
                 {holder, until_ms, now_ms}) == 1;
}

void leave_work(storage::Tx& tx, std::string_view holder) {
  tx.exec("UPDATE key_work SET holder = '', until_ms = 0 WHERE id = 1 AND holder = $1", {holder});
}

Cursor cursor(storage::Reader& reader, const Column& column) {
  Cursor found;
  const std::string place = place_of(column);
  reader.query(
      "SELECT key_id, after_row, sealed_rows, broken_rows, is_done FROM reseals WHERE place = $1",
      {place}, [&found](const storage::Row& row) {
        found = {row.text(0), row.text(1), row.integer(2), row.integer(3), row.integer(4) == 1};
      });
  return found;
}

void save_cursor(storage::Tx& tx, const Column& column, const Cursor& cursor) {
  const std::string place = place_of(column);
  tx.exec(R"sql(
    INSERT INTO reseals (place, key_id, after_row, sealed_rows, broken_rows, is_done)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (place) DO UPDATE SET key_id = excluded.key_id, after_row = excluded.after_row,
      sealed_rows = excluded.sealed_rows, broken_rows = excluded.broken_rows,
      is_done = excluded.is_done)sql",
          {place, cursor.key_id, cursor.after_row, cursor.sealed_rows, cursor.broken_rows,
           std::int64_t{cursor.is_done ? 1 : 0}});
}

std::vector<Sealed> page(storage::Reader& reader, const Column& column, std::string_view after,
                         std::int64_t limit) {
  const std::string row_id(column.source);
  const std::string sql = "SELECT " + row_id + ", " + std::string(column.column) + from(column) +
                          " WHERE " + row_id + " > $1 AND " + holds_value(column) + " ORDER BY " +
                          row_id + " LIMIT $2";
  std::vector<Sealed> rows;
  reader.query(sql, {after, limit}, [&rows](const storage::Row& row) {
    rows.push_back({row.text(0), row.text(1)});
  });
  return rows;
}

bool replace(storage::Tx& tx, const Column& column, const Sealed& old, std::string_view sealed) {
  const std::string name(column.column);
  const std::string sql = "UPDATE " + std::string(column.table) + " SET " + name + " = $1 WHERE " +
                          std::string(column.source) + " = $2 AND " + name + " = $3";
  return tx.exec(sql, {sealed, old.row_id, old.text}) > 0;
}

void replace_index(storage::Tx& tx, const Column& column, std::string_view row_source,
                   std::string_view row_id, std::string_view index) {
  const std::string sql = "UPDATE " + std::string(column.table) + " SET " +
                          std::string(column.column) + " = $1 WHERE " + std::string(row_source) +
                          " = $2";
  tx.exec(sql, {index, row_id});
}

std::int64_t count_of(storage::Reader& reader, const Column& column, std::string_view key_id) {
  const std::string prefix = "v1." + std::string(key_id) + ".";
  return count(reader,
               "SELECT COUNT(*)" + from(column) + " WHERE substr(" + std::string(column.column) +
                   ", 1, " + std::to_string(kPrefixBytes) + ") = $1",
               {prefix});
}

std::int64_t count_all(storage::Reader& reader, const Column& column) {
  return count(reader, "SELECT COUNT(*)" + from(column) + " WHERE " + holds_value(column), {});
}

}  // namespace topup::privacy::key_store
