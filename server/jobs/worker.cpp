#include "server/jobs/worker.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "server/base/log.h"
#include "server/base/origin.h"
#include "server/base/pool.h"
#include "server/base/span.h"
#include "server/jobs/failure_text.h"

namespace topup::jobs {
namespace {

constexpr std::int64_t kMaxSleepMs =
    1'000;  // another node, or a wall clock that jumped, may have made a job due
constexpr std::int64_t kFarMs = 366LL * 24 * 3'600'000;

struct Kind {
  Handler run;
  std::size_t at_once = 0;
};

}  // namespace

class Worker::State {
 public:
  State(storage::Db& db, const base::Clock& clock, base::Random& random, WorkerOptions options)
      : db_(db),
        clock_(clock),
        random_(random),
        options_(std::move(options)),
        drift_ms_(clock.wall_ms() - clock.mono_ms()) {}
  ~State() { stop(); }

  void start() {
    pool_ = std::make_unique<base::Pool<Job>>(
        options_.threads, static_cast<std::size_t>(options_.threads),
        [this] { return [this](Job& job) { run_leased(job); }; });
    dispatcher_ = std::thread([this] { dispatch_loop(); });
  }

  void stop() {
    {
      const std::lock_guard hold(mutex_);
      if (stopping_) return;
      stopping_ = true;
    }
    changed_.notify_one();
    if (dispatcher_.joinable()) dispatcher_.join();
    // What is leased is run even now, so that none waits its lease out.
    if (pool_ != nullptr) pool_->stop();
  }

  void wake() {
    {
      const std::lock_guard hold(mutex_);
      woken_ = true;
    }
    changed_.notify_one();
  }

  bool step(std::int64_t* wait_ms) {
    *wait_ms = kFarMs;
    if (ready_.empty()) {
      const auto threads = static_cast<std::size_t>(options_.threads);
      if (busy_ >= threads || !lease(1, wait_ms)) return false;
    }
    if (ready_.empty()) return true;
    Job job = std::move(ready_.front());
    ready_.pop_front();
    run_leased(job);
    return true;
  }

  void handle(std::string kind, Handler handler, int at_once) {
    const int threads = options_.threads;
    const int most = at_once > 0 ? at_once : threads - threads / 4;
    kinds_[std::move(kind)] = {std::move(handler), static_cast<std::size_t>(most)};
  }

  std::function<void()> clock_jumped;
  std::function<void(const std::string&, const std::string&)> observer;
  std::function<void(const std::string&, std::int64_t)> stopwatch;

