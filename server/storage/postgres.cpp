#include "server/storage/postgres.h"

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <typeindex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "server/base/log.h"
#include "server/base/origin.h"
#include "server/base/span.h"
#include "server/storage/ahead.h"
#include "server/storage/postgres_marks.h"
#include "server/storage/postgres_pause.h"
#include "server/storage/postgres_pool.h"
#include "server/storage/store_stats.h"
#include "shared/check.h"

namespace topup::storage {
namespace {

constexpr int kMaxTries = 16;
// A key that another transaction put there after this one's snapshot is refused as a duplicate,
// although the body may have looked for it. On its next run the body sees it.
constexpr int kMaxDoubts = 2;
constexpr std::size_t kMaxGroup = 32;      // PostgreSQL caches 64 parts of a transaction
constexpr std::size_t kMaxQueue = 16'384;  // bodies waiting for their turn
constexpr int kTurnsAfterConflict = 1'000;

thread_local bool inside_body = false;
class InsideBody {
 public:
  InsideBody() { inside_body = true; }
  ~InsideBody() { inside_body = false; }
  InsideBody(const InsideBody&) = delete;
  InsideBody& operator=(const InsideBody&) = delete;
};

class PostgresReader final : public Reader, public Ahead {
 public:
  explicit PostgresReader(PostgresConnection& connection) : connection_(connection) {}
  int query(std::string_view sql, std::initializer_list<Value> values,
            const std::function<void(const Row&)>& row) override {
    return connection_.run(sql, values, &row);
  }
  void put(std::string_view, std::initializer_list<Value>) override {
    check(false, "a reader changes nothing");
  }
  void ask(std::initializer_list<Question> questions) override { connection_.ask(questions); }

 private:
  PostgresConnection& connection_;
};

class PostgresTx final : public Tx, public Ahead, public Noting {
 public:
  PostgresTx(PostgresConnection& connection, TxNotes& notes)
      : connection_(connection), notes_(notes) {}
  int query(std::string_view sql, std::initializer_list<Value> values,
            const std::function<void(const Row&)>& row) override {
    return connection_.run(sql, values, &row);
  }
  int exec(std::string_view sql, std::initializer_list<Value> values) override {
    return connection_.change(sql, values);
  }
  void put(std::string_view sql, std::initializer_list<Value> values) override {
    connection_.change(sql, values, false);
  }
  void ask(std::initializer_list<Question> questions) override { connection_.ask(questions); }
  std::string& note(std::string_view name) override { return notes_[std::string(name)]; }
  void after_commit(std::function<void()> hint) override { hints.push_back(std::move(hint)); }
  void script(std::string_view sql) override { connection_.script(sql); }
  std::string_view engine() const override { return "postgres"; }

  std::vector<std::function<void()>> hints;

 private:
  PostgresConnection& connection_;
  TxNotes& notes_;
};

// Which bodies meet others often (they touch a row that all of them touch, such as the head of the
// audit chain): those take turns at once instead of undoing each other's work. Told apart by their
// type, of which the program text has a bounded number.
class Crowds {
 public:
  bool takes_turns(const std::type_index& body) {
    const std::lock_guard hold(mutex_);
    const auto found = turns_.find(body);
    if (found == turns_.end() || found->second == 0) return false;
    --found->second;
    return true;
  }
  void met(const std::type_index& body) {
    const std::lock_guard hold(mutex_);
    turns_[body] = kTurnsAfterConflict;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::type_index, int> turns_;
};

// One body on its way into the database, owned by the thread that called write().
struct Turn {
  const std::function<bool(Tx&)>* body = nullptr;
  TraceId trace;                         // of the caller: another thread may run the body for it
  const base::Origin* origin = nullptr;  // likewise; it lives as long as the caller waits
  bool kept = false;
  // Each caller is woken alone: one signal for all would wake everybody once for each commit.
  std::condition_variable changed;
  bool done = false;
  bool leads = false;
  bool is_doubted = false;  // a constraint refused it; it is to run once more
  int doubts = 0;
  std::exception_ptr failure;
  std::vector<std::function<void()>> hints;
};

class PostgresDb final : public Db {
 public:
  PostgresDb(PostgresTarget target, std::size_t connections, const base::Clock& clock)
      : clock_(clock), pool_(std::move(target), connections, clock, stats_), marks_(pool_, clock) {
    marks_.prepare();
  }

  void read(const std::function<void(Reader&)>& body) override {
    PostgresPool::Lease lease(pool_);
    PostgresConnection& connection = lease.session().connection;
    connection.begin(PostgresConnection::Kind::read);
    PostgresReader reader(connection);
    body(reader);  // what it throws gives the lease back, which rolls back
    connection.end_read();
  }

