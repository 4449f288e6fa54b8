// What PostgreSQL alone must show: bodies side by side, commits whose answer was lost, a database
// that goes away, servers that may not hold money. What both engines promise is in db_test.cpp.
#include "server/storage/postgres.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "server/audit/audit_log.h"
#include "server/jobs/worker.h"
#include "server/ledger/ledger_store.h"
#include "server/storage/migrate.h"
#include "tests/support/cut_wire.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/together.h"

namespace topup::storage {
namespace {

using testing::CutWire;
using testing::PostgresCluster;
using testing::ScratchDatabase;
using testing::shared_cluster;

const base::SystemClock kClock;

std::unique_ptr<Db> open_at(const std::string& url, std::size_t connections = 8,
                            const std::string& password = "") {
  return open_postgres({url, password}, connections, kClock);
}

std::int64_t integer(Db& db, std::string_view sql) {
  std::int64_t found = 0;
  db.read([&](Reader& reader) {
    reader.query(sql, {}, [&found](const Row& row) { found = row.integer(0); });
  });
  return found;
}

void make_notes(Db& db) {
  db.write([](Tx& tx) {
    tx.script("CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT)");
    return true;
  });
}

bool insert(Tx& tx, std::int64_t id) {
  return tx.exec("INSERT INTO notes (id) VALUES ($1)", {id}) == 1;
}

std::string refusal(const std::string& url, const std::string& password = "") {
  try {
    open_at(url, 2, password);
  } catch (const SqlError& error) {
    return error.why;
  }
  return "";
}

bool says(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// ---- side by side

TEST_CASE("postgres: a body that met another one is run again on what the other one left") {
  ScratchDatabase database(false);
  const auto db = open_at(database.url());
  make_notes(*db);
  db->write([](Tx& tx) { return insert(tx, 0); });
  std::atomic<int> runs{0};
  std::atomic<int> readers{0};
  testing::together(2, [&](int) {
    db->write([&](Tx& tx) {
      ++runs;
      std::int64_t most = 0;
      tx.query("SELECT MAX(id) FROM notes", {}, [&most](const Row& row) { most = row.integer(0); });
      ++readers;
      for (int i = 0; i < 500 && readers < 2; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      return insert(tx, most + 1);
    });
  });
  CHECK(runs == 3);
  CHECK(integer(*db, "SELECT MAX(id) FROM notes") == 2);
}

TEST_CASE("postgres: two bodies that each see the other's absence do not both commit") {
  ScratchDatabase database(false);
  const auto db = open_at(database.url());
  make_notes(*db);
  std::atomic<int> readers{0};
  std::atomic<int> refused{0};
  testing::together(2, [&](int t) {  // "at most one unpaid order", checked by reading
    const auto placed = with_tx(*db, [&](Tx& tx) -> Result<bool> {
      std::int64_t open = 0;
      tx.query("SELECT COUNT(*) FROM notes WHERE body = $1", {std::string_view("unpaid")},
               [&open](const Row& row) { open = row.integer(0); });
      ++readers;
      for (int i = 0; i < 500 && readers < 2; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      if (open > 0) return refuse(Code::rejected, "too_many_unpaid");
      tx.exec("INSERT INTO notes (id, body) VALUES ($1, 'unpaid')", {std::int64_t{t}});
      return true;
    });
    if (!placed) ++refused;
  });
  CHECK(refused == 1);
  CHECK(integer(*db, "SELECT COUNT(*) FROM notes") == 1);
}

TEST_CASE("postgres: who looked for a key and did not find it is not told that it is there") {
  ScratchDatabase database(false);
  const auto db = open_at(database.url());
  make_notes(*db);
  std::promise<void> looked;
  std::promise<void> taken;
  std::jthread other([&] {  // joined also when the write below is refused
    looked.get_future().wait();
    db->write([](Tx& tx) { return insert(tx, 7); });
    taken.set_value();
  });
  int runs = 0;
  bool was_there = false;
  db->write([&](Tx& tx) {
    was_there = tx.query("SELECT id FROM notes WHERE id = 7", {}, [](const Row&) {}) > 0;
    if (++runs == 1) {
      looked.set_value();
      taken.get_future().wait();
    }
    return was_there || insert(tx, 7);
  });
  other.join();
  CHECK(runs == 2);
  CHECK(was_there);
}

TEST_CASE("postgres: a constraint that refuses a body every time is told") {
  ScratchDatabase database(false);
  const auto db = open_at(database.url());
  make_notes(*db);
  int runs = 0;
  bool is_constraint = false;
  try {
    db->write([&](Tx& tx) {
      ++runs;
      insert(tx, 1);
      return insert(tx, 1);
    });
  } catch (const SqlError& error) {
    is_constraint = error.is_constraint;
  }
  CHECK(is_constraint);
  CHECK(runs <= 4);
  CHECK(integer(*db, "SELECT COUNT(*) FROM notes") == 0);
}

TEST_CASE("postgres: many bodies that all touch the same rows all commit, and the books hold") {
  constexpr int kThreads = 8;
  constexpr int kEach = 25;
  ScratchDatabase database(true);
  const auto db = open_at(database.url());
  testing::together(kThreads, [&](int t) {
    for (int i = 0; i < kEach; ++i) {
      const std::string subject = std::to_string(t) + "-" + std::to_string(i);
      db->write([&](Tx& tx) {
        ledger::post(tx, ledger::payment_received(subject, {"wechat"}, fen(100)), OrderId("o"),
                     TraceId(), 1);
        audit::append(tx, {"system", "a", "s", subject}, TraceId(), 1);
        return true;
      });
    }
  });
  db->read([](Reader& reader) {
    CHECK(ledger::verify(reader).empty());
    const audit::ChainVerdict chain = audit::verify(reader);
    CHECK(chain.holds);
    CHECK(chain.rows == kThreads * kEach);
  });
}

TEST_CASE("postgres: bodies that take turns share a commit, and one that fails is undone alone") {
  constexpr int kThreads = 8;
  constexpr int kEach = 40;
  ScratchDatabase database(false);
  const auto db = open_at(database.url());
  std::atomic<int> commits{0};
  std::atomic<int> bodies{0};
  db->on_group([&](std::size_t shared) {
    ++commits;
    bodies += static_cast<int>(shared);
  });
  make_notes(*db);
  db->write([](Tx& tx) { return insert(tx, 0); });
  std::atomic<int> refused{0};
  std::atomic<int> given_up{0};
  std::atomic<int> hints{0};
  testing::together(kThreads, [&](int t) {
    for (int i = 0; i < kEach; ++i) {
      const std::int64_t id = 1 + t * kEach + i;
      const base::TraceScope scope(TraceId(std::to_string(t)));
      try {
        db->write([&](Tx& tx) {
          // All meet at row 0, so that they take turns.
          tx.exec("UPDATE notes SET body = $1 WHERE id = 0", {std::string_view("met")});
          tx.after_commit([&hints] { ++hints; });
          tx.exec("INSERT INTO notes (id, body) VALUES ($1, $2)",
                  {id, std::string_view(base::TraceScope::current().text)});
          if (i % 4 == 1) insert(tx, 0);  // refused: a constraint
          if (i % 4 == 2) throw std::runtime_error("the body broke");
          return i % 4 != 3;
        });
      } catch (const SqlError& error) {
        CHECK(error.is_constraint);
        ++refused;
      } catch (const std::runtime_error&) {
        ++given_up;
      }
    }
  });
  CHECK(refused == kThreads * kEach / 4);
  CHECK(given_up == kThreads * kEach / 4);
  CHECK(hints == kThreads * kEach / 4);
  CHECK(integer(*db, "SELECT COUNT(*) FROM notes WHERE id > 0") == kThreads * kEach / 4);
  // Whoever ran it for whom: each row bears the trace of the thread that asked for it.
  CHECK(integer(*db, "SELECT COUNT(*) FROM notes WHERE id > 0 AND body <> ((id - 1) / 40)::text") ==
        0);
  CHECK(bodies == kThreads * kEach / 4 + 2);
  CHECK(commits < bodies);
}

TEST_CASE("T-01: the trail of two busy nodes is one chain, and nobody is refused for the other") {
  constexpr int kThreads = 4;
  constexpr int kEach = 40;
  ScratchDatabase database(true);
  const std::unique_ptr<Db> nodes[] = {open_at(database.url()), open_at(database.url())};
  std::atomic<int> refused{0};
  {
    std::vector<std::jthread> writers;
    for (int thread = 0; thread < 2 * kThreads; ++thread) {
      writers.emplace_back([&, thread] {
        for (int i = 0; i < kEach; ++i) {
          try {
            nodes[thread % 2]->write([](Tx& tx) {
              audit::append(tx, {"system", "order.paid", "order-1", "paid"}, TraceId("trace"), 1);
              return true;
            });
          } catch (const std::exception&) {
            ++refused;
          }
        }
      });
    }
  }
  CHECK(refused == 0);
  nodes[0]->read([&](Reader& reader) {
    const audit::ChainVerdict verdict = audit::verify(reader);
    CHECK(verdict.holds);
    CHECK(verdict.rows == 2 * kThreads * kEach);
  });
}

TEST_CASE("O-07: two nodes do not run one job twice") {
  constexpr int kJobs = 400;
  const testing::QuietLog quiet;
  ScratchDatabase database(true);
  const auto first = open_at(database.url());
  const auto second = open_at(database.url());
  first->write([](Tx& tx) {
    for (int i = 0; i < kJobs; ++i)
      jobs::outbox::enqueue(tx, "count", std::to_string(i), 1, 1, TraceId());
    return true;
  });
  std::mutex mutex;
  std::multiset<std::string> ran;
  std::atomic<int> by_second{0};
  const auto handler = [&](Db& db, bool is_second) {
    return [&, is_second](const jobs::Job& job) {
      {
        const std::lock_guard hold(mutex);
        ran.insert(job.subject);
      }
      if (is_second) ++by_second;
      (void)with_tx(db, [&](Tx& tx) { return jobs::outbox::finish(tx, job); });
    };
  };
  base::SystemRandom random;
  jobs::Worker one(*first, kClock, random, {.threads = 4, .node = "one"});
  jobs::Worker two(*second, kClock, random, {.threads = 4, .node = "two"});
  one.handle("count", handler(*first, false));
  two.handle("count", handler(*second, true));
  one.start();
  two.start();
  for (int i = 0; i < 1'500 && integer(*first, "SELECT COUNT(*) FROM outbox") > 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  one.stop();
  two.stop();
  CHECK(ran.size() == kJobs);
  CHECK(std::set<std::string>(ran.begin(), ran.end()).size() == kJobs);
  CHECK(by_second > 0);
  CHECK(by_second < kJobs);
}

TEST_CASE("postgres: a node that starts frees its own leases and nobody else's") {
  ScratchDatabase database(true);
  const auto db = open_at(database.url());
  db->write([](Tx& tx) {
    jobs::outbox::enqueue(tx, "k", "a", 1, 1, TraceId());
    return jobs::outbox::claim(tx, 1, 100, 1, "one").size() == 1;
  });
  db->write([](Tx& tx) {
    jobs::outbox::enqueue(tx, "k", "b", 1, 1, TraceId());
    return jobs::outbox::claim(tx, 1, 100, 1, "two").size() == 1;
  });
  std::vector<jobs::Job> freed;
  db->write([&freed](Tx& tx) {
    jobs::outbox::release_of(tx, "two", 2);
    freed = jobs::outbox::claim(tx, 2, 100, 10, "two");
    return true;
  });
  REQUIRE(freed.size() == 1);
  CHECK(freed.front().subject == "b");
}

TEST_CASE("postgres: what a body does after a refused statement is not kept") {
  ScratchDatabase database(false);
  const auto db = open_at(database.url());
  make_notes(*db);
  db->write([](Tx& tx) { return insert(tx, 1); });
  CHECK_THROWS_AS(db->write([](Tx& tx) {
    insert(tx, 2);
    try {
      insert(tx, 1);
    } catch (const SqlError&) {
      return true;  // as if nothing had been refused
    }
    return false;
  }),
                  SqlError);
  CHECK(integer(*db, "SELECT COUNT(*) FROM notes") == 1);
  db->write([](Tx& tx) { return insert(tx, 3); });
  CHECK(integer(*db, "SELECT COUNT(*) FROM notes") == 2);
}

TEST_CASE("postgres: when every connection is in use, the next caller is told soon, not never") {
  const testing::QuietLog quiet;
  ScratchDatabase database(false);
  const auto db = open_at(database.url(), 2);
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  std::atomic<int> holding{0};
  std::vector<std::thread> holders;
  for (int i = 0; i < 2; ++i) {
    holders.emplace_back([&] {
      db->read([&](Reader&) {
        ++holding;
        released.wait();
      });
    });
  }
  while (holding < 2) std::this_thread::yield();
  bool is_unavailable = false;
  try {
    db->read([](Reader&) {});
  } catch (const SqlError& error) {
    is_unavailable = error.is_unavailable;
  }
  release.set_value();
  for (std::thread& holder : holders) holder.join();
  CHECK(is_unavailable);
  CHECK_NOTHROW(db->read([](Reader&) {}));
}

TEST_CASE("migrate: two nodes that start at once on a fresh database make each step once") {
  ScratchDatabase database(false);
  int steps = 0;
  for (const EmbeddedMigration& step : embedded_migrations())
    if (step.engine != "sqlite") ++steps;
  std::atomic<int> applied{0};
  testing::together(3, [&](int) { applied += migrate(*open_at(database.url(), 2), 1); });
  CHECK(applied == steps);
}

// ---- the wire

struct Cutting {
  explicit Cutting(std::size_t connections = 4) {
    direct = open_at(database.url());
    make_notes(*direct);
    through = open_at(shared_cluster().url(database.name(), wire.port()), connections);
    // The slot of the connection exists before the wire is cut.
    through->write([](Tx& tx) { return insert(tx, 0); });
  }
  // Writes row `id`, a second time as a client would when it hears "unavailable".
  void put(std::int64_t id) {
    for (int tried = 0; tried < 20; ++tried) {
      try {
        through->write([&](Tx& tx) {
          ++runs;
          const bool is_there =
              tx.query("SELECT id FROM notes WHERE id = $1", {id}, [](const Row&) {}) > 0;
          return is_there || insert(tx, id);
        });
        return;
      } catch (const SqlError& error) {
        REQUIRE_MESSAGE(error.is_unavailable, error.why);
        ++refusals;
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      }
    }
    FAIL("never written");
  }

  testing::QuietLog quiet;
  ScratchDatabase database{false};
  CutWire wire{shared_cluster().port()};
  std::unique_ptr<Db> direct, through;
  std::atomic<int> runs{0};
  int refusals = 0;
};

TEST_CASE("D-12: a wire cut right before COMMIT leaves nothing, and the body runs again") {
  Cutting cutting;
  cutting.wire.cut_at("COMMIT", CutWire::Cut::before);
  cutting.through->write([&](Tx& tx) {
    ++cutting.runs;
    return insert(tx, 1);
  });
  CHECK(cutting.wire.cuts() == 1);
  CHECK(cutting.runs == 2);
  CHECK(integer(*cutting.direct, "SELECT COUNT(*) FROM notes WHERE id = 1") == 1);
}

TEST_CASE("D-12: a wire cut right after COMMIT is looked up, and the body does not run again") {
  Cutting cutting;
  cutting.wire.cut_at("COMMIT", CutWire::Cut::after);
  std::atomic<int> hints{0};
  cutting.through->write([&](Tx& tx) {
    ++cutting.runs;
    tx.after_commit([&hints] { ++hints; });
    return insert(tx, 1);
  });
  CHECK(cutting.wire.cuts() == 1);
  CHECK(cutting.runs == 1);
  CHECK(hints == 1);
  CHECK(integer(*cutting.direct, "SELECT COUNT(*) FROM notes WHERE id = 1") == 1);
}

TEST_CASE("D-12: a COMMIT that arrives after it was looked up does nothing any more") {
  Cutting cutting;
  cutting.wire.cut_at("COMMIT", CutWire::Cut::late);
  std::atomic<std::int64_t> next{1};
  cutting.through->write([&](Tx& tx) { return insert(tx, next++); });
  std::this_thread::sleep_for(std::chrono::milliseconds(1'000));
  CHECK(cutting.wire.cuts() == 1);
  CHECK(next == 3);  // two runs, of which the second one counts
  CHECK(integer(*cutting.direct, "SELECT COUNT(*) FROM notes WHERE id = 1") == 0);
  CHECK(integer(*cutting.direct, "SELECT COUNT(*) FROM notes WHERE id = 2") == 1);
}

TEST_CASE("D-12: a transaction that hangs between its last change and COMMIT is ended") {
  Cutting cutting;
  cutting.wire.cut_at("COMMIT", CutWire::Cut::amid);
  cutting.put(1);
  CHECK(cutting.wire.cuts() == 1);
  CHECK(cutting.runs == 2);
  CHECK(integer(*cutting.direct, "SELECT COUNT(*) FROM notes WHERE id = 1") == 1);
}

TEST_CASE(
    "D-12: a node that stands still in the middle of a change holds the others up for seconds") {
  ScratchDatabase database(false);
  const auto frozen = open_at(database.url());
  const auto other = open_at(database.url());
  make_notes(*frozen);
  frozen->write([](Tx& tx) { return insert(tx, 1); });
  const auto add = [](Tx& tx) {
    return tx.exec("UPDATE notes SET body = COALESCE(body, '') || 'x' WHERE id = 1", {}) == 1;
  };
  std::promise<void> changed, through;
  std::jthread thawed([&] {
    int runs = 0;
    frozen->write([&](Tx& tx) {
      const bool is_changed = add(tx);
      if (++runs == 1) {
        changed.set_value();
        through.get_future().wait_for(std::chrono::seconds(30));
      }
      return is_changed;
    });
    CHECK(runs == 2);
  });
  changed.get_future().wait();
  bool is_written = false;
  try {
    other->write(add);
    is_written = true;
  } catch (const SqlError& error) {
    FAIL_CHECK(error.why);
  }
  through.set_value();
  thawed.join();
  CHECK(is_written);
  CHECK(integer(*other, "SELECT LENGTH(body) FROM notes WHERE id = 1") == 2);
}

TEST_CASE("D-12: a wire cut at any packet neither loses nor doubles what was acknowledged") {
  Cutting cutting(1);
  std::int64_t id = 0;
  for (const CutWire::Cut cut : {CutWire::Cut::before, CutWire::Cut::after}) {
    for (int nth = 1; nth <= 30; ++nth) {
      CAPTURE(nth);
      ++id;
      const int cuts = cutting.wire.cuts();
      cutting.wire.cut_at("", cut, nth);
      for (int more = 0; cutting.wire.cuts() == cuts && more < 40; ++more) cutting.put(id++);
      CHECK(cutting.wire.cuts() == cuts + 1);
      cutting.put(id);
    }
  }
  const std::int64_t kept = integer(*cutting.direct, "SELECT COUNT(*) FROM notes WHERE id > 0");
  CHECK(kept == id);
  MESSAGE("figure D-12: the wire cut at " << cutting.wire.cuts() << " packets, of " << id
                                          << " acknowledged writes " << kept << " are there once");
}

TEST_CASE("D-10: a migration whose wire is cut at any packet is resumed, each step once") {
  const testing::QuietLog quiet;
  int steps = 0;
  for (const EmbeddedMigration& step : embedded_migrations())
    if (step.engine != "sqlite") ++steps;
  int cut = 0;
  for (const CutWire::Cut how : {CutWire::Cut::before, CutWire::Cut::after}) {
    for (int nth = 1; nth <= 24; nth += 3) {
      CAPTURE(nth);
      ScratchDatabase database(false);
      CutWire wire(shared_cluster().port());
      wire.cut_at("", how, nth);
      try {
        migrate(*open_at(shared_cluster().url(database.name(), wire.port()), 2), 1);
      } catch (const SqlError& error) {
        CHECK_MESSAGE(error.is_unavailable, error.why);
      }
      cut += wire.cuts();
      const auto direct = open_at(database.url(), 2);
      migrate(*direct, 2);
      CHECK(migrate(*direct, 3) == 0);
      CHECK(integer(*direct, "SELECT COUNT(*) FROM schema_migrations") == steps);
      CHECK(integer(*direct, "SELECT COUNT(*) FROM audit_head") == 1);
    }
  }
  CHECK(cut >= 14);
}

// ---- away, and back

TEST_CASE(
    "postgres: while the database is away callers hear it soon, and it is used again once back") {
  const testing::QuietLog quiet;
  PostgresCluster cluster;
  const auto db = open_at(cluster.url("postgres"));
  make_notes(*db);
  cluster.stop();
  for (int i = 0; i < 20; ++i) {
    const std::int64_t began = kClock.mono_ms();
    bool is_unavailable = false;
    try {
      db->write([](Tx& tx) { return insert(tx, 1); });
    } catch (const SqlError& error) {
      is_unavailable = error.is_unavailable;
    }
    CHECK(is_unavailable);
    CHECK(kClock.mono_ms() - began < 3'500);
  }
  cluster.start();
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  db->write([](Tx& tx) { return insert(tx, 1); });
  CHECK(integer(*db, "SELECT COUNT(*) FROM notes") == 1);
}

TEST_CASE(
    "O-01: kill -9 of the whole database during writes loses no acknowledged payment and doubles "
    "none") {
  constexpr int kThreads = 6;
  const char* wanted = std::getenv("TOPUP_POSTGRES_KILLS");  // scripts/test --only crash-long
  const int kKills = wanted != nullptr ? std::atoi(wanted) : 10;
  const testing::QuietLog quiet;
  PostgresCluster cluster;
  const auto db = open_at(cluster.url("postgres"), 12);
  migrate(*db, 1);
  std::atomic<bool> over{false};
  std::mutex mutex;
  std::set<std::string> acknowledged;
  std::atomic<int> refusals{0};
  const auto pay = [&](const std::string& subject) {
    db->write([&](Tx& tx) {
      ledger::post(tx, ledger::payment_received(subject, {"wechat"}, fen(100)), OrderId(subject),
                   TraceId(), 1);
      audit::append(tx, {"system", "order.paid", subject, ""}, TraceId(), 1);
      jobs::outbox::enqueue(tx, "submit", subject, 1, 1, TraceId());
      return true;
    });
    const std::lock_guard hold(mutex);
    acknowledged.insert(subject);
  };
  // The killing is this thread's: a cluster ends with the thread that started it.
  std::thread payers([&] {
    testing::together(kThreads, [&](int t) {
      for (int i = 0; !over; ++i) {
        try {
          pay(std::to_string(t) + "-" + std::to_string(i));
        } catch (const SqlError& error) {
          if (error.is_constraint) FAIL("a body that had committed ran again: " << error.why);
          ++refusals;
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
      }
    });
  });
  for (int kill = 0; kill < kKills; ++kill) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300 + 35 * (kill % 5)));
    cluster.kill_hard();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    cluster.start();
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(700));
  over = true;
  payers.join();
  std::set<std::string> kept;
  db->read([&](Reader& reader) {
    reader.query("SELECT subject FROM journals", {},
                 [&kept](const Row& row) { kept.insert(row.text(0)); });
    CHECK(ledger::verify(reader).empty());
    CHECK(audit::verify(reader).holds);
  });
  int lost = 0;
  for (const std::string& subject : acknowledged) lost += kept.count(subject) == 0 ? 1 : 0;
  CHECK(lost == 0);
  CHECK(acknowledged.size() > 100);
  CHECK(refusals > 0);
  // What was refused because nobody could tell is at most what was in flight at each kill.
  CHECK(kept.size() - acknowledged.size() <= static_cast<std::size_t>(kKills * kThreads));
  CHECK(integer(*db, "SELECT COUNT(*) FROM outbox") == static_cast<std::int64_t>(kept.size()));
  MESSAGE("figure O-01: PostgreSQL, "
          << kKills << " kills of the whole cluster, " << acknowledged.size()
          << " acknowledged payments, " << lost << " lost, " << kept.size() - acknowledged.size()
          << " kept without an answer, " << refusals.load() << " refused while away");
}

// ---- servers that may not hold money

TEST_CASE(
    "D-13: a server that could lose an acknowledged commit is refused, and told which setting") {
  PostgresCluster cluster;
  const std::string url = cluster.url("postgres");
  CHECK(refusal(url) == "");
  for (const char* word : {"off", "local", "remote_write"}) {
    CAPTURE(word);
    cluster.run(
        {"ALTER ROLE topup IN DATABASE postgres SET synchronous_commit = " + std::string(word)},
        "template1");
    CHECK(says(refusal(url), std::string("synchronous_commit = ") + word));
  }
  cluster.run({"ALTER ROLE topup IN DATABASE postgres RESET ALL"}, "template1");
  for (const std::string setting : {"fsync", "full_page_writes"}) {
    CAPTURE(setting);
    cluster.restart_with({setting + "=off"});
    CHECK(says(refusal(url), setting + " off"));
  }
  cluster.restart_with({});
  CHECK(refusal(url) == "");
}

TEST_CASE("postgres: a read-only standby is refused with the way out") {
  PostgresCluster cluster({"wal_level=replica"});
  cluster.stop();
  cluster.touch_data("standby.signal");
  cluster.restart_with({"wal_level=replica", "hot_standby=on"});
  const std::string why = refusal(cluster.url("postgres"));
  CHECK_MESSAGE(says(why, "read-only"), why);
  CHECK(says(why, "primary"));
}

TEST_CASE(
    "postgres: a wrong password, a missing database and a silent address are told as they are") {
  const testing::QuietLog quiet;
  PostgresCluster& cluster = shared_cluster();
  cluster.allow_first("host all guarded 127.0.0.1/32 scram-sha-256");
  cluster.run(
      {"CREATE ROLE guarded LOGIN PASSWORD 'right-one'", "CREATE DATABASE guarded OWNER guarded"});
  const std::string url = cluster.url("guarded", 0, "guarded");
  CHECK(refusal(url, "right-one") == "");
  const std::string wrong = refusal(url, "wrong-one");
  CHECK_MESSAGE(says(wrong, "password authentication failed"), wrong);
  CHECK(says(wrong, "guarded at 127.0.0.1:"));
  CHECK_FALSE(says(wrong, "wrong-one"));
  CHECK(says(refusal(cluster.url("no_such_shop")), "\"no_such_shop\" does not exist"));
  CHECK(says(refusal("postgres://topup@127.0.0.1:1/shop"), "Connection refused"));
  const std::int64_t began = kClock.mono_ms();
  CHECK(says(refusal("postgres://topup@192.0.2.1:5432/shop"), "cannot reach the database"));
  CHECK(kClock.mono_ms() - began < 5'000);
}

TEST_CASE(
    "postgres: a database that would sort otherwise or cannot keep every character is refused") {
  PostgresCluster& cluster = shared_cluster();
  cluster.run({"CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'"});
  const std::string why = refusal(cluster.url("latin"));
  CHECK_MESSAGE(says(why, "LATIN1"), why);
  CHECK(says(why, "ENCODING 'UTF8'"));
}

}  // namespace
}  // namespace topup::storage
