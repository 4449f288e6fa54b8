#include "server/jobs/worker.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "server/base/log.h"

namespace topup::jobs {
namespace {

constexpr std::int64_t kMaxSleepMs =
    1'000;  // another node, or a wall clock that jumped, may have made a job due

std::int64_t backoff_ms(std::int64_t failures) {
  std::int64_t delay = 1'000;
  for (std::int64_t i = 1; i < failures && delay < kMaxBackoffMs; ++i) delay *= 2;
  return std::min(delay, kMaxBackoffMs);
}

}  // namespace

class Worker::State {
 public:
  State(storage::Db& db, const base::Clock& clock, int threads)
      : db_(db), clock_(clock), thread_count_(threads) {}
  ~State() { stop(); }

  void start() {
    for (int i = 0; i < thread_count_; ++i) pool_.emplace_back([this] { pool_loop(); });
    dispatcher_ = std::thread([this] { dispatch_loop(); });
  }

  void stop() {
    {
      const std::lock_guard hold(mutex_);
      if (stopping_) return;
      stopping_ = true;
    }
    changed_.notify_all();
    if (dispatcher_.joinable()) dispatcher_.join();
    for (std::thread& thread : pool_) thread.join();
    pool_.clear();
  }

  void wake() {
    {
      const std::lock_guard hold(mutex_);
      woken_ = true;
    }
    changed_.notify_all();
  }

  std::map<std::string, Handler> handlers;
  std::function<void(const std::string&, const std::string&)> observer;

 private:
  void dispatch_loop() {
    for (;;) {
      std::size_t room = 0;
      {
        std::unique_lock hold(mutex_);
        changed_.wait(hold, [this] { return stopping_ || busy_ < pool_.size(); });
        if (stopping_) return;
        room = pool_.size() - busy_;
        woken_ = false;
      }
      std::int64_t sleep_ms = kMaxSleepMs;
      if (lease(room, &sleep_ms)) continue;
      std::unique_lock hold(mutex_);
      changed_.wait_for(hold, std::chrono::milliseconds(sleep_ms),
                        [this] { return stopping_ || woken_; });
    }
  }

  // True when something was leased. Otherwise *sleep_ms says when the next job is due.
  bool lease(std::size_t room, std::int64_t* sleep_ms) {
    try {
      std::optional<std::int64_t> due;
      db_.read([&due](storage::Reader& reader) { due = outbox::next_due_ms(reader); });
      const std::int64_t now = clock_.wall_ms();
      if (!due) return false;
      if (*due > now) {
        *sleep_ms = std::min(kMaxSleepMs, *due - now);
        return false;
      }
      std::vector<Job> claimed;
      db_.write([&](storage::Tx& tx) {
        claimed = outbox::claim(tx, now, now + kLeaseMs, static_cast<std::int64_t>(room));
        return true;
      });
      const std::lock_guard hold(mutex_);
      busy_ += claimed.size();
      for (Job& job : claimed) ready_.push_back(std::move(job));
      if (!claimed.empty()) changed_.notify_all();
      return !claimed.empty();
    } catch (const std::exception& failure) {
      base::log(base::Level::error, "job_lease_failed", {{"why", failure.what()}});
      return false;
    }
  }

  void pool_loop() {
    for (;;) {
      Job job;
      {
        std::unique_lock hold(mutex_);
        changed_.wait(hold, [this] { return stopping_ || !ready_.empty(); });
        if (ready_.empty())
          return;  // leased jobs are run even while stopping, so that none waits out its lease
        job = std::move(ready_.front());
        ready_.pop_front();
      }
      run(job);
      {
        const std::lock_guard hold(mutex_);
        --busy_;
      }
      changed_.notify_all();
    }
  }

  void run(const Job& job) {
    const base::TraceScope scope(job.trace);
    std::string why = "not settled by its handler";
    try {
      const auto handler = handlers.find(job.kind);
      if (handler == handlers.end()) {
        why = "no handler for this kind";
      } else {
        handler->second(job);
      }
    } catch (const std::exception& failure) {
      why = failure.what();
      base::log(
          base::Level::error, "job_failed",
          {{"kind", job.kind}, {"subject", job.subject}, {"attempts", job.attempts}, {"why", why}});
    }
    settle_if_left(job, why);
  }

  // A settled job no longer carries this lease, and put_back() then finds nothing to do.
  void settle_if_left(const Job& job, const std::string& why) {
    try {
      const bool dead = job.attempts >= kMaxFailures;
      const std::int64_t run_at = clock_.wall_ms() + backoff_ms(job.attempts);
      const auto left = storage::with_tx(db_, [&](storage::Tx& tx) {
        return dead ? outbox::bury(tx, job, why) : outbox::fail(tx, job, run_at, why);
      });
      if (left && dead) {
        base::log(base::Level::error, "job_buried",
                  {{"kind", job.kind}, {"subject", job.subject}, {"why", why}});
      }
      if (observer) observer(job.kind, !left ? "settled" : dead ? "buried" : "failed");
    } catch (const std::exception& failure) {
      base::log(base::Level::error, "job_settle_failed",
                {{"kind", job.kind}, {"why", failure.what()}});
    }
  }

  storage::Db& db_;
  const base::Clock& clock_;
  int thread_count_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> ready_;  // bounded by the pool: leases are taken only for free threads
  std::size_t busy_ = 0;
  bool woken_ = false;
  bool stopping_ = false;
  std::vector<std::thread> pool_;
  std::thread dispatcher_;
};

Worker::Worker(storage::Db& db, const base::Clock& clock, int threads)
    : state_(std::make_unique<State>(db, clock, threads)) {}
Worker::~Worker() = default;
void Worker::handle(std::string kind, Handler handler) {
  state_->handlers[std::move(kind)] = std::move(handler);
}
void Worker::observe(std::function<void(const std::string&, const std::string&)> observer) {
  state_->observer = std::move(observer);
}
void Worker::start() { state_->start(); }
void Worker::stop() { state_->stop(); }
void Worker::wake() { state_->wake(); }

}  // namespace topup::jobs
