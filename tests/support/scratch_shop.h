// A shop's database for one test: a real SQLite file with every migration applied, in a folder that
// goes away with it.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/log.h"
#include "server/storage/db.h"
#include "server/storage/migrate.h"

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

class ScratchShop {
 public:
  ScratchShop() { open(); }

  void open() {
    db_ = storage::open_sqlite(path());
    storage::migrate(*db_, 1);
  }
  void close() { db_.reset(); }
  void reopen() {
    close();
    open();
  }
  std::string path() const { return folder_.file("topup.db"); }
  storage::Db& db() { return *db_; }

  // Runs statements as somebody would who holds the file: a test plants damage with it.
  void tamper(std::string_view statements) {
    db_->write([statements](storage::Tx& tx) {
      tx.script(statements);
      return true;
    });
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
  std::string text(std::string_view sql, std::initializer_list<storage::Value> values = {}) {
    const std::vector<std::string> found = texts(sql, values);
    return found.empty() ? "" : found.front();
  }

 private:
  ScratchFolder folder_;
  std::unique_ptr<storage::Db> db_;
};

}  // namespace topup::testing
