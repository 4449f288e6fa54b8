#include "tests/sim/channel_port.h"

#include <utility>
#include <variant>

#include "tests/sim/bills.h"

namespace topup::sim {
namespace {

using payments::DefiniteFail;
using payments::Outcome;
using payments::RefundState;
using payments::RefundTrade;
using payments::Trade;
using payments::Unknown;

class ChannelPort final : public payments::PayChannel {
 public:
  ChannelPort(World& world, ChannelModel& model, Wire& wire, Bug bug)
      : world_(world), model_(model), wire_(wire), bug_(bug) {}

  std::string_view name() const override { return model_.name(); }

  Outcome<payments::PrepayTicket> prepay(const payments::PrepayRequest& request) override {
    const auto opened =
        wire_.call("prepay", [model = &model_, request] { return model->open(request); });
    if (!opened) return Unknown{"deadline"};
    if (!*opened) return DefiniteFail{"ORDER_CLOSED", request.out_trade_no.text};
    payments::PrepayTicket ticket;
    ticket.scene = request.scene;
    if (request.scene == payments::Scene::h5)
      ticket.h5_url = "https://pay.example/" + request.out_trade_no.text;
    return ticket;
  }

  Outcome<Trade> query(const OutTradeNo& no) override {
    return told(wire_.call("payment query", [model = &model_, no] { return model->look(no); }));
  }

  Outcome<Trade> close(const OutTradeNo& no) override {
    if (bug_ == Bug::closed_unasked) {
      Trade closed;
      closed.out_trade_no = no;
      closed.state = payments::TradeState::closed;
      return closed;
    }
    return told(wire_.call("close", [model = &model_, no] { return model->close(no); }));
  }

  Outcome<RefundTrade> refund(const payments::RefundRequest& request) override {
    payments::RefundRequest sent = request;
    if (bug_ == Bug::refund_new_number) sent.out_refund_no.text += "-" + std::to_string(++tries_);
    auto answer = wire_.call("refund", [model = &model_, sent] { return model->refund(sent); });
    if (!answer) return Unknown{"deadline"};
    return told(std::move(*answer), request.out_refund_no, request.out_trade_no, request.amount);
  }

  Outcome<RefundTrade> query_refund(const OutRefundNo& no) override {
    auto answer =
        wire_.call("refund query", [model = &model_, no] { return model->look_at_refund(no); });
    if (!answer) return Unknown{"deadline"};
    return std::move(*answer);
  }

  Outcome<payments::Bill> bill(std::string_view day) override {
    auto answer = wire_.call("bill", [world = &world_, model = &model_, asked = std::string(day)] {
      return world->bills->bill_of(*model, asked);
    });
    if (!answer || !*answer) return Unknown{"not_ready"};
    return std::move(**answer);
  }

  bool has_fund_bill() const override { return true; }
  Outcome<std::vector<payments::FundLine>> fund_bill(std::string_view day) override {
    auto answer =
        wire_.call("fund bill", [world = &world_, model = &model_, asked = std::string(day)] {
          return world->bills->funds_of(*model, asked);
        });
    if (!answer || !*answer) return Unknown{"not_ready"};
    return std::move(**answer);
  }

  Result<payments::Notification> parse_notify(
      const payments::NotifyRequest& request) const override {
    auto heard = model_.read(request);
    if (!heard) return heard;
    if (auto* trade = std::get_if<Trade>(&heard->what)) *trade = as_read(*trade);
    return heard;
  }

 private:
  Outcome<Trade> told(const std::optional<Trade>& answer) const {
    if (!answer) return Unknown{"deadline"};
    return as_read(*answer);
  }
  Trade as_read(Trade trade) const {
    const auto sheet = model_.sheets().find(trade.out_trade_no.text);
    if (bug_ == Bug::amount_unchecked && sheet != model_.sheets().end())
      trade.paid = sheet->second.asked;
    return trade;
  }
  Outcome<RefundTrade> told(Outcome<RefundTrade> answer, const OutRefundNo& no,
                            const OutTradeNo& trade, Money amount) const {
    if (auto* said = std::get_if<RefundTrade>(&answer)) {
      said->out_refund_no = no;
      if (bug_ == Bug::processing_is_success) said->state = RefundState::succeeded;
    }
    if (std::holds_alternative<DefiniteFail>(answer) && bug_ == Bug::refusal_is_final)
      return RefundTrade{no, trade, RefundState::closed, amount};
    return answer;
  }

  World& world_;
  ChannelModel& model_;
  Wire& wire_;
  Bug bug_;
  int tries_ = 0;
};

}  // namespace

std::unique_ptr<payments::PayChannel> make_channel_port(World& world, ChannelModel& model,
                                                        Wire& wire, Bug bug) {
  return std::make_unique<ChannelPort>(world, model, wire, bug);
}

}  // namespace topup::sim
