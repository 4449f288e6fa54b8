// Orders paid from a buyer's wallet. The shop's ledger has wallets with holds, staff fill and empty
// them, and no page sells from one yet: this port stands for the channel that would, on the real
// wallets, inside the shop's own database and its own process. A sheet is a hold under the
// payment's number, the buyer's yes captures it, closing releases it, a refund gives captured money
// back. Each is one transaction and safe to repeat. Bugs that live in such a channel are planted
// here.
#pragma once

#include <string>
#include <string_view>

#include "server/ledger/wallet.h"
#include "server/payments/channel.h"
#include "tests/sim/bugs.h"
#include "tests/sim/watched_db.h"
#include "tests/sim/world.h"

namespace topup::sim {

inline constexpr std::string_view kWalletChannel = "wallet";
// What was captured and not yet booked as paid, or booked as refunded and not yet back; at rest 0.
inline constexpr std::string_view kWalletClearing = "asset.channel_clearing.wallet";

class WalletPort final : public payments::PayChannel {
 public:
  WalletPort(World& world, WatchedDb& db, Bug bug) : world_(world), db_(db), bug_(bug) {}

  std::string_view name() const override { return kWalletChannel; }
  payments::Outcome<payments::PrepayTicket> prepay(const payments::PrepayRequest&) override;
  payments::Outcome<payments::Trade> query(const OutTradeNo& no) override;
  payments::Outcome<payments::Trade> close(const OutTradeNo& no) override;
  payments::Outcome<payments::RefundTrade> refund(const payments::RefundRequest&) override;
  payments::Outcome<payments::RefundTrade> query_refund(const OutRefundNo& no) override;
  Result<payments::Notification> parse_notify(const payments::NotifyRequest&) const override;

  // The buyer says yes at the sheet. Errors: order_not_payable, those of wallet.h.
  Result<bool> pay(const UserId& user, const OutTradeNo& no);

 private:
  template <class Body>
  auto act(Body body);
  Result<bool> hold(storage::Tx& tx, ledger::Wallets& wallets, const OutTradeNo& no, Money amount,
                    const ledger::Wallet* seen_before);
  std::optional<ledger::Wallet> look_before(const OutTradeNo& no);
  std::string another(const std::string& subject) {
    return subject + "-" + std::to_string(++tries_);
  }

  World& world_;
  WatchedDb& db_;
  Bug bug_;
  int tries_ = 0;
};

}  // namespace topup::sim