  // Side by side with others first; a body that meets them takes turns with its like.
  void write(const std::function<bool(Tx&)>& body) override {
    check(!inside_body, "write() inside a transaction body");
    Turn turn;
    turn.body = &body;
    turn.trace = base::TraceScope::current();
    turn.origin = base::OriginScope::current();
    const std::type_index type = body.target_type();
    base::Span span(base::SpanKind::internal, "store write");
    const std::int64_t began_us = clock_.mono_us();
    try {
      run_turn(turn, type);
    } catch (const PostgresError& refused) {
      span.fail();
      note_refusal(refused);
      throw;
    }
    stats_.count_write(clock_.mono_us() - began_us);
    if (turn.failure) {
      span.fail();
      note_failure(turn.failure);
      std::rethrow_exception(turn.failure);
    }
    stats_.is_failing = false;
    run_hints(turn.hints);
  }

  std::string engine() const override { return "postgres"; }
  const StoreStats* stats() const override { return &stats_; }
  void on_group(std::function<void(std::size_t)> observer) override {
    observer_ = std::move(observer);
  }

 private:
  void note_refusal(const PostgresError& refused) {
    if (!refused.is_unavailable) return;
    stats_.is_failing = true;
    ++stats_.failed_writes;
  }
  void note_failure(const std::exception_ptr& failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const PostgresError& refused) {
      note_refusal(refused);
    } catch (...) {  // the body's own
      return;
    }
  }

  void run_turn(Turn& turn, const std::type_index& type) {
    if (crowds_.takes_turns(type)) {
      wait_for_turn(turn);
    } else if (const auto met = run_side_by_side(turn)) {
      ++stats_.retries;
      if (met->trouble == Trouble::conflict) crowds_.met(type);
      wait_for_turn(turn);
    } else if (turn.is_doubted) {
      wait_for_turn(turn);
    }
  }

  // The first who waits while nobody leads takes all that wait, himself included, into one
  // transaction of which each body is a part: one lock, one fsync for all. Then he makes the first
  // of those who came meanwhile the next to lead.
  void wait_for_turn(Turn& turn) {
    std::vector<Turn*> group, undone;  // nobody who leads may want for memory
    group.reserve(kMaxGroup);
    undone.reserve(kMaxGroup);
    std::unique_lock hold(mutex_);
    if (waiting_.size() >= kMaxQueue) throw PostgresError(Trouble::busy, "the store is busy");
    waiting_.push_back(&turn);
    stats_.queue_depth = static_cast<std::int64_t>(waiting_.size());
    if (is_led_) turn.changed.wait(hold, [&turn] { return turn.done || turn.leads; });
    if (turn.done) return;
    is_led_ = true;
    while (!waiting_.empty() && group.size() < kMaxGroup) {
      group.push_back(waiting_.front());
      waiting_.pop_front();
    }
    undone = group;
    stats_.queue_depth = static_cast<std::int64_t>(waiting_.size());
    hold.unlock();
    lead(undone);
    hold.lock();
    for (Turn* led : group) {  // the turn belongs to its caller again
      led->done = true;
      led->changed.notify_one();
    }
    is_led_ = !waiting_.empty();
    if (!is_led_) return;
    waiting_.front()->leads = true;
    waiting_.front()->changed.notify_one();
  }

  void lead(std::vector<Turn*>& group) noexcept {
    try {
      while (!group.empty()) {
        run_alone(group);
        std::erase_if(group, [](const Turn* turn) { return !turn->is_doubted; });
      }
    } catch (const PostgresError& error) {  // each caller gets one of its own to take away
      for (Turn* turn : group) turn->failure = std::make_exception_ptr(PostgresError(error));
    } catch (...) {
      for (Turn* turn : group) turn->failure = std::current_exception();
    }
  }

  void run_alone(const std::vector<Turn*>& group) {
    Parts parts = Parts::one;
    for (int attempt = 1;; ++attempt) {
      const auto again = run_group(group, PostgresConnection::Kind::write_alone, &parts);
      if (!again) return;
      if (parts == Parts::wanted) {
        parts = Parts::each;
        continue;
      }
      ++stats_.retries;
      if (attempt == kMaxTries) throw PostgresError(*again);
      pause_before(attempt);
    }
  }

  std::optional<PostgresError> run_side_by_side(Turn& turn) {
    Parts parts = Parts::one;
    return run_group({&turn}, PostgresConnection::Kind::write, &parts);
  }

  // Hardly ever is anything taken back, and to be able to costs two statements for each body and a
  // transaction's number. So the bodies of a group run without it first; when one was refused after
  // it had changed something, nothing of the group stays, and all run again, each in a part of its
  // own that can be taken back alone.
  enum class Parts : std::uint8_t { one, wanted, each };

  // Runs the bodies in one transaction. Returns why nothing was kept and all are to run once more;
  // throws when none can be.
  std::optional<PostgresError> run_group(const std::vector<Turn*>& group,
                                         PostgresConnection::Kind kind, Parts* parts) {
    Commit commit;
    {
      PostgresPool::Lease lease(pool_);
      const auto again = run_on(lease.session(), group, kind, parts, &commit);
      if (again) return again;
    }
    if (!commit.slot.empty() && !marks_.was_committed(commit.slot, commit.number)) {
      return PostgresError(Trouble::lost, "the connection broke before COMMIT was done");
    }
    if (commit.bodies > 0 && observer_) observer_(commit.bodies);
    return std::nullopt;
  }

