// A payment channel and a supplier that answer from a script, at the ports: queued answers first,
// then the usual one. They count and keep what they were asked. Thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/payments/channel.h"
#include "server/suppliers/supplier.h"

namespace topup::testing {

template <class Reply, class Request>
class Script {
 public:
  using Step = std::function<Reply(const Request&)>;
  explicit Script(Step usual) : usual_(std::move(usual)) {}

  void then(Reply reply) {
    then_do([reply = std::move(reply)](const Request&) { return reply; });
  }
  void then_do(Step step) {
    const std::lock_guard hold(mutex_);
    queued_.push_back(std::move(step));
  }
  void usually(Step step) {
    const std::lock_guard hold(mutex_);
    usual_ = std::move(step);
  }
  void usually(Reply reply) {
    usually(Step([reply = std::move(reply)](const Request&) { return reply; }));
  }
  Reply play(const Request& request) {
    Step step;
    {
      const std::lock_guard hold(mutex_);
      heard_.push_back(request);
      if (queued_.empty()) {
        step = usual_;
      } else {
        step = std::move(queued_.front());
        queued_.pop_front();
      }
    }
    return step(request);
  }
  std::vector<Request> heard() const {
    const std::lock_guard hold(mutex_);
    return heard_;
  }
  std::size_t calls() const { return heard().size(); }

 private:
  mutable std::mutex mutex_;
  std::deque<Step> queued_;
  Step usual_;
  std::vector<Request> heard_;
};

class ScriptedChannel final : public payments::PayChannel {
 public:
  template <class T>
  using Outcome = payments::Outcome<T>;

  explicit ScriptedChannel(std::string name) : name_(std::move(name)) {}
  std::string_view name() const override { return name_; }
  bool offers(payments::Scene scene) const override { return scene != offers_all_but; }
  std::optional<payments::Scene> offers_all_but = {};
  std::string payee_of(std::string_view) const override { return payee; }
  std::string payee = {};  // of the payments that begin from now on
  Outcome<payments::PrepayTicket> prepay(const payments::PrepayRequest& request) override {
    return prepays.play(request);
  }
  Outcome<payments::Trade> query(const OutTradeNo& no) override { return queries.play(no); }
  Outcome<payments::Trade> close(const OutTradeNo& no) override { return closes.play(no); }
  Outcome<payments::RefundTrade> refund(const payments::RefundRequest& request) override {
    return refunds.play(request);
  }
  Outcome<payments::RefundTrade> query_refund(const OutRefundNo& no) override {
    return refund_queries.play(no);
  }
  Result<payments::Notification> parse_notify(const payments::NotifyRequest&) const override {
    return refuse(Code::invalid_argument, "notify_malformed");
  }

  static payments::Trade trade(const OutTradeNo& no, payments::TradeState state) {
    payments::Trade said;
    said.out_trade_no = no;
    said.state = state;
    said.payee_matches = true;
    return said;
  }
  static payments::RefundTrade refund_trade(const OutRefundNo& no, payments::RefundState state,
                                            Money amount) {
    return {no, OutTradeNo(), state, amount};
  }

  // Usually: every sheet opens, nobody has paid, every close and refund is done at once.
  Script<Outcome<payments::PrepayTicket>, payments::PrepayRequest> prepays{
      [](const payments::PrepayRequest& request) {
        payments::PrepayTicket ticket;
        ticket.h5_url = "https://pay.example/" + request.out_trade_no.text;
        return ticket;
      }};
  Script<Outcome<payments::Trade>, OutTradeNo> queries{
      [](const OutTradeNo& no) { return trade(no, payments::TradeState::not_paid); }};
  Script<Outcome<payments::Trade>, OutTradeNo> closes{
      [](const OutTradeNo& no) { return trade(no, payments::TradeState::closed); }};
  Script<Outcome<payments::RefundTrade>, payments::RefundRequest> refunds{
      [](const payments::RefundRequest& request) {
        return refund_trade(request.out_refund_no, payments::RefundState::succeeded,
                            request.amount);
      }};
  Script<Outcome<payments::RefundTrade>, OutRefundNo> refund_queries{
      [](const OutRefundNo&) { return payments::Unknown{"deadline"}; }};

 private:
  std::string name_;
};

class ScriptedSupplier final : public suppliers::Supplier {
 public:
  explicit ScriptedSupplier(std::string name) : name_(std::move(name)) {}
  std::string_view name() const override { return name_; }
  Result<std::vector<suppliers::ListedProduct>> products(const std::string& country) override {
    return lists.play(country);
  }
  suppliers::SupplyOutcome submit(const suppliers::SubmitRequest& request) override {
    return submits.play(request);
  }
  suppliers::SupplyOutcome query(const AttemptId& id, const std::string& theirs) override {
    return queries.play({id, theirs});
  }
  Result<Money> balance() override { return has; }
  bool deduplicates() const override { return knows_repeats; }
  Result<AttemptId> parse_callback(const suppliers::CallbackRequest&) const override {
    return refuse(Code::invalid_argument, "callback_malformed");
  }

  static suppliers::SupplyOutcome said(suppliers::SupplyState state, std::string code = "") {
    suppliers::SupplyOutcome outcome;
    outcome.state = state;
    outcome.code = std::move(code);
    return outcome;
  }

  Money has{0, Currency::usd};
  bool knows_repeats = true;
  // Usually: nothing to list; delivered at once; a query knows nothing.
  Script<Result<std::vector<suppliers::ListedProduct>>, std::string> lists{
      [](const std::string&) -> Result<std::vector<suppliers::ListedProduct>> {
        return refuse(Code::unavailable, "supplier_unavailable");
      }};
  Script<suppliers::SupplyOutcome, suppliers::SubmitRequest> submits{
      [](const suppliers::SubmitRequest&) { return said(suppliers::SupplyState::succeeded); }};
  Script<suppliers::SupplyOutcome, std::pair<AttemptId, std::string>> queries{
      [](const std::pair<AttemptId, std::string>&) {
        return said(suppliers::SupplyState::unknown);
      }};

 private:
  std::string name_;
};

}  // namespace topup::testing
