// SQLite behind the port. One process per file (an exclusive lock
// file), one write connection on one thread, group commit, and a few reader connections.
// Checkpoints run on the writer thread between transactions and nowhere else, because SQLite
// before 3.51.3 can lose a commit when two connections reset the WAL at once.
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/origin.h"
#include "server/base/span.h"
#include "server/storage/ahead.h"
#include "server/storage/db.h"
#include "server/storage/lock_file.h"
#include "server/storage/sqlite_connection.h"
#include "server/storage/sqlite_file.h"
#include "server/storage/store_stats.h"
#include "server/storage/write_job.h"
#include "shared/check.h"

namespace topup::storage {
namespace {

constexpr std::size_t kMaxGroup = 128;  // bodies in one fsync
// How long a commit waits for company, and only while others are in flight: half of those who
// shared the last one. The other half is prepared on another core while these are written. A caller
// who is alone never waits.
constexpr auto kLinger = std::chrono::milliseconds(2);
constexpr std::size_t kMaxQueue = 16'384;  // bodies waiting; above it the store says busy
constexpr std::size_t kMaxReaders = 8;
constexpr auto kBorrowWait = std::chrono::seconds(2);  // for a reader; then the store says busy
// The log goes into the database after so many pages (8 MB) or commits: a log that is let grow
// makes all who write then wait for one long move, one that is moved too often costs a sync each
// time.
constexpr int kCheckpointPages = 2'000;
constexpr int kCheckpointCommits = 64;
constexpr const char* kReaderCache = "PRAGMA cache_size=-1024";  // KB; each reader keeps its own

thread_local bool inside_body =
    false;  // a body that waits for another write() would wait for itself

class SqliteTx final : public Tx, public Noting {
 public:
  SqliteTx(SqliteConnection& connection, TxNotes& notes) : connection_(connection), notes_(notes) {}
  int query(std::string_view sql, std::initializer_list<Value> values,
            const std::function<void(const Row&)>& row) override {
    return connection_.run(sql, values, &row);
  }
  int exec(std::string_view sql, std::initializer_list<Value> values) override {
    return connection_.run(sql, values, nullptr);
  }
  std::string& note(std::string_view name) override { return notes_[std::string(name)]; }
  void after_commit(std::function<void()> hint) override { hints.push_back(std::move(hint)); }
  void script(std::string_view sql) override { connection_.script(sql); }
  std::string_view engine() const override { return "sqlite"; }

  std::vector<std::function<void()>> hints;

 private:
  SqliteConnection& connection_;
  TxNotes& notes_;
};

class SqliteReader final : public Reader {
 public:
  explicit SqliteReader(SqliteConnection& connection) : connection_(connection) {}
  int query(std::string_view sql, std::initializer_list<Value> values,
            const std::function<void(const Row&)>& row) override {
    return connection_.run(sql, values, &row);
  }

 private:
  SqliteConnection& connection_;
};

class SqliteDb final : public Db {
 public:
  explicit SqliteDb(const std::string& path)
      : path_(path),
        lock_(path + ".lock"),
        writer_(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                SqliteConnection::LogWrites::gathered) {
    writer_.script("PRAGMA journal_mode=WAL");
    writer_.script("PRAGMA synchronous=FULL");
    // What a body would have to take back is kept in memory: a file for it would be written anew
    // for each body, several times as much as the commit itself.
    writer_.script("PRAGMA temp_store=MEMORY");
    require_setting("PRAGMA journal_mode", "wal");
    require_setting("PRAGMA synchronous", "2");
    sqlite3_wal_hook(writer_.handle(), &SqliteDb::note_log, this);
    stats_.connections_most = kMaxReaders;
    readers_.reserve(kMaxReaders);  // giving one back never fails
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
    std::unique_ptr<SqliteConnection> connection = borrow_reader();
    struct GiveBack {
      SqliteDb& db;
      std::unique_ptr<SqliteConnection>& connection;
      ~GiveBack() { db.return_reader(std::move(connection)); }
    } give_back{*this, connection};
    connection->step("BEGIN");
    try {
      SqliteReader reader(*connection);
      body(reader);
    } catch (...) {
      if (connection->in_transaction()) connection->step("ROLLBACK");
      throw;
    }
    connection->step("COMMIT");
  }

