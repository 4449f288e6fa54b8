#include "server/storage/postgres_pool.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "server/base/log.h"

namespace topup::storage {
namespace {

constexpr std::int64_t kConnectMs = 3'000;
constexpr std::int64_t kLeastConnectMs = 1'000;  // for one server of several
constexpr std::int64_t kBorrowMs = 2'000;        // then the caller hears that the store is busy
constexpr std::int64_t kAwayMs = 500;  // between two tries to reach a database that is away
constexpr std::int64_t kMaxAgeMs = 60 * 60'000;  // far below the age at which its row is swept

constexpr std::string_view kForget = "DELETE FROM topup_commits WHERE slot = $1";

void say_good_bye(Session& session) noexcept {
  if (session.slot.empty() || !session.connection.is_quiet()) return;
  try {
    session.connection.run(kForget, {std::string_view(session.slot)}, nullptr);
  } catch (const std::exception&) {
    return;  // swept later
  }
}

}  // namespace

Session::Session(const PostgresTarget& target, const base::Clock& clock,
                 std::int64_t deadline_mono_ms)
    : connection(target, clock, deadline_mono_ms), opened_mono_ms(clock.mono_ms()) {}

PostgresPool::PostgresPool(PostgresTarget target, std::size_t most, const base::Clock& clock,
                           StoreStats& stats)
    : servers_(servers_of(target)), most_(most), clock_(clock), stats_(stats) {
  stats_.connections_most = static_cast<std::int64_t>(most);
}

PostgresPool::~PostgresPool() {
  for (const auto& session : idle_) say_good_bye(*session);
}

std::unique_ptr<Session> PostgresPool::borrow() {
  for (;;) {
    std::unique_ptr<Session> session;
    {
      std::unique_lock hold(mutex_);
      if (idle_.empty() && count_ >= most_) ++stats_.connection_waits;
      const bool in_time = returned_.wait_for(hold, std::chrono::milliseconds(kBorrowMs),
                                              [this] { return !idle_.empty() || count_ < most_; });
      if (!in_time) {
        throw PostgresError(Trouble::busy, "the store is busy: all " + std::to_string(most_) +
                                               " connections are in use");
      }
      if (idle_.empty()) {
        refuse_while_away();
        ++count_;
      } else {
        session = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (!session) return connect();
    const bool is_young = clock_.mono_ms() - session->opened_mono_ms < kMaxAgeMs;
    const bool is_current = session->connection.timeline() >= timeline_;
    if (is_young && is_current && session->connection.is_quiet()) return session;
    say_good_bye(*session);
    session.reset();
    const std::lock_guard hold(mutex_);
    --count_;
  }
}

std::unique_ptr<Session> PostgresPool::connect() {
  try {
    auto session = reach();
    const std::lock_guard hold(mutex_);
    if (!away_why_.empty()) base::log(base::Level::info, "store_back", {});
    away_why_.clear();
    return session;
  } catch (const PostgresError& why) {
    note_away(why);
    returned_.notify_one();
    throw PostgresError(Trouble::lost, why.why);
  } catch (...) {
    give_back(nullptr);
    throw;
  }
}

// Each server gets its share of the time: a machine that is gone answers nothing at all.
std::unique_ptr<Session> PostgresPool::reach_server(std::size_t server) {
  const auto count = static_cast<std::int64_t>(servers_.size());
  const std::int64_t share = std::max(kConnectMs / count, kLeastConnectMs);
  auto session = std::make_unique<Session>(servers_[server], clock_, clock_.mono_ms() + share);
  if (session->connection.timeline() >= timeline_) return session;
  throw PostgresError(Trouble::lost,
                      "the database " + place_of(servers_[server]) +
                          " was left behind when another server was promoted: make it a standby "
                          "of that one");
}

std::unique_ptr<Session> PostgresPool::reach() {
  if (servers_.size() == 1) return reach_server(0);
  if (timeline_ == 0) return newest_of_all();
  std::string why;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const std::size_t server = (server_ + i) % servers_.size();
    try {
      auto session = reach_server(server);
      note_reached(server, session->connection);
      return session;
    } catch (const PostgresError& failure) {
      why += (why.empty() ? "" : "; ") + failure.why;
    }
  }
  throw PostgresError(Trouble::lost, why);
}

// A primary that came back after another was promoted takes writes as well. The first connection
// of all looks at every server, so that it is not mistaken for the one that counts.
std::unique_ptr<Session> PostgresPool::newest_of_all() {
  std::unique_ptr<Session> newest;
  std::string why;
  std::size_t found = 0;
  for (std::size_t server = 0; server < servers_.size(); ++server) {
    try {
      auto session = reach_server(server);
      if (++found > 1) base::log(base::Level::error, "store_two_primaries", {});
      if (newest && session->connection.timeline() <= newest->connection.timeline()) continue;
      note_reached(server, session->connection);
      newest = std::move(session);
    } catch (const PostgresError& failure) {
      why += (why.empty() ? "" : "; ") + failure.why;
    }
  }
  if (!newest) throw PostgresError(Trouble::lost, why);
  return newest;
}

void PostgresPool::note_reached(std::size_t server, const PostgresConnection& connection) {
  const std::string place = place_of(servers_[server]);
  const bool is_first = timeline_ == 0;
  if (server_.exchange(server) != server && !is_first) {
    base::log(base::Level::info, "store_server",
              {{"place", place}, {"timeline", connection.timeline()}});
  }
  std::int64_t newest = timeline_;
  while (newest < connection.timeline() &&
         !timeline_.compare_exchange_weak(newest, connection.timeline())) {
  }
  const bool is_replicated = connection.is_replicated();
  stats_.is_unreplicated = !is_replicated;
  if (was_replicated_.exchange(is_replicated) && !is_replicated) {
    base::log(base::Level::warn, "store_not_replicated",
              {{"place", place},
               {"why",
                "the url names several servers, but this one acknowledges before another has the "
                "change: what it took last is lost with it. Set synchronous_standby_names"}});
  }
}

void PostgresPool::refuse_while_away() {
  if (clock_.mono_ms() < away_until_mono_ms_) throw PostgresError(Trouble::lost, away_why_);
}

void PostgresPool::note_away(const PostgresError& why) {
  const std::lock_guard hold(mutex_);
  --count_;
  if (away_why_.empty()) base::log(base::Level::error, "store_away", {{"why", why.why}});
  away_why_ = why.why;
  away_until_mono_ms_ = clock_.mono_ms() + kAwayMs;
}

void PostgresPool::give_back(std::unique_ptr<Session> session) {
  const bool is_good = session && !session->connection.is_broken();
  if (is_good) session->connection.rollback();  // clears what an interrupted use left
  {
    const std::lock_guard hold(mutex_);
    if (is_good) {
      idle_.push_back(std::move(session));
    } else {
      --count_;
    }
  }
  session.reset();
  returned_.notify_one();
}

}  // namespace topup::storage
