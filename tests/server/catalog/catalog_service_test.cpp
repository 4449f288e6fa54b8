#include "server/catalog/catalog_service.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"

namespace topup::catalog {
namespace {

const std::vector<Listed> kListed = {
    {"30", "China Unicom", "CN", fen(10'000)}, {"10", "China Mobile", "CN", fen(5'000)},
    {"10", "China Mobile", "CN", fen(3'000)},  {"77", "Vodafone", "CN", fen(100)},
    {"88", "China Mobile", "HK", fen(200)},    {"11", "China Mobile (bundle)", "CN", fen(5'000)}};
const Tariff kTariff{{.id = "default", .rate_bp = 9'950}, {.id = "service"}};

struct Shelf {
  testing::QuietLog quiet;
  testing::ManualClock clock;
  testing::ScratchShop shop;
  Catalog catalog{shop.db(), clock};
};

TEST_CASE("catalog: what a supplier lists becomes operators and products of ours, cheapest first") {
  const Assortment found = product_changes("reloadly", kListed);
  std::vector<std::string> ids;
  for (const Product& product : found.products) {
    ids.push_back(product.id.text + " of " + found.operators[product.operator_index].id);
    CHECK(product.face == product.delivered);
  }
  CHECK(ids == std::vector<std::string>{"cn-vodafone-100 of cn-vodafone", "hk-cmhk-200 of hk-cmhk",
                                        "cn-mobile-3000 of cn-mobile",
                                        "cn-mobile-5000 of cn-mobile",
                                        "cn-unicom-10000 of cn-unicom"});
  CHECK(found.operators.size() == 4);
  CHECK(found.operators[2].name_zh == "中国移动");
  CHECK(found.operators[2].country == "CN");
  CHECK(found.countries.size() == 2);
  REQUIRE(found.supplier_products.size() == 5);
  CHECK(found.supplier_products[3].supplier_operator_id == "10");
  CHECK(found.supplier_products[3].supplier == "reloadly");
}

TEST_CASE("catalog: nothing is on sale before the first book, and the refusal says so") {
  Shelf shelf;
  const auto current = shelf.catalog.current();
  REQUIRE_FALSE(current.has_value());
  CHECK(current.error().code == Code::unavailable);
  CHECK(current.error().reason == "price_book_not_ready");
}

TEST_CASE("catalog: a book is published when something differs, and only then") {
  Shelf shelf;
  const Assortment assortment = product_changes("reloadly", kListed);
  CHECK(shelf.catalog.publish("reloadly", assortment, kTariff, "system"));
  shelf.clock.advance(3'600'000);
  CHECK_FALSE(shelf.catalog.publish("reloadly", assortment, kTariff, "system"));
  Tariff dearer = kTariff;
  dearer.fee.fixed_minor = 10;
  CHECK(shelf.catalog.publish("reloadly", assortment, dearer, "system"));
  Assortment fewer = assortment;
  fewer.products.pop_back();
  CHECK(shelf.catalog.publish("reloadly", fewer, dearer, "system"));
  const auto current = shelf.catalog.current();
  REQUIRE(current.has_value());
  CHECK((*current)->book.version == 3);
  CHECK((*current)->book.products.size() == 4);
  CHECK((*current)->fingerprint == fingerprint((*current)->bytes));
  CHECK(shelf.shop.integer("SELECT COUNT(*) FROM price_books") == 3);
  CHECK(shelf.shop.integer("SELECT COUNT(*) FROM audit_log WHERE action = 'catalog.published'") ==
        3);
}

TEST_CASE("catalog: a reader keeps the book it holds while another is published") {
  Shelf shelf;
  shelf.catalog.publish("reloadly", product_changes("reloadly", kListed), kTariff, "system");
  const auto held = shelf.catalog.current();
  shelf.catalog.publish("reloadly", product_changes("reloadly", {kListed[0]}), kTariff, "system");
  REQUIRE(held.has_value());
  CHECK((*held)->book.version == 1);
  CHECK((*held)->book.products.size() == 5);
}

TEST_CASE("catalog: the book survives a restart, and a product knows its supplier") {
  Shelf shelf;
  shelf.catalog.publish("reloadly", product_changes("reloadly", kListed), kTariff, "system");
  shelf.shop.reopen();
  const Catalog again(shelf.shop.db(), shelf.clock);
  const auto current = again.current();
  REQUIRE(current.has_value());
  CHECK((*current)->book.find(ProductId("cn-mobile-5000")) != nullptr);
  shelf.shop.db().read([](storage::Reader& reader) {
    const auto found = catalog_store::find_supplier_product(reader, ProductId("cn-unicom-10000"));
    REQUIRE(found.has_value());
    CHECK(found->supplier_operator_id == "30");
    CHECK_FALSE(catalog_store::find_supplier_product(reader, ProductId("cn-unicom-1")).has_value());
  });
}

TEST_CASE("catalog: a stored book that cannot be read is no book, and stops nobody") {
  Shelf shelf;
  shelf.catalog.publish("reloadly", product_changes("reloadly", kListed), kTariff, "system");
  shelf.shop.db().write([](storage::Tx& tx) {
    return tx.exec("UPDATE price_books SET bytes = $1",
                   {storage::Blob{std::string_view("\0\x11\x22\x33", 4)}}) == 1;
  });
  const Catalog again(shelf.shop.db(), shelf.clock);
  CHECK_FALSE(again.current().has_value());
}

}  // namespace
}  // namespace topup::catalog
