#include "server/jobs/job_desk.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "server/jobs/outbox.h"
#include "tests/support/scratch_shop.h"

namespace topup::jobs {
namespace {

constexpr std::int64_t kNow = 1'795'219'200'000;

class Desk {
 public:
  void enqueue(const std::string& subject, std::int64_t at = kNow) {
    shop.db().write([&](storage::Tx& tx) {
      outbox::enqueue(tx, "submit", subject, at, kNow - 5, TraceId("t1"));
      return true;
    });
  }
  void bury(const std::string& subject, std::int64_t at) {
    enqueue(subject);
    shop.db().write([&](storage::Tx& tx) {
      const auto claimed = outbox::claim(tx, at, at + 90'000, 1, "");
      return outbox::bury(tx, claimed.at(0), "no line to 13800138000").has_value();
    });
  }
  Result<std::vector<JobView>> list(std::string_view state, std::string_view cursor = "",
                                    std::int64_t limit = 50) {
    Result<std::vector<JobView>> found = std::vector<JobView>();
    shop.db().read(
        [&](storage::Reader& reader) { found = job_desk::list(reader, state, cursor, limit); });
    return found;
  }
  testing::ScratchShop shop;
};

std::string subjects(const Result<std::vector<JobView>>& jobs) {
  std::string all;
  for (const JobView& job : jobs.value()) all += job.subject + " ";
  return all;
}

TEST_CASE("job desk: what was given up is listed latest first, with why, and page by page") {
  Desk desk;
  desk.bury("a", kNow + 1);
  desk.bury("b", kNow + 3);
  desk.bury("c", kNow + 2);
  desk.enqueue("waits", kNow + 60'000);
  const auto dead = desk.list("dead");
  CHECK(subjects(dead) == "b c a ");
  const JobView& job = dead->front();
  CHECK(job.job_id == "submit:b");
  CHECK(job.state == "dead");
  CHECK(job.attempts == 1);
  CHECK(job.created_at_ms == kNow - 5);
  CHECK(job.last_tried_at_ms == kNow + 3);
  CHECK(job.last_failure == "no line to #");
  CHECK(job.trace_id == "t1");
  const auto first = desk.list("dead", "", 2);
  CHECK(subjects(first) == "b c ");
  CHECK(subjects(desk.list("dead", first->back().cursor, 2)) == "a ");
  CHECK(subjects(desk.list("waiting")) == "waits ");
  CHECK(subjects(desk.list("running")).empty());
  CHECK(desk.list("")->size() == 4);
}

TEST_CASE(
    "job desk: pages of equal times lose and repeat nothing, and a strange cursor is refused") {
  Desk desk;
  for (int i = 0; i < 25; ++i) desk.enqueue(std::to_string(100 + i), kNow + i / 10);
  std::string all, cursor;
  for (int page = 0; page < 30; ++page) {
    const auto found = desk.list("waiting", cursor, 4);
    all += subjects(found);
    if (found->size() < 4) break;
    cursor = found->back().cursor;
  }
  std::string wanted;
  for (int i = 0; i < 25; ++i) wanted += std::to_string(100 + i) + " ";
  CHECK(all == wanted);
  for (const char* strange : {"x", "12", ".a", "99999999999999999999.a"})
    CHECK(desk.list("waiting", strange).error().reason == "cursor_malformed");
}

TEST_CASE("job desk: only what was given up is tried again or discarded") {
  Desk desk;
  desk.bury("a", kNow);
  desk.bury("b", kNow);
  desk.enqueue("waits", kNow + 60'000);
  const auto act = [&](auto&& body) { return storage::with_tx(desk.shop.db(), body); };
  const auto retried =
      act([](storage::Tx& tx) { return job_desk::retry(tx, "submit:a", kNow + 9); });
  REQUIRE(retried.has_value());
  CHECK(retried->state == "waiting");
  CHECK(desk.shop.integer("SELECT attempts FROM outbox WHERE subject = 'a'") == 0);
  CHECK(desk.shop.integer("SELECT run_at_ms FROM outbox WHERE subject = 'a'") == kNow + 9);
  CHECK(act([](storage::Tx& tx) { return job_desk::discard(tx, "submit:b"); }).has_value());
  CHECK(desk.shop.integer("SELECT COUNT(*) FROM outbox WHERE subject = 'b'") == 0);
  for (const std::string job_id : {"submit:waits", "submit:a"}) {
    CHECK(act([&](storage::Tx& tx) { return job_desk::retry(tx, job_id, kNow); }).error().reason ==
          "job_not_dead");
    CHECK(act([&](storage::Tx& tx) { return job_desk::discard(tx, job_id); }).error().reason ==
          "job_not_dead");
  }
  CHECK(act([](storage::Tx& tx) { return job_desk::retry(tx, "submit:b", kNow); }).error().reason ==
        "job_not_found");
  CHECK(desk.shop.integer("SELECT COUNT(*) FROM outbox") == 2);
}

}  // namespace
}  // namespace topup::jobs
