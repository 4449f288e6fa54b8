// A shop's log of one attempt as the courses of a rehearsed supplier (feature F006): table,
// refusals, and what outlives a restart.
#include "server/rehearsal/replay.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "server/storage/db.h"
#include "tests/support/scratch_shop.h"

using namespace topup;
using namespace topup::rehearsal;
using base::Json;

namespace {

Json said(const char* operation, const char* outcome, const char* code, std::int64_t latency_ms,
          std::int64_t at_ms) {
  return {{"operation", operation},
          {"outcome", outcome},
          {"code", code},
          {"latency_ms", latency_ms},
          {"at_ms", at_ms}};
}
Json log_of(std::vector<Json> exchanges) {
  return {{"supplier", "dtone"}, {"attempt_id", "A1"}, {"exchanges", exchanges}};
}
std::vector<Course> courses(std::vector<Json> exchanges, int speed_percent = 100) {
  const auto read = courses_in(log_of(std::move(exchanges)), "dtone", speed_percent);
  REQUIRE(read.has_value());
  return *read;
}
std::string reason_of(const Json& log) {
  const auto read = courses_in(log, "dtone", 100);
  return read ? "" : std::string(read.error().reason);
}

}  // namespace

TEST_CASE("replay: F006: what was refused or put off is answered alike") {
  const auto refused = courses({said("submit", "rejected", "1005003", 120, 1'000)});
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].refusal == "1005003");
  CHECK(refused[0].holds_ms == 120);

  const auto without_word = courses({said("submit", "rejected", "", 120, 1'000)});
  REQUIRE(without_word.size() == 1);
  CHECK(without_word[0].refusal.empty());
  CHECK(without_word[0].end == "failed");
  CHECK(without_word[0].takes_ms == 0);
  CHECK(without_word[0].holds_ms == 120);

  const auto held = courses(
      {said("submit", "held", "not_sent", 0, 1'000), said("submit", "held", "1006001", 50, 9'000),
       said("submit", "accepted", "", 80, 20'000), said("query", "succeeded", "", 100, 23'000)});
  REQUIRE(held.size() == 3);
  CHECK(held[0].is_away);
  CHECK(held[1].refusal == "1006001");
  CHECK(held[2].end == "succeeded");
}

TEST_CASE("replay: F006: an order ends as it ended, between the two looks that tell") {
  // Sent at 920, looked at from 2,950 to 3,000 and from 8,900 to 9,000.
  const std::vector<Json> log = {
      said("query", "succeeded", "", 100, 9'000), said("submit", "accepted", "", 80, 1'000),
      said("query", "accepted", "", 50, 3'000), said("query", "unknown", "deadline", 50, 5'000)};
  const auto late = courses(log);
  REQUIRE(late.size() == 1);
  CHECK(late[0].takes_ms == (5'000 + 8'900) / 2 - 920);
  CHECK(late[0].end == "succeeded");
  CHECK(late[0].holds_ms == 80);
  CHECK_FALSE(late[0].is_dropped);
  CHECK(courses(log, 10)[0].takes_ms == late[0].takes_ms / 10);

  const auto failed = courses({said("submit", "accepted", "", 80, 1'000),
                               said("query", "rejected", "DECLINED-BARRED", 100, 9'000)});
  CHECK(failed[0].end == "failed");
  CHECK(failed[0].code == "DECLINED-BARRED");

  const auto at_once = courses({said("submit", "succeeded", "", 700, 1'000)});
  CHECK(at_once[0].takes_ms == 0);
  CHECK(at_once[0].holds_ms == 700);

  const auto open = courses({said("submit", "accepted", "", 80, 1'000)});
  CHECK(open[0].takes_ms == kStuckMs);
  CHECK(courses({said("submit", "accepted", "", 80, 1'000)}, 1)[0].takes_ms == kStuckMs);

  const auto reversed = courses({said("submit", "accepted", "", 80, 1'000),
                                 said("query", "succeeded", "", 100, 2'000),
                                 said("query", "rejected", "REVERSED", 100, 6'000)});
  CHECK(reversed[0].end == "succeeded");
  CHECK(reversed[0].reversed_after_ms == (5'900 - 2'000) / 2);
}

TEST_CASE("replay: F006: a lost answer is lost before or after its effect, as was found out") {
  const auto after = courses({said("submit", "unknown", "deadline", 15'000, 16'000),
                              said("query", "succeeded", "", 100, 20'000)});
  REQUIRE(after.size() == 1);
  CHECK(after[0].is_dropped);
  CHECK_FALSE(after[0].is_lost);

  const auto before = courses({said("submit", "unknown", "deadline", 15'000, 16'000),
                               said("query", "not_found", "", 100, 20'000)});
  CHECK(before[0].is_lost);
  const auto their_word = courses({said("submit", "unknown", "1009001", 150, 16'000),
                                   said("query", "not_found", "", 100, 20'000)});
  CHECK(their_word[0].refusal == "1009001");
}

TEST_CASE("replay: F006: what cannot be played again is refused in words") {
  CHECK(reason_of(Json("text")) == "replay_malformed");
  CHECK(reason_of({{"supplier", "dtone"}}) == "replay_malformed");
  Json other = log_of({said("submit", "accepted", "", 80, 1'000)});
  other["supplier"] = "juhe";
  CHECK(reason_of(other) == "replay_of_another_party");
  CHECK(reason_of(log_of({})) == "replay_empty");
  CHECK(reason_of(log_of({said("submit", "rejected", "cost_too_high", 0, 1'000)})) ==
        "replay_empty");
  CHECK(reason_of(log_of({said("query", "accepted", "", 80, 1'000)})) == "replay_empty");
  CHECK(reason_of(log_of({said("cancel", "accepted", "", 80, 1'000)})) == "replay_malformed");
  CHECK(reason_of(log_of({said("submit", "done", "", 80, 1'000)})) == "replay_malformed");
  CHECK(reason_of(log_of({said("submit", "accepted", "", -1, 1'000)})) == "replay_malformed");
  CHECK(reason_of(log_of(std::vector<Json>(
            kMaxReplayed + 1, said("query", "accepted", "", 80, 1'000)))) == "replay_malformed");
}

TEST_CASE("replay: F006: what waits is taken once, in order, and outlives a restart") {
  testing::ScratchFolder folder;
  const std::string path = folder.file("world.db");
  const Json log = log_of({said("submit", "held", "1006001", 50, 9'000),
                           said("submit", "unknown", "deadline", 80, 20'000),
                           said("query", "rejected", "DECLINED", 100, 23'000)});
  {
    const auto db = storage::open_sqlite(path);
    Replays replays(*db, "dtone");
    REQUIRE(replays.add(log, 100));
    CHECK(replays.waiting() == 2);
    CHECK(replays.take()->refusal == "1006001");
    CHECK(Replays(*db, "juhe").waiting() == 0);
  }
  const auto db = storage::open_sqlite(path);
  Replays replays(*db, "dtone");
  REQUIRE(replays.waiting() == 1);
  const auto last = replays.take();
  REQUIRE(last);
  CHECK(last->is_dropped);
  CHECK(last->end == "failed");
  CHECK(last->code == "DECLINED");
  CHECK_FALSE(replays.take());
  for (std::size_t i = 0; i < kMaxReplays / 2; ++i) REQUIRE(replays.add(log, 100));
  CHECK(replays.add(log, 100).error().reason == "too_many_replays");
  replays.clear();
  CHECK(replays.waiting() == 0);
  CHECK(Replays(*db, "dtone").waiting() == 0);
}