  struct Commit {
    std::size_t bodies = 0;  // that changed something, perhaps
    std::string slot;        // with `number`: the answer was lost
    std::int64_t number = 0;
  };

  static std::optional<PostgresError> run_on(Session& session, const std::vector<Turn*>& group,
                                             PostgresConnection::Kind kind, Parts* parts,
                                             Commit* commit) {
    PostgresConnection& connection = session.connection;
    const bool in_parts = *parts == Parts::each;
    if (auto failure = begin_group(session, kind)) return failure;
    std::size_t kept = 0;
    TxNotes notes;
    for (Turn* turn : group) {
      if (in_parts) connection.begin_part();
      TxNotes noted = notes;
      const std::int64_t changes = connection.changes();
      const int doubts = turn->doubts;
      const auto failure = run_body(connection, *turn, noted);
      if (failure) {
        connection.rollback();
        return failure;
      }
      const bool has_changed = connection.failure() || connection.changes() != changes;
      if (!in_parts && group.size() > 1 && !turn->kept && has_changed) {
        turn->doubts = doubts;
        *parts = Parts::wanted;
        connection.rollback();
        return PostgresError(Trouble::conflict, "a body is to be taken back alone");
      }
      if (turn->kept) notes = std::move(noted);
      if (in_parts) connection.end_part(turn->kept);
      kept += turn->kept ? 1 : 0;
    }
    if (kept == 0 || !connection.has_begun()) {
      connection.rollback();
      return std::nullopt;
    }
    commit->bodies = kept;
    return end_group(session, commit);
  }

  // A connection that died while it lay idle is found out here, before any body has run.
  static std::optional<PostgresError> begin_group(Session& session, PostgresConnection::Kind kind) {
    try {
      CommitMarks::take_slot(session);
      session.connection.begin(kind);
      if (kind == PostgresConnection::Kind::write_alone) session.connection.start();
    } catch (const PostgresError& error) {
      session.connection.rollback();
      if (error.trouble != Trouble::conflict && error.trouble != Trouble::lost) throw;
      return error;
    }
    return std::nullopt;
  }

  // A failure that is the body's own goes into its turn; one that undoes the transaction is
  // returned.
  static std::optional<PostgresError> run_body(PostgresConnection& connection, Turn& turn,
                                               TxNotes& notes) {
    PostgresTx tx(connection, notes);
    turn.kept = false;
    turn.is_doubted = false;
    turn.failure = nullptr;
    turn.hints.clear();
    try {
      const InsideBody inside;
      const base::TraceScope scope(turn.trace);
      const base::OriginScope origin(turn.origin);
      turn.kept = (*turn.body)(tx);
    } catch (...) {
      turn.failure = std::current_exception();
    }
    try {
      connection.settle();
    } catch (const PostgresError&) {
      if (!turn.failure) turn.failure = std::current_exception();
    }
    if (const std::optional<PostgresError> failure = connection.failure()) {
      if (failure->trouble == Trouble::conflict || failure->trouble == Trouble::lost) {
        return failure;
      }
      turn.is_doubted = failure->trouble == Trouble::constraint && turn.doubts++ < kMaxDoubts;
      turn.kept = false;  // also when it went on as if nothing had been refused
      if (!turn.failure) turn.failure = std::make_exception_ptr(PostgresError(*failure));
    }
    turn.kept = turn.kept && !turn.failure;
    if (turn.kept) turn.hints = std::move(tx.hints);
    return std::nullopt;
  }

  static std::optional<PostgresError> end_group(Session& session, Commit* commit) {
    try {
      const std::string_view slot = session.slot;
      const auto ended = session.connection.commit(CommitMarks::kMark, {slot, ++session.number});
      if (ended == PostgresConnection::Ended::in_doubt) {
        commit->slot = session.slot;
        commit->number = session.number;
      }
    } catch (const PostgresError& error) {
      session.connection.rollback();
      if (error.trouble != Trouble::conflict) throw;
      return error;
    }
    return std::nullopt;
  }

  static void run_hints(const std::vector<std::function<void()>>& hints) {
    // As on SQLite, where a hint that waited for a write would wait for itself.
    const InsideBody inside;
    for (const auto& hint : hints) {
      try {
        hint();
      } catch (const std::exception& failure) {
        base::log(base::Level::error, "store_hint_failed", {{"why", failure.what()}});
      }
    }
  }

  const base::Clock& clock_;
  StoreStats stats_;
  PostgresPool pool_;
  CommitMarks marks_;
  Crowds crowds_;
  std::function<void(std::size_t)> observer_;

  std::mutex mutex_;
  std::deque<Turn*> waiting_;
  bool is_led_ = false;
};

}  // namespace

std::unique_ptr<Db> open_postgres(PostgresTarget target, std::size_t connections,
                                  const base::Clock& clock) {
  check(connections >= 1 && connections <= kMaxConnections, "the pool has a bound");
  return std::make_unique<PostgresDb>(std::move(target), connections, clock);
}

}  // namespace topup::storage
