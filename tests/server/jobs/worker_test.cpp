#include "server/jobs/worker.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"

namespace topup::jobs {
namespace {

using namespace std::chrono_literals;

class Heard {  // what handlers and the observer said, for a test that waits
 public:
  void say(std::string what) {
    {
      const std::lock_guard hold(mutex_);
      said_.push_back(std::move(what));
    }
    changed_.notify_all();
  }
  bool wait_for(const std::string& what, std::ptrdiff_t times = 1,
                std::chrono::milliseconds limit = 5'000ms) {
    std::unique_lock hold(mutex_);
    return changed_.wait_for(hold, limit, [&] { return count(what) >= times; });
  }
  std::ptrdiff_t times(const std::string& what) {
    const std::lock_guard hold(mutex_);
    return count(what);
  }

 private:
  std::ptrdiff_t count(const std::string& what) const {
    return std::count(said_.begin(), said_.end(), what);
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> said_;
};

class Workshop {
 public:
  explicit Workshop(int threads = 2) : worker(shop.db(), clock, threads) {
    worker.observe([this](const std::string& kind, const std::string& outcome) {
      heard.say(kind + " " + outcome);
    });
    worker.handle("good", [this](const Job& job) {
      finish(job);
      heard.say("ran " + job.subject);
    });
    worker.handle("poison", [](const Job&) { throw std::runtime_error("always"); });
    worker.handle("lazy", [](const Job&) {});
  }
  ~Workshop() { worker.stop(); }

  void finish(const Job& job) {
    (void)storage::with_tx(shop.db(), [&](storage::Tx& tx) { return outbox::finish(tx, job); });
  }
  void enqueue(std::string_view kind, const std::string& subject, std::int64_t delay_ms = 0) {
    shop.db().write([&](storage::Tx& tx) {
      const std::int64_t now = clock.wall_ms();
      outbox::enqueue(tx, kind, subject, now + delay_ms, now, TraceId());
      return true;
    });
    worker.wake();
  }
  std::int64_t run_at() { return shop.integer("SELECT run_at_ms FROM outbox"); }

