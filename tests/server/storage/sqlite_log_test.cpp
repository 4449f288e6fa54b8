// What the writer puts into SQLite's log goes there in few writes, and nobody can tell otherwise.
// What a power cut leaves of it is in power_loss_test.cpp, a disk that fails in
// orders/disk_points_test.cpp.
#include <doctest/doctest.h>
#include <errno.h>

#include <filesystem>
#include <string>

#include "server/storage/db.h"
#include "tests/support/disk.h"
#include "tests/support/scratch_shop.h"

namespace topup::storage {
namespace {

using testing::DiskCall;
using testing::DiskDeed;
using testing::DiskEar;
using testing::DiskFate;
using testing::ScratchFolder;

constexpr std::int64_t kNoteBytes = 3'000;  // about a page each

std::string folder_of(const ScratchFolder& folder) {
  return std::filesystem::path(folder.file("x")).parent_path().string();
}
std::string text_of(std::int64_t id) {
  return std::string(kNoteBytes, static_cast<char>('a' + id % 26));
}
void make_notes(Db& db) {
  db.write([](Tx& tx) {
    tx.script("CREATE TABLE notes (id BIGINT PRIMARY KEY, text TEXT NOT NULL)");
    return true;
  });
}
void add_notes(Tx& tx, std::int64_t from, std::int64_t to) {
  for (std::int64_t id = from; id < to; ++id)
    tx.exec("INSERT INTO notes VALUES ($1, $2)", {id, text_of(id)});
}
std::int64_t whole_notes(Reader& reader) {
  std::int64_t whole = 0;
  reader.query("SELECT id, text FROM notes", {}, [&whole](const Row& row) {
    whole += row.text(1) == text_of(row.integer(0)) ? 1 : 0;
  });
  return whole;
}
std::int64_t whole_notes(Db& db) {
  std::int64_t whole = 0;
  db.read([&whole](Reader& reader) { whole = whole_notes(reader); });
  return whole;
}
std::string integrity(Db& db) {
  std::string said;
  db.read([&said](Reader& reader) {
    reader.query("PRAGMA integrity_check", {}, [&said](const Row& row) { said = row.text(0); });
  });
  return said;
}

TEST_CASE(
    "storage: the pages of a commit are a few writes to the log, all of them before its sync") {
  ScratchFolder folder;
  const auto db = open_sqlite(folder.file("notes.db"));
  make_notes(*db);
  int writes = 0, syncs = 0, writes_after_sync = 0;
  std::size_t bytes = 0;
  {
    const DiskEar ear(folder_of(folder), "notes.db-wal", [&](const DiskCall& call) {
      if (call.deed == DiskDeed::sync) ++syncs;
      if (call.deed == DiskDeed::write) {
        ++writes;
        bytes += call.bytes.size();
        writes_after_sync += syncs > 0 ? 1 : 0;
      }
      return DiskFate{};
    });
    db->write([](Tx& tx) {
      add_notes(tx, 0, 100);
      return true;
    });
  }
  CHECK(bytes > 100 * kNoteBytes);
  CHECK(writes <= 6);  // 127 KB each; a page of its own each would be 200
  CHECK(syncs == 1);
  CHECK(writes_after_sync == 0);
  CHECK(whole_notes(*db) == 100);
}

TEST_CASE("storage: a body reads what did not fit into memory, and what it takes back is gone") {
  ScratchFolder folder;
  const auto db = open_sqlite(folder.file("notes.db"));
  make_notes(*db);
  constexpr std::int64_t kMany = 4'000;  // 12 MB; the engine keeps 2 MB
  for (const bool is_kept : {false, true}) {
    db->write([&](Tx& tx) {
      add_notes(tx, 0, kMany);
      CHECK(whole_notes(tx) == kMany);
      // Pages that are in the log already change once more: their place there is written anew.
      for (std::int64_t id = 0; id < kMany; id += 7) {
        tx.exec("UPDATE notes SET text = $2 WHERE id = $1", {id, std::string(kNoteBytes, '?')});
        tx.exec("UPDATE notes SET text = $2 WHERE id = $1", {id, text_of(id)});
      }
      CHECK(whole_notes(tx) == kMany);
      return is_kept;
    });
    CHECK(whole_notes(*db) == (is_kept ? kMany : 0));
    CHECK(integrity(*db) == "ok");
  }
}

TEST_CASE("storage: a log that cannot be written refuses the commit, and the next one is whole") {
  for (const int error : {ENOSPC, EIO}) {
    ScratchFolder folder;
    const std::string path = folder.file("notes.db");
    {
      const auto db = open_sqlite(path);
      make_notes(*db);
      {
        const DiskEar ear(folder_of(folder), "notes.db-wal", [&](const DiskCall& call) {
          return DiskFate{call.deed == DiskDeed::write ? error : 0};
        });
        CHECK_THROWS_AS(db->write([](Tx& tx) {
          add_notes(tx, 0, 50);
          return true;
        }),
                        SqlError);
      }
      CHECK(whole_notes(*db) == 0);
      db->write([](Tx& tx) {
        add_notes(tx, 50, 60);
        return true;
      });
      CHECK(whole_notes(*db) == 10);
    }
    const auto again = open_sqlite(path);
    CHECK(whole_notes(*again) == 10);
    CHECK(integrity(*again) == "ok");
  }
}

TEST_CASE("storage: a disk that takes less than it is given is given the rest") {
  ScratchFolder folder;
  const auto db = open_sqlite(folder.file("notes.db"));
  make_notes(*db);
  {
    const DiskEar ear(folder_of(folder), "notes.db-wal", [](const DiskCall& call) {
      return DiskFate{0, call.deed == DiskDeed::write ? 5'000 : -1};
    });
    db->write([](Tx& tx) {
      add_notes(tx, 0, 100);
      return true;
    });
  }
  CHECK(whole_notes(*db) == 100);
}

}  // namespace
}  // namespace topup::storage
