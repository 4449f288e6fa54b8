// What the port promises, on whichever engine the tests run.
#include "server/storage/db.h"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <future>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "shared/check.h"
#include "tests/support/scratch_shop.h"

namespace topup::storage {
namespace {

class Notes {  // one small table in a database of its own
 public:
  Notes() { prepare(); }
  void reopen() {
    scratch_.reopen();
    prepare();
  }
  bool is_sqlite() const { return db().engine() == "sqlite"; }
  Db& db() const { return scratch_.db(); }
  std::int64_t count() {
    std::int64_t found = 0;
    db().read([&found](Reader& reader) {
      reader.query("SELECT COUNT(*) FROM notes", {},
                   [&found](const Row& row) { found = row.integer(0); });
    });
    return found;
  }
  bool has(std::int64_t id) {
    int rows = 0;
    db().read([&](Reader& reader) {
      rows = reader.query("SELECT id FROM notes WHERE id = $1", {id}, [](const Row&) {});
    });
    return rows == 1;
  }
  std::vector<std::size_t> groups() {
    const std::lock_guard hold(mutex_);
    return groups_;
  }

 private:
  void prepare() {
    db().on_group([this](std::size_t bodies) {
      const std::lock_guard hold(mutex_);
      groups_.push_back(bodies);
    });
    db().write([](Tx& tx) {
      tx.script("CREATE TABLE IF NOT EXISTS notes (id BIGINT PRIMARY KEY, body TEXT, raw BYTEA)");
      return true;
    });
  }
  std::mutex mutex_;
  std::vector<std::size_t> groups_;
  testing::ScratchDb scratch_;
};

bool insert(Tx& tx, std::int64_t id) {
  return tx.exec("INSERT INTO notes (id) VALUES ($1)", {id}) == 1;
}

// Holds the writer inside a body, so that what is written meanwhile meets in the next group.
class HeldWriter {
 public:
  explicit HeldWriter(Db& db) {
    std::promise<void> entered;
    thread_ = std::thread([this, &db, &entered] {
      db.write([&](Tx&) {
        entered.set_value();
        released_.get_future().wait();
        return true;
      });
    });
    entered.get_future().wait();
  }
  void release() {
    released_.set_value();
    thread_.join();
  }

