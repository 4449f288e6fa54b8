// A shop's database for one test, with every migration applied, gone with the test: a real SQLite
// file, or with TOPUP_TEST_ENGINE=postgres a database of a real PostgreSQL.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/log.h"
#include "server/storage/db.h"
#include "server/storage/migrate.h"
#include "server/storage/postgres.h"
#include "tests/support/postgres_cluster.h"

namespace topup::testing {

class ScratchFolder {
 public:
  ScratchFolder() {
    // In memory where the system has such a folder: the tests ask what is committed, not how fast
    // the disk is.
    const bool memory = std::filesystem::is_directory("/dev/shm");
    std::string path = (memory ? "/dev/shm" : std::filesystem::temp_directory_path().string()) +
                       "/topup-test-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("cannot create " + path);
    path_ = path;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

// Expected refusals write log lines; a test that provokes thousands keeps them to itself.
class QuietLog {
 public:
  QuietLog() { base::set_log_file("/dev/null"); }
  ~QuietLog() { base::set_log_file("/dev/stderr"); }
  QuietLog(const QuietLog&) = delete;
  QuietLog& operator=(const QuietLog&) = delete;
};

// An empty database on the engine that the tests run on; gone with the test.
class ScratchDb {
 public:
  ScratchDb() { open(); }
  void open() {
    if (!tests_run_on_postgres()) {
      db_ = storage::open_sqlite(path());
      return;
    }
    if (!database_) database_.emplace(false);
    storage::PostgresTarget target;
    target.url = database_->url();
    db_ = storage::open_postgres(target, storage::kDefaultConnections, clock_);
  }
  void reopen() {
    db_.reset();
    open();
  }
  std::string path() const { return folder_.file("scratch.db"); }
  storage::Db& db() const { return *db_; }

 private:
  ScratchFolder folder_;
  base::SystemClock clock_;
  std::optional<ScratchDatabase> database_;
  std::unique_ptr<storage::Db> db_;
};

// A SQLite file with every migration applied: a copy of one that this program made once.
void copy_migrated_shop(const std::string& to);

class ScratchShop {
 public:
  ScratchShop() {
    if (!tests_run_on_postgres()) copy_migrated_shop(path());
    open();
  }
  // On what another process has left: the path of a SQLite file, whose log lies beside it, or the
  // address of a database, which stays the caller's.
  explicit ScratchShop(const std::string& left) {
    if (tests_run_on_postgres()) {
      url_ = left;
    } else {
      for (const char* part : {"", "-wal"}) {
        if (std::filesystem::exists(left + part))
          std::filesystem::copy_file(left + part, path() + part);
      }
    }
    open();
  }

  void open() {
    if (tests_run_on_postgres()) {
      if (url_.empty()) {
        database_.emplace(true);
        url_ = database_->url();
      }
      db_ = open_another();
    } else {
      db_ = storage::open_sqlite(path());
    }
    storage::migrate(*db_, 1);
  }
  // PostgreSQL only: as a second node would open the same shop.
  std::unique_ptr<storage::Db> open_another() const {
    storage::PostgresTarget target;
    target.url = url_;
    return storage::open_postgres(target, storage::kDefaultConnections, clock_);
  }
  static bool is_postgres() { return tests_run_on_postgres(); }
  void close() { db_.reset(); }
  void reopen() {
    close();
    open();
  }
  std::string path() const { return folder_.file("topup.db"); }
  // What another process needs to open this shop.
  std::string place() const { return is_postgres() ? url_ : path(); }
  storage::Db& db() { return *db_; }

  // Runs statements as somebody would who holds the file: a test plants damage with it.
  void tamper(std::string_view statements) {
    db_->write([statements](storage::Tx& tx) {
      tx.script(statements);
      return true;
    });
  }
  // Takes a guard away, as somebody would who is about to change what it guards.
  void drop_trigger(const std::string& trigger, const std::string& table) {
    tamper("DROP TRIGGER " + trigger + (is_postgres() ? " ON " + table : ""));
  }
  std::int64_t integer(std::string_view sql, std::initializer_list<storage::Value> values = {}) {
    std::int64_t found = 0;
    db_->read([&](storage::Reader& reader) {
      reader.query(sql, values, [&found](const storage::Row& row) { found = row.integer(0); });
    });
    return found;
  }
  std::vector<std::string> texts(std::string_view sql,
                                 std::initializer_list<storage::Value> values = {}) {
    std::vector<std::string> found;
    db_->read([&](storage::Reader& reader) {
      reader.query(sql, values,
                   [&found](const storage::Row& row) { found.push_back(row.text(0)); });
    });
    return found;
  }
  std::vector<std::string> tables() {
    return texts(is_postgres()
                     ? "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                       " AND relkind IN ('r', 'p') AND NOT relispartition"
                     : "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE "
                       "'sqlite%'");
  }
  std::vector<std::string> columns(const std::string& table) {
    return texts(is_postgres() ? "SELECT column_name FROM information_schema.columns WHERE "
                                 "table_schema = 'public' AND table_name = $1"
                               : "SELECT name FROM pragma_table_info($1)",
                 {std::string_view(table)});
  }
  std::string text(std::string_view sql, std::initializer_list<storage::Value> values = {}) {
    const std::vector<std::string> found = texts(sql, values);
    return found.empty() ? "" : found.front();
  }

 private:
  ScratchFolder folder_;
  base::SystemClock clock_;
  std::optional<ScratchDatabase> database_;
  std::string url_;
  std::unique_ptr<storage::Db> db_;
};

}  // namespace topup::testing
