#include "tests/sim/stock_port.h"

#include <utility>

namespace topup::sim {
namespace {

using suppliers::SupplyOutcome;

class StockPort final : public suppliers::Supplier {
 public:
  StockPort(World& world, std::unique_ptr<suppliers::Supplier> stock, Bug bug)
      : world_(world), stock_(std::move(stock)), bug_(bug) {}

  std::string_view name() const override { return stock_->name(); }
  Result<std::vector<suppliers::ListedProduct>> products(const std::string& country) override {
    return stock_->products(country);
  }
  bool deduplicates() const override { return stock_->deduplicates(); }
  Result<Money> balance() override { return stock_->balance(); }
  Result<AttemptId> parse_callback(const suppliers::CallbackRequest& request) const override {
    return stock_->parse_callback(request);
  }
  SupplyOutcome query(const AttemptId& attempt, const std::string& theirs) override {
    return stock_->query(attempt, theirs);
  }

  SupplyOutcome submit(const suppliers::SubmitRequest& request) override {
    suppliers::SubmitRequest asked = request;
    asked.may_leave = [&] {
      if (request.may_leave && !request.may_leave()) return false;
      if (world_.strikes(Fault::freeze))
        (void)world_.stand_still(world_.between(25 * 60'000, 50 * 60'000));
      return true;
    };
    return bug_ == Bug::pin_answered_first ? mark_later(asked) : stock_->submit(asked);
  }

 private:
  // Whoever dies meanwhile has given what is still in the stock.
  SupplyOutcome mark_later(suppliers::SubmitRequest asked) {
    asked.may_leave = {};
    world_.after(world_.between(50, 20'000), [this, asked, alive = std::weak_ptr<int>(alive_)] {
      if (!alive.expired()) (void)stock_->submit(asked);
    });
    SupplyOutcome outcome;
    outcome.state = suppliers::SupplyState::succeeded;
    outcome.code = "DELIVERED";
    return outcome;
  }

  World& world_;
  std::unique_ptr<suppliers::Supplier> stock_;
  Bug bug_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace

std::unique_ptr<suppliers::Supplier> make_stock_port(World& world,
                                                     std::unique_ptr<suppliers::Supplier> stock,
                                                     Bug bug) {
  return std::make_unique<StockPort>(world, std::move(stock), bug);
}

}  // namespace topup::sim
