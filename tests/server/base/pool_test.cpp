#include "server/base/pool.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <set>
#include <thread>
#include <vector>

using namespace topup::base;

namespace {

using Deed = std::function<void()>;

Pool<Deed>::Make plain() {
  return [] { return [](Deed& deed) { deed(); }; };
}
bool push(Pool<Deed>& pool, Deed deed) { return pool.push(deed); }

std::thread::id served_by(Pool<Deed>& pool) {
  std::promise<std::thread::id> who;
  REQUIRE(push(pool, [&] { who.set_value(std::this_thread::get_id()); }));
  return who.get_future().get();
}

}  // namespace

TEST_CASE("pool: who rested last is called first, so what is not needed is never started") {
  std::atomic<int> made{0};
  Pool<Deed> pool(8, 100, [&] {
    ++made;
    return [](Deed& deed) { deed(); };
  });
  CHECK(made == 0);
  std::set<std::thread::id> seen;
  for (int i = 0; i < 50; ++i) {
    seen.insert(served_by(pool));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // to rest
  }
  // A second one begins when the first has not sat down yet.
  CHECK(seen.size() <= 2);
  CHECK(made <= 2);
}

TEST_CASE("pool: it grows to its most, and more than may wait is refused and left as it was") {
  constexpr int kThreads = 3;
  constexpr std::size_t kWaiting = 4;
  Pool<Deed> pool(kThreads, kWaiting, plain());
  std::promise<void> go;
  const std::shared_future<void> gone = go.get_future().share();
  std::atomic<int> begun{0}, ended{0};
  const Deed slow = [&] {
    ++begun;
    gone.wait();
    ++ended;
  };
  for (int i = 0; i < kThreads; ++i) {
    REQUIRE(push(pool, slow));
    while (begun < i + 1) std::this_thread::yield();
  }
  for (std::size_t i = 0; i < kWaiting; ++i) REQUIRE(push(pool, slow));
  Deed refused = slow;
  CHECK_FALSE(pool.push(refused));
  CHECK(refused != nullptr);
  CHECK(begun == kThreads);
  go.set_value();
  pool.stop();
  CHECK(ended == kThreads + static_cast<int>(kWaiting));
  CHECK_FALSE(pool.push(refused));
  CHECK(refused != nullptr);
  pool.stop();
}

TEST_CASE("pool: dropping ends what runs and forgets what waits") {
  Pool<Deed> pool(1, 10, plain());
  std::promise<void> go, begun;
  std::atomic<bool> ended{false}, late{false};
  REQUIRE(push(pool, [&] {
    begun.set_value();
    go.get_future().wait();
    ended = true;
  }));
  begun.get_future().wait();
  const auto held = std::make_shared<int>(1);
  REQUIRE(push(pool, [&late, held] { late = true; }));
  CHECK(held.use_count() == 2);
  std::thread letting([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    go.set_value();
  });
  pool.drop();
  letting.join();
  CHECK(ended);
  CHECK_FALSE(late);
  CHECK(held.use_count() == 1);
}

TEST_CASE("pool: nothing is lost and nothing done twice when many push at once") {
  constexpr int kPushers = 8, kEach = 5'000;
  std::vector<std::atomic<int>> done(kPushers * kEach);
  {
    Pool<Deed> pool(16, kPushers * kEach, plain());
    std::vector<std::thread> pushers;
    for (int p = 0; p < kPushers; ++p) {
      pushers.emplace_back([&, p] {
        for (int i = 0; i < kEach; ++i) {
          auto* one = &done[static_cast<std::size_t>(p * kEach + i)];
          CHECK(push(pool, [one] { ++*one; }));
        }
      });
    }
    for (auto& pusher : pushers) pusher.join();
  }
  int wrong = 0;
  for (const auto& one : done) wrong += one != 1;
  CHECK(wrong == 0);
}

TEST_CASE("pool: after a rush the threads end but one, and a new rush has them again") {
  constexpr int kThreads = 6;
  std::atomic<int> alive{0};
  const auto make = [&alive] {
    ++alive;
    const auto here = std::shared_ptr<void>(nullptr, [&alive](void*) { --alive; });
    return [here](Deed& deed) { deed(); };
  };
  Pool<Deed> pool(kThreads, 100, make, std::chrono::milliseconds(30));
  for (int rush = 0; rush < 3; ++rush) {
    std::promise<void> go;
    const std::shared_future<void> gone = go.get_future().share();
    std::atomic<int> begun{0};
    for (int i = 0; i < kThreads; ++i) {
      REQUIRE(push(pool, [&] {
        ++begun;
        gone.wait();
      }));
    }
    while (begun < kThreads) std::this_thread::yield();
    CHECK(alive == kThreads);
    go.set_value();
    for (int i = 0; i < 500 && alive > 1; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    CHECK(alive == 1);
    (void)served_by(pool);
  }
  pool.stop();
  CHECK(alive == 0);
}

TEST_CASE("pool: nothing is lost while threads come and go") {
  std::atomic<int> done{0};
  {
    Pool<Deed> pool(8, 100'000, plain(), std::chrono::milliseconds(1));
    std::vector<std::thread> pushers;
    for (int p = 0; p < 4; ++p) {
      pushers.emplace_back([&] {
        for (int i = 0; i < 500; ++i) {
          CHECK(push(pool, [&done] { ++done; }));
          if (i % 8 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
      });
    }
    for (auto& pusher : pushers) pusher.join();
  }
  CHECK(done == 4 * 500);
}
