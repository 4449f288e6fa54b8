#include "server/jobs/node_roll.h"

#include <doctest/doctest.h>

#include "server/jobs/node_roll_store.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"

namespace topup::jobs {
namespace {

TEST_CASE("nodes: each one counts all that live, and one that is killed no longer after a while") {
  const testing::QuietLog quiet;
  testing::ManualClock clock;
  testing::ScratchShop shop;
  NodeRoll one(shop.db(), clock, "one", "1"), two(shop.db(), clock, "two", "2"),
      three(shop.db(), clock, "three", "3");
  CHECK(one.beat() == 1);
  CHECK(two.beat() == 2);
  CHECK(three.beat() == 3);
  CHECK(one.beat() == 1);  // it looks again only when it is time to
  clock.advance(NodeRoll::kBeatMs);
  CHECK(one.beat() == 3);

  three.leave();
  clock.advance(NodeRoll::kBeatMs);
  CHECK(one.beat() == 2);
  CHECK(two.beat() == 2);

  std::int64_t waited = 0;  // two is killed
  while (one.beat() == 2) {
    clock.advance(NodeRoll::kBeatMs);
    waited += NodeRoll::kBeatMs;
    REQUIRE(waited < 2 * NodeRoll::kGoneMs);
  }
  CHECK(waited >= NodeRoll::kGoneMs - NodeRoll::kBeatMs);
  CHECK(two.beat() == 2);
  clock.advance(NodeRoll::kBeatMs);
  CHECK(one.beat() == 2);
}

TEST_CASE("nodes: clocks that differ by hours neither hide a node nor keep a dead one") {
  const testing::QuietLog quiet;
  testing::ManualClock here, there;
  there.advance(20LL * 3'600'000);
  testing::ScratchShop shop;
  NodeRoll one(shop.db(), here, "one", "1"), ahead(shop.db(), there, "ahead", "2");
  CHECK(ahead.beat() == 1);
  CHECK(one.beat() == 2);
  for (int i = 0; i < 10; ++i) {
    here.advance(NodeRoll::kBeatMs);
    there.advance(NodeRoll::kBeatMs);
    CHECK(one.beat() == 2);
    CHECK(ahead.beat() == (i == 0 ? 1 : 2));  // it looks dead until it has moved
  }
  here.advance(NodeRoll::kBeatMs);
  CHECK(one.beat() == 2);
  here.advance(NodeRoll::kGoneMs);
  CHECK(one.beat() == 1);
}

TEST_CASE("nodes: what a killed process had begun is known to have ended once its node is back") {
  const testing::QuietLog quiet;
  testing::ManualClock clock;
  testing::ScratchShop shop;
  const auto is_gone = [&](std::string_view process) {
    bool gone = false;
    shop.db().read([&](storage::Reader& reader) {
      gone = node_roll_store::is_gone(reader, process, clock.wall_ms() - NodeRoll::kGoneMs);
    });
    return gone;
  };
  NodeRoll before(shop.db(), clock, "one", "1"), after(shop.db(), clock, "one", "2");
  (void)before.beat();
  CHECK_FALSE(is_gone("1"));
  CHECK_FALSE(is_gone("unknown"));
  CHECK(after.beat() == 1);
  CHECK(is_gone("1"));
  CHECK_FALSE(is_gone("2"));
  clock.advance(NodeRoll::kGoneMs);
  CHECK(is_gone("2"));
}

}  // namespace
}  // namespace topup::jobs