  void write(const std::function<bool(Tx&)>& body) override {
    check(!inside_body, "write() inside a transaction body");
    WriteJob job;
    job.body = &body;
    job.trace = base::TraceScope::current();
    job.origin = base::OriginScope::current();
    base::Span span(base::SpanKind::internal, "store write");
    const std::int64_t began_us = clock_.mono_us();
    bool is_awaited = false;
    {
      const std::lock_guard hold(mutex_);
      if (queue_.size() >= kMaxQueue) throw SqlError("the store is busy", false, true);
      queue_.push_back(&job);
      stats_.queue_depth = static_cast<std::int64_t>(queue_.size());
      is_awaited = queue_.size() >= awaited_;
    }
    if (is_awaited) wake_writer_.notify_one();
    job.wait();
    stats_.count_write(clock_.mono_us() - began_us);
    if (!job.failure) return;
    span.fail();
    std::rethrow_exception(job.failure);
  }

  std::string engine() const override { return "sqlite"; }
  const StoreStats* stats() const override { return &stats_; }
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

  std::unique_ptr<SqliteConnection> borrow_reader() {
    std::unique_lock hold(reader_mutex_);
    stats_.connections_used.fetch_add(1, std::memory_order_relaxed);
    if (readers_.empty() && reader_count_ >= kMaxReaders) ++stats_.connection_waits;
    const bool in_time = reader_free_.wait_for(
        hold, kBorrowWait, [this] { return !readers_.empty() || reader_count_ < kMaxReaders; });
    if (!in_time) throw SqlError("the store is busy: all readers are in use", false, true);
    if (!readers_.empty()) {
      std::unique_ptr<SqliteConnection> connection = std::move(readers_.back());
      readers_.pop_back();
      return connection;
    }
    ++reader_count_;
    hold.unlock();
    try {
      auto connection = std::make_unique<SqliteConnection>(path_, SQLITE_OPEN_READWRITE);
      connection->script(kReaderCache);
      return connection;
    } catch (...) {
      const std::lock_guard again(reader_mutex_);
      --stats_.connections_used;
      --reader_count_;
      reader_free_.notify_one();
      throw;
    }
  }
  void return_reader(std::unique_ptr<SqliteConnection> connection) {
    {
      const std::lock_guard hold(reader_mutex_);
      --stats_.connections_used;
      readers_.push_back(std::move(connection));
    }
    reader_free_.notify_one();
  }

  void write_loop() {
    std::vector<WriteJob*> group;
    group.reserve(kMaxGroup);
    for (;;) {
      group.clear();
      {
        std::unique_lock hold(mutex_);
        awaited_ = 1;
        wake_writer_.wait(hold, [this] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) return;  // stopping, and nothing is left to do
        awaited_ = std::max<std::size_t>(last_group_ / 2, 1);
        wake_writer_.wait_for(hold, kLinger,
                              [this] { return stopping_ || queue_.size() >= awaited_; });
        while (!queue_.empty() && group.size() < kMaxGroup) {
          group.push_back(queue_.front());
          queue_.pop_front();
        }
        stats_.queue_depth = static_cast<std::int64_t>(queue_.size());
        last_group_ = group.size();
      }
      stats_.busy_since_mono_ms = clock_.mono_ms();
      commit_group(group);
      stats_.busy_since_mono_ms = 0;
      finish(group);
      checkpoint_when_due();
    }
  }

  void commit_group(const std::vector<WriteJob*>& group) {
    was_refused_ = false;
    const std::int64_t rows_before = writer_.changed_rows();
    try {
      writer_.step("BEGIN IMMEDIATE");
      if (!run_together(group)) {
        writer_.step("ROLLBACK");
        if (group.size() > 1) run_apart(group);
      }
      reserve_hints(group);
      const bool is_kept = writer_.in_transaction();
      if (is_kept) writer_.step("COMMIT");
      // A group that changed nothing has not proven that the disk takes anything.
      const bool has_changed = is_kept && writer_.changed_rows() != rows_before;
      if (was_refused_ || has_changed) stats_.is_failing = was_refused_;
      if (observer_) observer_(group.size());
    } catch (const std::exception& failure) {
      stop_after_lost_fsync();
      stats_.is_failing = true;
      ++stats_.failed_writes;
      base::log(base::Level::error, "store_commit_failed", {{"why", failure.what()}});
      for (WriteJob* job : group) {
        job->kept = false;
        job->hints.clear();
        if (!job->failure) job->failure = std::current_exception();
      }
      if (writer_.in_transaction()) writer_.script("ROLLBACK");
    }
  }

  // What follows a commit must not fail for want of memory: the place for its hints is there
  // before.
  void reserve_hints(const std::vector<WriteJob*>& group) {
    std::size_t count = 0;
    for (const WriteJob* job : group) count += job->hints.size();
    hints_.reserve(count);
  }

