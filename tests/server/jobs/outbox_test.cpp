#include "server/jobs/outbox.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/scratch_shop.h"

namespace topup::jobs {
namespace {

constexpr std::int64_t kNow = 1'795'219'200'000;
constexpr std::int64_t kLease = 90'000;

class Queue {
 public:
  void enqueue(std::string_view kind, std::string_view subject, std::int64_t run_at_ms,
               Priority priority = Priority::normal, std::int64_t now = kNow) {
    shop.db().write([&](storage::Tx& tx) {
      outbox::enqueue(tx, kind, subject, run_at_ms, now, TraceId("trace"), priority);
      return true;
    });
  }
  std::vector<Job> claim(std::int64_t now, std::int64_t limit = 100) {
    std::vector<Job> claimed;
    shop.db().write([&](storage::Tx& tx) {
      claimed = outbox::claim(tx, now, now + kLease, limit);
      return true;
    });
    return claimed;
  }
  Job claim_one(std::int64_t now) {
    const std::vector<Job> claimed = claim(now);
    REQUIRE(claimed.size() == 1);
    return claimed.front();
  }
  template <class Settle>
  Result<bool> settle(Settle&& settle) {
    return storage::with_tx(shop.db(), settle);
  }
  Result<bool> finish(const Job& job) {
    return settle([&](storage::Tx& tx) { return outbox::finish(tx, job); });
  }
  std::int64_t rows() { return shop.integer("SELECT COUNT(*) FROM outbox"); }

