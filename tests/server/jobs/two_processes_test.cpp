// Two real processes on one PostgreSQL (threat O-07). The second one is this program again, running
// only the case below that it skips otherwise.
#include <doctest/doctest.h>
#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "server/base/random.h"
#include "server/jobs/worker.h"
#include "tests/support/scratch_shop.h"

extern char** environ;

namespace topup::jobs {
namespace {

constexpr std::int64_t kJobs = 2'000;
constexpr const char* kUrl = "TOPUP_TEST_O07_URL";
constexpr const char* kName = "TOPUP_TEST_O07_NAME";

std::int64_t count(storage::Db& db, std::string_view sql) {
  std::int64_t found = 0;
  db.read([&](storage::Reader& reader) {
    reader.query(sql, {}, [&found](const storage::Row& row) { found = row.integer(0); });
  });
  return found;
}

// skip: O-07: one of the two processes # the test below runs it as its child
TEST_CASE("O-07: one of the two processes" * doctest::skip()) {
  const char* url = std::getenv(kUrl);
  REQUIRE(url != nullptr);
  const std::string name = std::getenv(kName);
  const testing::QuietLog quiet;
  const base::SystemClock clock;
  base::SystemRandom random;
  const auto db = storage::open_postgres({url, ""}, 12, clock);
  Worker worker(*db, clock, random, {.threads = 8, .node = name});
  worker.handle("count", [&](const Job& job) {
    db->write([&](storage::Tx& tx) {  // what has left is not undone when the job is lost
      tx.exec("INSERT INTO submits (subject, node) VALUES ($1, $2)", {job.subject, name});
      return true;
    });
    (void)storage::with_tx(*db, [&](storage::Tx& tx) { return outbox::finish(tx, job); });
  });
  worker.start();
  for (int i = 0; i < 3'000 && count(*db, "SELECT COUNT(*) FROM outbox") > 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  worker.stop();
}

pid_t start_one(const std::string& name) {
  const std::string named = std::string(kName) + "=" + name;
  std::vector<char*> around = {const_cast<char*>(named.c_str())};
  for (char** one = environ; *one != nullptr; ++one) around.push_back(*one);
  around.push_back(nullptr);
  std::array<const char*, 5> words = {"topup_tests", "--no-skip", "--minimal",
                                      "--test-case=O-07: one of the two processes", nullptr};
  pid_t child = -1;
  REQUIRE(::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr,
                        const_cast<char**>(words.data()), around.data()) == 0);
  return child;
}

TEST_CASE("O-07: two processes on one PostgreSQL run each of 2,000 jobs exactly once") {
  if (!testing::ScratchShop::is_postgres()) return;
  testing::ScratchDatabase database(true);
  const base::SystemClock clock;
  const auto db = storage::open_postgres({database.url(), ""}, 4, clock);
  db->write([](storage::Tx& tx) {
    tx.script("CREATE TABLE submits (id BIGSERIAL PRIMARY KEY, subject TEXT NOT NULL, node TEXT)");
    for (std::int64_t i = 0; i < kJobs; ++i)
      outbox::enqueue(tx, "count", std::to_string(i), 1, 1, TraceId());
    return true;
  });
  ::setenv(kUrl, database.url().c_str(), 1);
  const std::array<pid_t, 2> children = {start_one("one"), start_one("two")};
  for (const pid_t child : children) {
    int status = -1;
    CHECK(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  ::unsetenv(kUrl);
  CHECK(count(*db, "SELECT COUNT(*) FROM outbox") == 0);
  CHECK(count(*db, "SELECT COUNT(*) FROM submits") == kJobs);
  CHECK(count(*db, "SELECT COUNT(DISTINCT subject) FROM submits") == kJobs);
  CHECK(count(*db, "SELECT COUNT(DISTINCT node) FROM submits") == 2);
}

}  // namespace
}  // namespace topup::jobs
