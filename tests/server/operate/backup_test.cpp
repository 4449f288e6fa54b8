#include "server/operate/backup.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "server/audit/audit_log.h"
#include "server/ledger/ledger_store.h"
#include "server/operate/proof.h"
#include "server/operate/scheduled_backups.h"
#include "server/storage/migrate.h"
#include "server/storage/sqlite_file.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/seeded_random.h"

namespace topup::operate {
namespace {

namespace fs = std::filesystem;

const base::SystemClock kClock;
const Told kQuiet = [](std::string_view, std::int64_t, std::int64_t) {};

// A shop in a data folder, on the engine that the tests run on.
struct Trader {
  Trader() {
    fs::create_directories(data());
    std::ofstream(data() + "/topup.key") << std::string(64, 'a');
    if (testing::tests_run_on_postgres()) {
      database.emplace(false);
      storage::PostgresTarget target;
      target.url = database->url();
      db = storage::open_postgres(target, 8, kClock);
    } else {
      db = storage::open_sqlite(data() + "/topup.sqlite");
    }
    storage::migrate(*db, 1);
  }
  std::string data() const { return folder.file("shop"); }
  std::string backups() const { return folder.file("backups"); }
  void trade(int number) {
    db->write([number](storage::Tx& tx) {
      const std::string id = std::to_string(number);
      tx.exec("INSERT INTO users (user_id, created_at_ms) VALUES ($1, 1)", {"user-" + id});
      ledger::post(tx, ledger::payment_received("trade-" + id, {"wechat"}, fen(100 + number)),
                   OrderId("order-" + id), TraceId("trace-" + id), number);
      audit::append(tx, {"system", "order.paid", "order-" + id, "话费"}, TraceId(), number);
      return true;
    });
  }
  BackupOrder order() {
    return {data(), testing::tests_run_on_postgres() ? db.get() : nullptr, backups(), 0, false,
            "9.9.9"};
  }
  Backup backup() { return make_backup(order(), kClock, kQuiet); }
  std::string refusal(const std::string& from, const std::string& into = "fresh") {
    try {
      restore_backup(from, folder.file(into), kQuiet);
    } catch (const std::exception& failure) {
      return failure.what();
    }
    return "";
  }

