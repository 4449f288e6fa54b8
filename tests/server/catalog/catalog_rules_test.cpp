#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "server/catalog/catalog_desk.h"
#include "shared/pricing.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"

namespace topup::catalog {
namespace {

const std::vector<Rate> kRates = {{Currency::usd, Currency::cny, 720'000'000}};

Tariff tariff() {
  Tariff made{{.id = "default", .rate_bp = 9'950}, {.id = "service"}, {}, kRates};
  made.rule.scope.country = "CN";
  made.more_rules.push_back({.id = "abroad", .form = RuleForm::of_cost, .rate_bp = 10'800});
  return made;
}

Listed airtime(std::int64_t baht, std::int64_t cents) {
  Listed listed{"201", "AIS Thailand", "TH", {baht * 100, Currency::thb}};
  listed.cost = {cents, Currency::usd};
  return listed;
}

struct Room {
  Room() : desk(shop.db(), clock, catalog, tariff(), {{true, 0}, 2}) {
    desk.sync("dtone", "TH", {airtime(100, 310), airtime(50, 155)}, "job:catalog_sync");
    desk.publish({}, "system");
  }
  ~Room() { shop.close(); }

  std::int64_t price(const Catalog& of, const char* product = "th-ais-thb10000") {
    QuoteRequest request;
    request.product_id = ProductId(product);
    Quote out;
    const auto current = of.current();
    if (!current || !list_price_into((*current)->buyers.book, Buyer{}, request, &out)) return -1;
    return out.payable.minor;
  }
  std::int64_t price() { return price(catalog); }
  Result<std::int64_t> publish(std::vector<WrittenRule> rules, std::int64_t seen, CatalogDesk& on) {
    return on.publish_rules({std::move(rules), seen, 0, "spring", "staff:anna", TraceId()}, {});
  }
  Result<std::int64_t> publish(std::vector<WrittenRule> rules, std::int64_t seen) {
    return publish(std::move(rules), seen, desk);
  }
  std::vector<WrittenRule> dearer(std::int64_t rate_bp) {
    auto rules = desk.price_rules().rules;
    for (WrittenRule& one : rules) {
      if (one.rule.id == "abroad") one.rule.rate_bp = rate_bp;
    }
    return rules;
  }

  testing::QuietLog quiet;
  testing::ManualClock clock;
  testing::ScratchShop shop;
  Catalog catalog{shop.db(), clock};
  CatalogDesk desk;
};

WrittenRule fixed(const char* product, std::int64_t price_minor) {
  WrittenRule one;
  one.rule.id = "one";
  one.rule.form = RuleForm::fixed_price;
  one.rule.price_minor = price_minor;
  one.product_id = product;
  return one;
}

TEST_CASE(
    "F002: rules that staff publish price the next quote, with their audit row, or not at all") {
  Room room;
  CHECK(room.price() == 2'411);  // 3.10 × 7.2 × 1.08
  CHECK(room.desk.price_rules().version == 0);
  CHECK(room.publish(room.dearer(12'000), 0) == 1);
  CHECK(room.price() == 2'678);
  CHECK(room.publish(room.dearer(13'000), 0).error().reason == "rules_changed");
  CHECK(room.price() == 2'678);
  CHECK(room.shop.integer("SELECT COUNT(*) FROM price_rule_sets") == 1);
  CHECK(room.shop.integer("SELECT book_version FROM price_rule_sets") ==
        static_cast<std::int64_t>((*room.catalog.current())->book.version));
  CHECK(room.shop
            .text("SELECT after_text FROM audit_log WHERE action = "
                  "'price_rules.published'")
            .find("\"rate_bp\":12000") != std::string::npos);
  const auto rules = room.desk.price_rules().rules;
  for (const WrittenRule& one : rules) CHECK(one.rule.version == 1);
  CHECK_THROWS(room.shop.tamper("UPDATE price_rule_sets SET reason = ''"));
}

TEST_CASE(
    "F002: a rule that would sell below cost is refused unless it says that it may, and why") {
  Room room;
  auto rules = room.desk.price_rules().rules;
  rules.push_back(fixed("th-ais-thb10000", 2'000));  // the cost is 22.32
  const auto refused = room.publish(rules, 0);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().reason == "rule_below_cost");
  CHECK(room.desk.preview(rules, {}).below_cost ==
        std::vector<std::string>{"one: th-ais-thb10000"});
  CHECK(room.price() == 2'411);
  rules.back().rule.allow_below_cost = true;
  base::Json list = rules_out(rules);
  CHECK(rules_in(list).error().reason == "below_cost_reason_missing");
  rules.back().below_cost_reason = "opening week";
  CHECK(rules_in(rules_out(rules)).has_value());
  CHECK(room.publish(rules, 0) == 1);
  CHECK(room.price() == 2'000);
  CHECK(room.price(room.catalog, "th-ais-thb5000") == 1'205);  // nothing else moved
}

TEST_CASE("F002: a preview says what would change and changes nothing") {
  Room room;
  const auto draft = room.desk.preview(room.dearer(12'000), {});
  REQUIRE(draft.changes.size() == 2);
  CHECK(draft.changes[0].product_id == "th-ais-thb10000");
  CHECK(draft.changes[0].before_minor == 2'411);
  CHECK(draft.changes[0].after_minor == 2'678);
  CHECK(draft.changes[0].cost_minor == 2'232);
  CHECK(room.price() == 2'411);
  CHECK(room.shop.integer("SELECT COUNT(*) FROM price_books") == 1);
}

TEST_CASE("F002: going back to a version is a new version; 0 is the configuration") {
  Room room;
  REQUIRE(room.publish(room.dearer(12'000), 0) == 1);
  REQUIRE(room.publish(room.dearer(13'000), 1) == 2);
  const auto back = [&](std::int64_t to, std::int64_t seen) {
    return room.desk.roll_back_rules({{}, seen, to, "as before", "staff:anna", TraceId()}, {});
  };
  CHECK(back(1, 2) == 3);
  CHECK(room.price() == 2'678);
  CHECK(back(9, 3).error().reason == "version_unknown");
  CHECK(back(1, 2).error().reason == "rules_changed");
  CHECK(back(0, 3) == 4);
  CHECK(room.price() == 2'411);
}

TEST_CASE("F002: another node sees published rules, and does not overrule them with its own book") {
  Room room;
  Catalog other(room.shop.db(), room.clock);
  CatalogDesk elsewhere(room.shop.db(), room.clock, other, tariff(), {{true, 0}, 2});
  REQUIRE(room.publish(room.dearer(12'000), 0) == 1);
  CHECK(room.price(other) == 2'411);
  other.refresh();
  CHECK(room.price(other) == 2'678);
  elsewhere.sync("dtone", "TH", {airtime(100, 310), airtime(50, 155), airtime(20, 70)}, "job");
  CHECK(elsewhere.publish({}, "job"));
  CHECK(room.price(other) == 2'678);
  CHECK(room.publish(room.dearer(11'000), 1, elsewhere) == 2);
  room.catalog.refresh();
  CHECK(room.price() == 2'455);
}

TEST_CASE("F002: a product is taken off sale and named by staff, whatever suppliers list") {
  Room room;
  rule_store::ProductEdit edit{"th-ais-thb5000", false, "", "", "staff:anna", 0};
  CHECK(room.desk.edit_products({edit}, TraceId()) == 1);
  CHECK(room.desk.edit_products({edit}, TraceId()) == 0);
  CHECK(room.desk.publish({}, "staff"));
  CHECK(room.price(room.catalog, "th-ais-thb5000") == -1);
  CHECK(room.price() == 2'411);
  CHECK(room.desk.range({}).assortment.products.size() == 2);
  edit.on_sale = true;
  edit.name_zh = "五十泰铢";
  CHECK(room.desk.edit_products({edit}, TraceId()) == 1);
  CHECK(room.desk.publish({}, "staff"));
  CHECK((*room.catalog.current())->buyers.book.find(ProductId("th-ais-thb5000"))->name_zh ==
        "五十泰铢");
  CHECK(room.shop.integer("SELECT COUNT(*) FROM audit_log WHERE action = "
                          "'catalog.product_edited'") == 2);
}

TEST_CASE("F002: what pages get holds no cost, no margin and no supplier, and prices the same") {
  Room room;
  auto rules = room.dearer(10'900);
  for (WrittenRule& one : rules) one.rule.least_margin_bp = 777;
  REQUIRE(room.publish(rules, 0) == 1);
  const auto current = room.catalog.current();
  const PriceBook& full = (*current)->book;
  const auto& sold = (*current)->buyers;
  CHECK(full.products[0].cost.minor > 0);
  const auto read = decode(sold.bytes);
  REQUIRE(read.has_value());
  for (const Product& product : read->products) CHECK(product.cost.minor == 0);
  for (const PriceRule& rule : read->rules) {
    CHECK(rule.least_margin_bp == 0);
    if (rule.form == RuleForm::of_cost) CHECK(rule.rate_bp == kBasisPointsPerWhole);
  }
  CHECK(sold.bytes.find("dtone") == std::string::npos);
  CHECK(sold.fingerprint == fingerprint(sold.bytes));
  for (const Product& product : full.products) {
    QuoteRequest request;
    request.product_id = product.id;
    Quote ours, theirs;
    REQUIRE(list_price_into(full, Buyer{}, request, &ours).has_value());
    REQUIRE(list_price_into(*read, Buyer{}, request, &theirs).has_value());
    CHECK(ours.payable == theirs.payable);
  }
}

TEST_CASE("F002: rules as they come from outside are read whole or refused by name") {
  const auto reason = [](const char* text) {
    const auto rules = rules_in(*base::json_in(text));
    return rules ? std::string() : std::string(rules.error().reason);
  };
  CHECK(reason(R"([{"id":"a","form":"of_face","rate_bp":9900}])").empty());
  CHECK(reason("[]") == "rules_empty");
  CHECK(reason("{}") == "wrong_type");
  CHECK(reason(R"([7])") == "wrong_type");
  CHECK(reason(R"([{"id":"A b"}])") == "out_of_range");
  CHECK(reason(R"([{"id":"a"},{"id":"a"}])") == "rule_id_taken");
  CHECK(reason(R"([{"id":"a","surprise":1}])") == "unknown_field");
  CHECK(reason(R"([{"id":"a","form":"free"}])") == "out_of_range");
  CHECK(reason(R"([{"id":"a","form":"fixed_price"}])") == "missing_field");
  CHECK(reason(R"([{"id":"a","rate_bp":0}])") == "out_of_range");
  CHECK(reason(R"([{"id":"a","rate_bp":1.5}])") == "wrong_type");
  CHECK(reason(R"([{"id":"a","fee_minor":-1}])") == "out_of_range");
  CHECK(reason(R"([{"id":"a","kinds":["gold"]}])") == "out_of_range");
  CHECK(reason(R"([{"id":"a","allow_below_cost":true,"below_cost_reason":" "}])") ==
        "below_cost_reason_missing");
}

}  // namespace
}  // namespace topup::catalog
