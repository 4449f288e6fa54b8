// Seeded histories: buyers, a channel and a supplier that fail, repeat, lose, delay and throw, in
// any order. Then the faults stop, the shop comes to rest, and what it says is compared with what
// really happened outside.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/order_shop.h"

namespace topup::orders {
namespace {

using payments::DefiniteFail;
using payments::RefundState;
using payments::RefundTrade;
using payments::Trade;
using payments::TradeState;
using payments::Unknown;
using suppliers::SupplyOutcome;
using suppliers::SupplyState;
using testing::OrderShop;
using testing::ScriptedChannel;
using testing::ScriptedSupplier;

constexpr std::uint64_t kSeeds = 120;  // TOPUP_SEEDS=2000 in the environment runs more of them
constexpr int kOrders = 5;
constexpr int kSteps = 50;
constexpr std::int64_t kTwoDaysMs = 48 * 3'600'000;
constexpr std::int64_t kLateArrivalMs = 600'000;

struct Payment {  // at the channel
  bool paid = false, closed = false;
  Money sum;
  std::int64_t refunded = 0;
};
struct RefundMade {
  OutTradeNo of;
  Money amount;
  RefundState state = RefundState::processing;
};
struct Delivery {  // at the supplier
  std::int64_t taken_at = INT64_MAX;
  int taken = 0;
  bool succeeds = true;
  int looks_until_final = 0;
  std::vector<SupplyState> answers;  // to submit
};

class History {
 public:
  explicit History(std::uint64_t seed)
      : shop_(seed), draw_(seed + 1'000'000), silent_(seed % 4 == 0) {
    loss_ = draw_.below(41);
    play_channel();
    play_supplier();
  }

  void live() {
    shop_.env.settings.max_supplier_queries = 60;
    for (int i = 0; i < kOrders; ++i) orders_.push_back(shop_.place());
    for (int i = 0; i < kSteps; ++i) step();
    loss_ = 0;
    quiet_ = shop_.run_until_quiet(kTwoDaysMs);
    // What is paid after the channel closed it is told by a notification only, and that one is
    // resent until it is heard.
    for (const Trade& trade : paid_late_) tell(trade);
    quiet_ = shop_.run_until_quiet(kTwoDaysMs) && quiet_;
  }

  void check_end() {
    CHECK(quiet_);
    CHECK(shop_.broken_books() == "");
    CHECK(shop_.shop.integer("SELECT COUNT(*) FROM outbox WHERE state = 'dead'") == 0);
    std::int64_t held = 0;
    for (const auto& [no, payment] : payments_) {
      CHECK(payment.refunded <= (payment.paid ? payment.sum.minor : 0));
      held += (payment.paid ? payment.sum.minor : 0) - payment.refunded;
    }
    CHECK(shop_.balance("asset.channel_clearing.wechat") == held);
    for (const OrderId& order : orders_) check_order(order);
    for (const auto& [id, delivery] : deliveries_) check_delivery(id, delivery);
  }

 private:
  bool lost() { return draw_.percent(loss_); }
  void maybe_throw() {
    if (loss_ > 0 && draw_.percent(4)) throw std::runtime_error("the party's adapter broke");
  }

  // ---- the channel

  void play_channel() {
    shop_.wechat->prepays.usually(
        [this](const payments::PrepayRequest& request) { return prepay(request); });
    shop_.wechat->queries.usually([this](const OutTradeNo& no) { return ask(no, false); });
    shop_.wechat->closes.usually([this](const OutTradeNo& no) { return ask(no, true); });
    shop_.wechat->refunds.usually(
        [this](const payments::RefundRequest& request) { return refund(request); });
    shop_.wechat->refund_queries.usually([this](const OutRefundNo& no) { return ask_refund(no); });
  }
  payments::Outcome<payments::PrepayTicket> prepay(const payments::PrepayRequest& request) {
    maybe_throw();
    if (loss_ > 0 && draw_.percent(8)) return DefiniteFail("PARAM_ERROR", "drawn");
    if (lost() && draw_.percent(50)) return Unknown{"request lost"};
    payments_[request.out_trade_no].sum = request.amount;
    if (lost()) return Unknown{"reply lost"};
    payments::PrepayTicket ticket;
    ticket.h5_url = "https://pay.example/" + request.out_trade_no.text;
    return ticket;
  }
  payments::Outcome<Trade> ask(const OutTradeNo& no, bool close) {
    maybe_throw();
    if (lost()) return Unknown{"deadline"};
    const auto found = payments_.find(no);
    if (found != payments_.end() && found->second.paid) return trade_of(no);
    if (close && found != payments_.end()) found->second.closed = true;
    if (lost()) return Unknown{"reply lost"};
    const bool closed = close || (found != payments_.end() && found->second.closed);
    return ScriptedChannel::trade(no, closed ? TradeState::closed : TradeState::not_paid);
  }
  Trade trade_of(const OutTradeNo& no) { return OrderShop::paid(no, payments_.at(no).sum); }
  payments::Outcome<RefundTrade> refund(const payments::RefundRequest& request) {
    maybe_throw();
    if (lost()) return Unknown{"request lost"};
    if (loss_ > 0 && draw_.percent(10)) return DefiniteFail("NOT_ENOUGH", "drawn");
    const auto [made, fresh] = refunds_.try_emplace(
        request.out_refund_no, RefundMade{request.out_trade_no, request.amount});
    if (fresh) {
      payments_.at(request.out_trade_no).refunded += request.amount.minor;
      if (loss_ > 0 && draw_.percent(4)) {
        made->second.state = RefundState::abnormal;
        payments_.at(request.out_trade_no).refunded -= request.amount.minor;
      } else if (draw_.percent(50)) {
        made->second.state = RefundState::succeeded;
      }
    }
    if (lost()) return Unknown{"reply lost"};
    return said(request.out_refund_no);
  }
  payments::Outcome<RefundTrade> ask_refund(const OutRefundNo& no) {
    maybe_throw();
    if (lost()) return Unknown{"deadline"};
    RefundMade& made = refunds_.at(no);
    if (made.state == RefundState::processing && draw_.percent(40))
      made.state = RefundState::succeeded;
    return said(no);
  }
  RefundTrade said(const OutRefundNo& no) {
    return {no, refunds_.at(no).of, refunds_.at(no).state, refunds_.at(no).amount};
  }

