#include "server/jobs/schedule.h"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <string>

#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/seeded_random.h"
#include "tests/support/together.h"

namespace topup::jobs {
namespace {

constexpr std::int64_t kHour = 3'600'000;

// One node of a shop. Jobs run when the test says so: the worker only knows the handlers' kinds.
class Node {
 public:
  explicit Node(storage::Db& database, testing::ManualClock& clock_of_all)
      : db(database),
        clock(clock_of_all),
        worker(db, clock, random, {.threads = 1}),
        schedules(db, clock, random) {
    schedules.add(worker, {"sweep", "", kHour, 60'000}, [this](const Job&) {
      if (fails) throw std::runtime_error("no");
      ++runs;
    });
    schedules.add(worker, {"sync", "a", 6 * kHour, 0, true}, [this](const Job&) { ++syncs; });
  }
  storage::Db& db;
  testing::ManualClock& clock;
  testing::SeededRandom random{11};
  std::atomic<int> runs{0}, syncs{0};
  std::atomic<bool> fails{false};
  Worker worker;
  Schedules schedules;
};

class Clockwork {
 public:
  std::int64_t at(std::string_view kind) {
    return shop.integer("SELECT run_at_ms FROM outbox WHERE kind = $1", {kind});
  }
  bool wait_until_later(std::string_view kind, std::int64_t than) {
    for (int i = 0; i < 500; ++i) {
      if (shop.integer("SELECT COUNT(*) FROM outbox WHERE kind = $1 AND state = 'due' AND "
                       "run_at_ms > $2",
                       {kind, than}) == 1) {
        return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  testing::QuietLog quiet;
  testing::ManualClock clock;
  testing::ScratchShop shop;
};

TEST_CASE("schedule: planting twice, or on two nodes, makes one row of each") {
  Clockwork works;
  Node one(works.shop.db(), works.clock), two(works.shop.db(), works.clock);
  one.schedules.plant(true);
  const std::int64_t planned = works.at("sweep");
  CHECK(planned >= works.clock.wall_ms() + kHour);
  CHECK(planned <= works.clock.wall_ms() + kHour + 60'000);
  CHECK(works.at("sync") == works.clock.wall_ms());
  works.clock.advance(60'000);
  two.schedules.plant(true);
  CHECK(works.shop.integer("SELECT COUNT(*) FROM outbox") == 2);
  CHECK(works.at("sweep") == planned);
}

TEST_CASE(
    "schedule: one of two nodes runs it, and what was missed for a year is made up for once") {
  Clockwork works;
  Node one(works.shop.db(), works.clock), two(works.shop.db(), works.clock);
  one.schedules.plant(false);
  two.schedules.plant(false);
  works.clock.advance(365 * 24 * kHour);
  const std::int64_t now = works.clock.wall_ms();
  one.worker.start();
  two.worker.start();
  CHECK(works.wait_until_later("sweep", now));
  CHECK(works.wait_until_later("sync", now));
  CHECK(one.runs + two.runs == 1);
  CHECK(one.syncs + two.syncs == 1);
  CHECK(works.at("sweep") >= now + kHour);
  works.clock.advance(kHour + 60'000);
  one.worker.wake();
  two.worker.wake();
  CHECK(works.wait_until_later("sweep", works.clock.wall_ms()));
  CHECK(one.runs + two.runs == 2);
  one.worker.stop();
  two.worker.stop();
}

TEST_CASE("schedule: one that fails comes back within its period for ever, and is never buried") {
  Clockwork works;
  Node node(works.shop.db(), works.clock);
  node.fails = true;
  node.schedules.plant(false);
  node.worker.start();
  for (int failures = 0; failures < kMaxFailures + 3; ++failures) {
    const std::int64_t due = works.at("sweep");
    works.clock.advance_to(due);
    node.worker.wake();
    REQUIRE(works.wait_until_later("sweep", due));
    REQUIRE(works.at("sweep") <= works.clock.wall_ms() + kHour);
  }
  CHECK(works.shop.text("SELECT last_error FROM outbox WHERE kind = 'sweep'") == "no");
  node.fails = false;
  works.clock.advance_to(works.at("sweep"));
  node.worker.wake();
  CHECK(works.wait_until_later("sweep", works.clock.wall_ms()));
  CHECK(node.runs == 1);
  CHECK(works.shop.integer("SELECT attempts FROM outbox WHERE kind = 'sweep'") == 0);
  node.worker.stop();
}

TEST_CASE(
    "D-06: a schedule is pulled near when the clock was put back, and runs once when forward") {
  Clockwork works;
  Node node(works.shop.db(), works.clock);
  node.schedules.plant(false);
  works.clock.jump_wall(-10LL * 365 * 24 * kHour);
  node.schedules.plant(false);
  CHECK(works.at("sweep") <= works.clock.wall_ms() + kHour + 60'000);
  node.worker.start();
  works.clock.jump_wall(20LL * 365 * 24 * kHour);
  node.worker.wake();
  CHECK(works.wait_until_later("sweep", works.clock.wall_ms()));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  CHECK(node.runs == 1);
  node.worker.stop();
}

TEST_CASE("schedule: a row of an earlier configuration ends by itself") {
  Clockwork works;
  Node node(works.shop.db(), works.clock);
  works.shop.db().write([&](storage::Tx& tx) {
    outbox::enqueue(tx, "sync", "gone", 1, 1, TraceId());
    return true;
  });
  node.worker.start();
  for (int i = 0; i < 300 && works.shop.integer("SELECT COUNT(*) FROM outbox") > 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(works.shop.integer("SELECT COUNT(*) FROM outbox") == 0);
  CHECK(node.syncs == 0);
  node.worker.stop();
}

}  // namespace
}  // namespace topup::jobs
