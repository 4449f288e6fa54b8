#include "server/orders/money_proof_store.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/support/order_shop.h"

namespace topup::orders {
namespace {

using suppliers::SupplyState;
using testing::OrderShop;
using testing::ScriptedSupplier;

// One delivered, one refunded, one whose refund is on its way, one with money in suspense.
void fill(OrderShop& shop) {
  shop.paid_order();
  REQUIRE(shop.run_until_quiet(3'600'000));
  shop.paid_order();
  shop.reloadly->submits.then(ScriptedSupplier::said(SupplyState::rejected, "NO"));
  REQUIRE(shop.run_until_quiet(3'600'000));
  shop.paid_order();
  shop.reloadly->submits.then(ScriptedSupplier::said(SupplyState::rejected, "NO"));
  shop.run_one(shop.claim().at(0));
  const OrderId odd = shop.place();
  REQUIRE(shop.notify(OrderShop::paid(shop.start(odd), fen(55))).has_value());
}

TEST_CASE("verify: what does not fit beside the books is named, whatever guard was taken away") {
  struct Damage {
    const char* name;
    const char* statements;
    const char* found;
  };
  constexpr Damage kDamage[] = {
      {"a refund's amount reserved twice",
       "UPDATE payment_attempts SET refunded_minor = refunded_minor - 1 WHERE refunded_minor > 0",
       "a payment's refunded amount is not the sum of its refunds: T"},
      {"a refund that was forgotten", "DELETE FROM refunds WHERE state = 'succeeded'",
       "the books have a refund that has not happened: RT"},
      {"a refund called done", "UPDATE refunds SET state = 'succeeded' WHERE state = 'requested'",
       "a finished refund is not in the books as it is: RT"},
      {"a refund of another amount",
       "UPDATE refunds SET amount_minor = amount_minor - 1 WHERE state = 'succeeded'",
       "a finished refund is not in the books as it is: RT"},
      {"a refund of another currency",
       "UPDATE refunds SET amount_currency = 'USD' WHERE state = 'succeeded'",
       "a refund of a payment that is not there: RT"},
      {"a payment of another amount",
       "UPDATE payment_attempts SET paid_minor = paid_minor + 1 WHERE state = 'paid'",
       "a payment is not in the books as it was paid: T"},
      {"a work item closed without its money",
       "UPDATE work_items SET state = 'resolved' WHERE held_minor <> 0",
       "suspense is not the sum of its open work items: CNY differs by 55"},
      {"a work item that holds more", "UPDATE work_items SET held_minor = 60 WHERE held_minor = 55",
       "suspense is not the sum of its open work items: CNY differs by -5"},
      {"a failure that stays open", "UPDATE error_accounts SET state = 'open'",
       "an order is refunded and its record of failure is open: "},
      {"a failure without a record", "DELETE FROM error_accounts",
       "a failed order has no record of its failure: "},
  };
  for (const Damage& damage : kDamage) {
    CAPTURE(damage.name);
    OrderShop shop;
    fill(shop);
    REQUIRE(shop.broken_books() == "");
    shop.shop.drop_trigger("refunds_fixed", "refunds");
    shop.shop.drop_trigger("refunds_stay", "refunds");
    shop.shop.tamper(damage.statements);
    const std::string found = shop.broken_books();
    CHECK_MESSAGE(found.find(damage.found) != std::string::npos, found);
  }
}

}  // namespace
}  // namespace topup::orders
