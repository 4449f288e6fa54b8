#include "server/catalog/catalog_desk.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "shared/pricing.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/seeded_random.h"

namespace topup::catalog {
namespace {

const std::vector<Rate> kRates = {{Currency::usd, Currency::cny, 720'000'000}};

Tariff tariff() {
  Tariff made{{.id = "default", .rate_bp = 9'950}, {.id = "service"}, {}, kRates};
  made.rule.scope.country = "CN";
  made.more_rules.push_back({.id = "abroad", .form = RuleForm::of_cost, .rate_bp = 10'800});
  return made;
}

Listed airtime(std::int64_t baht, std::int64_t cents, const std::string& name = "AIS Thailand") {
  Listed listed{"201", name, "TH", {baht * 100, Currency::thb}};
  listed.cost = {cents, Currency::usd};
  return listed;
}

struct Desk {
  explicit Desk(SyncRules sync = {}) : desk(shop.db(), clock, catalog, tariff(), {sync, 2}) {}
  ~Desk() { shop.close(); }

  SyncReport sync(const std::vector<Listed>& listed, const std::string& supplier = "dtone") {
    return desk.sync(supplier, "TH", listed, "job:catalog_sync");
  }
  Result<std::int64_t> decide(const Listed& listed, bool approve,
                              const std::string& supplier = "dtone") {
    return desk.decide({supplier, {listing_key(listed)}, approve, "staff:anna", "", TraceId()});
  }
  std::string state(const Listed& listed, const std::string& supplier = "dtone") {
    std::string found;
    shop.db().read([&](storage::Reader& reader) {
      const auto row = listing_store::find(reader, supplier, listing_key(listed));
      found = row ? row->state : "";
    });
    return found;
  }
  std::vector<std::string> on_shelf() {
    std::vector<std::string> ids;
    const auto current = catalog.current();
    if (!current) return ids;
    for (const Product& product : (*current)->book.products) ids.push_back(product.id.text);
    return ids;
  }

  testing::QuietLog quiet;
  testing::ManualClock clock;
  testing::ScratchShop shop;
  Catalog catalog{shop.db(), clock};
  CatalogDesk desk;
};

using Ids = std::vector<std::string>;

TEST_CASE("F001: nothing a supplier lists goes on sale before somebody approves it") {
  Desk room;
  const SyncReport report = room.sync({airtime(100, 310), airtime(50, 155)});
  CHECK(report.listed == 2);
  CHECK(report.added == 2);
  CHECK(report.approved == 0);
  CHECK_FALSE(room.desk.publish({}, "system"));
  CHECK(room.state(airtime(100, 310)) == "new");
  CHECK(room.decide(airtime(100, 310), true) == 1);
  CHECK(room.desk.publish({}, "staff"));
  CHECK(room.on_shelf() == Ids{"th-ais-thb10000"});
  CHECK(room.shop.integer("SELECT COUNT(*) FROM audit_log WHERE action = 'catalog.approved'") == 1);
}

TEST_CASE("F001: deciding twice changes nothing, and what is unknown or withdrawn is refused") {
  Desk room;
  room.sync({airtime(100, 310)});
  CHECK(room.decide(airtime(100, 310), true) == 1);
  CHECK(room.decide(airtime(100, 310), true) == 0);
  CHECK(room.decide(airtime(100, 310), false) == 1);
  CHECK(room.decide(airtime(100, 310), false) == 0);
  CHECK(room.decide(airtime(70, 1), true).error().reason == "listing_not_found");
  room.sync({});
  CHECK(room.decide(airtime(100, 310), true).error().reason == "listing_withdrawn");
}

TEST_CASE("F001: a list that says the same again is no change, and no row is written") {
  Desk room({true, 0});
  room.sync({airtime(100, 310)});
  const auto rows = room.shop.texts(
      "SELECT changed_at_ms || '/' || audit FROM supplier_listings,"
      " (SELECT COUNT(*) AS audit FROM audit_log) AS counted");
  room.clock.advance(1'000);
  const SyncReport again = room.sync({airtime(100, 310)});
  CHECK(again.added + again.changed + again.withdrawn == 0);
  CHECK(room.shop.texts("SELECT changed_at_ms || '/' || audit FROM supplier_listings,"
                        " (SELECT COUNT(*) AS audit FROM audit_log) AS counted") == rows);
}

TEST_CASE("F001: a cost that moved little is approved by the rule, one that moved more is not") {
  Desk room({true, 200});
  room.sync({airtime(100, 10'000)});
  room.sync({airtime(100, 10'200)});
  CHECK(room.state(airtime(100, 0)) == "approved");
  room.sync({airtime(100, 10'405)});
  CHECK(room.state(airtime(100, 0)) == "changed");
  room.desk.publish({}, "system");
  // The buyer's price is that of the approved cost; what an order will meet is today's.
  CHECK((*room.catalog.current())->book.products[0].cost == Money{10'200, Currency::usd});
  room.shop.db().read([](storage::Reader& reader) {
    const auto way = catalog_store::find_supplier_product(reader, ProductId("th-ais-thb10000"));
    REQUIRE(way.has_value());
    CHECK(way->cost == Money{10'405, Currency::usd});
  });
  CHECK(room.decide(airtime(100, 0), true) == 1);
  room.desk.publish({}, "system");
  CHECK((*room.catalog.current())->book.products[0].cost == Money{10'405, Currency::usd});
}

TEST_CASE("F001: when less would arrive than was approved, the product leaves the shelf") {
  Desk room({true, 200});
  Listed taxed = airtime(100, 310);
  room.sync({taxed, airtime(50, 155)});
  room.desk.publish({}, "system");
  CHECK(room.on_shelf().size() == 2);
  taxed.delivered = {9'346, Currency::thb};
  room.sync({taxed, airtime(50, 155)});
  CHECK(room.state(taxed) == "changed");
  room.desk.publish({}, "system");
  CHECK(room.on_shelf() == Ids{"th-ais-thb5000"});
  CHECK(room.decide(taxed, true) == 1);
  room.desk.publish({}, "system");
  CHECK((*room.catalog.current())->book.find(ProductId("th-ais-thb10000"))->delivered.minor ==
        9'346);
}

TEST_CASE("F001: what is withdrawn leaves the shelf, and comes back as it was") {
  Desk room({true, 0});
  room.sync({airtime(100, 310), airtime(50, 155)});
  room.desk.publish({}, "system");
  CHECK(room.sync({airtime(50, 155)}).withdrawn == 1);
  room.desk.publish({}, "system");
  CHECK(room.on_shelf() == Ids{"th-ais-thb5000"});
  room.sync({airtime(100, 310), airtime(50, 155)});
  CHECK(room.state(airtime(100, 310)) == "approved");
  room.desk.publish({}, "system");
  CHECK(room.on_shelf().size() == 2);
}

TEST_CASE("F001: a list that lost more than half at once is doubted, and nothing is withdrawn") {
  Desk room({true, 0});
  std::vector<Listed> many;
  for (std::int64_t i = 1; i <= 20; ++i) many.push_back(airtime(i * 10, i * 31));
  room.sync(many);
  const SyncReport empty = room.sync({});
  CHECK(empty.is_doubtful);
  CHECK(empty.withdrawn == 0);
  many.resize(10);
  CHECK(room.sync(many).withdrawn == 10);
}

TEST_CASE("F001: products of several suppliers become one of ours, with a way to each") {
  Desk room({true, 0});
  room.sync({airtime(100, 310)});
  Listed theirs = airtime(100, 305, "AIS (12Call) Prepaid");
  theirs.supplier_operator_id = "9";
  theirs.delivered = {9'346, Currency::thb};
  room.sync({theirs}, "ding");
  room.desk.publish({}, "system");
  CHECK(room.on_shelf() == Ids{"th-ais-thb10000"});
  const Product& product = (*room.catalog.current())->book.products[0];
  CHECK(product.cost == Money{305, Currency::usd});
  CHECK(product.delivered.minor == 9'346);  // no more is promised than any of them delivers
  CHECK((*room.catalog.current())->book.countries[0].name_zh == "泰国");
  room.shop.db().read([](storage::Reader& reader) {
    CHECK(catalog_store::supplier_products_of(reader, ProductId("th-ais-thb10000")).size() == 2);
  });
}

TEST_CASE("F003 F004: ranges, bundles, PINs and fuel cards are products of their own kinds") {
  Desk room({true, 0});
  Listed range{"5", "DTAC", "TH", {1'000, Currency::thb}};
  range.most_minor = 100'000;
  range.step_minor = 100;
  range.cost = {30, Currency::usd};
  Listed bundle = airtime(99, 300, "DTAC Thailand Data");
  bundle.kind = ProductKind::data;
  bundle.sku = "B-7";
  bundle.name = "Unlimited, 7 days";
  bundle.validity_days = 7;
  Listed pin = airtime(200, 600, "True");
  pin.kind = ProductKind::pin;
  pin.sku = "P-1";
  room.sync({range, bundle, pin});
  Listed card{"1", "中石化加油卡", "CN", fen(10'000)};
  card.kind = ProductKind::fuel_card;
  card.cost = fen(9'850);
  room.desk.sync("juhe", "CN", {card}, "system");
  room.desk.publish({}, "system");
  Ids shelf = room.on_shelf();
  CHECK(shelf == Ids{"cn-sinopec-10000", "th-dtac-data-thb9900-unlimited-7-days",
                     "th-dtac-thb-range", "th-true-pin-thb20000"});
  const PriceBook& book = (*room.catalog.current())->book;
  const Product* sinopec = book.find(ProductId("cn-sinopec-10000"));
  CHECK(book.operators[sinopec->operator_index].issuer == CardIssuer::sinopec);
  QuoteRequest request;
  request.product_id = ProductId("th-dtac-thb-range");
  request.account_number = "0812345678";
  request.amount_minor = 10'000;
  request.now_ms = room.clock.wall_ms();
  const auto priced = quote(book, request);
  REQUIRE(priced.has_value());
  CHECK(priced->payable == fen(2'333));  // 3.00 dollars × 7.2 × 1.08, rounded up
}

TEST_CASE("X13: a product is hidden before the balance no longer covers it, and comes back") {
  Desk room({true, 0});
  room.sync({airtime(100, 310), airtime(50, 155)});
  CatalogDesk::Balances balances = {{"dtone", {10'000, Currency::usd}}};
  room.desk.publish(balances, "system");
  CHECK(room.on_shelf().size() == 2);
  balances["dtone"].minor = 619;  // two orders of 3.10 are not covered
  room.desk.publish(balances, "system");
  CHECK(room.on_shelf() == Ids{"th-ais-thb5000"});
  balances["dtone"].minor = 0;
  room.desk.publish(balances, "system");
  CHECK(room.on_shelf().empty());
  REQUIRE(room.catalog.current().has_value());
  balances["dtone"].minor = 620;
  room.desk.publish(balances, "system");
  CHECK(room.on_shelf().size() == 2);
}

TEST_CASE("F001: abroad nothing is shown whose cost is not known in our money") {
  Desk room({true, 0});
  Listed unknown = airtime(100, 0);
  Listed foreign = airtime(50, 5'000);
  foreign.cost.currency = Currency::thb;
  room.sync({unknown, foreign, airtime(20, 62)});
  room.desk.publish({}, "system");
  CHECK(room.on_shelf() == Ids{"th-ais-thb2000"});
}

TEST_CASE("F001: what a shop of an older release sold stays on the shelf") {
  Desk room;
  room.shop.tamper(
      "INSERT INTO supplier_products (product_id, supplier, supplier_operator_id, country)"
      " VALUES ('cn-mobile-5000', 'reloadly', '1161', 'CN')");
  Listed sold{"1161", "China Mobile", "CN", fen(5'000)};
  Listed fresh{"1162", "China Unicom", "CN", fen(5'000)};
  room.desk.sync("reloadly", "CN", {sold, fresh}, "system");
  CHECK(room.state(sold, "reloadly") == "approved");
  CHECK(room.state(fresh, "reloadly") == "new");
}

TEST_CASE("F001: laws of comparing, on drawn lists") {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    testing::SeededRandom draw(seed);
    std::vector<Listing> known;
    const SyncRules rules{draw.percent(30), draw.below(500)};
    for (int round = 0; round < 6; ++round) {
      std::vector<Listed> now;
      for (std::int64_t i = 0; i < draw.below(30); ++i)
        now.push_back(airtime(1 + draw.below(20), 1'000 + draw.below(100)));
      SyncReport report;
      const auto rows = compare(known, "dtone", now, rules, round + 1, &report);
      for (const Listing& row : rows) {
        const auto at = std::find_if(known.begin(), known.end(),
                                     [&](const Listing& one) { return one.key == row.key; });
        const std::string was = at == known.end() ? "" : at->approved;
        // Only the rules approve here: never without one.
        if (row.approved != was) CHECK(row.decided_by.starts_with("rule:"));
        if (!rules.approve_new && was.empty()) CHECK(row.approved.empty());
        if (at == known.end()) {
          known.push_back(row);
        } else {
          *at = row;
        }
      }
      CAPTURE(seed);
      // The same list again changes nothing, unless it was doubted.
      SyncReport again;
      if (!report.is_doubtful)
        CHECK(compare(known, "dtone", now, rules, round + 1, &again).empty());
    }
  }
}

TEST_CASE("F001: a listing survives being written and read") {
  Listed listed = airtime(100, 310, "AIS “Thailand”");
  listed.kind = ProductKind::data;
  listed.sku = "A/1";
  listed.most_minor = 5;
  listed.step_minor = 1;
  listed.delivered = {9'000, Currency::thb};
  listed.validity_days = 30;
  listed.name = "5 GB";
  const auto again = parse_listed(listed_text(listed));
  REQUIRE(again.has_value());
  CHECK(listed_text(*again) == listed_text(listed));
  CHECK(again->validity_days == 30);
  for (const char* text : {"", "{}", "[]", "{\"kind\":\"airtime\"}"})
    CHECK_FALSE(parse_listed(text).has_value());
}

}  // namespace
}  // namespace topup::catalog
