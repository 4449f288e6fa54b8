// The shop's processes in one run, one or two on one database: the real services, made anew from it
// after each death. Everything that reaches the shop comes through serve(), to either; their jobs
// run in pump(), one at a time, and inside the calls of others as other threads and the other
// process would. A process that stands still neither answers nor runs jobs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/admin/approval_service.h"
#include "server/admin/ledger_desk.h"
#include "server/catalog/catalog_service.h"
#include "server/jobs/schedule.h"
#include "server/jobs/worker.h"
#include "server/orders/order_service.h"
#include "server/orders/payment_flow.h"
#include "server/orders/refund_flow.h"
#include "server/orders/review_desk.h"
#include "server/orders/supply_flow.h"
#include "server/orders/ticket_keeper.h"
#include "server/payments/channels.h"
#include "server/privacy/pii.h"
#include "server/reconcile/reconcile_service.h"
#include "server/suppliers/suppliers.h"
#include "tests/sim/channel_model.h"
#include "tests/sim/supplier_model.h"
#include "tests/sim/wallet_port.h"
#include "tests/sim/watched_db.h"
#include "tests/sim/world.h"

namespace topup::sim {

inline constexpr std::string_view kSchedule = "reconcile";
inline constexpr std::int64_t kReviewAboveMinor = 9'000;  // in runs whose shop has reviews

// The parties outlive every process of the shop.
struct Parties {
  std::vector<std::unique_ptr<ChannelModel>> channels;
  std::vector<std::unique_ptr<SupplierModel>> suppliers;
};

// Tickets that wait for their commit, and go with the process.
class WaitingTickets final : public orders::Tickets {
 public:
  void keep(orders::Ticket ticket) override { waiting_.push_back(std::move(ticket)); }
  std::optional<orders::Ticket> find(const OutTradeNo& out_trade_no) const override;
  std::vector<orders::Ticket> take() { return std::exchange(waiting_, {}); }
  bool empty() const { return waiting_.empty(); }

 private:
  std::vector<orders::Ticket> waiting_;
};

// One life of the process.
class Node {
 public:
  Node(World& world, WatchedDb& db, testing::SeededRandom& random, Parties& parties, Bug bug,
       const Life& life);
  void start();  // as App::start(): the jobs of an earlier life are due again
  // A day compared by hand; on one thread the schedule's own would wait for itself meanwhile.
  Result<reconcile::Run> compare(const std::string& party, const std::string& day);

  void write_tickets();  // as TicketKeeper does after a moment
  // As the routes of the parties answer: true is the acknowledgement.
  bool hear_notice(const std::string& channel, const payments::NotifyRequest& request);
  void hear_hint(const std::string& supplier, const suppliers::CallbackRequest& request,
                 bool says_failed);

 private:
  World& world_;
  WatchedDb& db_;
  Bug bug_;
  const Life& life_;
  privacy::Pii pii_;
  payments::Channels channels_;
  suppliers::Suppliers suppliers_;

 public:
  catalog::Catalog catalog;
  WaitingTickets tickets;
  orders::OrderEnv env;
  orders::OrderService orders;
  orders::PaymentFlow payments;
  orders::SupplyFlow supply;
  orders::RefundFlow refunds;
  orders::ReviewDesk reviews;
  admin::ApprovalService approvals;
  admin::LedgerDesk ledger_desk;
  WalletPort* wallet = nullptr;  // where buyers have one
  jobs::Worker worker;
  reconcile::Reconciler reconciler;

 private:
  void register_jobs();
  void compare_bills();
  jobs::Schedules schedules_;
  bool is_comparing_ = false;
};

class Shop {
 public:
  Shop(World& world, WatchedDb& db, Parties& parties, std::uint64_t seed, Bug bug);

  // False: nobody answered, because the process is down or died on the way.
  bool serve(const std::function<void(Node&)>& request);
  // Virtual time passes; what is due happens.
  void pump(std::int64_t until_mono_ms);
  std::int64_t statements() const { return db_.writes(); }
  void wake() {  // the workers look again, as they do each second
    for (const auto& process : processes_) process->jobs_due_wall_ms = 0;
  }
  // Due now or later; INT64_MAX when there is none or the process is down.
  std::int64_t next_job_ms() const;

 private:
  struct Process {
    Life life;
    std::unique_ptr<Node> node;
    bool tickets_are_due = false;
    std::int64_t jobs_due_wall_ms = 0;
  };
  // Whoever the balancer sends a request to; nullptr: nobody answers.
  Process* chosen();
  bool is_up(const Process& process) const;
  bool may_run_jobs(const Process& process) const;
  bool serve_at(Process& process, const std::function<void(Node&)>& request);
  void run_jobs();
  void run_jobs_of(Process& process);
  void write_tickets_of(Process& process);
  void bury(Process& process);
  void start_again(Process& process);

  World& world_;
  WatchedDb& db_;
  Parties& parties_;
  Bug bug_;
  testing::SeededRandom random_, balancer_;
  std::vector<std::unique_ptr<Process>> processes_;
  std::size_t turn_ = 0;  // who looks for jobs first
};

}  // namespace topup::sim
