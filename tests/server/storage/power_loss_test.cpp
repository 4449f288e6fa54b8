// D-04: the power fails, or a log is torn, at any moment of a shop's life on SQLite. A recorded
// history of its writes and syncs is cut, what was not synced is kept, lost or torn sector by
// sector, and the program's own store opens what is left.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "server/audit/audit_log.h"
#include "server/jobs/outbox.h"
#include "server/ledger/ledger_store.h"
#include "server/ledger/posting.h"
#include "server/storage/db.h"
#include "server/storage/migrate.h"
#include "tests/support/disk.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/seeded_random.h"

namespace topup::storage {
namespace {

using testing::Disk;
using testing::DiskCall;
using testing::DiskDeed;
using testing::DiskEar;
using testing::DiskFate;
using testing::DiskStep;
using testing::ScratchFolder;

// The lives of the recorded shop, in payments: short ones, which end with the log folded into the
// file, and one in which the store tidies its log while it works and begins it anew.
constexpr std::array kLives = {4, 6, 3, 5, 4, 6, 70};
constexpr int kReadWholeEvery = 25;  // of the images; the others are read by their sums
constexpr std::size_t kTornSectors = 500;

int losses_wanted() {  // TOPUP_POWER_LOSSES=1000000 for a night
  const char* wanted = std::getenv("TOPUP_POWER_LOSSES");
  return wanted != nullptr ? std::atoi(wanted) : 5'000;
}

std::string folder_of(const std::string& file) { return file.substr(0, file.rfind('/')); }

std::string bytes_of_file(const std::string& path) {
  std::string bytes;
  FILE* file = std::fopen(path.c_str(), "rb");
  REQUIRE(file != nullptr);
  std::array<char, 65'536> part{};
  for (std::size_t got = 0; (got = std::fread(part.data(), 1, part.size(), file)) > 0;)
    bytes.append(part.data(), got);
  std::fclose(file);
  return bytes;
}

// What a shop writes when money comes in: books, trail and the job that follows.
void pay(Db& db, int number) {
  const std::string subject = std::to_string(number);
  db.write([&](Tx& tx) {
    ledger::post(tx, ledger::payment_received(subject, {"wechat"}, fen(100)), OrderId(subject),
                 TraceId(), 1);
    audit::append(tx, {"system", "order.paid", subject, ""}, TraceId(), 1);
    jobs::outbox::enqueue(tx, "submit", subject, 1, 1, TraceId());
    return true;
  });
}

// The tables that money needs, so that thousands of images are opened in seconds.
void keep_only_money(Db& db) {
  static const std::set<std::string> kNeeded = {
      "journals",  "postings",   "ledger_head",      "outbox",
      "audit_log", "audit_head", "account_balances", "schema_migrations"};
  std::vector<std::string> others;
  db.read([&](Reader& reader) {
    reader.query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
                 {}, [&](const Row& row) {
                   if (!kNeeded.contains(row.text(0))) others.push_back(row.text(0));
                 });
  });
  for (const std::string& table : others) {
    db.write([&](Tx& tx) {
      tx.script("PRAGMA defer_foreign_keys=ON; DROP TABLE \"" + table + "\"");
      return true;
    });
  }
}

void give_back_free_pages(const std::string& path) {
  sqlite3* file = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &file) == SQLITE_OK);
  CHECK(sqlite3_exec(file, "VACUUM", nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(file);
}

// A shop's file as it lies there between two lives, and every call of the life that follows.
struct History {
  std::string base;
  std::vector<DiskStep> steps;  // a mark for each payment that was acknowledged

  explicit History(std::span<const int> lives) {
    ScratchFolder folder;
    const std::string path = folder.file("topup.db");
    {
      const auto db = open_sqlite(path);
      migrate(*db, 1);
      keep_only_money(*db);
    }
    give_back_free_pages(path);
    base = bytes_of_file(path);
    std::mutex mutex;  // the store tidies its log beside the thread that was answered
    const DiskEar ear(folder_of(path), "topup.db", [&](const DiskCall& call) {
      const std::lock_guard hold(mutex);
      steps.push_back({call.deed, call.file, call.offset, std::string(call.bytes)});
      return DiskFate{};
    });
    int number = 0;
    for (const int payments : lives) {
      const auto db = open_sqlite(path);
      for (const int end = number + payments; number < end; ++number) {
        pay(*db, number);
        const std::lock_guard hold(mutex);
        steps.push_back({DiskDeed::sync, "", 0, "", number});
      }
    }
  }
  Disk fresh() const {
    Disk disk;
    disk.put("topup.db", base);
    return disk;
  }
};

const History& history() {
  static const History recorded(kLives);
  return recorded;
}
// Its log only grows.
const History& long_life() {
  static constexpr std::array kOne = {12};
  static const History recorded(kOne);
  return recorded;
}

struct Verdict {
  std::string wrong;  // "" when it holds
  std::int64_t kept = 0;
};

// One statement tells all of an image that its sums can tell.
constexpr const char* kSums =
    "SELECT (SELECT COUNT(*) FROM journals),"
    " (SELECT COALESCE(MAX(CAST(subject AS BIGINT)) + 1, 0) FROM journals),"
    " (SELECT COUNT(*) FROM postings), (SELECT COALESCE(SUM(amount_minor), 0) FROM postings),"
    " (SELECT COUNT(*) FROM outbox), (SELECT COUNT(*) FROM audit_log),"
    " (SELECT integrity_check FROM pragma_integrity_check(1))";

// Payments were made one after the other, so what is kept must be the first so many, whole.
void judge_sums(const std::function<std::int64_t(int)>& number, const std::string& integrity,
                Verdict* verdict) {
  verdict->kept = number(0);
  if (number(1) != verdict->kept) verdict->wrong += "one is missing before the last; ";
  if (number(2) != 2 * verdict->kept) verdict->wrong += "half a journal; ";
  if (number(3) != 0) verdict->wrong += "the postings do not sum to zero; ";
  if (number(4) != verdict->kept) verdict->wrong += "a payment without its job; ";
  if (number(5) != verdict->kept) verdict->wrong += "a payment without its audit row; ";
  if (integrity != "ok") verdict->wrong += integrity + "; ";
}

// As a start of the shop does.
void open_as_shop(const std::string& path, Verdict* verdict) {
  const auto db = open_sqlite(path);
  db->read([&](Reader& reader) {
    reader.query(kSums, {}, [&](const Row& row) {
      judge_sums([&row](int column) { return row.integer(column); }, row.text(6), verdict);
    });
    for (const std::string& line : ledger::verify(reader)) verdict->wrong += line + "; ";
    if (!audit::verify(reader).holds) verdict->wrong += "the chain is broken; ";
  });
}

// By the engine alone, which recovers the log in the same way: several times as quick.
void open_by_engine(const std::string& path, Verdict* verdict) {
  sqlite3* file = nullptr;
  sqlite3_stmt* sums = nullptr;
  int code = sqlite3_open_v2(path.c_str(), &file, SQLITE_OPEN_READWRITE, nullptr);
  if (code == SQLITE_OK) {
    sqlite3_db_config(file, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sqlite3_exec(file, "PRAGMA locking_mode=EXCLUSIVE", nullptr, nullptr, nullptr);
    code = sqlite3_prepare_v2(file, kSums, -1, &sums, nullptr);
  }
  if (code == SQLITE_OK && sqlite3_step(sums) == SQLITE_ROW) {
    const auto* integrity = reinterpret_cast<const char*>(sqlite3_column_text(sums, 6));
    judge_sums([sums](int column) { return sqlite3_column_int64(sums, column); },
               integrity != nullptr ? integrity : "no word about its integrity", verdict);
  } else {
    verdict->wrong += sqlite3_errmsg(file);
  }
  sqlite3_finalize(sums);
  sqlite3_close(file);
}

Verdict open_image(const ScratchFolder& folder, const std::map<std::string, std::string>& image,
                   bool as_shop) {
  const std::string path = folder.file("topup.db");
  testing::lay_out(image, folder_of(path));
  Verdict verdict;
  try {
    as_shop ? open_as_shop(path, &verdict) : open_by_engine(path, &verdict);
  } catch (const std::exception& failure) {
    verdict.wrong += failure.what();
  }
  return verdict;
}

struct Lost {
  int images = 0, broken = 0, with_losses = 0;
  std::int64_t acknowledged = 0, lost = 0;
  std::string first_wrong;
};

// So many moments, as steps before which the power goes. A long log takes long to recover, so its
// moments are drawn less often.
std::map<std::size_t, int> draw_moments(int cuts, testing::SeededRandom* random) {
  constexpr std::int64_t kShortLog = 64 * 1'024;
  std::vector<std::int64_t> log_before;
  std::int64_t log = 0;
  for (const DiskStep& step : history().steps) {
    log_before.push_back(log);
    if (step.mark >= 0 || step.file != "topup.db-wal") continue;
    if (step.deed == DiskDeed::write) log = std::max(log, step.offset + std::ssize(step.bytes));
    if (step.deed == DiskDeed::truncate) log = step.offset;
    if (step.deed == DiskDeed::remove) log = 0;
  }
  std::map<std::size_t, int> at;
  for (int drawn = 0; drawn < cuts;) {
    const auto step = static_cast<std::size_t>(random->below(std::ssize(log_before)));
    if (random->below(kShortLog + log_before[step]) >= kShortLog) continue;
    ++at[step];
    ++drawn;
  }
  return at;
}

// So many power cuts, each at a drawn moment.
Lost cut_power(int cuts, std::uint64_t seed, bool syncs_lie) {
  testing::SeededRandom random(seed);
  const std::map<std::size_t, int> at = draw_moments(cuts, &random);
  Disk disk = history().fresh();
  if (syncs_lie) disk.believe_no_sync();
  const ScratchFolder folder;
  Lost lost;
  std::int64_t acknowledged = 0;
  for (std::size_t step = 0; step < history().steps.size(); ++step) {
    for (int cut = 0; cut < (at.contains(step) ? at.at(step) : 0); ++cut) {
      // One world keeps nearly all of it, another hardly any.
      const std::int64_t keeps = random.below(101);
      const std::int64_t tears = random.below(30);
      const auto image = disk.after_power_loss([&] {
        return random.percent(keeps) ? 0 : random.percent(tears) ? 2 : 1;
      });
      const Verdict found = open_image(folder, image, lost.images++ % kReadWholeEvery == 0);
      lost.broken += found.wrong.empty() ? 0 : 1;
      if (lost.first_wrong.empty() && !found.wrong.empty())
        lost.first_wrong = "before step " + std::to_string(step) + ": " + found.wrong;
      const std::int64_t missing = std::max<std::int64_t>(0, acknowledged - found.kept);
      lost.with_losses += missing > 0 ? 1 : 0;
      lost.lost += missing;
      lost.acknowledged += acknowledged;
    }
    if (history().steps[step].mark >= 0) ++acknowledged;
    disk.apply(history().steps[step]);
  }
  return lost;
}

TEST_CASE("D-04: what was acknowledged is there after any power cut, and nothing is broken") {
  if (testing::tests_run_on_postgres()) return;  // it is about SQLite's files
  const testing::QuietLog quiet;
  const Lost lost = cut_power(losses_wanted(), 20261122, false);
  CHECK(lost.images == losses_wanted());
  CHECK_MESSAGE(lost.broken == 0, lost.first_wrong);
  CHECK(lost.lost == 0);
  MESSAGE("figure D-04: " << lost.images << " power losses, " << lost.acknowledged
                          << " acknowledged payments looked for, " << lost.lost << " lost, "
                          << lost.broken << " broken stores");
}

TEST_CASE(
    "D-04: the same power cuts on a disk that lies about its syncs lose something: the proof sees "
    "it") {
  if (testing::tests_run_on_postgres()) return;
  const testing::QuietLog quiet;
  const Lost lost = cut_power(150, 7, true);
  CHECK(lost.with_losses > 50);
  MESSAGE("figure D-04: control, a disk that lies: " << lost.with_losses << " of " << lost.images
                                                     << " power losses lose something");
}

TEST_CASE("D-04: a log cut short or torn at any sector opens to the payments before that place") {
  if (testing::tests_run_on_postgres()) return;
  const testing::QuietLog quiet;
  // The first payments, until their log has as many sectors as the proof wants.
  Disk disk = long_life().fresh();
  std::vector<std::pair<std::size_t, std::int64_t>> ends;  // length of the log → payments then
  std::size_t length = 0;
  for (const DiskStep& step : long_life().steps) {
    if (step.mark >= 0) ends.emplace_back(length, step.mark + 1);
    if (length >= kTornSectors * Disk::kSector && step.mark >= 0) break;
    disk.apply(step);
    if (step.file != "topup.db-wal") continue;
    if (step.deed == DiskDeed::write)
      length = static_cast<std::size_t>(step.offset) + step.bytes.size();
  }
  const std::map<std::string, std::string> whole = disk.after_kill();
  REQUIRE(length >= kTornSectors * Disk::kSector);
  REQUIRE(whole.at("topup.db-wal").size() == length);  // it has only grown
  const ScratchFolder folder;
  int images = 0, broken = 0, wrong_end = 0;
  std::string first_wrong;
  for (const bool is_torn : {false, true}) {
    for (std::size_t at = 0; at < kTornSectors * Disk::kSector; at += Disk::kSector) {
      auto image = whole;
      std::string& log = image["topup.db-wal"];
      if (is_torn) {
        for (std::size_t i = at; i < std::min(at + Disk::kSector, log.size()); ++i)
          log[i] = static_cast<char>(log[i] ^ 0x5A);
      } else {
        log.resize(at);
      }
      std::int64_t least = 0;
      for (const auto& [end, payments] : ends)
        if (end <= at) least = payments;
      const Verdict found = open_image(folder, image, images++ % kReadWholeEvery == 0);
      broken += found.wrong.empty() ? 0 : 1;
      if (first_wrong.empty()) first_wrong = found.wrong;
      wrong_end += found.kept >= least && found.kept <= least ? 0 : 1;
    }
  }
  CHECK(images >= 998);
  CHECK_MESSAGE(broken == 0, first_wrong);
  CHECK(wrong_end == 0);
  MESSAGE("figure D-04: " << images << " torn logs, " << broken << " broken stores, " << wrong_end
                          << " that end elsewhere than at the tear");
}

}  // namespace
}  // namespace topup::storage