  // After a failed fsync nobody knows what the disk holds: only a restart, which reads it again,
  // can tell.
  void stop_after_lost_fsync() {
    const int code = sqlite3_extended_errcode(writer_.handle());
    if (code != SQLITE_IOERR_FSYNC && code != SQLITE_IOERR_DIR_FSYNC) return;
    base::log(base::Level::error, "store_fsync_failed", {{"action", "the process stops"}});
    std::_Exit(70);
  }

  // Hardly ever is anything taken back, and to be able to costs a copy of every page that a body
  // changes. So the bodies run without it first. False when one was refused after it had changed
  // something: nothing of the group may stay then.
  bool run_together(const std::vector<WriteJob*>& group) {
    notes_.clear();
    for (WriteJob* job : group) {
      const std::int64_t before = writer_.changes();
      run_body(*job);
      if (!job->kept && writer_.changes() != before) return false;
    }
    return true;
  }

  // Each in a part of its own, which can be taken back alone.
  void run_apart(const std::vector<WriteJob*>& group) {
    was_refused_ = false;
    for (WriteJob* job : group) {
      job->kept = false;
      job->failure = nullptr;
      job->hints.clear();
    }
    writer_.step("BEGIN IMMEDIATE");
    notes_.clear();
    for (WriteJob* job : group) {
      writer_.step("SAVEPOINT body");
      const TxNotes noted = notes_;
      run_body(*job);
      if (!job->kept) {
        writer_.step("ROLLBACK TO body");
        notes_ = noted;
      }
      writer_.step("RELEASE body");
    }
  }

  void run_body(WriteJob& job) {
    SqliteTx tx(writer_, notes_);
    const base::TraceScope scope(job.trace);
    const base::OriginScope origin(job.origin);
    try {
      inside_body = true;
      job.kept = (*job.body)(tx);
      inside_body = false;
    } catch (const SqlError& refused) {
      inside_body = false;
      was_refused_ = was_refused_ || refused.is_unavailable;
      job.failure = std::current_exception();
    } catch (...) {
      inside_body = false;
      job.failure = std::current_exception();
    }
    if (!writer_.in_transaction()) {  // disk full and the like roll the whole group back
      throw SqlError("the transaction was rolled back by the engine", false);
    }
    if (job.kept) job.hints = std::move(tx.hints);
  }

  void finish(const std::vector<WriteJob*>& group) {
    hints_.clear();
    for (WriteJob* job : group) {
      for (auto& hint : job->hints) hints_.push_back(std::move(hint));
    }
    for (WriteJob* job : group) job->end();
    inside_body = true;  // a hint that waited for a write() would wait for this very thread
    for (const auto& hint : hints_) {
      try {
        hint();
      } catch (const std::exception& failure) {
        base::log(base::Level::error, "store_hint_failed", {{"why", failure.what()}});
      }
    }
    inside_body = false;
  }

  static int note_log(void* self, sqlite3*, const char*, int pages) {
    static_cast<SqliteDb*>(self)->log_pages_ = pages;
    return SQLITE_OK;
  }

  void checkpoint_when_due() {
    if (log_pages_ < log_pages_seen_) log_pages_seen_ = 0;  // it has begun anew
    const bool is_grown = log_pages_ - log_pages_seen_ >= kCheckpointPages;
    if (++commits_since_look_ < kCheckpointCommits && !is_grown) return;
    commits_since_look_ = 0;
    int pages = 0;
    int moved = 0;
    const int mode = wal_is_long_ ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    sqlite3_busy_timeout(writer_.handle(),
                         0);  // a long reader may delay the checkpoint, never the writers
    sqlite3_wal_checkpoint_v2(writer_.handle(), nullptr, mode, &pages, &moved);
    sqlite3_busy_timeout(writer_.handle(), SqliteConnection::kBusyMs);
    log_pages_ = log_pages_seen_ = std::max(pages, 0);
    // Readers held it back: truncate when they let go. Else the next commit begins it anew, in the
    // same file: to make that longer page by page costs every sync more.
    wal_is_long_ = log_pages_ > 4 * kCheckpointPages;
  }

  std::string path_;
  LockFile lock_;
  SqliteConnection writer_;
  const base::SystemClock clock_;
  StoreStats stats_;
  std::vector<std::function<void()>> hints_;  // of the group that was committed last
  TxNotes notes_;                             // of the open transaction
  bool was_refused_ = false;                  // a body of this group met a full or broken engine
  std::function<void(std::size_t)> observer_;
  int commits_since_look_ = 0;
  int log_pages_ = 0;       // in the log after the last commit
  int log_pages_seen_ = 0;  // by the last checkpoint
  bool wal_is_long_ = false;