  // ---- the supplier

  void play_supplier() {
    shop_.reloadly->submits.usually([this](const suppliers::SubmitRequest& request) {
      Delivery& delivery = deliveries_[request.attempt_id];
      delivery.answers.push_back(SupplyState::unknown);  // also what a throw means
      const SupplyOutcome outcome = submit(delivery);
      delivery.answers.back() = outcome.state;
      return outcome;
    });
    shop_.reloadly->queries.usually([this](const std::pair<AttemptId, std::string>& asked) {
      return look(deliveries_[asked.first]);
    });
  }
  void take(Delivery& delivery, std::int64_t delay_ms) {
    ++delivery.taken;
    delivery.taken_at = shop_.clock.mono_ms() + delay_ms;
    delivery.succeeds = draw_.percent(75);
    delivery.looks_until_final = static_cast<int>(draw_.below(4));
  }
  SupplyOutcome submit(Delivery& delivery) {
    maybe_throw();
    if (loss_ > 0 && draw_.percent(20)) return ScriptedSupplier::said(SupplyState::held, "BALANCE");
    if (draw_.percent(8)) return ScriptedSupplier::said(SupplyState::rejected, "NUMBER");
    if (lost()) {
      if (draw_.percent(70)) take(delivery, draw_.below(kLateArrivalMs));
      maybe_throw();
      return ScriptedSupplier::said(SupplyState::unknown, "deadline");
    }
    take(delivery, 0);
    if (delivery.looks_until_final > 0) return ScriptedSupplier::said(SupplyState::accepted);
    return ScriptedSupplier::said(delivery.succeeds ? SupplyState::succeeded
                                                    : SupplyState::rejected);
  }
  SupplyOutcome look(Delivery& delivery) {
    maybe_throw();
    if (lost()) return ScriptedSupplier::said(SupplyState::unknown);
    if (delivery.taken_at > shop_.clock.mono_ms())
      return ScriptedSupplier::said(SupplyState::not_found);
    if (delivery.looks_until_final-- > 0) return ScriptedSupplier::said(SupplyState::accepted);
    return ScriptedSupplier::said(delivery.succeeds ? SupplyState::succeeded
                                                    : SupplyState::rejected);
  }

  // ---- what happens meanwhile

