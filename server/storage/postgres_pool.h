// Connections lent to one thread at a time. Thread-safe. A broken or old one is not lent again;
// while the database cannot be reached one caller tries, and the others are told at once.
// Where the url names several servers, the one that takes writes is used; a server that was
// promoted is found by itself, and one that was left behind is never gone back to.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/storage/postgres_connection.h"
#include "server/storage/store_stats.h"

namespace topup::storage {

// A connection and its row in topup_commits, where each commit through it leaves its number.
struct Session {
  Session(const PostgresTarget& target, const base::Clock& clock, std::int64_t deadline_mono_ms);
  PostgresConnection connection;
  std::int64_t opened_mono_ms;
  std::string slot;         // empty until it writes
  std::int64_t number = 0;  // of the last commit tried
};

class PostgresPool {
 public:
  PostgresPool(PostgresTarget target, std::size_t most, const base::Clock& clock,
               StoreStats& stats);
  ~PostgresPool();
  PostgresPool(const PostgresPool&) = delete;
  PostgresPool& operator=(const PostgresPool&) = delete;

  class Lease {
   public:
    explicit Lease(PostgresPool& pool) : pool_(pool), session_(pool.borrow()) {
      ++pool_.stats_.connections_used;
    }
    ~Lease() {
      --pool_.stats_.connections_used;
      pool_.give_back(std::move(session_));
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Session& session() { return *session_; }

   private:
    PostgresPool& pool_;
    std::unique_ptr<Session> session_;
  };

 private:
  std::unique_ptr<Session> borrow();
  std::unique_ptr<Session> connect();
  std::unique_ptr<Session> reach();
  std::unique_ptr<Session> newest_of_all();
  std::unique_ptr<Session> reach_server(std::size_t server);
  void note_reached(std::size_t server, const PostgresConnection& connection);
  void give_back(std::unique_ptr<Session> session);
  void refuse_while_away();
  void note_away(const PostgresError& why);

  const std::vector<PostgresTarget> servers_;
  std::atomic<std::size_t> server_ = 0;      // that answered last
  std::atomic<std::int64_t> timeline_ = 0;   // the newest seen; 0: none yet
  std::atomic<bool> was_replicated_ = true;  // as last told in the log
  std::size_t most_;
  const base::Clock& clock_;
  StoreStats& stats_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Session>> idle_;
  std::size_t count_ = 0;
  std::int64_t away_until_mono_ms_ = 0;
  std::string away_why_;
};

}  // namespace topup::storage
