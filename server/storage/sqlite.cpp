// SQLite behind the port: the only user of sqlite3.h. One process per file (an exclusive lock
// file), one write connection on one thread, group commit, and a few reader connections.
// Checkpoints run on the writer thread between transactions and nowhere else, because SQLite
// before 3.51.3 can lose a commit when two connections reset the WAL at once.
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "server/base/log.h"
#include "server/storage/db.h"
#include "shared/check.h"

namespace topup::storage {
namespace {

constexpr std::size_t kMaxGroup = 128;     // bodies in one fsync
constexpr std::size_t kMaxQueue = 16'384;  // bodies waiting; above it the store says busy
constexpr std::size_t kMaxReaders = 8;
constexpr int kBusyTimeoutMs = 5'000;
constexpr int kCheckpointPages = 1'000;  // about 4 MB of WAL
constexpr std::size_t kMaxValues = 32;

thread_local bool inside_body =
    false;  // a body that waits for another write() would wait for itself

SqlError error_of(sqlite3* db, std::string_view doing) {
  const int code = sqlite3_extended_errcode(db);
  std::string why = std::string(doing) + ": " + sqlite3_errmsg(db);
  return SqlError(std::move(why), (code & 0xFF) == SQLITE_CONSTRAINT);
}

struct Statement {
  sqlite3_stmt* handle = nullptr;
  std::array<int, kMaxValues> index_of{};  // value number → SQLite's parameter index, 0 when unused
};

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

class Connection {
 public:
  Connection(const std::string& path, int flags) {
    if (sqlite3_open_v2(path.c_str(), &db_, flags | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK) {
      const std::string why = db_ != nullptr ? sqlite3_errmsg(db_) : "out of memory";
      sqlite3_close(db_);
      throw SqlError("cannot open " + path + ": " + why, false);
    }
    sqlite3_busy_timeout(db_, kBusyTimeoutMs);
    script("PRAGMA foreign_keys=ON");
    script(
        "PRAGMA recursive_triggers=ON");  // else REPLACE would delete past the append-only triggers
    script("PRAGMA wal_autocheckpoint=0");
  }
  ~Connection() {
    for (auto& [sql, statement] : cache_) sqlite3_finalize(statement.handle);
    sqlite3_close(db_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void script(std::string_view sql) {
    const std::string text(sql);
    if (sqlite3_exec(db_, text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
      throw error_of(db_, text.substr(0, 60));
    }
  }

  int run(std::string_view sql, std::initializer_list<Value> values,
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

  bool in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }
  sqlite3* handle() const { return db_; }

 private:
  Statement& prepared(std::string_view sql) {
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
    texts_.push_back(std::make_unique<std::string>(sql));
    return cache_.emplace(std::string_view(*texts_.back()), statement).first->second;
  }

  void bind(const Statement& statement, std::initializer_list<Value> values) {
    check(values.size() <= kMaxValues, "too many SQL values");
    std::size_t number = 0;
    for (const Value& value : values) {
      const int index = statement.index_of[number++];
      if (index == 0) continue;
      int code = SQLITE_OK;
      if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        code = sqlite3_bind_int64(statement.handle, index, *integer);
      } else if (const auto* text = std::get_if<std::string_view>(&value)) {
        code = sqlite3_bind_text64(statement.handle, index, text->data(), text->size(),
                                   SQLITE_STATIC, SQLITE_UTF8);
      } else if (const auto* blob = std::get_if<Blob>(&value)) {
        code = sqlite3_bind_blob64(statement.handle, index, blob->bytes.data(), blob->bytes.size(),
                                   SQLITE_STATIC);
      } else {
        code = sqlite3_bind_null(statement.handle, index);
      }
      if (code != SQLITE_OK) throw error_of(db_, "bind");
    }
  }

  sqlite3* db_ = nullptr;
  std::vector<std::unique_ptr<std::string>> texts_;
  std::unordered_map<std::string_view, Statement>
      cache_;  // bounded by the statements in the program text
};

class SqliteTx final : public Tx {
 public:
  explicit SqliteTx(Connection& connection) : connection_(connection) {}
  int query(std::string_view sql, std::initializer_list<Value> values,
            const std::function<void(const Row&)>& row) override {
    return connection_.run(sql, values, &row);
  }
  int exec(std::string_view sql, std::initializer_list<Value> values) override {
    return connection_.run(sql, values, nullptr);
  }
  void after_commit(std::function<void()> hint) override { hints.push_back(std::move(hint)); }
  void script(std::string_view sql) override { connection_.script(sql); }

  std::vector<std::function<void()>> hints;

 private:
  Connection& connection_;
};

class SqliteReader final : public Reader {
 public:
  explicit SqliteReader(Connection& connection) : connection_(connection) {}
  int query(std::string_view sql, std::initializer_list<Value> values,
            const std::function<void(const Row&)>& row) override {
    return connection_.run(sql, values, &row);
  }

 private:
  Connection& connection_;
};

struct Job {
  const std::function<bool(Tx&)>* body = nullptr;
  std::exception_ptr failure;
  bool kept = false;  // released into the open transaction
  bool done = false;
  std::vector<std::function<void()>> hints;
};

class LockFile {  // one process per shop; released by the kernel however the process ends
 public:
  explicit LockFile(const std::string& path) {
    fd_ = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (fd_ < 0) throw SqlError("cannot create " + path, false);
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      ::close(fd_);
      throw SqlError("another process is using this shop's data (" + path + " is locked)", false);
    }
  }
  ~LockFile() { ::close(fd_); }
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

 private:
  int fd_ = -1;
};

class SqliteDb final : public Db {
 public:
  explicit SqliteDb(const std::string& path)
      : path_(path),
        lock_(path + ".lock"),
        writer_(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) {
    writer_.script("PRAGMA journal_mode=WAL");
    writer_.script("PRAGMA synchronous=FULL");
    require_setting("PRAGMA journal_mode", "wal");
    require_setting("PRAGMA synchronous", "2");
    thread_ = std::thread([this] { write_loop(); });
  }
  ~SqliteDb() override {
    {
      const std::lock_guard hold(mutex_);
      stopping_ = true;
    }
    wake_writer_.notify_all();
    thread_.join();
    readers_.clear();
    sqlite3_wal_checkpoint_v2(writer_.handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr,
                              nullptr);
  }

  void read(const std::function<void(Reader&)>& body) override {
    std::unique_ptr<Connection> connection = borrow_reader();
    struct GiveBack {
      SqliteDb& db;
      std::unique_ptr<Connection>& connection;
      ~GiveBack() { db.return_reader(std::move(connection)); }
    } give_back{*this, connection};
    connection->script("BEGIN");
    try {
      SqliteReader reader(*connection);
      body(reader);
    } catch (...) {
      if (connection->in_transaction()) connection->script("ROLLBACK");
      throw;
    }
    connection->script("COMMIT");
  }

  void write(const std::function<bool(Tx&)>& body) override {
    check(!inside_body, "write() inside a transaction body");
    Job job;
    job.body = &body;
    std::unique_lock hold(mutex_);
    if (queue_.size() >= kMaxQueue) throw SqlError("the store is busy", false);
    queue_.push_back(&job);
    wake_writer_.notify_one();
    finished_.wait(hold, [&job] { return job.done; });
    if (job.failure) std::rethrow_exception(job.failure);
  }

  std::string engine() const override { return "sqlite"; }
  void on_group(std::function<void(std::size_t)> observer) override {
    observer_ = std::move(observer);
  }

 private:
  void require_setting(std::string_view pragma, std::string_view wanted) {
    std::string found;
    const std::function<void(const Row&)> keep = [&found](const Row& row) { found = row.text(0); };
    writer_.run(pragma, {}, &keep);
    if (found != wanted) {
      throw SqlError(path_ + ": " + std::string(pragma) + " is " + found + ", " +
                         std::string(wanted) + " is needed for money to survive a power loss",
                     false);
    }
  }

  std::unique_ptr<Connection> borrow_reader() {
    std::unique_lock hold(reader_mutex_);
    reader_free_.wait(hold, [this] { return !readers_.empty() || reader_count_ < kMaxReaders; });
    if (!readers_.empty()) {
      std::unique_ptr<Connection> connection = std::move(readers_.back());
      readers_.pop_back();
      return connection;
    }
    ++reader_count_;
    hold.unlock();
    try {
      return std::make_unique<Connection>(path_, SQLITE_OPEN_READWRITE);
    } catch (...) {
      const std::lock_guard again(reader_mutex_);
      --reader_count_;
      reader_free_.notify_one();
      throw;
    }
  }
  void return_reader(std::unique_ptr<Connection> connection) {
    {
      const std::lock_guard hold(reader_mutex_);
      readers_.push_back(std::move(connection));
    }
    reader_free_.notify_one();
  }

  void write_loop() {
    std::vector<Job*> group;
    for (;;) {
      group.clear();
      {
        std::unique_lock hold(mutex_);
        wake_writer_.wait(hold, [this] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) return;  // stopping, and nothing is left to do
        while (!queue_.empty() && group.size() < kMaxGroup) {
          group.push_back(queue_.front());
          queue_.pop_front();
        }
      }
      commit_group(group);
      finish(group);
      checkpoint_when_due();
    }
  }

  void commit_group(const std::vector<Job*>& group) {
    try {
      writer_.script("BEGIN IMMEDIATE");
      for (Job* job : group) run_body(*job);
      writer_.script("COMMIT");
      if (observer_) observer_(group.size());
    } catch (const std::exception& failure) {
      stop_after_lost_fsync();
      base::log(base::Level::error, "store_commit_failed", {{"why", failure.what()}});
      for (Job* job : group) {
        job->kept = false;
        job->hints.clear();
        if (!job->failure) job->failure = std::current_exception();
      }
      if (writer_.in_transaction()) writer_.script("ROLLBACK");
    }
  }

  // After a failed fsync nobody knows what the disk holds: only a restart, which reads it again,
  // can tell.
  void stop_after_lost_fsync() {
    const int code = sqlite3_extended_errcode(writer_.handle());
    if (code != SQLITE_IOERR_FSYNC && code != SQLITE_IOERR_DIR_FSYNC) return;
    base::log(base::Level::error, "store_fsync_failed", {{"action", "the process stops"}});
    std::_Exit(70);
  }

  void run_body(Job& job) {
    writer_.script("SAVEPOINT body");
    SqliteTx tx(writer_);
    try {
      inside_body = true;
      job.kept = (*job.body)(tx);
      inside_body = false;
    } catch (...) {
      inside_body = false;
      job.failure = std::current_exception();
    }
    if (!writer_.in_transaction()) {  // disk full and the like roll the whole group back
      throw SqlError("the transaction was rolled back by the engine", false);
    }
    if (!job.kept) writer_.script("ROLLBACK TO body");
    writer_.script("RELEASE body");
    if (job.kept) job.hints = std::move(tx.hints);
  }

  void finish(const std::vector<Job*>& group) {
    std::vector<std::function<void()>> hints;
    for (Job* job : group) {
      for (auto& hint : job->hints) hints.push_back(std::move(hint));
    }
    {
      const std::lock_guard hold(mutex_);
      for (Job* job : group) job->done = true;  // the job belongs to its caller again
    }
    finished_.notify_all();
    inside_body = true;  // a hint that waited for a write() would wait for this very thread
    for (const auto& hint : hints) {
      try {
        hint();
      } catch (const std::exception& failure) {
        base::log(base::Level::error, "store_hint_failed", {{"why", failure.what()}});
      }
    }
    inside_body = false;
  }

  void checkpoint_when_due() {
    int frames = 0;
    int moved = 0;
    if (++commits_since_look_ < 64) return;
    commits_since_look_ = 0;
    const int mode = wal_is_long_ ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    sqlite3_busy_timeout(writer_.handle(),
                         0);  // a long reader may delay the checkpoint, never the writers
    sqlite3_wal_checkpoint_v2(writer_.handle(), nullptr, mode, &frames, &moved);
    sqlite3_busy_timeout(writer_.handle(), kBusyTimeoutMs);
    wal_is_long_ =
        frames > 4 * kCheckpointPages;  // readers held it back: truncate when they let go
  }

  std::string path_;
  LockFile lock_;
  Connection writer_;
  std::function<void(std::size_t)> observer_;
  int commits_since_look_ = 0;
  bool wal_is_long_ = false;

  std::mutex mutex_;
  std::condition_variable wake_writer_, finished_;
  std::deque<Job*> queue_;
  bool stopping_ = false;
  std::thread thread_;

  std::mutex reader_mutex_;
  std::condition_variable reader_free_;
  std::vector<std::unique_ptr<Connection>> readers_;
  std::size_t reader_count_ = 0;
};

}  // namespace

std::unique_ptr<Db> open_sqlite(const std::string& path) {
  return std::make_unique<SqliteDb>(path);
}

}  // namespace topup::storage
