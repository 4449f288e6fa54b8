#include "server/storage/sqlite_connection.h"

#include <sqlite3.h>

#include <cstdlib>
#include <variant>

#include "server/storage/sqlite_log.h"
#include "shared/check.h"

namespace topup::storage {
namespace {

SqlError error_of(sqlite3* db, std::string_view doing) {
  const int code = sqlite3_extended_errcode(db) & 0xFF;
  std::string why = std::string(doing) + ": " + sqlite3_errmsg(db);
  return SqlError(std::move(why), code == SQLITE_CONSTRAINT,
                  code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_FULL);
}

// Bytes at no address would be bound as NULL.
const char* bytes_of(std::string_view text) { return text.data() == nullptr ? "" : text.data(); }

bool is_of_rows(std::string_view sql) {
  const std::size_t start = sql.find_first_not_of(" \n\t");
  if (start == std::string_view::npos) return false;
  sql.remove_prefix(start);
  for (const std::string_view word : {"INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "SELECT"}) {
    if (sql.starts_with(word)) return true;
  }
  return false;
}

// Its own bookkeeping of memory is a lock that every allocation of every connection takes.
void prepare_library() {
  static const bool is_prepared = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK;
  static_cast<void>(is_prepared);
}

class SqliteRow final : public Row {
 public:
  explicit SqliteRow(sqlite3_stmt* handle) : handle_(handle) {}
  std::int64_t integer(int column) const override { return sqlite3_column_int64(handle_, column); }
  std::string text(int column) const override {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle_, column));
    const int size = sqlite3_column_bytes(handle_, column);
    return bytes == nullptr ? std::string() : std::string(bytes, static_cast<std::size_t>(size));
  }
  bool is_null(int column) const override {
    return sqlite3_column_type(handle_, column) == SQLITE_NULL;
  }

 private:
  sqlite3_stmt* handle_;
};

}  // namespace

SqliteConnection::SqliteConnection(const std::string& path, int flags, LogWrites log_writes) {
  prepare_library();
  const char* const vfs = log_writes == LogWrites::gathered ? gathering_vfs() : nullptr;
  if (sqlite3_open_v2(path.c_str(), &db_, flags | SQLITE_OPEN_NOMUTEX, vfs) != SQLITE_OK) {
    const std::string why = db_ != nullptr ? sqlite3_errmsg(db_) : "out of memory";
    sqlite3_close(db_);
    throw SqlError("cannot open " + path + ": " + why, false);
  }
  sqlite3_busy_timeout(db_, kBusyMs);
  script("PRAGMA foreign_keys=ON");
  script(
      "PRAGMA recursive_triggers=ON");  // else REPLACE would delete past the append-only triggers
  script("PRAGMA wal_autocheckpoint=0");
}

SqliteConnection::~SqliteConnection() {
  for (auto& [sql, statement] : cache_) sqlite3_finalize(statement.handle);
  sqlite3_close(db_);
}

void SqliteConnection::script(std::string_view sql) {
  const std::string text(sql);
  ++uncounted_changes_;
  if (sqlite3_exec(db_, text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw error_of(db_, text.substr(0, 60));
  }
}

int SqliteConnection::run(std::string_view sql, std::initializer_list<Value> values,
                          const std::function<void(const Row&)>* on_row) {
  Statement& statement = prepared(sql);
  struct Reset {
    sqlite3_stmt* handle;
    ~Reset() {
      sqlite3_reset(handle);
      sqlite3_clear_bindings(handle);
    }
  } reset{statement.handle};
  bind(statement, values);
  if (statement.makes_shape) ++uncounted_changes_;
  int rows = 0;
  for (;;) {
    const int step = sqlite3_step(statement.handle);
    if (step == SQLITE_DONE) break;
    if (step != SQLITE_ROW) throw error_of(db_, sql.substr(0, 60));
    ++rows;
    if (on_row != nullptr) (*on_row)(SqliteRow(statement.handle));
  }
  return on_row != nullptr ? rows : sqlite3_changes(db_);
}

bool SqliteConnection::in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }

std::int64_t SqliteConnection::changes() const { return changed_rows() + uncounted_changes_; }

std::int64_t SqliteConnection::changed_rows() const { return sqlite3_total_changes(db_); }

SqlError SqliteConnection::refusal(std::string_view doing) const { return error_of(db_, doing); }

SqliteConnection::Statement& SqliteConnection::prepared(std::string_view sql) {
  const auto found = cache_.find(sql);
  if (found != cache_.end()) return found->second;
  Statement statement;
  if (sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                         &statement.handle, nullptr) != SQLITE_OK) {
    throw error_of(db_, sql.substr(0, 60));
  }
  const int parameters = sqlite3_bind_parameter_count(statement.handle);
  for (int i = 1; i <= parameters; ++i) {
    const char* name = sqlite3_bind_parameter_name(statement.handle, i);
    check(name != nullptr && name[0] == '$', "SQL values are written $1, $2, …");
    const auto number = static_cast<std::size_t>(std::atoi(name + 1));
    check(number >= 1 && number <= kMaxValues, "too many SQL values");
    statement.index_of[number - 1] = i;
  }
  statement.makes_shape = sqlite3_stmt_readonly(statement.handle) == 0 && !is_of_rows(sql);
  texts_.push_back(std::make_unique<std::string>(sql));
  return cache_.emplace(std::string_view(*texts_.back()), statement).first->second;
}

void SqliteConnection::bind(const Statement& statement, std::initializer_list<Value> values) {
  check(values.size() <= kMaxValues, "too many SQL values");
  std::size_t number = 0;
  for (const Value& value : values) {
    const int index = statement.index_of[number++];
    if (index == 0) continue;
    int code = SQLITE_OK;
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      code = sqlite3_bind_int64(statement.handle, index, *integer);
    } else if (const auto* text = std::get_if<std::string_view>(&value)) {
      code = sqlite3_bind_text64(statement.handle, index, bytes_of(*text), text->size(),
                                 SQLITE_STATIC, SQLITE_UTF8);
    } else if (const auto* blob = std::get_if<Blob>(&value)) {
      code = sqlite3_bind_blob64(statement.handle, index, bytes_of(blob->bytes), blob->bytes.size(),
                                 SQLITE_STATIC);
    } else {
      code = sqlite3_bind_null(statement.handle, index);
    }
    if (code != SQLITE_OK) throw error_of(db_, "bind");
  }
}

}  // namespace topup::storage