  testing::ScratchFolder folder;
  std::optional<testing::ScratchDatabase> database;
  std::unique_ptr<storage::Db> db;
};

std::int64_t trades_in(const std::string& path) {
  std::int64_t found = 0;
  storage::open_sqlite_read_only(path)->read([&found](storage::Reader& reader) {
    reader.query("SELECT COUNT(*) FROM journals", {},
                 [&found](const storage::Row& row) { found = row.integer(0); });
  });
  return found;
}

TEST_CASE("D-11: a backup is whole, says what it holds, and brings the same shop back") {
  Trader trader;
  for (int i = 0; i < 30; ++i) trader.trade(i);
  const Backup made = trader.backup();
  CHECK(made.manifest.program == "9.9.9");
  CHECK(made.manifest.engine == trader.db->engine());
  CHECK(made.manifest.audit_rows == 30);
  CHECK_FALSE(made.manifest.has_keys);
  CHECK(backups_in(trader.backups()) == std::vector<std::string>{made.path});
  CHECK_FALSE(fs::exists(made.path + "/topup.key"));
  CHECK((fs::status(made.path + "/topup.sqlite").permissions() & fs::perms::others_read) ==
        fs::perms::none);

  const std::string into = trader.folder.file("restored");
  const Restored restored = restore_backup(made.path, into, kQuiet);
  CHECK(restored.manifest.audit_hash == made.manifest.audit_hash);
  CHECK(trades_in(into + "/topup.sqlite") == 30);
  // It is a shop again: it opens for writing, and nothing is left to migrate.
  const auto again = storage::open_sqlite(into + "/topup.sqlite");
  CHECK(storage::migrate(*again, 2) == 0);
  CHECK(prove(*again).wrong.empty());
  auto rows = prove(*again).rows;
  std::sort(rows.begin(), rows.end());  // as the manifest lists them
  CHECK(rows == restored.manifest.rows);
}

TEST_CASE("D-11: 20 backups beside a writer each hold all that was acknowledged before them") {
  Trader trader;
  std::atomic<int> acknowledged{0};
  std::atomic<bool> is_over{false};
  std::thread writer([&] {
    while (!is_over) {
      trader.trade(acknowledged);
      ++acknowledged;
    }
  });
  const int rounds = testing::tests_run_on_postgres() ? 4 : 20;
  std::int64_t last = 0;
  for (int round = 0; round < rounds; ++round) {
    const int before = acknowledged;
    const Backup made = trader.backup();
    const std::string into = trader.folder.file("restored-" + std::to_string(round));
    restore_backup(made.path, into, kQuiet);
    const std::int64_t found = trades_in(into + "/topup.sqlite");
    CHECK(found >= before);
    CHECK(found >= last);
    CHECK(found <= acknowledged + 1);
    last = found;
    fs::remove_all(into);
  }
  is_over = true;
  writer.join();
  CHECK(acknowledged > rounds);
  CHECK(backups_in(trader.backups()).size() == static_cast<std::size_t>(rounds));
}

TEST_CASE("D-11: a backup that was touched is refused with what is wrong with it") {
  Trader trader;
  for (int i = 0; i < 5; ++i) trader.trade(i);
  const std::string path = trader.backup().path;
  const auto with = [&](const std::function<void(const std::string&)>& harm) {
    const std::string copy = trader.folder.file("harmed");
    fs::remove_all(copy);
    fs::copy(path, copy, fs::copy_options::recursive);
    harm(copy);
    return trader.refusal(copy);
  };
  const auto says = [](const std::string& text, const std::string& part) {
    CHECK_MESSAGE(text.find(part) != std::string::npos, text);
  };
  says(with([](const std::string& at) {
         std::fstream file(at + "/topup.sqlite", std::ios::in | std::ios::out | std::ios::binary);
         file.seekp(5'000);
         file.put('!');
       }),
       "checksum differs");
  says(with([](const std::string& at) { fs::resize_file(at + "/topup.sqlite", 4'096); }),
       "checksum differs");
  says(with([](const std::string& at) { fs::remove(at + "/topup.sqlite"); }), "lacks topup.sqlite");
  says(with([](const std::string& at) { fs::remove(at + "/manifest.json"); }), "no whole backup");
  says(with([](const std::string& at) { fs::resize_file(at + "/manifest.json", 40); }),
       "not the manifest of a whole backup");
  says(with([](const std::string& at) {
         std::ifstream in(at + "/manifest.json");
         std::string text{std::istreambuf_iterator<char>(in), {}};
         const std::size_t found = text.find("\"topup.sqlite\"");
         text.replace(found, 14, "\"../secrets\"");
         std::ofstream(at + "/manifest.json") << text;
       }),
       "a file outside of it");
  says(trader.refusal(trader.backups()), "name one");
  CHECK(trader.refusal(path) == "");
}

TEST_CASE("D-11: only an empty folder takes a backup, and a failed restore leaves it empty") {
  Trader trader;
  trader.trade(1);
  const std::string path = trader.backup().path;
  const std::string into = trader.folder.file("fresh");
  fs::create_directories(into);
  std::ofstream(into + "/something") << "mine";
  CHECK(trader.refusal(path).find("is not empty") != std::string::npos);
  fs::remove(into + "/something");
  fs::create_directories(into + "/.restoring");  // as a restore leaves it that was killed
  std::ofstream(into + "/.restoring/topup.sqlite") << "half";
  std::ofstream(path + "/topup.sqlite", std::ios::app) << "more";
  CHECK(trader.refusal(path) != "");
  CHECK(fs::is_empty(into));
}

TEST_CASE("backup: the key goes along only when it was asked for") {
  Trader trader;
  trader.trade(1);
  BackupOrder order = trader.order();
  order.with_keys = true;
  const Backup made = make_backup(order, kClock, kQuiet);
  CHECK(made.manifest.has_keys);
  const std::string into = trader.folder.file("restored");
  const Restored restored = restore_backup(made.path, into, kQuiet);
  CHECK(restored.files.back() == into + "/topup.sqlite");
  CHECK(fs::exists(into + "/topup.key"));
  CHECK((fs::status(into + "/topup.key").permissions() &
         (fs::perms::group_all | fs::perms::others_all)) == fs::perms::none);
  fs::remove(trader.data() + "/topup.key");
  CHECK_THROWS_WITH(make_backup(order, kClock, kQuiet), doctest::Contains("no key file"));
  CHECK(backups_in(trader.backups()).size() == 1);
}

TEST_CASE(
    "D-11: what a killed restore had put in its place is taken up again, and nothing else is") {
  Trader trader;
  trader.trade(1);
  BackupOrder order = trader.order();
  order.with_keys = true;
  const Backup made = make_backup(order, kClock, kQuiet);
  const std::string into = trader.folder.file("halfway");
  fs::create_directories(into);
  fs::copy_file(made.path + "/topup.key", into + "/topup.key");
  CHECK_THROWS_WITH(restore_backup(made.path, into, kQuiet), doctest::Contains("not empty"));
  fs::create_directories(into + "/.restoring");
  std::ofstream(into + "/topup.key", std::ios::app) << "another";
  CHECK_THROWS_WITH(restore_backup(made.path, into, kQuiet), doctest::Contains("not empty"));
  CHECK(fs::exists(into + "/topup.key"));
  fs::copy_file(made.path + "/topup.key", into + "/topup.key",
                fs::copy_options::overwrite_existing);
  CHECK(restore_backup(made.path, into, kQuiet).files.back() == into + "/topup.sqlite");
  CHECK_FALSE(fs::exists(into + "/.restoring"));
}

TEST_CASE("backup: the oldest beyond the number to keep go, what is no backup stays") {
  Trader trader;
  trader.trade(1);
  fs::create_directories(trader.backups() + "/topup-notes");
  fs::create_directories(trader.backups() + "/.topup-partial-abc");
  BackupOrder order = trader.order();
  order.keep = 2;
  std::vector<std::string> made;
  for (int i = 0; i < 4; ++i) made.push_back(make_backup(order, kClock, kQuiet).path);
  CHECK(backups_in(trader.backups()) == std::vector<std::string>{made[2], made[3]});
  CHECK(fs::exists(trader.backups() + "/topup-notes"));
  CHECK_FALSE(fs::exists(trader.backups() + "/.topup-partial-abc"));
  CHECK(newest_backup_ms(trader.backups()) > 1'700'000'000'000);
}

TEST_CASE("backup: a shop whose books do not hold is told, and nothing takes a backup's name") {
  Trader trader;
  trader.trade(1);
  trader.db->write([](storage::Tx& tx) {
    tx.exec("UPDATE account_balances SET balance_minor = balance_minor + 1", {});
    return true;
  });
  CHECK_THROWS_WITH(trader.backup(), doctest::Contains("balance differs from its postings"));
  CHECK(backups_in(trader.backups()).empty());
  CHECK_THROWS(make_backup({trader.folder.file("nowhere"), nullptr, trader.backups(), 0, false, ""},
                           kClock, kQuiet));
}

TEST_CASE("backup: one that is told to stop leaves nothing") {
  Trader trader;
  for (int i = 0; i < 5; ++i) trader.trade(i);
  BackupOrder order = trader.order();
  order.stopping = [] { return true; };
  CHECK_THROWS(make_backup(order, kClock, kQuiet));
  CHECK(backups_in(trader.backups()).empty());
}

TEST_CASE("backup: the shop's own are made when they are due, one at a time") {
  Trader trader;
  trader.trade(1);
  std::atomic<int> good{0}, bad{0};
  ScheduledBackups own(trader.order(), kClock,
                       [&](bool is_good, std::int64_t, std::int64_t) { ++(is_good ? good : bad); });
  constexpr std::int64_t kHour = 3'600'000;
  CHECK(own.run_when_due(kHour) <= kHour);
  while (good + bad == 0) std::this_thread::yield();
  CHECK(good == 1);
  CHECK(own.run_when_due(kHour) > kHour / 2);  // the one before is fresh
  own.stop();
  CHECK(backups_in(trader.backups()).size() == 1);
  own.run_when_due(0);
  CHECK(good + bad == 1);
}

// ---- beside the owner of the file

TEST_CASE("D-04: what reads beside the shop changes no byte of its files") {
  if (testing::tests_run_on_postgres()) return;
  Trader trader;
  for (int i = 0; i < 50; ++i) trader.trade(i);
  const auto bytes_of = [&](const std::string& name) {
    std::ifstream in(trader.data() + name, std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(in), {}};
  };
  const std::string file = bytes_of("/topup.sqlite"), wal = bytes_of("/topup.sqlite-wal");
  CHECK(wal.size() > 4'096);
  trader.backup();
  const auto looker = storage::open_sqlite_read_only(trader.data() + "/topup.sqlite");
  CHECK(prove(*looker).wrong.empty());
  CHECK_THROWS_AS(looker->write([](storage::Tx&) { return true; }), storage::SqlError);
  CHECK(bytes_of("/topup.sqlite") == file);
  CHECK(bytes_of("/topup.sqlite-wal") == wal);
}

// ---- bit rot

std::string ledger_of(const std::string& path) {
  std::string all;
  storage::open_sqlite_read_only(path)->read([&all](storage::Reader& reader) {
    for (const char* sql :
         {"SELECT journal_id || '|' || line || '|' || account || '|' || amount_minor || '|' ||"
          " amount_currency FROM postings NOT INDEXED ORDER BY rowid",
          "SELECT seq || '|' || at_ms || '|' || actor || '|' || action || '|' || subject || '|' ||"
          " detail || '|' || trace_id || '|' || previous_hash || '|' || hash FROM audit_log NOT "
          "INDEXED ORDER BY rowid",
          "SELECT journal_id || '|' || template || '|' || subject || '|' || order_id FROM journals "
          "NOT INDEXED ORDER BY rowid"}) {
      reader.query(sql, {}, [&all](const storage::Row& row) { all += row.text(0) + "\n"; });
    }
  });
  return all;
}

TEST_CASE("D-14: of 1,000 flipped bits none that changes the books or the trail goes unseen") {
  if (testing::tests_run_on_postgres()) return;
  Trader trader;
  for (int i = 0; i < 40; ++i) trader.trade(i);
  const std::string path = trader.backup().path + "/topup.sqlite";
  std::ifstream in(path, std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  const std::string before = ledger_of(path);
  // Where texts of the books and the trail lie, in tables and indexes.
  std::vector<std::size_t> places;
  for (const char* part :
       {"payment:trade-", "trade-", "asset.", "order.paid", "order-", "liability."}) {
    for (std::size_t at = whole.find(part); at != std::string::npos;
         at = whole.find(part, at + 1)) {
      for (std::size_t i = 0; i < 16; ++i) places.push_back(at + i);
    }
  }
  REQUIRE(places.size() > 1'000);
  testing::SeededRandom random(14);
  const std::string harmed = trader.folder.file("harmed.sqlite");
  std::ofstream(harmed, std::ios::binary) << whole;
  int effective = 0, unseen = 0;
  for (int i = 0; i < 1'000; ++i) {
    const std::size_t at =
        places[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(places.size())))];
    const char flipped = static_cast<char>(whole[at] ^ (1 << random.below(8)));
    const auto put = [&harmed, at](char c) {
      std::fstream file(harmed, std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(static_cast<std::streamoff>(at));
      file.put(c);
    };
    put(flipped);
    bool is_changed = true, is_seen = true;
    try {
      is_changed = ledger_of(harmed) != before;
      is_seen = !prove(*storage::open_sqlite_read_only(harmed)).wrong.empty();
    } catch (const storage::SqlError&) {  // so broken that it cannot be read: seen
    }
    effective += is_changed ? 1 : 0;
    unseen += is_changed && !is_seen ? 1 : 0;
    put(whole[at]);
  }
  CHECK(effective > 300);
  MESSAGE("figure D-14: " << effective << " harmful bits of 1,000 flipped, " << unseen
                          << " unseen");
  CHECK(unseen == 0);
}

}  // namespace
}  // namespace topup::operate
