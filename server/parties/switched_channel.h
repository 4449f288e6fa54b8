// One payment channel in both worlds behind the ordinary port: each call goes to the world that its
// number belongs to (worlds.h). A notification is believed only in the world of the number it is
// about: what the played party signs can never pay a live order, and the other way round. A trial
// of health and what has no number go to the world of now. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/parties/worlds.h"
#include "server/payments/channel.h"

namespace topup::parties {

class SwitchedChannel final : public payments::PayChannel {
 public:
  SwitchedChannel(std::unique_ptr<payments::PayChannel> rehearsed, std::string party,
                  const Worlds& worlds, const base::Clock& clock);
  // Before the world changes to live, and again when keys change; calls under way end with what
  // they began with.
  void set_live(std::shared_ptr<payments::PayChannel> live);

  std::string_view name() const override { return rehearsed_->name(); }
  payments::Outcome<payments::PrepayTicket> prepay(const payments::PrepayRequest&) override;
  payments::Outcome<payments::Trade> query(const OutTradeNo&) override;
  payments::Outcome<payments::Trade> close(const OutTradeNo&) override;
  payments::Outcome<payments::RefundTrade> refund(const payments::RefundRequest&) override;
  payments::Outcome<payments::RefundTrade> query_refund(const OutRefundNo&) override;
  payments::Outcome<payments::Trade> query_of(const OutTradeNo&, const std::string&) override;
  payments::Outcome<payments::Trade> close_of(const OutTradeNo&, const std::string&) override;
  payments::Outcome<payments::RefundTrade> query_refund_of(const OutTradeNo&, const OutRefundNo&,
                                                           const std::string&) override;
  std::string payee_of(std::string_view operator_id) const override;
  std::optional<payments::PrepayTicket> resume(const payments::PrepayRequest&,
                                               const std::string& kept) override;
  bool offers(payments::Scene) const override;
  bool outlives_close(payments::Scene) const override;
  bool calls_to_prepay(payments::Scene) const override;
  bool blames_channel(const payments::DefiniteFail&) const override;
  payments::Outcome<payments::Bill> bill(std::string_view day) override;
  bool has_fund_bill() const override;
  payments::Outcome<std::vector<payments::FundLine>> fund_bill(std::string_view day) override;
  Result<payments::Notification> parse_notify(const payments::NotifyRequest&) const override;
  payments::NotifyAnswer notify_answer() const override;

 private:
  using Held = std::shared_ptr<payments::PayChannel>;
  Held in(World world) const;
  Held now() const { return in(worlds_.at(party_, clock_.wall_ms())); }
  Held of(const OutTradeNo& number) const;

  const Held rehearsed_;
  const std::string party_;
  const Worlds& worlds_;
  const base::Clock& clock_;
  mutable std::mutex mutex_;  // held for a pointer copy only
  Held live_;
};

}  // namespace topup::parties
