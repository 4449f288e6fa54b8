#include "tests/sim/wallet_port.h"

#include <utility>

#include "server/base/log.h"
#include "server/ledger/chart.h"
#include "server/ledger/ledger_store.h"
#include "server/ledger/posting.h"
#include "server/ledger/wallet_store.h"
#include "server/orders/order_store.h"
#include "server/payments/payment_store.h"

namespace topup::sim {
namespace {

using ledger::Wallet;
using ledger::WalletHold;
using ledger::Wallets;
using payments::DefiniteFail;
using payments::Outcome;
using payments::RefundTrade;
using payments::Trade;
using payments::TradeState;
using payments::payment_store::find_attempt;
namespace hold_state = ledger::hold_state;

Trade trade_of(const OutTradeNo& no, const std::optional<WalletHold>& hold, std::int64_t now_ms) {
  Trade trade;
  trade.out_trade_no = no;
  trade.payee_matches = true;
  trade.state = TradeState::not_paid;
  if (hold && hold->state == hold_state::kReleased) trade.state = TradeState::closed;
  if (hold && hold->state == hold_state::kCaptured) {
    trade.state = TradeState::paid;
    trade.transaction_id = TransactionId("wallet-" + no.text);
    trade.paid = hold->captured;
    trade.paid_at_ms = now_ms;
  }
  return trade;
}

std::optional<UserId> payer_of(storage::Reader& reader, const OutTradeNo& no) {
  const auto attempt = find_attempt(reader, no);
  const auto order = attempt ? orders::order_store::find(reader, attempt->order) : std::nullopt;
  return order ? std::optional(order->user) : std::nullopt;
}

bool is_open(storage::Reader& reader, const OutTradeNo& no) {
  const auto attempt = find_attempt(reader, no);
  return attempt && attempt->state == payments::attempt_state::kStarted;
}

// As a mistaken shop would set an amount aside: by the balance that it saw before the wallet was
// its own to change.
void hold_by(const Wallet& seen, storage::Tx& tx, const OutTradeNo& no, Money amount,
             std::int64_t now_ms) {
  Wallet wallet = ledger::wallet_store::lock(tx, seen.user, amount.currency, now_ms);
  wallet.available = {seen.available.minor - amount.minor, amount.currency};
  wallet.held = {seen.held.minor + amount.minor, amount.currency};
  (void)ledger::wallet_store::save(tx, wallet, now_ms);
  ledger::wallet_store::insert_entry(
      tx, seen.user,
      {"hold", no.text, {-amount.minor, amount.currency}, amount, wallet.version + 1, now_ms});
  ledger::wallet_store::insert_hold(tx,
                                    {no.text,
                                     seen.user,
                                     amount,
                                     {0, amount.currency},
                                     {0, amount.currency},
                                     std::string(hold_state::kHeld)},
                                    now_ms);
  ledger::post(tx,
               ledger::Journal(
                   "wallet_hold", no.text,
                   {{std::string(ledger::account::kWalletAvailable), amount},
                    {std::string(ledger::account::kWalletHeld), {-amount.minor, amount.currency}}}),
               OrderId(), base::TraceScope::current(), now_ms);
}

}  // namespace

// Waits its turn for the database as any other does; whatever waits longer goes later.
template <class Body>
auto WalletPort::act(Body body) {
  if (world_.is_inside_transaction)
    world_.fail("network", "the wallet is called inside a transaction");
  world_.live_on(world_.now() + world_.between(1, 80));
  if (world_.is_dead()) throw Crash{};
  return storage::with_tx(db_, [&](storage::Tx& tx) {
    Wallets wallets(tx, base::TraceScope::current(), world_.clock.wall_ms());
    return body(tx, wallets);
  });
}

std::optional<Wallet> WalletPort::look_before(const OutTradeNo& no) {
  if (bug_ != Bug::wallet_checked_early) return std::nullopt;
  std::optional<Wallet> seen;
  db_.read([&](storage::Reader& reader) {
    if (const auto user = payer_of(reader, no))
      seen = ledger::wallet_of(reader, *user, Currency::cny);
  });
  return seen;
}

Result<bool> WalletPort::hold(storage::Tx& tx, Wallets& wallets, const OutTradeNo& no, Money amount,
                              const Wallet* seen_before) {
  const auto before = ledger::hold_of(tx, no.text);
  // Another tap may have been quicker; the sheet is the same.
  if (before && before->state != hold_state::kReleased) return true;
  if (before || !is_open(tx, no)) return refuse(Code::conflict, "order_not_payable");
  if (seen_before != nullptr) {
    if (seen_before->available.minor < amount.minor)
      return refuse(Code::rejected, "wallet_insufficient", "amount");
    hold_by(*seen_before, tx, no, amount, world_.clock.wall_ms());
    return true;
  }
  const auto held = wallets.hold(payer_of(tx, no).value(), no.text, amount);
  if (!held) return tl::unexpected<Error>(held.error());
  return true;
}

Outcome<payments::PrepayTicket> WalletPort::prepay(const payments::PrepayRequest& request) {
  const OutTradeNo& no = request.out_trade_no;
  const auto seen = look_before(no);
  const auto held = act([&](storage::Tx& tx, Wallets& wallets) {
    return hold(tx, wallets, no, request.amount, seen ? &*seen : nullptr);
  });
  if (!held) return DefiniteFail{std::string(held.error().reason), no.text};
  payments::PrepayTicket ticket;
  ticket.scene = request.scene;
  ticket.kept = no.text;
  return ticket;
}

Result<bool> WalletPort::pay(const UserId& user, const OutTradeNo& no) {
  return act([&](storage::Tx& tx, Wallets& wallets) -> Result<bool> {
    const auto hold = ledger::hold_of(tx, no.text);
    if (!hold || hold->user != user) return refuse(Code::not_found, "hold_not_found");
    const bool is_again = hold->state == hold_state::kCaptured;
    if (!is_again && !is_open(tx, no)) return refuse(Code::conflict, "order_not_payable");
    if (is_again && bug_ == Bug::hold_captured_twice) {
      const auto taken =
          wallets.debit({user, hold->amount, another(no.text), std::string(kWalletClearing)});
      return taken.has_value();
    }
    const auto paid = wallets.capture(no.text, hold->amount, kWalletClearing);
    if (!paid) return tl::unexpected<Error>(paid.error());
    return true;
  });
}

Outcome<Trade> WalletPort::query(const OutTradeNo& no) {
  std::optional<WalletHold> hold;
  db_.read([&](storage::Reader& reader) { hold = ledger::hold_of(reader, no.text); });
  return trade_of(no, hold, world_.clock.wall_ms());
}

Outcome<Trade> WalletPort::close(const OutTradeNo& no) {
  Trade closed;
  closed.out_trade_no = no;
  closed.state = TradeState::closed;
  if (bug_ == Bug::hold_left) return closed;
  const auto done = act([&](storage::Tx& tx, Wallets& wallets) -> Result<Trade> {
    const auto hold = ledger::hold_of(tx, no.text);
    if (!hold) return closed;
    if (hold->state == hold_state::kReleased && bug_ == Bug::hold_released_twice)
      (void)wallets.credit(
          {hold->user, hold->amount, another(no.text), std::string(kWalletClearing)});
    if (hold->state == hold_state::kHeld) {
      const auto free = wallets.release(no.text);
      if (!free) return tl::unexpected<Error>(free.error());
    }
    return trade_of(no, ledger::hold_of(tx, no.text), world_.clock.wall_ms());
  });
  if (!done) return payments::Unknown{std::string(done.error().reason)};
  return *done;
}

Outcome<RefundTrade> WalletPort::refund(const payments::RefundRequest& request) {
  const RefundTrade given{request.out_refund_no, request.out_trade_no,
                          payments::RefundState::succeeded, request.amount};
  if (bug_ == Bug::wallet_not_returned) return given;
  const std::string& no = request.out_refund_no.text;
  const auto done = act([&](storage::Tx& tx, Wallets& wallets) -> Result<Wallet> {
    const auto heard = ledger::wallet_store::find_entry(tx, "refund", no);
    if (heard && bug_ == Bug::wallet_returned_twice)
      return wallets.credit(
          {heard->user, request.amount, another(no), std::string(kWalletClearing)});
    return wallets.refund(request.out_trade_no.text, request.amount, no, kWalletClearing);
  });
  if (done) return given;
  world_.fail("I2", no + " cannot go back to its wallet: " + std::string(done.error().reason));
  return DefiniteFail{std::string(done.error().reason), no};
}

// Asked only about a refund that is under way, and none of these ever is.
Outcome<RefundTrade> WalletPort::query_refund(const OutRefundNo& no) {
  return DefiniteFail{"RESOURCE_NOT_EXISTS", no.text};
}

Result<payments::Notification> WalletPort::parse_notify(const payments::NotifyRequest&) const {
  return refuse(Code::forbidden, "signature_invalid");
}

}  // namespace topup::sim