  void step() {
    const OrderId& order = orders_[static_cast<std::size_t>(draw_.below(kOrders))];
    switch (draw_.below(10)) {
      case 0:
      case 1:
        return start(order);
      case 2:
      case 3:
        return pay();
      case 4:
        return notify();
      case 5:
        return draw_.percent(30) ? cancel(order) : confirm(order);
      case 6:
        return hint(order);
      case 7:
        return jump();
      default:
        shop_.clock.advance(draw_.below(draw_.percent(20) ? 400'000 : 20'000));
        shop_.run_due(5);
    }
  }
  void start(const OrderId& order) {
    try {
      (void)shop_.try_start(order,
                            draw_.percent(50) ? payments::Scene::h5 : payments::Scene::jsapi);
    } catch (const std::runtime_error&) {
    }
  }
  void pay() {
    if (payments_.empty()) return;
    auto at = payments_.begin();
    std::advance(at, draw_.below(static_cast<std::int64_t>(payments_.size())));
    Payment& payment = at->second;
    if (payment.paid || (payment.closed && !draw_.percent(30))) return;
    payment.paid = true;
    if (draw_.percent(4)) payment.sum.minor += draw_.percent(50) ? 1 : -1;
    (payment.closed ? paid_late_ : told_).push_back(trade_of(at->first));
  }
  void notify() {
    if (silent_ || (told_.empty() && refunds_.empty())) return;
    const std::int64_t at = draw_.below(static_cast<std::int64_t>(told_.size() + refunds_.size()));
    if (at < static_cast<std::int64_t>(told_.size()))
      return tell(told_[static_cast<std::size_t>(at)]);
    auto made = refunds_.begin();
    std::advance(made, at - static_cast<std::int64_t>(told_.size()));
    if (made->second.state != RefundState::processing) (void)shop_.notify(said(made->first));
  }
  void tell(const Trade& trade) {
    (void)shop_.notify(trade, "n" + std::to_string(draw_.below(3)) + trade.out_trade_no.text);
  }
  void cancel(const OrderId& order) {
    try {
      (void)shop_.payments.cancel(shop_.user, order, "buyer");
    } catch (const std::runtime_error&) {
    }
  }
  void confirm(const OrderId& order) {
    try {
      (void)shop_.payments.confirm(shop_.user, order);
    } catch (const std::runtime_error&) {
    }
  }
  void hint(const OrderId& order) {
    for (std::int64_t i = draw_.below(2); i >= 0; --i) {
      (void)shop_.supply.on_hint(AttemptId("S" + order.text + "1"));
      shop_.run_due(3);
    }
  }
  void jump() {
    if (jumps_ == 2 || !draw_.percent(10)) return;
    ++jumps_;
    shop_.clock.jump_wall(draw_.percent(50) ? 3'600'000 : -3'600'000);
  }

  // ---- the end

  bool delivered(const OrderId& order) const {
    const auto found = deliveries_.find(AttemptId("S" + order.text + "1"));
    return found != deliveries_.end() && found->second.taken > 0 && found->second.succeeds;
  }
  void check_order(const OrderId& order) {
    const State end = shop_.state(order);
    CAPTURE(order.text);
    CAPTURE(to_word(end));
    std::int64_t fitting = 0;   // payments of the right sum
    std::int64_t wrong = 0;     // of another
    std::int64_t returned = 0;  // refunded payments
    for (const payments::Attempt& attempt : shop_.attempts(order)) {
      const auto found = payments_.find(attempt.out_trade_no);
      if (found == payments_.end() || !found->second.paid) continue;
      ++(found->second.sum == attempt.amount ? fitting : wrong);
      returned += found->second.refunded > 0 ? 1 : 0;
    }
    const std::int64_t items =
        shop_.shop.integer("SELECT COUNT(*) FROM work_items WHERE order_id = $1", {order.text});
    switch (end) {
      case State::succeeded:
        CHECK(delivered(order));
        CHECK(fitting >= 1);
        CHECK(returned + (items > 0 ? 1 : 0) >= fitting - 1);
        CHECK(returned < fitting);
        break;
      case State::refunded:
        CHECK_FALSE(delivered(order));
        CHECK(fitting >= 1);
        CHECK(returned >= 1);
        break;
      case State::closed:
        CHECK(fitting + wrong == 0);
        break;
      case State::review:
        CHECK(wrong >= 1);
        CHECK(items >= 1);
        break;
      case State::manual:
        CHECK(items >= 1);
        CHECK((returned == 0 || returned < fitting));
        break;
      default:
        CHECK_MESSAGE(false, "an order came to rest where nothing more happens");
    }
  }
  void check_delivery(const AttemptId& id, const Delivery& delivery) {
    CAPTURE(id.text);
    CHECK(delivery.taken <= 1);
    for (std::size_t i = 0; i + 1 < delivery.answers.size(); ++i)
      CHECK(delivery.answers[i] == SupplyState::held);
  }

  OrderShop shop_;
  testing::SeededRandom draw_;
  bool silent_;  // no notification is ever heard
  std::int64_t loss_ = 0;
  bool quiet_ = false;
  int jumps_ = 0;
  std::vector<OrderId> orders_;
  std::map<OutTradeNo, Payment> payments_;
  std::map<OutRefundNo, RefundMade> refunds_;
  std::map<AttemptId, Delivery> deliveries_;
  std::vector<Trade> told_, paid_late_;
};

TEST_CASE(
    "orders: whatever fails meanwhile, every paid order ends delivered, refunded or with a person, "
    "never two of them") {
  const char* more = std::getenv("TOPUP_SEEDS");
  const std::uint64_t seeds = more == nullptr ? kSeeds : std::strtoull(more, nullptr, 10);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    History history(seed);
    history.live();
    history.check_end();
  }
}

}  // namespace
}  // namespace topup::orders