  std::mutex mutex_;
  std::condition_variable wake_writer_;
  std::deque<WriteJob*> queue_;
  std::size_t awaited_ = 1;     // how many must wait for the writer to be woken
  std::size_t last_group_ = 1;  // how many bodies shared the last commit
  bool stopping_ = false;
  std::thread thread_;

  std::mutex reader_mutex_;
  std::condition_variable reader_free_;
  std::vector<std::unique_ptr<SqliteConnection>> readers_;
  std::size_t reader_count_ = 0;
};

// ---- beside the owner of the file: see sqlite_file.h

constexpr int kPagesAtOnce = 2'048;
constexpr int kStepsBetweenAsking = 100'000;

std::unique_ptr<SqliteConnection> open_to_look(const std::string& path) {
  auto connection = std::make_unique<SqliteConnection>(path, SQLITE_OPEN_READONLY);
  // The last connection to close would checkpoint.
  sqlite3_db_config(connection->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  connection->script("PRAGMA cache_size=-65536");
  return connection;
}

class SqliteLooker final : public Db {
 public:
  SqliteLooker(std::string path, std::function<bool()> stopping)
      : path_(std::move(path)), stopping_(std::move(stopping)) {
    open_to_look(path_);
  }
  void read(const std::function<void(Reader&)>& body) override {
    const std::unique_ptr<SqliteConnection> connection = open_to_look(path_);
    if (stopping_) {
      const auto ask = [](void* self) -> int {
        return static_cast<SqliteLooker*>(self)->stopping_() ? 1 : 0;
      };
      sqlite3_progress_handler(connection->handle(), kStepsBetweenAsking, ask, this);
    }
    connection->script("BEGIN");
    SqliteReader reader(*connection);
    body(reader);
  }
  void write(const std::function<bool(Tx&)>&) override {
    throw SqlError(path_ + " is open for reading only", false);
  }
  std::string engine() const override { return "sqlite"; }
  void on_group(std::function<void(std::size_t)>) override {}

 private:
  std::string path_;
  std::function<bool()> stopping_;
};

// One snapshot for all pages: the source's transaction stays open between the steps, so a commit of
// the owner does not begin the copy anew.
void copy_pages(SqliteConnection& from, SqliteConnection& to,
                const std::function<void(std::int64_t, std::int64_t)>& told) {
  std::int64_t page_bytes = 0;
  const std::function<void(const Row&)> keep = [&page_bytes](const Row& row) {
    page_bytes = row.integer(0);
  };
  from.script("BEGIN");
  from.run("PRAGMA page_size", {}, &keep);
  const std::function<void(const Row&)> ignore = [](const Row&) {};
  from.run("SELECT COUNT(*) FROM sqlite_master", {}, &ignore);
  struct Finish {
    void operator()(sqlite3_backup* copy) const { sqlite3_backup_finish(copy); }
  };
  std::unique_ptr<sqlite3_backup, Finish> copy(
      sqlite3_backup_init(to.handle(), "main", from.handle(), "main"));
  if (!copy) throw to.refusal("the copy could not begin");
  int code = SQLITE_OK;
  while (code == SQLITE_OK) {
    code = sqlite3_backup_step(copy.get(), kPagesAtOnce);
    const std::int64_t all = sqlite3_backup_pagecount(copy.get());
    told((all - sqlite3_backup_remaining(copy.get())) * page_bytes, all * page_bytes);
  }
  copy.reset();
  if (code != SQLITE_DONE) {
    throw SqlError(std::string("the copy failed: ") + sqlite3_errstr(code), false,
                   code == SQLITE_FULL || code == SQLITE_BUSY);
  }
  from.script("COMMIT");
}

}  // namespace

std::unique_ptr<Db> open_sqlite(const std::string& path) {
  return std::make_unique<SqliteDb>(path);
}

std::unique_ptr<Db> open_sqlite_read_only(const std::string& path, std::function<bool()> stopping) {
  return std::make_unique<SqliteLooker>(path, std::move(stopping));
}

void copy_sqlite(const std::string& from, const std::string& to,
                 const std::function<void(std::int64_t, std::int64_t)>& told) {
  {
    const std::unique_ptr<SqliteConnection> source = open_to_look(from);
    SqliteConnection target(to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    target.script("PRAGMA journal_mode=OFF");
    target.script("PRAGMA synchronous=OFF");
    copy_pages(*source, target, told);
  }
  SqliteConnection target(to, SQLITE_OPEN_READWRITE);
  target.script("PRAGMA journal_mode=DELETE");  // one file, whole in itself
}

}  // namespace topup::storage