 private:
  void dispatch_loop() {
    for (;;) {
      std::size_t room = 0;
      {
        std::unique_lock hold(mutex_);
        const auto threads = static_cast<std::size_t>(options_.threads);
        changed_.wait(hold, [&] { return stopping_ || busy_ < threads; });
        if (stopping_) return;
        room = threads - busy_;
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
      follow_clock();
      Glance seen;
      db_.read([&seen](storage::Reader& reader) { seen = outbox::glance(reader); });
      const std::int64_t now = clock_.wall_ms();
      if (seen.next_lease_end_ms && *seen.next_lease_end_ms <= now) {
        db_.write([&](storage::Tx& tx) { return outbox::free_expired(tx, now) > 0; });
        return true;
      }
      if (seen.next_lease_end_ms) *sleep_ms = std::min(*sleep_ms, *seen.next_lease_end_ms - now);
      for (const DueKind& kind : seen.kinds) {
        if (kind.run_at_ms > now) *sleep_ms = std::min(*sleep_ms, kind.run_at_ms - now);
      }
      const std::vector<Share> shares = shares_of(std::move(seen.kinds), room, now);
      return !shares.empty() && claim(shares, room, now);
    } catch (const std::exception& failure) {
      base::log(base::Level::error, "job_lease_failed", {{"why", failure.what()}});
      return false;
    }
  }

  // Due times are times of day. When those jump, what was planned by them must not wait for years.
  void follow_clock() {
    const std::int64_t drift = clock_.wall_ms() - clock_.mono_ms();
    if (std::abs(drift - drift_ms_) <= kClockJumpMs) return;
    base::log(base::Level::warn, "clock_jumped", {{"by_ms", drift - drift_ms_}});
    drift_ms_ = drift;
    db_.write([this](storage::Tx& tx) {
      outbox::pull_near(tx, clock_.wall_ms(), options_.lease_ms, kMaxBackoffMs);
      return true;
    });
    if (clock_jumped) clock_jumped();
  }

  struct Share {
    std::string kind;
    std::size_t most = 0;
  };

  // Who may take how many of the free threads: by priority, which grows with waiting, and none more
  // than its kind may hold.
  std::vector<Share> shares_of(std::vector<DueKind> due, std::size_t room, std::int64_t now) {
    std::erase_if(due, [this, now](const DueKind& kind) {
      const bool is_strange = !kinds_.contains(kind.kind);
      return kind.run_at_ms > now - (is_strange ? options_.leave_strangers_ms : 0);
    });
    const auto rank = [now](const DueKind& kind) {
      return kind.priority - (now - kind.run_at_ms) / kAgeingMs;
    };
    std::sort(due.begin(), due.end(), [&](const DueKind& a, const DueKind& b) {
      return std::pair(rank(a), a.run_at_ms) < std::pair(rank(b), b.run_at_ms);
    });
    std::vector<Share> shares;
    const std::lock_guard hold(mutex_);
    for (const DueKind& kind : due) {
      const std::size_t most = at_once(kind.kind), held = running_[kind.kind];
      if (held < most) shares.push_back({kind.kind, std::min(room, most - held)});
    }
    return shares;
  }

  std::size_t at_once(const std::string& kind) const {
    const auto known = kinds_.find(kind);
    return known == kinds_.end() ? 1 : known->second.at_once;
  }

  bool claim(const std::vector<Share>& shares, std::size_t room, std::int64_t now) {
    std::vector<Job> claimed;
    const std::int64_t deadline = clock_.mono_ms() + options_.lease_ms / 2;
    db_.write([&](storage::Tx& tx) {
      claimed.clear();
      for (const Share& share : shares) {
        if (claimed.size() >= room) break;
        const auto most = static_cast<std::int64_t>(std::min(share.most, room - claimed.size()));
        for (Job& job : outbox::claim_kind(tx, share.kind, now, now + options_.lease_ms, most,
                                           options_.node)) {
          claimed.push_back(std::move(job));
        }
      }
      return !claimed.empty();
    });
    {
      const std::lock_guard hold(mutex_);
      busy_ += claimed.size();
      for (const Job& job : claimed) ++running_[job.kind];
    }
    for (Job& job : claimed) {
      job.deadline_mono_ms = deadline;
      if (pool_ == nullptr) {
        ready_.push_back(std::move(job));
      } else if (!pool_->push(job)) {
        run_leased(job);  // no thread is to be had: then by this one
      }
    }
    return !claimed.empty();
  }

  void run_leased(const Job& job) {
    run(job);
    {
      const std::lock_guard hold(mutex_);
      --busy_;
      if (--running_[job.kind] == 0) running_.erase(job.kind);
      woken_ = true;  // what its kind held back may begin
    }
    changed_.notify_one();
  }

  void run(const Job& job) {
    const base::TraceScope scope(job.trace);
    const base::Origin origin{"", "", "job:" + job.kind};
    const base::OriginScope asked_from(&origin);
    base::Span span(base::SpanKind::consumer, "job", job.kind);
    span.note("attempt", job.attempts);
    const std::int64_t began_us = clock_.mono_us();
    std::string why = "not settled by its handler";
    try {
      const auto kind = kinds_.find(job.kind);
      if (kind == kinds_.end()) {
        why = "no handler for this kind";
      } else {
        kind->second.run(job);
      }
    } catch (const std::exception& failure) {
      why = failure.what();
      span.fail();
      base::log(base::Level::error, "job_failed",
                {{"kind", job.kind},
                 {"subject", job.subject},
                 {"attempts", job.attempts},
                 {"why", failure_text(why)}});
    }
    if (stopwatch) stopwatch(job.kind, clock_.mono_us() - began_us);
    settle_if_left(job, why);
  }

  bool is_left(const Job& job) {
    bool left = false;
    db_.read([&](storage::Reader& reader) { left = outbox::is_held(reader, job); });
    return left;
  }

  void settle_if_left(const Job& job, const std::string& why) {
    try {
      if (!is_left(job)) {
        budget_.ran_well(job.kind);
        if (observer) observer(job.kind, "settled");
        return;
      }
      const bool dead = job.attempts >= kMaxFailures;
      const std::int64_t run_at = clock_.wall_ms() + backoff_ms(job.attempts, random_) +
                                  budget_.delay_ms(job.kind, clock_.mono_ms());
      const auto left = storage::with_tx(db_, [&](storage::Tx& tx) {
        return dead ? outbox::bury(tx, job, why) : outbox::fail(tx, job, run_at, why);
      });
      if (left && dead) {
        base::log(base::Level::error, "job_buried",
                  {{"kind", job.kind}, {"subject", job.subject}, {"why", failure_text(why)}});
      }
      if (observer) observer(job.kind, !left ? "settled" : dead ? "buried" : "failed");
    } catch (const std::exception& failure) {
      base::log(base::Level::error, "job_settle_failed",
                {{"kind", job.kind}, {"why", failure.what()}});
    }
  }

  storage::Db& db_;
  const base::Clock& clock_;
  base::Random& random_;
  const WorkerOptions options_;
  std::map<std::string, Kind> kinds_;
  RetryBudget budget_;
  std::int64_t drift_ms_;  // wall less steady, as last seen; the dispatcher's
  std::mutex mutex_;
  std::condition_variable changed_;  // the dispatcher waits for it
  std::deque<Job> ready_;            // of step()
  std::size_t busy_ = 0;
  std::map<std::string, std::size_t> running_;  // of each kind, waiting in ready_ or in a handler
  bool woken_ = false;
  bool stopping_ = false;
  std::unique_ptr<base::Pool<Job>> pool_;
  std::thread dispatcher_;
};

Worker::Worker(storage::Db& db, const base::Clock& clock, base::Random& random,
               WorkerOptions options)
    : state_(std::make_unique<State>(db, clock, random, std::move(options))) {}
Worker::~Worker() = default;
void Worker::handle(std::string kind, Handler handler, int at_once) {
  state_->handle(std::move(kind), std::move(handler), at_once);
}
void Worker::on_clock_jump(std::function<void()> listener) {
  state_->clock_jumped = std::move(listener);
}
void Worker::observe(std::function<void(const std::string&, const std::string&)> observer) {
  state_->observer = std::move(observer);
}
void Worker::measure(std::function<void(const std::string&, std::int64_t)> stopwatch) {
  state_->stopwatch = std::move(stopwatch);
}
void Worker::start() { state_->start(); }
void Worker::stop() { state_->stop(); }
void Worker::wake() { state_->wake(); }
bool Worker::step(std::int64_t* wait_ms) { return state_->step(wait_ms); }

}  // namespace topup::jobs
