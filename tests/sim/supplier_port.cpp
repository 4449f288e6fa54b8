#include "tests/sim/supplier_port.h"

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "tests/sim/bills.h"

namespace topup::sim {
namespace {

using suppliers::SupplyOutcome;
using suppliers::SupplyState;

constexpr std::int64_t kWallWindowMs = 20 * 60'000;

SupplyOutcome outcome_of(SupplyState state, std::string code) {
  SupplyOutcome outcome;
  outcome.state = state;
  outcome.code = std::move(code);
  return outcome;
}

class SupplierPort final : public suppliers::Supplier {
 public:
  SupplierPort(World& world, SupplierModel& model, Wire& wire, Bug bug)
      : world_(world), model_(model), wire_(wire), bug_(bug) {}

  std::string_view name() const override { return model_.name(); }
  Result<std::vector<suppliers::ListedProduct>> products(const std::string&) override {
    return refuse(Code::unavailable, "supplier_unavailable");
  }
  bool deduplicates() const override { return model_.deduplicates(); }

  SupplyOutcome submit(const suppliers::SubmitRequest& request) override {
    bool stood_still = false;
    if (world_.strikes(Fault::freeze))
      stood_still = world_.stand_still(world_.between(25 * 60'000, 50 * 60'000));
    else if (world_.strikes(Fault::freeze))
      stood_still = world_.stand_still(world_.between(30'000, 120'000));
    const bool is_sure = bug_ == Bug::lease_ignored || (bug_ == Bug::lease_by_time && stood_still);
    if (request.may_leave && !request.may_leave() && !is_sure)
      return outcome_of(SupplyState::held, "too_late");
    suppliers::SubmitRequest sent = request;
    sent.may_leave = {};
    if (bug_ == Bug::number_mistaken && world_.chance.percent(10))
      sent.account_number.back() = sent.account_number.back() == '9' ? '0' : '9';
    SupplyOutcome outcome = send(sent);
    if (outcome.state != SupplyState::unknown) return outcome;
    if (bug_ == Bug::resubmit_new_number) {
      sent.attempt_id.text += "R";
      return send(sent);
    }
    if (bug_ == Bug::resubmit_same_number) return send(sent);
    return outcome;
  }

  SupplyOutcome query(const AttemptId& attempt, const std::string&) override {
    auto answer =
        wire_.call("supplier query", [model = &model_, attempt] { return model->look(attempt); });
    SupplyOutcome outcome = told(std::move(answer));
    if (bug_ == Bug::window_by_wall_clock && outcome.state == SupplyState::not_found) {
      const auto [first, is_new] = missed_since_.emplace(attempt.text, world_.clock.wall_ms());
      const bool is_over = world_.clock.wall_ms() - first->second > kWallWindowMs;
      outcome.state = is_over ? SupplyState::rejected : SupplyState::unknown;
    }
    return outcome;
  }

  Result<Money> balance() override { return Money{0, Currency::usd}; }

  Result<std::vector<suppliers::StatementLine>> statement(std::int64_t from_ms,
                                                          std::int64_t until_ms) override {
    auto answer = wire_.call("statement", [world = &world_, model = &model_, from_ms, until_ms] {
      return world->bills->statement_of(*model, from_ms, until_ms);
    });
    if (!answer || !*answer) return refuse(Code::unavailable, "supplier_unavailable");
    return std::move(**answer);
  }

  Result<AttemptId> parse_callback(const suppliers::CallbackRequest& request) const override {
    if (request.body.empty()) return refuse(Code::invalid_argument, "callback_malformed");
    return AttemptId(request.body);
  }

 private:
  SupplyOutcome send(const suppliers::SubmitRequest& request) {
    return told(wire_.call("submit", [model = &model_, request] { return model->take(request); }));
  }
  SupplyOutcome told(std::optional<SupplyOutcome> answer) const {
    SupplyOutcome outcome =
        answer ? std::move(*answer) : outcome_of(SupplyState::unknown, "deadline");
    if (!answer && bug_ == Bug::refund_on_timeout) outcome.state = SupplyState::rejected;
    if (bug_ == Bug::cost_forgotten) outcome.cost.reset();
    return outcome;
  }

  World& world_;
  SupplierModel& model_;
  Wire& wire_;
  Bug bug_;
  std::map<std::string, std::int64_t> missed_since_;
};

}  // namespace

std::unique_ptr<suppliers::Supplier> make_supplier_port(World& world, SupplierModel& model,
                                                        Wire& wire, Bug bug) {
  return std::make_unique<SupplierPort>(world, model, wire, bug);
}

}  // namespace topup::sim
