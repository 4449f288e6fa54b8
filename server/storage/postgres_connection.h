// One connection to PostgreSQL: statements, transactions and what went wrong, with a deadline on
// every wait. Its .cpp is the only user of libpq. Not thread-safe; the pool in postgres.cpp lends
// it to one thread at a time. A transaction begins with its first statement (both go out in one
// packet), and the end of a read or of a rolled-back write is not waited for.
#pragma once

#include <array>
#include <cstdint>
#include <exception>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "server/base/clock.h"
#include "server/storage/ahead.h"
#include "server/storage/db.h"
#include "server/storage/text_hash.h"

struct pg_conn;
struct pg_result;

namespace topup::storage {

struct Bound;

enum class Trouble : std::uint8_t {
  refused,     // the statement is wrong or not allowed
  constraint,  // UNIQUE, CHECK, FOREIGN KEY or a trigger
  conflict,    // met another transaction: nothing happened, run it again
  busy,        // a lock, a time-out or a full disk: perhaps later
  lost,        // the connection is gone
};

struct PostgresError : SqlError {
  PostgresError(Trouble what_kind, std::string why_text)
      : SqlError(std::move(why_text), what_kind == Trouble::constraint,
                 what_kind == Trouble::busy || what_kind == Trouble::lost ||
                     what_kind == Trouble::conflict),
        trouble(what_kind) {}
  Trouble trouble;
};

struct PostgresTarget {
  std::string url;       // postgres://user@host:port/database?…, or libpq's key = value form
  std::string password;  // wins over the one in the url; empty: the url's, or libpq's own files
  std::int64_t statement_ms = 10'000;  // a statement that takes longer is ended by the server
  // One server of several that the url names; all empty where it names one.
  std::string host = {}, hostaddr = {}, port = {};
  bool is_one_of_several() const { return !host.empty() || !hostaddr.empty(); }
};
inline constexpr std::size_t kMaxServers = 8;

// Where it leads, without the password, for messages: "shop at db.example:5432".
std::string place_of(const PostgresTarget& target);
// One target for each server that the url names, in its order. Throws PostgresError in words for
// the operator when it names more than kMaxServers, or ports that fit no host.
std::vector<PostgresTarget> servers_of(const PostgresTarget& target);

class PostgresConnection {
 public:
  enum class Kind : std::uint8_t { read, write, write_alone };
  enum class Ended : std::uint8_t { committed, in_doubt };
  static constexpr std::size_t kMaxPrepared = 2'000;

  // Throws PostgresError in words for the operator: unreachable, wrong password, a read-only
  // standby, or a server that could lose an acknowledged commit (synchronous_commit, fsync and
  // full_page_writes are read back), or one that would sort or store text otherwise than SQLite.
  PostgresConnection(const PostgresTarget& target, const base::Clock& clock,
                     std::int64_t deadline_mono_ms);
  ~PostgresConnection();
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  // write_alone waits until no other write_alone runs, on any node.
  void begin(Kind kind);
  void start();  // waits for what begin() would send with the first statement
  // A part of a write can be undone alone: also after one of its statements was refused.
  void begin_part();
  void end_part(bool keep);
  int run(std::string_view sql, std::initializer_list<Value> values,
          const std::function<void(const Row&)>* on_row);
  void ask(std::initializer_list<Question> questions);
  // As run() for a change. What adds one row in any case is sent with the next statement, and what
  // it was refused for is thrown there: a body that has ended must settle().
  // So is one whose rows are not counted by anybody.
  int change(std::string_view sql, std::initializer_list<Value> values, bool is_counted = true);
  void settle();
  void script(std::string_view sql);
  // Ends a write. `mark` is run in the same packet, before COMMIT. Throws when the engine refused,
  // and then nothing was kept; in_doubt when the connection broke before the answer.
  Ended commit(std::string_view mark, std::initializer_list<Value> values);
  void end_read();
  void rollback() noexcept;

  // What refused a statement of the open transaction, if any: it cannot be committed any more.
  const std::optional<PostgresError>& failure() const { return failure_; }
  bool has_begun() const { return has_begun_; }  // some statement has been sent in the transaction
  std::int64_t changes() const { return changes_; }  // statements so far that were not questions
  bool is_broken() const { return is_broken_; }
  bool is_quiet();  // open, and the server has not said anything since (such as good-bye)
  // Of one server of several: how often another had taken over when this one last did (counted
  // anew by each promotion); 0 when the server does not tell.
  std::int64_t timeline() const { return timeline_; }
  // Whether a commit waits for another server too (synchronous_standby_names).
  bool is_replicated() const { return is_replicated_; }

 private:
  struct Free {
    void operator()(pg_result* result) const;
  };
  using Answer = std::unique_ptr<pg_result, Free>;
  struct Prepared {
    std::string name;
    std::string sql;        // as the program has it
    std::string beginning;  // of the ids that it is for (recent_ids.h)
    std::uint64_t types = 0;
    bool adds_one_row = false;
  };
  struct Sent {  // a command whose answer has not been read
    const Prepared* statement = nullptr;
    bool prepares = false;  // the statement; otherwise runs it
  };
  struct Key {
    std::string_view sql;
    std::string_view beginning;
    std::uint64_t types;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return TextHash()(key.sql) ^ (key.types * 0x9E3779B97F4A7C15U) ^ TextHash()(key.beginning);
    }
  };

  void connect(const PostgresTarget& target, std::int64_t deadline_mono_ms);
  void prepare_session(std::int64_t statement_ms);
  void refuse_unsafe_server();
  void learn_timeline();
  [[noreturn]] void fail(const pg_result* result, std::string_view doing);
  [[noreturn]] void lose(std::string_view doing);
  void need(int sent, std::string_view doing);
  void plan_once();
  void send_question(std::string_view sql, std::initializer_list<Value> values);
  void send_queued();
  const Prepared& prepare(std::string_view sql, const Bound& bound, std::string beginning = {});
  void send_statement(const Prepared& prepared, const Bound& bound);
  void send_command(const char* command);
  void forget(const Prepared& prepared);
  Answer hear(std::string_view doing);
  std::vector<Answer> hear_all(std::string_view doing);
  Answer next_answer(std::string_view doing, std::int64_t deadline_mono_ms);
  std::vector<Answer> answers(std::size_t count, std::string_view doing);
  void wait_for_socket(bool wants_write, std::string_view doing, std::int64_t deadline_mono_ms);
  void settle_unread();
  void hear_out() noexcept;
  std::int64_t deadline() const;

  const base::Clock& clock_;
  std::string place_;
  std::int64_t patience_ms_ = 0;
  pg_conn* connection_ = nullptr;
  std::vector<const char*> queued_;  // go out in front of the next statement
  std::vector<Sent> sent_;
  std::size_t unread_ = 0;  // commands whose answer nobody waits for
  std::unordered_map<Key, std::unique_ptr<Prepared>, KeyHash> prepared_;
  std::size_t names_ = 0;  // given to statements
  std::optional<PostgresError> failure_;
  std::int64_t changes_ = 0;
  bool has_begun_ = false;
  bool is_broken_ = false;
  // What was sent and what was heard do not match yet. Left so, because memory ran out between
  // them, the connection is of no more use.
  bool is_amid_ = false;
  bool is_replicated_ = false;
  std::int64_t timeline_ = 0;
};

}  // namespace topup::storage
