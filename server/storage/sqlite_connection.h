// One connection to a SQLite file: statements prepared once and kept, values bound by their number.
// With sqlite.cpp and sqlite_log.cpp the only user of sqlite3.h. Not thread-safe; sqlite.cpp lends
// it to one thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "server/storage/db.h"
#include "server/storage/text_hash.h"

struct sqlite3;
struct sqlite3_stmt;

namespace topup::storage {

class SqliteConnection {
 public:
  static constexpr std::size_t kMaxValues = 32;
  static constexpr int kBusyMs = 5'000;

  enum class LogWrites : std::uint8_t { each, gathered };  // gathered: see sqlite_log.h
  // `flags` as sqlite3_open_v2() takes them. Throws SqlError when the file cannot be opened.
  SqliteConnection(const std::string& path, int flags, LogWrites log_writes = LogWrites::each);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  void script(std::string_view sql);
  // Rows given to `on_row`; without it, rows changed.
  int run(std::string_view sql, std::initializer_list<Value> values,
          const std::function<void(const Row&)>* on_row);
  // A statement without values that is run again and again.
  void step(std::string_view sql) { run(sql, {}, nullptr); }

  bool in_transaction() const;
  // Grows with every change that was made here, also one that is taken back later.
  std::int64_t changes() const;
  // Rows alone: what proves that the disk takes something.
  std::int64_t changed_rows() const;
  SqlError refusal(std::string_view doing) const;  // what the engine said last
  sqlite3* handle() const { return db_; }

 private:
  struct Statement {
    sqlite3_stmt* handle = nullptr;
    std::array<int, kMaxValues> index_of{};  // value number → SQLite's index, 0 when unused
    bool makes_shape = false;                // what tables there are: the engine does not count it
  };
  Statement& prepared(std::string_view sql);
  void bind(const Statement& statement, std::initializer_list<Value> values);

  sqlite3* db_ = nullptr;
  std::int64_t uncounted_changes_ = 0;
  std::vector<std::unique_ptr<std::string>> texts_;
  std::unordered_map<std::string_view, Statement, TextHash>
      cache_;  // bounded by the statements in the program text
};

}  // namespace topup::storage
