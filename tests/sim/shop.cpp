#include "tests/sim/shop.h"

#include <algorithm>
#include <utility>

#include "server/app_reconcile.h"
#include "server/jobs/backoff.h"
#include "server/orders/transition.h"
#include "server/suppliers/pin_stock.h"
#include "shared/check.h"
#include "shared/time_point.h"
#include "tests/sim/bills.h"
#include "tests/sim/stock_port.h"

namespace topup::sim {
namespace {

constexpr int kMostNested = 4;  // threads that the shop has at once
constexpr std::int64_t kReviveWithinMs = 2LL * 3'600'000;
constexpr std::int64_t kReviewWithinMs = 3LL * 3'600'000;
constexpr std::int64_t kCompareEveryMs = 6LL * 3'600'000;
constexpr std::int64_t kFarMs = 366LL * 24 * 3'600'000;

orders::OrderSettings settings_of(Bug bug) {
  orders::OrderSettings settings;
  settings.public_origin = "https://shop.example";
  if (bug == Bug::not_found_at_once) settings.not_found_needed = 1;
  return settings;
}

jobs::WorkerOptions worker_options(const std::string& node) {
  jobs::WorkerOptions options;
  options.threads = kMostNested;
  options.node = node;
  return options;
}

// Jobs that the flows have or have not; one without a handler would be left, and be found.
template <class Handle, class Supply, class Payments>
void handle_more(const Handle& handle, const Supply& supply, const Payments& payments) {
  if constexpr (requires(const jobs::Job& job) { supply.run_wait(job); })
    handle("supply_wait", [&supply](const jobs::Job& job) { supply.run_wait(job); });
  if constexpr (requires(const jobs::Job& job) { supply.run_recheck(job); })
    handle("supplier_recheck", [&supply](const jobs::Job& job) { supply.run_recheck(job); });
  if constexpr (requires(const jobs::Job& job) { payments.run_close(job); })
    handle("close_sheet", [&payments](const jobs::Job& job) { payments.run_close(job); });
}

// A callback that is believed: what it says becomes the state.
void believe_failure(storage::Db& db, const orders::OrderEnv& env, const AttemptId& id) {
  db.write([&](storage::Tx& tx) {
    const auto attempt = suppliers::supplier_store::find(tx, id);
    if (!attempt) return false;
    auto order = orders::order_store::find(tx, attempt->order);
    if (!order || order->state != State::succeeded) return false;
    for (const auto& paid : payments::payment_store::attempts_of(tx, order->id)) {
      if (paid.state == payments::attempt_state::kPaid)
        orders::request_refund(env, tx, paid, paid.amount, "believed");
    }
    return true;
  });
}

}  // namespace

Node::Node(World& world, WatchedDb& db, testing::SeededRandom& random, Parties& parties, Bug bug,
           const Life& life)
    : world_(world),
      db_(db),
      bug_(bug),
      life_(life),
      pii_(std::string(privacy::kMasterKeyBytes, 'k'), random),
      catalog(db, world.clock),
      env{db,         world.clock,      random, pii_, catalog, channels_,
          suppliers_, settings_of(bug), {},     {},   {}},
      orders(env),
      payments(env),
      supply(env),
      refunds(env),
      reviews(env),
      approvals(db, world.clock, random),
      ledger_desk(env, approvals, [] { return std::int64_t{0}; }),
      worker(db, world.clock, random, worker_options(life.name)),
      reconciler(db, world.clock, random, channels_, suppliers_,
                 reconcile_deeds(world.clock, random, [] {}),
                 [] {
                   return reconcile::Rules{kShanghaiOffsetMs, kContractFeeBp};
                 }),
      schedules_(db, world.clock, random) {
  env.tickets = &tickets;
  env.wake_jobs = [] {};
  env.order_changed = [](const OrderId&) {};
  env.count_state = [](std::string_view) {};
  if (world.faults.shop_reviews && bug != Bug::review_skipped) {
    orders::OrderLimits limits{env.settings.pay_within_ms, env.settings.max_unpaid_per_user};
    limits.review_above_minor = kReviewAboveMinor;
    limits.review_within_ms = kReviewWithinMs;
    limits.revive_within_ms = kReviveWithinMs;
    env.live_limits = [limits] { return limits; };
  }
  for (const auto& channel : parties.channels) channels_.add(channel->adapter());
  if (world.faults.has_wallets) {
    auto port = std::make_unique<WalletPort>(world, db, bug);
    wallet = port.get();
    channels_.add(std::move(port));
  }
  for (const auto& supplier : parties.suppliers) suppliers_.add(supplier->adapter());
  suppliers_.add(make_stock_port(world, suppliers::make_pin_stock(db, world.clock), bug));
  register_jobs();
}

std::optional<orders::Ticket> WaitingTickets::find(const OutTradeNo& out_trade_no) const {
  for (const orders::Ticket& ticket : waiting_)
    if (ticket.out_trade_no == out_trade_no) return ticket;
  return std::nullopt;
}

// What the worker would only log is looked at here.
void Node::register_jobs() {
  const auto handle = [this](std::string_view kind, jobs::Handler run) {
    worker.handle(std::string(kind), [this, run = std::move(run)](const jobs::Job& job) {
      ++world_.counts.jobs;
      world_.note("job " + job.kind + " " + job.subject);
      try {
        run(job);
      } catch (const std::exception& failure) {
        world_.fail("throw", job.kind + " " + job.subject + ": " + failure.what());
        throw;
      }
    });
  };
  handle(orders::job_kind::kSubmit, [this](const jobs::Job& job) { supply.run_submit(job); });
  handle(orders::job_kind::kSupplierQuery, [this](const jobs::Job& job) { supply.run_query(job); });
  handle(orders::job_kind::kPaymentQuery,
         [this](const jobs::Job& job) { payments.run_query(job); });
  handle(orders::job_kind::kExpire, [this](const jobs::Job& job) { payments.run_expire(job); });
  handle(orders::job_kind::kReview, [this](const jobs::Job& job) {
    if (bug_ == Bug::review_never_ends) {
      db_.write([&](storage::Tx& tx) { return jobs::outbox::finish(tx, job).has_value(); });
      return;
    }
    reviews.run_expiry(job);
  });
  handle(orders::job_kind::kRefund, [this](const jobs::Job& job) { refunds.run(job); });
  handle_more(handle, supply, payments);
  if (!world_.faults.has_bills) return;
  jobs::Schedule due{std::string(kSchedule), "due", kCompareEveryMs};
  if (bug_ == Bug::schedule_on_both) due.subject += "-" + life_.name;
  schedules_.add(worker, due, [this](const jobs::Job&) { compare_bills(); });
}

// The comparison waits for one that runs in this process; on one thread it would wait for itself.
void Node::compare_bills() {
  if (std::exchange(is_comparing_, true)) return;
  const std::int64_t began = world_.now();
  try {
    (void)reconciler.run_due();
  } catch (...) {
    is_comparing_ = false;
    throw;
  }
  is_comparing_ = false;
  const std::int64_t troubles = world_.counts.crashes + world_.counts.fault_kinds["clock_jump"];
  const std::int64_t took = world_.now() - began;
  const bool is_twice = world_.scheduled_at_ms >= 0 && took < jobs::kLeaseMs / 2 &&
                        world_.now() - world_.scheduled_at_ms < kCompareEveryMs / 2 &&
                        troubles == world_.scheduled_troubles;
  if (is_twice) world_.fail("I10", "a schedule ran twice within its time");
  // A run that outlasts its lease is begun by another.
  world_.scheduled_at_ms = took < jobs::kLeaseMs / 2 ? world_.now() : -1;
  world_.scheduled_troubles = troubles;
}

Result<reconcile::Run> Node::compare(const std::string& party, const std::string& day) {
  struct Turn {
    explicit Turn(bool& taken) : is_taken(taken) { is_taken = true; }
    ~Turn() { is_taken = false; }
    bool& is_taken;
  } turn(is_comparing_);
  return reconciler.run(party, day, "staff:desk");
}

void Node::start() {
  const std::int64_t now = world_.clock.wall_ms();
  db_.write([&](storage::Tx& tx) {
    // Only its own: another process holds its leases still.
    jobs::outbox::release_of(tx, life_.name, now);
    jobs::outbox::pull_near(tx, now, jobs::kLeaseMs, jobs::kMaxBackoffMs);
    return true;
  });
  if (world_.faults.has_bills) schedules_.plant(true);
}

void Node::write_tickets() {
  const std::vector<orders::Ticket> taken = tickets.take();
  if (taken.empty()) return;
  db_.write([&](storage::Tx& tx) {
    orders::write_tickets(tx, taken, world_.clock.wall_ms());
    return true;
  });
}

bool Node::hear_notice(const std::string& name, const payments::NotifyRequest& request) {
  const payments::PayChannel* channel = channels_.find(name);
  const auto heard = channel->parse_notify(request);
  if (!heard) return false;
  return payments.on_notification(channel->name(), *heard).has_value();
}

void Node::hear_hint(const std::string& name, const suppliers::CallbackRequest& request,
                     bool says_failed) {
  const auto attempt = suppliers_.find(name)->parse_callback(request);
  if (!attempt) return;
  if (says_failed && bug_ == Bug::callback_flips_success) believe_failure(db_, env, *attempt);
  supply.on_hint(*attempt);
}

Shop::Shop(World& world, WatchedDb& db, Parties& parties, std::uint64_t seed, Bug bug)
    : world_(world),
      db_(db),
      parties_(parties),
      bug_(bug),
      random_(seed * 3 + 3),
      balancer_(seed * 5 + 4) {
  world_.live_on = [this](std::int64_t until) { pump(until); };
  for (const char* name : {"simulated", "second"}) {
    if (!processes_.empty() && !world.faults.two_nodes) break;
    processes_.push_back(std::make_unique<Process>());
    processes_.back()->life.name = name;
  }
  for (const auto& process : processes_) start_again(*process);
}

void Shop::start_again(Process& process) {
  process.life.is_dead = false;
  world_.note("the shop starts");
  serve_at(process, [](Node&) {});
}

bool Shop::is_up(const Process& process) const {
  return !process.life.is_dead && process.life.depth < 2 * kMostNested &&
         process.life.frozen_until_ms <= world_.now();
}

// The balancer takes a while to see that a node is gone.
Shop::Process* Shop::chosen() {
  const auto count = static_cast<std::int64_t>(processes_.size());
  const std::int64_t first = count == 1 ? 0 : balancer_.below(count);
  for (std::int64_t i = 0; i < count; ++i) {
    Process& process = *processes_[static_cast<std::size_t>((first + i) % count)];
    if (is_up(process)) return &process;
    if (count > 1 && balancer_.percent(20)) return nullptr;
  }
  return nullptr;
}

bool Shop::serve(const std::function<void(Node&)>& request) {
  Process* process = chosen();
  return process != nullptr && serve_at(*process, request);
}

bool Shop::serve_at(Process& process, const std::function<void(Node&)>& request) {
  if (!is_up(process)) return false;
  Life* const before = std::exchange(world_.life, &process.life);
  const bool could_yield = std::exchange(world_.may_yield, false);
  ++process.life.depth;
  bool answered = true;
  try {
    if (!process.node) {
      process.node =
          std::make_unique<Node>(world_, db_, random_, parties_, bug_, std::as_const(process.life));
      process.node->start();
    }
    world_.may_yield = true;
    request(*process.node);
    if (!process.node->tickets.empty() && !std::exchange(process.tickets_are_due, true))
      world_.after(world_.between(1, 40), [this, &process] { write_tickets_of(process); });
  } catch (const Crash&) {
    answered = false;
  } catch (const std::exception& failure) {
    world_.fail("throw", failure.what());
    answered = false;
  }
  --process.life.depth;
  world_.may_yield = before != nullptr && could_yield;
  world_.life = before;
  if (process.life.is_dead) answered = false;
  if (process.life.is_dead && process.life.depth == 0) bury(process);
  return answered;
}

void Shop::write_tickets_of(Process& process) {
  const std::int64_t frozen_ms = process.life.frozen_until_ms - world_.now();
  if (!process.life.is_dead && frozen_ms > 0)
    return world_.after(frozen_ms + 1, [this, &process] { write_tickets_of(process); });
  process.tickets_are_due = false;
  serve_at(process, [](Node& node) { node.write_tickets(); });
}

// The last frame of the dead process is gone.
void Shop::bury(Process& process) {
  process.node.reset();
  db_.forget();
  if (bug_ == Bug::memory_queue) {
    db_.real().write([](storage::Tx& tx) {
      tx.exec("DELETE FROM outbox WHERE kind <> 'order_expire'", {});
      return true;
    });
  }
  world_.after(world_.between(500, 20'000), [this, &process] { start_again(process); });
}

bool Shop::may_run_jobs(const Process& process) const {
  return process.node && !process.life.is_dead && process.life.depth < kMostNested;
}

std::int64_t Shop::next_job_ms() const {
  std::int64_t next = INT64_MAX;
  for (const auto& process : processes_) {
    if (!may_run_jobs(*process)) continue;
    const std::int64_t wait = process->jobs_due_wall_ms - world_.clock.wall_ms();
    if (wait >= kFarMs / 2) continue;
    const std::int64_t due = world_.now() + std::max<std::int64_t>(0, wait);
    next = std::min(next, std::max(due, process->life.frozen_until_ms));
  }
  return next;
}

void Shop::run_jobs() {
  ++turn_;
  for (std::size_t i = 0; i < processes_.size(); ++i)
    run_jobs_of(*processes_[(turn_ + i) % processes_.size()]);
}

void Shop::run_jobs_of(Process& process) {
  while (may_run_jobs(process) && is_up(process) && !world_.has_failed()) {
    if (db_.jobs_changed()) wake();
    if (process.jobs_due_wall_ms > world_.clock.wall_ms()) return;
    bool ran = false;
    std::int64_t wait = 0;
    serve_at(process, [&](Node& node) { ran = node.worker.step(&wait); });
    if (!ran) process.jobs_due_wall_ms = world_.clock.wall_ms() + std::max<std::int64_t>(wait, 1);
  }
}

void Shop::pump(std::int64_t until) {
  Life* const mine = std::exchange(world_.life, nullptr);
  for (;;) {
    run_jobs();
    if (world_.has_failed() || (mine != nullptr && mine->is_dead)) break;
    const std::int64_t next = std::min(world_.next_event_ms(), next_job_ms());
    if (next > until) {
      world_.advance_to(until);
      break;
    }
    world_.advance_to(next);
    if (world_.next_event_ms() <= world_.now()) world_.run_next_event();
  }
  world_.life = mine;
}

}  // namespace topup::sim