  testing::QuietLog quiet;
  testing::ManualClock clock;
  testing::ScratchShop shop;
  Heard heard;
  Worker worker;
};

TEST_CASE("worker: due jobs run, each once, and are gone") {
  Workshop workshop;
  for (int i = 0; i < 30; ++i) workshop.enqueue("good", std::to_string(i));
  workshop.worker.start();
  CHECK(workshop.heard.wait_for("good settled", 30));
  for (int i = 0; i < 30; ++i) CHECK(workshop.heard.times("ran " + std::to_string(i)) == 1);
  CHECK(workshop.shop.integer("SELECT COUNT(*) FROM outbox") == 0);
}

TEST_CASE("worker: a wake-up is answered at once, not after the longest sleep") {
  Workshop workshop;
  workshop.worker.start();
  std::this_thread::sleep_for(50ms);  // the dispatcher is asleep for up to a second now
  const auto began = std::chrono::steady_clock::now();
  workshop.enqueue("good", "now");
  CHECK(workshop.heard.wait_for("ran now"));
  CHECK(std::chrono::steady_clock::now() - began < 500ms);
}

TEST_CASE("worker: a job waits for its time on the shop's clock") {
  Workshop workshop;
  workshop.worker.start();
  workshop.enqueue("good", "later", 60'000);
  CHECK_FALSE(workshop.heard.wait_for("ran later", 1, 100ms));
  workshop.clock.advance(60'000);
  workshop.worker.wake();
  CHECK(workshop.heard.wait_for("ran later"));
}

TEST_CASE(
    "worker: a job that throws, settles nothing or has no handler comes back later each time") {
  for (const std::string kind : {"poison", "lazy", "nobody"}) {
    CAPTURE(kind);
    Workshop workshop(1);
    workshop.worker.start();
    std::vector<std::int64_t> delays;
    workshop.enqueue(kind, "1");
    for (std::ptrdiff_t failures = 1; failures <= 4; ++failures) {
      REQUIRE(workshop.heard.wait_for(kind + " failed", failures));
      delays.push_back(workshop.run_at() - workshop.clock.wall_ms());
      workshop.clock.advance(delays.back());
      workshop.worker.wake();
    }
    CHECK(delays == std::vector<std::int64_t>{1'000, 2'000, 4'000, 8'000});
  }
}

TEST_CASE("worker: after the last allowed failure a job is buried and never runs again") {
  Workshop workshop(1);
  workshop.worker.start();
  workshop.enqueue("poison", "1");
  std::int64_t longest = 0;
  for (std::int64_t failures = 1; failures < kMaxFailures; ++failures) {
    REQUIRE(workshop.heard.wait_for("poison failed", failures));
    const std::int64_t delay = workshop.run_at() - workshop.clock.wall_ms();
    longest = std::max(longest, delay);
    workshop.clock.advance(delay);
    workshop.worker.wake();
  }
  REQUIRE(workshop.heard.wait_for("poison buried"));
  CHECK(longest <= kMaxBackoffMs);
  CHECK(workshop.shop.text("SELECT state FROM outbox") == "dead");
  CHECK(workshop.shop.text("SELECT last_error FROM outbox") == "always");
  workshop.clock.advance(kMaxBackoffMs);
  workshop.worker.wake();
  CHECK_FALSE(workshop.heard.wait_for("poison buried", 2, 100ms));
}

TEST_CASE("worker: poison jobs delay nobody") {
  Workshop workshop(1);
  for (int i = 0; i < 20; ++i) workshop.enqueue("poison", std::to_string(i));
  workshop.enqueue("good", "behind them");
  workshop.worker.start();
  CHECK(workshop.heard.wait_for("ran behind them"));
  CHECK(workshop.heard.wait_for("poison failed", 20));
  workshop.enqueue("good", "after them");
  CHECK(workshop.heard.wait_for("ran after them"));
}

TEST_CASE("worker: never more jobs at once than threads, and no lease that waits for one") {
  Workshop workshop(3);
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  std::atomic<std::int64_t> leased{0};
  workshop.worker.handle("slow", [&](const Job& job) {
    const int here = ++now;
    for (int seen = most; seen < here && !most.compare_exchange_weak(seen, here);) {
    }
    const std::int64_t held =
        workshop.shop.integer("SELECT COUNT(*) FROM outbox WHERE state = 'leased'");
    for (std::int64_t seen = leased; seen < held && !leased.compare_exchange_weak(seen, held);) {
    }
    std::this_thread::sleep_for(10ms);
    --now;
    workshop.finish(job);
  });
  for (int i = 0; i < 24; ++i) workshop.enqueue("slow", std::to_string(i));
  workshop.worker.start();
  CHECK(workshop.heard.wait_for("slow settled", 24));
  CHECK(most == 3);
  CHECK(leased <= 3);
}

TEST_CASE("worker: stopping lets the running job end, takes no new one, and may be repeated") {
  Workshop workshop(1);
  std::atomic<bool> ended{false};
  workshop.worker.handle("slow", [&](const Job& job) {
    workshop.heard.say("began");
    std::this_thread::sleep_for(100ms);
    workshop.finish(job);
    ended = true;
  });
  workshop.enqueue("slow", "1");
  workshop.worker.start();
  REQUIRE(workshop.heard.wait_for("began"));
  workshop.enqueue("good", "too late");
  workshop.worker.stop();
  CHECK(ended);
  workshop.worker.stop();
  CHECK(workshop.heard.times("ran too late") == 0);
  CHECK(workshop.shop.text("SELECT state FROM outbox") == "due");
}

TEST_CASE("worker: one that was never started can be stopped") {
  Workshop workshop;
  CHECK_NOTHROW(workshop.worker.stop());
}

}  // namespace
}  // namespace topup::jobs
