// What SQLite alone does: one file, one process. What both engines promise is in db_test.cpp.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "server/storage/db.h"
#include "tests/support/scratch_shop.h"

namespace topup::storage {
namespace {

using testing::ScratchFolder;

TEST_CASE("storage: one process owns the file; a second opening is refused until the first ends") {
  ScratchFolder folder;
  const std::string path = folder.file("one.db");
  {
    const auto first = open_sqlite(path);
    CHECK_THROWS_WITH_AS(open_sqlite(path), doctest::Contains("another process"), SqlError);
  }
  CHECK_NOTHROW(open_sqlite(path));
}

TEST_CASE("storage: a file that cannot be opened is told with its name") {
  ScratchFolder folder;
  const std::string path = folder.file("no-such-folder/one.db");
  CHECK_THROWS_WITH_AS(open_sqlite(path), doctest::Contains(path.c_str()), SqlError);
}

TEST_CASE("storage: the log of the engine is folded into the file when it closes") {
  ScratchFolder folder;
  const std::string path = folder.file("notes.db");
  {
    const auto db = open_sqlite(path);
    db->write([](Tx& tx) {
      tx.script("CREATE TABLE notes (id BIGINT PRIMARY KEY)");
      return true;
    });
    for (std::int64_t id = 1; id <= 200; ++id) {
      db->write([id](Tx& tx) { return tx.exec("INSERT INTO notes VALUES ($1)", {id}) == 1; });
    }
  }
  CHECK(std::filesystem::file_size(path) > 0);
  CHECK_FALSE(std::filesystem::exists(path + "-wal"));
  std::int64_t count = 0;
  open_sqlite(path)->read([&count](Reader& reader) {
    reader.query("SELECT COUNT(*) FROM notes", {},
                 [&count](const Row& row) { count = row.integer(0); });
  });
  CHECK(count == 200);
}

TEST_CASE(
    "storage: the log is folded in while it works, by its length, and what a reader held back "
    "later") {
  constexpr std::int64_t kBodyBytes = 600'000;  // about 150 pages
  constexpr std::uintmax_t kLogBytes = 10'000'000, kHeldBytes = 25'000'000;
  ScratchFolder folder;
  const std::string path = folder.file("notes.db");
  const auto db = open_sqlite(path);
  db->write([](Tx& tx) {
    tx.script("CREATE TABLE notes (body BLOB NOT NULL)");
    return true;
  });
  const std::string body(kBodyBytes, 'x');
  const auto add = [&] {
    db->write([&](Tx& tx) { return tx.exec("INSERT INTO notes VALUES ($1)", {Blob{body}}) == 1; });
    return std::filesystem::file_size(path + "-wal");
  };
  std::uintmax_t most = 0;
  for (int i = 0; i < 50; ++i) most = std::max(most, add());
  CHECK(most < kLogBytes);

  db->read([&](Reader& reader) {
    reader.query("SELECT COUNT(*) FROM notes", {}, [](const Row&) {});
    for (int i = 0; i < 60; ++i) most = std::max(most, add());
  });
  CHECK(most > kHeldBytes);
  std::uintmax_t last = most;
  for (int i = 0; i < 30; ++i) last = add();
  CHECK(last < kLogBytes);
}

TEST_CASE("storage: a table that a refused body made is gone, although the engine counts no row") {
  ScratchFolder folder;
  const auto db = open_sqlite(folder.file("notes.db"));
  db->write([](Tx& tx) {
    tx.exec("CREATE TABLE notes (id BIGINT PRIMARY KEY)", {});
    return false;
  });
  int tables = -1;
  db->read([&tables](Reader& reader) {
    tables = reader.query("SELECT 1 FROM sqlite_master", {}, [](const Row&) {});
  });
  CHECK(tables == 0);
}

TEST_CASE("storage: when every reader is in use, the next caller is told soon, not never") {
  ScratchFolder folder;
  const auto db = open_sqlite(folder.file("busy.db"));
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  std::atomic<int> holding{0};
  std::vector<std::thread> holders;
  for (int i = 0; i < 8; ++i) {
    holders.emplace_back([&] {
      db->read([&](Reader&) {
        ++holding;
        released.wait();
      });
    });
  }
  while (holding < 8) std::this_thread::yield();
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

}  // namespace
}  // namespace topup::storage
