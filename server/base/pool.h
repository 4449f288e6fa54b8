// Threads that serve jobs from one bounded queue. Each rests with a wake of its own, and the one
// that rested last is called first: its stack and its memory are warm, and those who are not needed
// stay as they are. A thread is started when there is a job and nobody rests, and ends when nobody
// has called it for a while; one stays. So a pool costs what is used of it, however many threads it
// may have, and after a rush its memory goes back. Thread-safe.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace topup::base {

template <class Job>
class Pool {
 public:
  // Called once on each thread; what it returns serves the jobs there and must not throw.
  using Make = std::function<std::function<void(Job&)>()>;
  static constexpr auto kRest = std::chrono::seconds(20);
  Pool(int most_threads, std::size_t most_waiting, Make make,
       std::chrono::milliseconds rest = kRest)
      : most_threads_(static_cast<std::size_t>(std::max(most_threads, 1))),
        most_waiting_(most_waiting),
        make_(std::move(make)),
        most_coming_(std::max(std::thread::hardware_concurrency() / 2, 1u)),
        rest_(rest) {}
  ~Pool() { stop(); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // False, leaving the job as it was: too many wait already, the pool has stopped, or the machine
  // gives not even a first thread.
  bool push(Job& job) {
    std::shared_ptr<Seat> called;  // may leave before it is woken
    Seats left;
    {
      const std::lock_guard lock(mutex_);
      if (is_stopping_ || queue_.size() >= most_waiting_) return false;
      queue_.push_back(std::move(job));
      called = call_one();
      if (seats_.empty()) {
        job = std::move(queue_.back());
        queue_.pop_back();
        return false;
      }
      left.swap(left_);
    }
    wake(called);
    join(left);
    return true;
  }

  // Serves what waits, then ends the threads. Safe to repeat.
  void stop() { end({}); }
  // As stop(), but what waits is dropped.
  void drop() {
    std::deque<Job> dropped;
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
      dropped.swap(queue_);
    }
    end(std::move(dropped));
  }

 private:
  struct Seat {
    std::condition_variable wake;
    bool is_called = false;
    std::thread thread;
  };
  using Seats = std::vector<std::shared_ptr<Seat>>;
  static void join(const Seats& seats) {
    for (const auto& seat : seats) seat->thread.join();
  }

  // Does nothing where the machine has no memory or no thread left.
  void start_one() noexcept {
    try {
      seats_.reserve(most_threads_);
      resting_.reserve(most_threads_);
      auto seat = std::make_shared<Seat>();
      seat->thread = std::thread([this, mine = seat] { work(mine); });
      seats_.push_back(std::move(seat));
      ++coming_;
    } catch (const std::exception&) {
      return;
    }
  }

  // Who rested last, unless enough are on their way already: each who comes calls the next while
  // there is more to do, and who is done before that takes it without a wake.
  std::shared_ptr<Seat> call_one() {
    if (is_stopping_ || coming_ >= most_coming_) return nullptr;
    if (resting_.empty()) {
      if (seats_.size() < most_threads_) start_one();
      return nullptr;
    }
    std::shared_ptr<Seat> called = std::move(resting_.back());
    resting_.pop_back();
    called->is_called = true;
    ++coming_;
    return called;
  }
  static void wake(const std::shared_ptr<Seat>& called) {
    if (called != nullptr) called->wake.notify_one();
  }

  void work(const std::shared_ptr<Seat>& seat) {
    const auto serve = make_();
    std::unique_lock lock(mutex_);
    --coming_;
    for (;;) {
      if (!queue_.empty()) {
        Job job = std::move(queue_.front());
        queue_.pop_front();
        const std::shared_ptr<Seat> next = queue_.empty() ? nullptr : call_one();
        lock.unlock();
        wake(next);
        serve(job);
        job = Job();
        lock.lock();
      } else if (is_stopping_ || !is_needed_again(seat, lock)) {
        return;
      }
    }
  }

  bool is_needed_again(const std::shared_ptr<Seat>& seat, std::unique_lock<std::mutex>& lock) {
    seat->is_called = false;
    resting_.push_back(seat);
    while (!seat->wake.wait_for(lock, rest_, [&seat] { return seat->is_called; })) {
      if (seats_.size() == 1) continue;
      std::erase(resting_, seat);
      std::erase(seats_, seat);
      left_.push_back(seat);
      return false;
    }
    --coming_;
    return true;
  }

  void end(std::deque<Job> dropped) {
    Seats ending, left;
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
      for (const auto& seat : resting_) {
        seat->is_called = true;
        ++coming_;
        seat->wake.notify_one();
      }
      resting_.clear();
      ending.swap(seats_);
      left.swap(left_);
    }
    dropped.clear();
    join(ending);
    join(left);
  }

  const std::size_t most_threads_;
  const std::size_t most_waiting_;
  const Make make_;
  const std::size_t most_coming_;  // called or started, and not there yet
  const std::chrono::milliseconds rest_;
  std::mutex mutex_;
  std::deque<Job> queue_;
  Seats resting_;  // the last one rested last
  Seats seats_;
  Seats left_;  // ended, and not joined yet
  std::size_t coming_ = 0;
  bool is_stopping_ = false;
};

}  // namespace topup::base