 private:
  std::promise<void> released_;
  std::thread thread_;
};

// Starts the writers, waits until all of them stand in the queue, then lets them commit together.
void write_together(Db& db, const std::vector<std::function<void()>>& writers) {
  HeldWriter held(db);
  std::vector<std::thread> threads;
  for (const auto& writer : writers) threads.emplace_back(writer);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  held.release();
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("storage: what many threads write is all there after the file is opened again") {
  constexpr int kThreads = 16;
  constexpr int kEach = 40;
  Notes notes;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&notes, t] {
      for (int i = 0; i < kEach; ++i) {
        notes.db().write([&](Tx& tx) { return insert(tx, t * kEach + i + 1); });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  notes.reopen();
  CHECK(notes.count() == kThreads * kEach);
}

TEST_CASE("storage: bodies that wait together all commit, SQLite's with one fsync") {
  Notes notes;
  std::vector<std::function<void()>> writers;
  for (std::int64_t id = 1; id <= 10; ++id) {
    writers.push_back([&notes, id] { notes.db().write([&](Tx& tx) { return insert(tx, id); }); });
  }
  write_together(notes.db(), writers);
  const std::vector<std::size_t> groups = notes.groups();
  CHECK(*std::max_element(groups.begin(), groups.end()) == (notes.is_sqlite() ? 10 : 1));
  CHECK(notes.count() == 10);
}

TEST_CASE("storage: a body that fails rolls back alone while its group mates commit") {
  Notes notes;
  Result<bool> refused = true;
  std::string thrown;
  bool is_constraint = false;
  const auto good = [&notes](std::int64_t id) {
    return [&notes, id] { notes.db().write([&](Tx& tx) { return insert(tx, id); }); };
  };
  write_together(notes.db(), {good(1),
                              [&] {
                                refused = with_tx(notes.db(), [](Tx& tx) -> Result<bool> {
                                  insert(tx, 2);
                                  return refuse(Code::conflict, "order_changed");
                                });
                              },
                              [&] {
                                try {
                                  notes.db().write([](Tx& tx) -> bool {
                                    insert(tx, 3);
                                    throw std::runtime_error("the body broke");
                                  });
                                } catch (const std::runtime_error& error) {
                                  thrown = error.what();
                                }
                              },
                              [&] {
                                try {
                                  notes.db().write([](Tx& tx) {
                                    insert(tx, 4);
                                    return insert(tx, 4);
                                  });
                                } catch (const SqlError& error) {
                                  is_constraint = error.is_constraint;
                                }
                              },
                              good(5)});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().reason == "order_changed");
  CHECK(thrown == "the body broke");
  CHECK(is_constraint);
  const std::vector<std::size_t> groups = notes.groups();
  CHECK(*std::max_element(groups.begin(), groups.end()) == (notes.is_sqlite() ? 5 : 1));
  notes.reopen();
  for (const auto& [id, kept] :
       {std::pair{1, true}, {2, false}, {3, false}, {4, false}, {5, true}}) {
    CAPTURE(id);
    CHECK(notes.has(id) == kept);
  }
}

TEST_CASE("storage: hints run after a commit only, and none of a body that rolled back") {
  Notes notes;
  std::atomic<int> kept{0};
  std::atomic<int> lost{0};
  notes.db().write([&](Tx& tx) {
    tx.after_commit([&lost] { ++lost; });
    return false;
  });
  std::promise<bool> seen;
  notes.db().write([&](Tx& tx) {
    insert(tx, 1);
    tx.after_commit([&] {
      ++kept;
      seen.set_value(notes.has(1));
    });
    CHECK(kept == 0);
    return true;
  });
  CHECK(seen.get_future().get());
  CHECK(lost == 0);
}

TEST_CASE("storage: a body runs under the trace of its caller, whichever thread runs it") {
  Notes notes;
  std::string seen = "none";
  {
    const base::TraceScope scope(TraceId("trace-1"));
    notes.db().write([&seen](Tx&) {
      seen = base::TraceScope::current().text;
      return true;
    });
  }
  CHECK(seen == "trace-1");
  notes.db().write([&seen](Tx&) {
    seen = base::TraceScope::current().text;
    return true;
  });
  CHECK(seen == "");
}

TEST_CASE("storage: a write inside a body is refused instead of waiting for itself") {
  Notes notes;
  CHECK_THROWS_AS(notes.db().write([&](Tx& tx) {
    insert(tx, 1);
    notes.db().write([](Tx&) { return true; });
    return true;
  }),
                  InvariantBroken);
  CHECK(notes.count() == 0);
  notes.db().write([](Tx& tx) { return insert(tx, 2); });
  CHECK(notes.count() == 1);
}

TEST_CASE("storage: a reader keeps its snapshot while others commit") {
  Notes notes;
  notes.db().write([](Tx& tx) { return insert(tx, 1); });
  const std::string_view count = "SELECT COUNT(*) FROM notes";
  std::array<std::int64_t, 2> seen{};
  std::int64_t id = 1;
  notes.db().read([&](Reader& reader) {
    for (std::int64_t& found : seen) {
      reader.query(count, {}, [&found](const Row& row) { found = row.integer(0); });
      ++id;
      notes.db().write([id](Tx& tx) { return insert(tx, id); });
    }
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(notes.count() == 3);
}

TEST_CASE("storage: a reader that throws gives its connection back and the next one works") {
  Notes notes;
  for (int i = 0; i < 20; ++i) {
    CHECK_THROWS_AS(notes.db().read([](Reader&) { throw std::runtime_error("reader broke"); }),
                    std::runtime_error);
  }
  CHECK(notes.count() == 0);
}

TEST_CASE("storage: values are bound by their number, not by their place in the text") {
  Notes notes;
  std::string text;
  notes.db().read([&text](Reader& reader) {
    reader.query("SELECT $2 || '-' || $1 || '-' || $2",
                 {std::string_view("one"), std::string_view("two")},
                 [&text](const Row& row) { text = row.text(0); });
  });
  CHECK(text == "two-one-two");
}

TEST_CASE("storage: text, blobs, numbers and NULL come back as they were given") {
  Notes notes;
  const std::string raw("a\0b\xFF'\"; DROP TABLE notes", 24);
  const std::string words = "a话费'\"; DROP TABLE notes $1 \\";
  notes.db().write([&](Tx& tx) {
    tx.exec("INSERT INTO notes (id, body, raw) VALUES ($1, $2, $3)",
            {INT64_MIN, nullptr, Blob{raw}});
    tx.exec("INSERT INTO notes (id, body, raw) VALUES ($1, $2, $3)",
            {INT64_MAX, std::string_view(words), nullptr});
    tx.exec("INSERT INTO notes (id, body, raw) VALUES ($1, $2, $3)",
            {std::int64_t{0}, std::string_view(), Blob{std::string_view()}});
    return true;
  });
  struct Found {
    std::int64_t id;
    bool body_null, raw_null;
    std::string body, raw;
  };
  std::vector<Found> found;
  notes.db().read([&found](Reader& reader) {
    reader.query("SELECT id, body, raw FROM notes ORDER BY id", {}, [&found](const Row& row) {
      found.push_back({row.integer(0), row.is_null(1), row.is_null(2), row.text(1), row.text(2)});
    });
  });
  REQUIRE(found.size() == 3);
  CHECK(found[0].id == INT64_MIN);
  CHECK(found[0].body_null);
  CHECK(found[0].body.empty());
  CHECK(found[0].raw == raw);
  CHECK_FALSE(found[1].body_null);
  CHECK_FALSE(found[1].raw_null);
  CHECK((found[1].body.empty() && found[1].raw.empty()));
  CHECK(found[2].id == INT64_MAX);
  CHECK(found[2].body == words);
  CHECK(found[2].raw_null);
}

TEST_CASE("storage: an engine error says whether a constraint refused the row") {
  Notes notes;
  const auto error_of = [&notes](std::string_view sql) {
    try {
      notes.db().write([sql](Tx& tx) { return tx.exec(sql, {}) >= 0; });
    } catch (const SqlError& error) {
      return std::string(error.is_constraint ? "constraint" : "other");
    }
    return std::string("none");
  };
  CHECK(error_of("INSERT INTO notes (id) VALUES (1)") == "none");
  CHECK(error_of("INSERT INTO notes (id) VALUES (1)") == "constraint");
  CHECK(error_of("INSERT INTO no_such_table (id) VALUES (1)") == "other");
}

TEST_CASE("storage: a statement works again after it was refused") {
  Notes notes;
  const auto put = [&notes](std::int64_t id) {
    notes.db().write([id](Tx& tx) { return insert(tx, id); });
  };
  put(1);
  CHECK_THROWS_AS(put(1), SqlError);
  CHECK_NOTHROW(put(2));
  CHECK(notes.count() == 2);
}

}  // namespace
}  // namespace topup::storage
