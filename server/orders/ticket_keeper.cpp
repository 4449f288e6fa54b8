#include "server/orders/ticket_keeper.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "server/base/log.h"
#include "server/base/span.h"
#include "server/jobs/outbox.h"
#include "server/orders/order_env.h"
#include "server/payments/payment_store.h"

namespace topup::orders {
namespace {

constexpr auto kGather = std::chrono::milliseconds(25);
constexpr std::size_t kMostAtOnce = 64;  // others wait for the writer meanwhile

}  // namespace

void write_tickets(storage::Tx& tx, const std::vector<Ticket>& tickets, std::int64_t now_ms) {
  namespace store = payments::payment_store;
  for (const Ticket& ticket : tickets) {
    if (store::save_ticket(tx, ticket.out_trade_no, ticket.kept, ticket.good_until_ms)) continue;
    const auto attempt = store::find_attempt(tx, ticket.out_trade_no);
    if (attempt && attempt->state == payments::attempt_state::kClosed) {
      jobs::outbox::enqueue(tx, job_kind::kCloseSheet, ticket.out_trade_no.text, now_ms, now_ms,
                            base::TraceScope::current(), jobs::Priority::money);
    }
  }
}

TicketKeeper::TicketKeeper(storage::Db& db, const base::Clock& clock)
    : db_(db), clock_(clock), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void TicketKeeper::keep(Ticket ticket) {
  {
    const std::lock_guard hold(mutex_);
    if (stopped_ || waiting_.size() >= kMostTickets) return;
    std::string number = ticket.out_trade_no.text;
    waiting_.insert_or_assign(std::move(number), std::move(ticket));
    if (waiting_.size() > 1) return;
  }
  came_.notify_one();
}

std::optional<Ticket> TicketKeeper::find(const OutTradeNo& out_trade_no) const {
  const std::lock_guard hold(mutex_);
  for (const auto* tickets : {&waiting_, &writing_}) {
    const auto found = tickets->find(out_trade_no.text);
    if (found != tickets->end()) return found->second;
  }
  return std::nullopt;
}

void TicketKeeper::stop() {
  {
    const std::lock_guard hold(mutex_);
    stopped_ = true;
  }
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void TicketKeeper::run(const std::stop_token& stop) {
  std::unique_lock hold(mutex_);
  for (;;) {
    came_.wait(hold, stop, [this] { return !waiting_.empty(); });
    if (waiting_.empty()) return;  // stopping, and nothing is left to do
    came_.wait_for(hold, stop, kGather, [] { return false; });
    writing_ = std::exchange(waiting_, {});
    std::vector<Ticket> tickets;
    tickets.reserve(writing_.size());
    for (const auto& [number, ticket] : writing_) tickets.push_back(ticket);
    hold.unlock();
    write_all(std::move(tickets));
    hold.lock();
    writing_.clear();
  }
}

void TicketKeeper::write_all(std::vector<Ticket> tickets) {
  // In the order of their numbers: neighbours share pages.
  std::sort(tickets.begin(), tickets.end(),
            [](const Ticket& a, const Ticket& b) { return a.out_trade_no < b.out_trade_no; });
  for (std::size_t from = 0; from < tickets.size(); from += kMostAtOnce) {
    const auto first = tickets.begin() + static_cast<std::ptrdiff_t>(from);
    const auto last =
        tickets.begin() + static_cast<std::ptrdiff_t>(std::min(from + kMostAtOnce, tickets.size()));
    const std::vector<Ticket> some(first, last);
    try {
      db_.write([&](storage::Tx& tx) {
        write_tickets(tx, some, clock_.wall_ms());
        return true;
      });
    } catch (const std::exception& failure) {
      // They are asked for again when somebody wants them.
      base::log(base::Level::warn, "tickets_not_kept",
                {{"tickets", static_cast<std::int64_t>(some.size())}, {"why", failure.what()}});
    }
  }
}

}  // namespace topup::orders