  testing::ScratchShop shop;
};

TEST_CASE("outbox: enqueueing the same again keeps one row with the earlier time") {
  Queue queue;
  queue.enqueue("submit", "s1", kNow + 5'000);
  queue.enqueue("submit", "s1", kNow + 9'000);
  CHECK(queue.shop.integer("SELECT run_at_ms FROM outbox") == kNow + 5'000);
  queue.enqueue("submit", "s1", kNow + 1'000);
  CHECK(queue.shop.integer("SELECT run_at_ms FROM outbox") == kNow + 1'000);
  CHECK(queue.rows() == 1);
  queue.enqueue("refund", "s1", kNow);
  CHECK(queue.rows() == 2);
}

TEST_CASE("outbox: a job waits for its time and is leased once") {
  Queue queue;
  queue.enqueue("submit", "s1", kNow + 1);
  CHECK(queue.claim(kNow).empty());
  const Job job = queue.claim_one(kNow + 1);
  CHECK(job.kind == "submit");
  CHECK(job.subject == "s1");
  CHECK(job.trace.text == "trace");
  CHECK(job.attempts == 1);
  CHECK(queue.claim(kNow + 2).empty());
}

TEST_CASE("outbox: a limited claim takes the urgent ones first, then the earlier ones") {
  Queue queue;
  queue.enqueue("k", "background", kNow - 9, Priority::background);
  queue.enqueue("k", "money-late", kNow - 1, Priority::money);
  queue.enqueue("k", "normal", kNow - 8, Priority::normal);
  queue.enqueue("k", "money-early", kNow - 2, Priority::money);
  std::vector<std::string> order;
  for (int i = 0; i < 4; ++i) {
    const std::vector<Job> claimed = queue.claim(kNow, 1);
    REQUIRE(claimed.size() == 1);
    order.push_back(claimed.front().subject);
  }
  CHECK(order == std::vector<std::string>{"money-early", "money-late", "normal", "background"});
}

TEST_CASE("outbox: a claim never takes more than its limit") {
  Queue queue;
  for (int i = 0; i < 5; ++i) queue.enqueue("k", std::to_string(i), kNow);
  CHECK(queue.claim(kNow, 3).size() == 3);
  CHECK(queue.claim(kNow, 3).size() == 2);
}

TEST_CASE("outbox: a lease that ran out is leased again with a higher fence") {
  Queue queue;
  queue.enqueue("submit", "s1", kNow);
  const Job first = queue.claim_one(kNow);
  CHECK(queue.claim(kNow + kLease - 1).empty());
  const Job second = queue.claim_one(kNow + kLease);
  CHECK(second.fence > first.fence);
  CHECK(second.attempts == 2);
}

TEST_CASE("outbox: leases of a dead process are released at once, and its fences stay lost") {
  Queue queue;
  queue.enqueue("submit", "s1", kNow);
  queue.enqueue("submit", "dead", kNow);
  const std::vector<Job> before = queue.claim(kNow);
  REQUIRE(before.size() == 2);
  const Job& poison = before[0].subject == "dead" ? before[0] : before[1];
  const Job& crashed = before[0].subject == "dead" ? before[1] : before[0];
  CHECK(queue.settle([&](storage::Tx& tx) { return outbox::bury(tx, poison, "poison"); })
            .has_value());
  (void)queue.settle([](storage::Tx& tx) -> Result<bool> {
    outbox::release_all(tx, kNow + 1);
    return true;
  });
  const Job again = queue.claim_one(kNow + 1);
  CHECK(again.subject == "s1");
  CHECK_FALSE(queue.finish(crashed).has_value());
  CHECK(queue.finish(again).has_value());
}

TEST_CASE("outbox: whoever comes late has lost the lease, and everything it wrote with it") {
  Queue queue;
  queue.enqueue("submit", "s1", kNow);
  const Job late = queue.claim_one(kNow);
  const Job holder = queue.claim_one(kNow + kLease);
  const auto settle_late = [&](auto&& settle) {
    return queue.settle([&](storage::Tx& tx) -> Result<bool> {
      tx.exec("INSERT INTO users (user_id, created_at_ms) VALUES ('written-late', 1)", {});
      return settle(tx);
    });
  };
  const std::vector<Result<bool>> answers = {
      settle_late([&](storage::Tx& tx) { return outbox::finish(tx, late); }),
      settle_late([&](storage::Tx& tx) { return outbox::reschedule(tx, late, kNow, ""); }),
      settle_late([&](storage::Tx& tx) { return outbox::fail(tx, late, kNow, ""); }),
      settle_late([&](storage::Tx& tx) { return outbox::bury(tx, late, ""); })};
  for (const Result<bool>& answer : answers) {
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code == Code::conflict);
    CHECK(answer.error().reason == "lease_lost");
  }
  CHECK(queue.shop.integer("SELECT COUNT(*) FROM users") == 0);
  CHECK(queue.finish(holder).has_value());
  CHECK(queue.rows() == 0);
}

TEST_CASE(
    "outbox: a job enqueued anew after it was finished does not obey the first holder's lease") {
  Queue queue;
  queue.enqueue("sync", "catalog", kNow);
  const Job first = queue.claim_one(kNow);
  REQUIRE(queue.finish(first).has_value());
  queue.enqueue("sync", "catalog", kNow + 1, Priority::normal, kNow + 1);
  const Job second = queue.claim_one(kNow + 1);
  CHECK_FALSE(queue.finish(first).has_value());
  CHECK(queue.finish(second).has_value());
}

TEST_CASE("outbox: a settled job cannot be settled again") {
  Queue queue;
  queue.enqueue("submit", "s1", kNow);
  const Job job = queue.claim_one(kNow);
  CHECK(queue.settle([&](storage::Tx& tx) { return outbox::reschedule(tx, job, kNow, ""); })
            .has_value());
  CHECK_FALSE(queue.finish(job).has_value());
  CHECK(queue.rows() == 1);
}

TEST_CASE("outbox: a reschedule forgets earlier failures, a failure counts") {
  Queue queue;
  queue.enqueue("query", "q1", kNow);
  std::int64_t now = kNow;
  const auto put_back = [&](auto settle) {
    const Job job = queue.claim_one(now);
    CHECK(queue.settle([&](storage::Tx& tx) { return settle(tx, job, now + 1'000, "why"); })
              .has_value());
    now += 1'000;
    return job.attempts;
  };
  CHECK(put_back(outbox::fail) == 1);
  CHECK(put_back(outbox::fail) == 2);
  CHECK(put_back(outbox::reschedule) == 3);
  CHECK(put_back(outbox::fail) == 1);
  CHECK(queue.shop.text("SELECT last_error FROM outbox") == "why");
}

TEST_CASE("outbox: a buried job is not leased again until it is enqueued anew") {
  Queue queue;
  queue.enqueue("submit", "s1", kNow);
  const Job job = queue.claim_one(kNow);
  CHECK(queue.settle([&](storage::Tx& tx) { return outbox::bury(tx, job, "poison"); }).has_value());
  CHECK(queue.claim(kNow + 10 * kLease).empty());
  CHECK(queue.shop.text("SELECT state FROM outbox") == "dead");
  queue.enqueue("submit", "s1", kNow);
  CHECK(queue.claim(kNow).size() == 1);
}

TEST_CASE("outbox: bringing forward moves a waiting job only, and never later") {
  Queue queue;
  queue.enqueue("query", "q1", kNow + 60'000);
  const auto forward = [&](std::string_view subject, std::int64_t now) {
    bool moved = false;
    queue.shop.db().write([&](storage::Tx& tx) {
      moved = outbox::bring_forward(tx, "query", subject, now);
      return true;
    });
    return moved;
  };
  CHECK_FALSE(forward("unknown", kNow));
  CHECK_FALSE(forward("q1", kNow + 70'000));
  CHECK(forward("q1", kNow));
  const Job job = queue.claim_one(kNow);
  CHECK_FALSE(forward("q1", kNow));
  CHECK(queue.finish(job).has_value());
}

TEST_CASE("outbox: the next due time is that of the earliest waiting job or ending lease") {
  Queue queue;
  const auto next = [&queue] {
    std::optional<std::int64_t> due;
    queue.shop.db().read([&due](storage::Reader& reader) { due = outbox::next_due_ms(reader); });
    return due;
  };
  CHECK_FALSE(next().has_value());
  queue.enqueue("a", "1", kNow);
  queue.enqueue("b", "1", kNow + 200'000);
  CHECK(next() == kNow);
  const Job job = queue.claim_one(kNow);
  CHECK(next() == kNow + kLease);
  CHECK(queue.settle([&](storage::Tx& tx) { return outbox::bury(tx, job, ""); }).has_value());
  CHECK(next() == kNow + 200'000);
}

TEST_CASE("outbox: the backlog says what is due, waits, runs and is dead") {
  testing::ScratchShop shop;
  shop.db().write([](storage::Tx& tx) {
    for (const char* subject : {"1", "2", "3", "4"}) {
      outbox::enqueue(tx, "kind", subject, 1'000, 1'000, TraceId());
    }
    outbox::enqueue(tx, "kind", "later", 90'000, 1'000, TraceId());
    const std::vector<Job> taken = outbox::claim(tx, 2'000, 60'000, 2);
    REQUIRE(taken.size() == 2);
    CHECK(outbox::bury(tx, taken[0], "poison"));
    return true;
  });
  outbox::Backlog seen;
  shop.db().read([&seen](storage::Reader& reader) { seen = outbox::backlog(reader, 31'000); });
  CHECK(seen.due == 2);
  CHECK(seen.oldest_due_ms == 30'000);
  CHECK(seen.waiting == 1);
  CHECK(seen.leased == 1);
  CHECK(seen.dead == 1);
}

TEST_CASE("outbox: a long reason is cut, not refused") {
  Queue queue;
  queue.enqueue("a", "1", kNow);
  const Job job = queue.claim_one(kNow);
  const std::string why(5'000, 'x');
  CHECK(
      queue.settle([&](storage::Tx& tx) { return outbox::fail(tx, job, kNow, why); }).has_value());
  CHECK(queue.shop.text("SELECT last_error FROM outbox").size() == 200);
}

}  // namespace
}  // namespace topup::jobs
