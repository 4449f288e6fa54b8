// The order flows: what the channel says heard by many, and refunds ordered by many.
#include <map>
#include <optional>
#include <string>

#include "server/orders/refund_deeds.h"
#include "tests/races/race.h"
#include "tests/support/order_shop.h"

namespace topup::races {

using testing::OrderShop;

namespace {

constexpr std::int64_t kHourMs = 3'600'000;
constexpr int kWorkers = 8;  // as many threads as the shop's worker has
constexpr int kMostJobs = 100'000;

// Leases what is due and runs it, as a thread of the worker would. Returns how many handlers threw.
int run_jobs(OrderShop& shop, Tally& tally) {
  int threw = 0;
  for (int ran = 0; ran < kMostJobs; ++ran) {
    const auto jobs = shop.claim();
    if (jobs.empty()) break;
    ++tally.acts;
    try {
      shop.run(jobs.front());
    } catch (const std::exception&) {
      ++threw;
    }
  }
  return threw;
}

bool hear(OrderShop& shop, const payments::Trade& trade, const OrderId& order, int t, int round,
          std::atomic<int>* changed) {
  const auto heard = [&](const Result<bool>& result) {
    *changed += result.value_or(false) ? 1 : 0;
    return result.has_value();
  };
  switch (t % 4) {
    case 0:  // one callback, sent again and again
      return heard(shop.notify(trade));
    case 1:  // each under a number of its own
      return heard(shop.notify(trade, std::to_string(round * 1'000 + t)));
    case 2:  // the buyer's page asks
      return shop.payments.confirm(shop.user, order).has_value();
    default:  // and looks
      return shop.orders.find(shop.user, order).has_value();
  }
}

}  // namespace

void callback_and_query(const Effort& effort, Tally& tally) {
  OrderShop shop;
  for (; tally.time_left(); ++tally.rounds) {
    const OrderId order = shop.place();
    const payments::Trade trade = OrderShop::paid(shop.start(order));
    shop.wechat->queries.usually(payments::Outcome<payments::Trade>(trade));
    std::atomic<int> changed{0}, refused{0}, threw{0};
    crowd(effort.threads, [&](int t) {
      for (int i = 0; i < 4; ++i) {
        refused += hear(shop, trade, order, t, static_cast<int>(tally.rounds), &changed) ? 0 : 1;
        ++tally.acts;
      }
    });
    tally.expect(changed <= 1, "more than one callback changed the order");
    tally.same(refused.load(), 0, "callbacks or queries that were refused");
    tally.expect(shop.state(order) == State::paid, "the order is not paid");
    tally.same(shop.load(order).version, 3, "version of the order");
    tally.same(shop.journals("payment"), tally.rounds + 1, "payments in the books");
    tally.same(shop.jobs(orders::job_kind::kSubmit), 1, "deliveries that wait");
    // The worker's threads beside callbacks that still come.
    crowd(effort.threads, [&](int t) {
      if (t < kWorkers) {
        threw += run_jobs(shop, tally);
      } else {
        (void)hear(shop, trade, order, t, static_cast<int>(tally.rounds), &changed);
        ++tally.acts;
      }
    });
    tally.expect(changed <= 1, "a callback changed a paid order");
    tally.same(threw.load(), 0, "jobs that failed");
    tally.expect(shop.state(order) == State::succeeded, "the order is not delivered");
  }
  tally.same(static_cast<std::int64_t>(shop.reloadly->submits.calls()), tally.rounds, "deliveries");
  tally.same(shop.broken_books(), "", "the books");
}

namespace {

OrderId delivered(OrderShop& shop) {
  const OrderId id = shop.paid_order();
  suppliers::SupplyOutcome done =
      testing::ScriptedSupplier::said(suppliers::SupplyState::succeeded);
  done.cost = fen(4'800);
  shop.reloadly->submits.then(done);
  check(shop.run_until_quiet(kHourMs), "the jobs end");
  return id;
}

void order_refund(OrderShop& shop, const OrderId& id, std::optional<Money> amount) {
  (void)storage::with_tx(shop.shop.db(), [&](storage::Tx& tx) {
    return orders::order_refund(shop.env, tx, {id, amount, "staff:anna", "goodwill"});
  });
}

}  // namespace

void refunds(const Effort& effort, Tally& tally) {
  OrderShop shop;
  for (; tally.time_left(); ++tally.rounds) {
    const OrderId id = delivered(shop);
    const std::size_t before = shop.wechat->refunds.calls();
    std::atomic<int> threw{0};
    crowd(effort.threads, [&](int t) {
      ++tally.acts;
      if (t % 4 == 0) {
        (void)storage::with_tx(shop.shop.db(), [&](storage::Tx& tx) {
          return orders::ask_for_refund(shop.env, tx, shop.user, id, "please");
        });
      } else if (t % 4 == 1) {
        order_refund(shop, id, {});
      } else if (t % 4 == 2) {
        order_refund(shop, id, fen(1'000 + t));
      } else {
        threw += run_jobs(shop, tally);
      }
    });
    tally.expect(shop.run_until_quiet(kHourMs), "the jobs never end");
    order_refund(shop, id, {});  // what is left
    tally.expect(shop.run_until_quiet(kHourMs), "the jobs never end");
    tally.same(threw.load() + shop.failed_jobs, 0, "jobs that failed");
    tally.expect(shop.state(id) == State::refunded, "the order is not refunded");
    tally.same(shop.attempts(id).front().refunded_minor, testing::kPayable, "refunded");
    std::map<std::string, std::int64_t> sent;  // by the number that the channel knows it by
    const auto heard = shop.wechat->refunds.heard();
    for (std::size_t i = before; i < heard.size(); ++i)
      sent[heard[i].out_refund_no.text] = heard[i].amount.minor;
    std::int64_t sum = 0;
    for (const auto& [number, minor] : sent) sum += minor;
    tally.same(sum, testing::kPayable, "what the channel was asked to give back");
  }
  tally.same(shop.broken_books(), "", "the books");
}

}  // namespace topup::races
