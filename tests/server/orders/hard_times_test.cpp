// A store that dies or a supplier that says nothing: what is answered, and when somebody asks.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/mortal_db.h"
#include "tests/support/order_shop.h"

namespace topup::orders {
namespace {

using suppliers::SupplyState;
using testing::OrderShop;
using testing::ScriptedSupplier;

constexpr std::int64_t kMinuteMs = 60'000;

// The shop's payments on a store that dies after so many steps.
struct MortalPayments {
  MortalPayments(OrderShop& shop, std::int64_t steps)
      : living(shop.shop.db()),
        db(living, steps),
        env{db, shop.clock, shop.random, shop.pii, shop.catalog, shop.channels, shop.suppliers,
            {}, {},         {},          {}},
        flow(env) {
    env.settings = shop.env.settings;
    env.wake_jobs = [] {};
    env.order_changed = [](const OrderId&) {};
    env.count_state = [](std::string_view) {};
  }
  // The hints of its last commit use what ends here; the writer runs them before it takes this.
  ~MortalPayments() {
    living.write([](storage::Tx&) { return true; });
  }
  MortalPayments(const MortalPayments&) = delete;
  MortalPayments& operator=(const MortalPayments&) = delete;

  storage::Db& living;
  testing::MortalDb db;
  OrderEnv env;
  PaymentFlow flow;
};

TEST_CASE("C-10: wherever the store dies, a notification is answered only after its commit") {
  int killed = 0, answered = 0;
  for (std::int64_t steps = 1; steps < 60 && answered < 3; ++steps) {
    CAPTURE(steps);
    OrderShop shop;
    const OrderId order = shop.place();
    const payments::Trade trade = OrderShop::paid(shop.start(order));
    bool is_answered = false;
    {
      MortalPayments mortal(shop, steps);
      try {
        is_answered = mortal.flow.on_notification("wechat", {"n-1", trade}).has_value();
      } catch (const testing::Killed&) {
        ++killed;
      }
    }
    const bool is_booked = shop.journals("payment") == 1 && shop.state(order) == State::paid;
    const bool is_whole = shop.journals("payment") == 0 && shop.state(order) == State::paying;
    CHECK((is_booked || is_whole));
    if (is_answered) CHECK(is_booked);
    answered += is_answered ? 1 : 0;
    // The channel says it again, to the next process.
    CHECK(shop.notify(trade, "n-1").has_value());
    CHECK(shop.journals("payment") == 1);
    CHECK(shop.jobs(job_kind::kSubmit) == 1);
    CHECK(shop.state(order) == State::paid);
    CHECK(shop.broken_books() == "");
  }
  CHECK(killed >= 5);
  CHECK(answered == 3);
}

std::vector<std::int64_t> when_asked(OrderShop& shop, std::int64_t within_ms) {
  std::vector<std::int64_t> asked;
  const std::int64_t began = shop.clock.wall_ms();
  shop.reloadly->submits.then(ScriptedSupplier::said(SupplyState::accepted));
  shop.reloadly->queries.usually([&](const auto&) {
    asked.push_back(shop.clock.wall_ms() - began);
    return ScriptedSupplier::said(SupplyState::unknown, "deadline");
  });
  shop.run_due();
  (void)shop.run_until_quiet(within_ms);
  return asked;
}

TEST_CASE("O-10: a supplier that is given fifteen minutes is asked at fifteen minutes, exactly") {
  OrderShop shop;
  shop.env.settings.first_supplier_query_ms = 15 * kMinuteMs;
  const OrderId order = shop.paid_order();
  const std::vector<std::int64_t> early = when_asked(shop, 15 * kMinuteMs - 1);
  CHECK(early.empty());
  const std::int64_t before = shop.clock.wall_ms();
  std::int64_t at = 0;
  shop.reloadly->queries.usually([&](const auto&) {
    at = shop.clock.wall_ms();
    return ScriptedSupplier::said(SupplyState::succeeded);
  });
  const std::int64_t due = shop.next_due();
  shop.clock.advance_to(due - 1);
  CHECK(shop.run_due() == 0);
  shop.clock.advance_to(due);
  CHECK(shop.run_due() >= 1);
  CHECK(at == due);
  CHECK(due - before <= 15 * kMinuteMs);
  CHECK(shop.state(order) == State::succeeded);
  CHECK(shop.reloadly->submits.calls() == 1);
}

TEST_CASE("O-10: a supplier that stays silent is asked from the third second on, without a pause") {
  OrderShop shop;
  const OrderId order = shop.paid_order();
  const std::vector<std::int64_t> asked = when_asked(shop, 16 * kMinuteMs);
  // By hand: after 3 s, then 5, 10, 30, 60 and from there on 120 seconds later.
  const std::vector<std::int64_t> wanted = {3'000,   8'000,   18'000,  48'000,  108'000, 228'000,
                                            348'000, 468'000, 588'000, 708'000, 828'000, 948'000};
  CHECK(asked == wanted);
  CHECK(shop.state(order) == State::recharging);
  CHECK(shop.reloadly->submits.calls() == 1);
  CHECK(shop.refunds_of(order).empty());
}

TEST_CASE("O-10: what came due while the shop stood still is asked at once when it is back") {
  OrderShop shop;
  (void)shop.paid_order();
  shop.reloadly->submits.then(ScriptedSupplier::said(SupplyState::accepted));
  shop.run_due();
  shop.clock.advance(15 * kMinuteMs);
  std::int64_t asked_at = 0;
  shop.reloadly->queries.usually([&](const auto&) {
    asked_at = shop.clock.wall_ms();
    return ScriptedSupplier::said(SupplyState::succeeded);
  });
  const std::int64_t back = shop.clock.wall_ms();
  shop.run_due();
  CHECK(asked_at == back);
}

}  // namespace
}  // namespace topup::orders
