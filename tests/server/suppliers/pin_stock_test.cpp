#include "server/suppliers/pin_stock.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "server/suppliers/pin_store.h"
#include "tests/support/order_shop.h"

namespace topup::suppliers {
namespace {

using testing::OrderShop;

// A shop that sells one voucher of 50.00, from its own stock and by a supplier.
struct PinShop {
  explicit PinShop(bool with_supplier = false) {
    shop.suppliers.add(make_pin_stock(shop.shop.db(), shop.clock));
    catalog::Listed own{std::string(kStock), "Gift", "CN", fen(5'000)};
    own.kind = ProductKind::pin;
    own.sku = "gift-50";
    own.name = "Gift 50";
    own.cost = fen(4'500);
    std::vector<catalog::OnSale> listings = {{std::string(kStock), own, own}};
    if (with_supplier) {
      catalog::Listed theirs = own;
      theirs.supplier_operator_id = "9";
      theirs.sku = "P9";
      theirs.cost = fen(4'550);
      listings.push_back({"reloadly", theirs, theirs});
    }
    const catalog::Assortment shelf = catalog::assemble(listings, {}, Currency::cny);
    product = shelf.products.front().id;
    shop.catalog.publish("", shelf, {{.id = "default", .rate_bp = 9'950}, {.id = "service"}},
                         "system");
    write([&](storage::Tx& tx) {
      PinProduct kind{"gift-50", "CN", "Gift", "Gift 50", fen(5'000), fen(4'500), 0};
      pin_store::save_product(tx, kind, "staff:anna", 1);
    });
  }
  template <class Body>
  void write(const Body& body) {
    shop.shop.db().write([&](storage::Tx& tx) {
      body(tx);
      return true;
    });
  }
  bool add(const std::string& id, const std::string& code, std::int64_t expires_at_ms = 0) {
    bool added = false;
    write([&](storage::Tx& tx) {
      added = pin_store::add(
          tx, shop.pii, {id, {code, "SN-" + id, expires_at_ms}, "gift-50", "stock", "staff:anna"},
          shop.clock.wall_ms());
    });
    return added;
  }
  Result<orders::OrderView> try_place(const std::string& key) {
    orders::PlaceRequest wanted;
    wanted.user = shop.user;
    wanted.client_key = key;
    wanted.client_fingerprint = "body-of-" + key;
    wanted.quote.product_id = product;
    wanted.quote.account_number = std::string(testing::kNumber);
    const auto priced = shop.orders.price(wanted.quote);
    REQUIRE(priced.has_value());
    wanted.quote_fingerprint = fingerprint_text(priced->quote);
    orders::PricedQuote shown;
    return shop.orders.place(wanted, &shown);
  }
  OrderId paid(const std::string& key) {
    const auto placed = try_place(key);
    REQUIRE(placed.has_value());
    REQUIRE(shop.notify(OrderShop::paid(shop.start(placed->order.id))).has_value());
    return placed->order.id;
  }
  std::vector<std::string> codes(const OrderId& order) {
    std::vector<std::string> found;
    shop.shop.db().read([&](storage::Reader& reader) {
      const auto pins = pin_store::delivered(reader, shop.pii, order);
      REQUIRE(pins.has_value());
      for (const Pin& pin : *pins) found.push_back(pin.code);
    });
    return found;
  }
  PinCount count() {
    PinCount found;
    shop.shop.db().read([&](storage::Reader& reader) {
      for (const PinCount& one : pin_store::counts(reader, shop.clock.wall_ms())) found = one;
    });
    return found;
  }

  OrderShop shop;
  ProductId product;
};

using Codes = std::vector<std::string>;

TEST_CASE("F003: a voucher is held for an unpaid order, delivered once it is paid, and sealed") {
  PinShop room;
  CHECK(room.add("P1", "AAAA-1111"));
  CHECK_FALSE(room.add("P2", "AAAA-1111"));  // the same code again
  CHECK(room.add("P2", "BBBB-2222"));
  for (const std::string& stored :
       room.shop.shop.texts("SELECT code_sealed || serial_sealed || code_index FROM pin_stock")) {
    CHECK(stored.find("1111") == std::string::npos);
    CHECK(stored.find("SN-") == std::string::npos);
  }
  const auto placed = room.try_place("client-key-pin-1");
  REQUIRE(placed.has_value());
  CHECK(room.count().available == 1);
  CHECK(room.count().held == 1);
  REQUIRE(room.shop.notify(OrderShop::paid(room.shop.start(placed->order.id))).has_value());
  CHECK(room.shop.run_until_quiet(60'000));
  CHECK(room.shop.state(placed->order.id) == State::succeeded);
  CHECK(room.codes(placed->order.id) == Codes{"AAAA-1111"});
  CHECK(room.count().delivered == 1);
  CHECK(room.shop.broken_books() == "");
}

TEST_CASE("F003: what is held comes back when the order closes, and when its time is over") {
  PinShop room;
  room.add("P1", "AAAA-1111");
  const auto first = room.try_place("client-key-pin-1");
  REQUIRE(first.has_value());
  CHECK(room.try_place("client-key-pin-2").error().reason == "out_of_stock");
  REQUIRE(
      room.shop.payments.cancel(room.shop.user, first->order.id, "buyer:buyer-one").has_value());
  CHECK(room.count().available == 1);
  REQUIRE(room.try_place("client-key-pin-3").has_value());
  CHECK(room.shop.run_until_quiet(24 * 3'600'000));  // it expires unpaid
  CHECK(room.count().available == 1);
  CHECK(room.count().held == 0);
}

TEST_CASE("F003: the voucher that ends first goes first, and one that has ended never") {
  PinShop room;
  const std::int64_t now = room.shop.clock.wall_ms();
  room.add("P1", "NEVER-ENDS");
  room.add("P2", "ENDS-LATER", now + 90'000'000);
  room.add("P3", "ENDS-SOON", now + 86'400'000);
  room.add("P4", "HAS-ENDED", now - 1);
  const OrderId one = room.paid("client-key-pin-1");
  const OrderId two = room.paid("client-key-pin-2");
  const OrderId three = room.paid("client-key-pin-3");
  CHECK(room.shop.run_until_quiet(60'000));
  CHECK(room.codes(one) == Codes{"ENDS-SOON"});
  CHECK(room.codes(two) == Codes{"ENDS-LATER"});
  CHECK(room.codes(three) == Codes{"NEVER-ENDS"});
  CHECK(room.try_place("client-key-pin-4").error().reason == "out_of_stock");
}

TEST_CASE("O-01: an attempt that asks the stock twice is given the same voucher") {
  PinShop room;
  room.add("P1", "AAAA-1111");
  room.add("P2", "BBBB-2222");
  Supplier* stock = room.shop.suppliers.find(kStock);
  SubmitRequest request;
  request.attempt_id = AttemptId("S01JD00000000000000000000011");
  request.sku = "gift-50";
  CHECK(stock->query(request.attempt_id, "").state == SupplyState::not_found);
  CHECK(stock->submit(request).state == SupplyState::succeeded);
  CHECK(stock->submit(request).state == SupplyState::succeeded);
  const SupplyOutcome asked = stock->query(request.attempt_id, "");
  CHECK(asked.state == SupplyState::succeeded);
  CHECK(asked.cost == fen(4'500));  // whoever died before it was booked books it now
  CHECK(room.count().delivered == 1);
  request.attempt_id = AttemptId("S01JD00000000000000000000021");
  request.may_leave = [] { return false; };
  CHECK(stock->submit(request).state == SupplyState::held);
  CHECK(room.count().delivered == 1);
  request.may_leave = {};
  CHECK(stock->submit(request).state == SupplyState::succeeded);
  request.attempt_id = AttemptId("S01JD00000000000000000000031");
  CHECK(stock->submit(request).state == SupplyState::rejected);
}

TEST_CASE("F003: an empty stock gives way to a supplier, whose codes are sealed the same way") {
  PinShop room(true);
  SupplyOutcome done = testing::ScriptedSupplier::said(SupplyState::succeeded, "OK");
  done.pins = {{"THEIR-CODE-1", "SN1", 0}};
  room.shop.reloadly->submits.usually(done);
  const OrderId order = room.paid("client-key-pin-1");
  CHECK(room.shop.run_until_quiet(60'000));
  CHECK(room.shop.state(order) == State::succeeded);
  CHECK(room.codes(order) == Codes{"THEIR-CODE-1"});
  CHECK(room.shop.shop.text("SELECT code_sealed FROM pin_stock").find("THEIR") ==
        std::string::npos);
  CHECK(room.shop.shop.text("SELECT response FROM supplier_exchanges WHERE supplier = 'reloadly'")
            .find("THEIR") == std::string::npos);
  // The same code for another order is shown to a person.
  const OrderId other = room.paid("client-key-pin-2");
  CHECK(room.shop.run_until_quiet(60'000));
  CHECK(room.codes(other).empty());
  CHECK(room.shop.work_items() == std::vector<std::string>{"pin_known"});
}

TEST_CASE("F003: a voucher that ends while it is held for an order is not delivered") {
  PinShop room;
  room.add("P1", "ENDS-SOON", room.shop.clock.wall_ms() + 60'000);
  const auto placed = room.try_place("client-key-pin-1");
  REQUIRE(placed.has_value());
  room.add("P2", "STILL-GOOD");
  room.shop.clock.advance(120'000);
  REQUIRE(room.shop.notify(OrderShop::paid(room.shop.start(placed->order.id))).has_value());
  CHECK(room.shop.run_until_quiet(60'000));
  CHECK(room.codes(placed->order.id) == Codes{"STILL-GOOD"});
}

TEST_CASE("O-06: whoever stood still spends no voucher for an attempt that was given up") {
  PinShop room;
  room.add("P1", "AAAA-1111");
  const OrderId order = room.paid("client-key-pin-1");
  room.write([](storage::Tx& tx) {
    tx.exec("UPDATE supplier_attempts SET state = 'rejected', code = 'NOT_FOUND'", {});
  });
  SubmitRequest request;
  request.attempt_id = AttemptId("S" + order.text + "1");
  request.sku = "gift-50";
  const auto stock = make_pin_stock(room.shop.shop.db(), room.shop.clock);
  CHECK(stock->submit(request).state == SupplyState::rejected);
  CHECK(room.count().delivered == 0);
}

}  // namespace
}  // namespace topup::suppliers
