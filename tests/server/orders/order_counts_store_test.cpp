#include "server/orders/order_counts_store.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "server/orders/work_item_store.h"
#include "tests/support/scratch_shop.h"

namespace topup::orders {
namespace {

std::map<std::string, std::int64_t> as_map(
    const std::vector<std::pair<std::string, std::int64_t>>& counts) {
  return {counts.begin(), counts.end()};
}

TEST_CASE("the counts show every unfinished state and every kind of case that holds money") {
  testing::ScratchShop shop;
  const auto work_items = [&shop] {
    std::map<std::string, std::int64_t> found;
    shop.db().read([&found](storage::Reader& reader) {
      found = as_map(order_counts_store::open_work_items(reader));
    });
    return found;
  };
  std::map<std::string, std::int64_t> orders;
  shop.db().read([&orders](storage::Reader& reader) {
    orders = as_map(order_counts_store::unfinished_orders(reader));
  });
  CHECK(orders.at("awaiting_payment") == 0);
  CHECK(orders.at("unknown") == 0);
  CHECK(orders.count("succeeded") == 0);
  CHECK(work_items().at("payment_mismatch") == 0);
  shop.db().write([](storage::Tx& tx) {
    WorkItem item;
    item.kind = "payment_mismatch";
    item.state = "open";
    item.created_at_ms = 1;
    for (const char* subject : {"1", "2"}) {
      item.id = item.subject = subject;
      CHECK(work_item_store::insert(tx, item));
    }
    item.id = item.subject = "3";
    item.kind = "no_supplier";
    CHECK(work_item_store::insert(tx, item));
    item.id = item.subject = "4";
    item.state = "done";
    CHECK(work_item_store::insert(tx, item));
    return true;
  });
  CHECK(work_items().at("payment_mismatch") == 2);
  CHECK(work_items().at("no_supplier") == 1);
}

}  // namespace
}  // namespace topup::orders
