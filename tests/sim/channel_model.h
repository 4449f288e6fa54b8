// A payment channel as it is outside: sheets, payments, refunds, and notifications that are resent
// on WeChat Pay's schedule until they are acknowledged. It keeps the truth about money, whatever
// the shop believes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "server/payments/channel.h"
#include "tests/sim/bugs.h"
#include "tests/sim/wire.h"
#include "tests/sim/world.h"

namespace topup::sim {

struct ChannelRefund {
  OutTradeNo trade;
  Money amount;
  payments::RefundState state = payments::RefundState::processing;
  std::int64_t at_ms = 0;  // steady: accepted
};
struct Sheet {
  payments::TradeState state = payments::TradeState::not_paid;
  Money asked, paid;
  std::int64_t expires_at_ms = 0;   // by the shop's wall clock, as it was told
  std::int64_t paid_at_ms = 0;      // steady
  std::int64_t refunded_minor = 0;  // accepted and not refused later
  std::int64_t returned_minor = 0;  // back at the buyer
};

class ChannelModel {
 public:
  // Carries a notification to the shop; true when it was acknowledged.
  using Deliver = std::function<bool(const payments::NotifyRequest&)>;
  ChannelModel(World& world, std::string name, Bug bug);

  void on_notice(Deliver deliver) { deliver_ = std::move(deliver); }
  // Buyers at the sheet.
  bool is_payable(const OutTradeNo& no) const;
  void pay(const OutTradeNo& no, bool even_if_closed);

  // What the shop's adapter asks for.
  bool open(const payments::PrepayRequest& request);
  payments::Trade look(const OutTradeNo& no) const;
  payments::Trade close(const OutTradeNo& no);
  payments::Outcome<payments::RefundTrade> refund(const payments::RefundRequest& request);
  payments::Outcome<payments::RefundTrade> look_at_refund(const OutRefundNo& no) const;

  payments::NotifyRequest notice_of(const OutTradeNo& no) const;
  payments::NotifyRequest forged_notice(const OutTradeNo& no, int kind);
  Result<payments::Notification> read(const payments::NotifyRequest& request) const;

  const std::string& name() const { return name_; }
  const std::map<std::string, Sheet>& sheets() const { return sheets_; }
  const std::map<std::string, ChannelRefund>& refunds() const { return refunds_; }
  // The adapter that the shop gets, anew at each of its starts.
  std::unique_ptr<payments::PayChannel> adapter();

 private:
  payments::NotifyRequest sealed(std::string body) const;
  payments::NotifyRequest refund_notice_of(const OutRefundNo& no) const;
  void notify(const std::function<payments::NotifyRequest()>& notice, std::size_t tries);
  void deliver_copies(const std::function<payments::NotifyRequest()>& notice,
                      const std::shared_ptr<bool>& heard);
  void end_refund(const OutRefundNo& no, bool is_abnormal);

  World& world_;
  std::string name_;
  Bug bug_;
  Wire wire_;
  Deliver deliver_;
  std::map<std::string, Sheet> sheets_;
  std::map<std::string, ChannelRefund> refunds_;
};

}  // namespace topup::sim
