// What channels answered to a prepay, on its way into the store. A buyer need not wait for it: the
// order and the attempt were durable before the channel was asked, and a ticket that a crash takes
// is asked for again under the same out_trade_no, for which a channel gives the same sheet. So
// tickets gather for a moment and share one commit, while a repeat meanwhile finds them here.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "server/base/clock.h"
#include "server/storage/db.h"
#include "shared/ids.h"

namespace topup::orders {

struct Ticket {
  OutTradeNo out_trade_no;
  std::string kept;  // payments::Attempt::ticket
  std::int64_t good_until_ms = 0;
};

class Tickets {
 public:
  virtual ~Tickets() = default;
  virtual void keep(Ticket ticket) = 0;  // returns at once
  // One that is not written yet.
  virtual std::optional<Ticket> find(const OutTradeNo& out_trade_no) const = 0;
};

// Writes tickets in one transaction. One whose attempt was closed meanwhile has made a sheet that
// nobody watches: a job closes it at the channel. Safe to repeat.
void write_tickets(storage::Tx& tx, const std::vector<Ticket>& tickets, std::int64_t now_ms);

// Thread-safe. Above kMostTickets, and while the store takes nothing, tickets are let go.
class TicketKeeper final : public Tickets {
 public:
  static constexpr std::size_t kMostTickets = 4'096;

  TicketKeeper(storage::Db& db, const base::Clock& clock);
  ~TicketKeeper() override { stop(); }
  TicketKeeper(const TicketKeeper&) = delete;
  TicketKeeper& operator=(const TicketKeeper&) = delete;

  void keep(Ticket ticket) override;
  std::optional<Ticket> find(const OutTradeNo& out_trade_no) const override;
  void stop();  // writes what is left; tickets that come later are let go

 private:
  void run(const std::stop_token& stop);
  void write_all(std::vector<Ticket> tickets);

  storage::Db& db_;
  const base::Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable_any came_;
  std::unordered_map<std::string, Ticket> waiting_, writing_;  // by out_trade_no
  bool stopped_ = false;
  std::jthread thread_;
};

}  // namespace topup::orders
