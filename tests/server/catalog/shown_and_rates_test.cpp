// Exchange rates set by hand, and how products are shown and found.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "server/catalog/catalog_desk.h"
#include "server/catalog/exchange_rate_store.h"
#include "server/catalog/product_note_store.h"
#include "server/catalog/rule_draft_store.h"
#include "shared/pricing.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"

namespace topup::catalog {
namespace {

const std::vector<Rate> kRates = {{Currency::usd, Currency::cny, 720'000'000}};

struct Room {
  Room() : desk(shop.db(), clock, catalog, tariff(), {{true, 0}, 2}) {
    Listed listed{"201", "AIS Thailand", "TH", {10'000, Currency::thb}};
    listed.cost = {310, Currency::usd};
    desk.sync("dtone", "TH", {listed}, "job:catalog_sync");
    desk.publish({}, "system");
  }
  ~Room() { shop.close(); }
  static Tariff tariff() {
    Tariff made{{.id = "default", .rate_bp = 9'950}, {.id = "service"}, {}, kRates};
    made.rule.scope.country = "CN";
    made.more_rules.push_back({.id = "abroad", .form = RuleForm::of_cost, .rate_bp = 10'000});
    return made;
  }
  std::int64_t price() {
    QuoteRequest request;
    request.product_id = ProductId("th-ais-thb10000");
    Quote out;
    const auto current = catalog.current();
    if (!current || !list_price_into((*current)->buyers.book, Buyer{}, request, &out)) return -1;
    return out.payable.minor;
  }
  std::string set(Currency currency, std::int64_t scaled, std::int64_t days = 7) {
    const std::int64_t now = clock.wall_ms();
    const auto done = storage::with_tx(shop.db(), [&](storage::Tx& tx) {
      return exchange_rates::set(tx, kRates,
                                 {{currency, Currency::cny, scaled},
                                  now,
                                  now + days * 86'400'000,
                                  "bank board",
                                  "weekly look",
                                  "staff:anna"},
                                 TraceId());
    });
    return done ? "" : std::string(done.error().reason);
  }
  std::vector<exchange_rates::Entry> in_force() {
    std::vector<exchange_rates::Entry> found;
    shop.db().read(
        [&](storage::Reader& reader) { found = exchange_rates::in_force(reader, kRates); });
    return found;
  }
  std::string note(product_notes::Note note) {
    note.product_id = note.product_id.empty() ? "th-ais-thb10000" : note.product_id;
    note.edited_by = "staff:anna";
    note.edited_at_ms = clock.wall_ms();
    const auto saved = storage::with_tx(
        shop.db(), [&](storage::Tx& tx) { return product_notes::save(tx, note, TraceId()); });
    if (!saved) return std::string(saved.error().reason) + " " + std::string(saved.error().field);
    return *saved ? "saved" : "same";
  }
  std::vector<product_notes::Note> notes() {
    std::vector<product_notes::Note> found;
    shop.db().read([&](storage::Reader& reader) { found = product_notes::all(reader); });
    return found;
  }

  testing::QuietLog quiet;
  testing::ManualClock clock;
  testing::ScratchShop shop;
  Catalog catalog{shop.db(), clock};
  CatalogDesk desk;
};

TEST_CASE("a rate that staff set takes the place of the configured one, and prices follow it") {
  Room room;
  const std::int64_t before = room.price();
  CHECK(before == 2'232);  // 3.10 at 7.20
  REQUIRE(room.in_force().size() == 1);
  CHECK(room.in_force()[0].set_at_ms == 0);
  CHECK(room.set(Currency::usd, 750'000'000).empty());
  room.clock.advance(1'000);
  CHECK(room.desk.publish({}, "system"));
  CHECK(room.price() == 2'325);  // 3.10 at 7.50
  CHECK(room.in_force()[0].source == "bank board");
  CHECK(room.shop.integer("SELECT COUNT(*) FROM audit_log WHERE action = 'catalog.rate_set'") == 1);
}

TEST_CASE(
    "a rate moves by a tenth at most, from the one in force, and a refused one leaves nothing") {
  Room room;
  CHECK(room.set(Currency::usd, 792'000'001) == "rate_drifts");
  CHECK(room.set(Currency::usd, 647'999'999) == "rate_drifts");
  CHECK(room.set(Currency::usd, 7'200'000'000) == "rate_drifts");
  CHECK(room.shop.integer("SELECT COUNT(*) FROM exchange_rates") == 0);
  CHECK(room.set(Currency::usd, 792'000'000).empty());
  CHECK(room.set(Currency::usd, 648'000'000) == "rate_drifts");  // a tenth of the newer one
  CHECK(room.set(Currency::usd, 720'000'000).empty());  // two of one millisecond are two rows
  CHECK(room.shop.integer("SELECT COUNT(*) FROM exchange_rates") == 2);
  CHECK(room.in_force()[0].rate.scaled == 720'000'000);
  CHECK(room.set(Currency::eur, 780'000'000).empty());  // the first of its currency
  CHECK(room.set(Currency::cny, 100'000'000) == "out_of_range");
}

TEST_CASE("labels, place and other names are kept, changed and emptied, each with its audit row") {
  Room room;
  CHECK(room.note({"", {"hot", "new"}, 3, {"泰国一百", "travel"}, "", 0}) == "saved");
  CHECK(room.note({"", {"hot", "new"}, 3, {"泰国一百", "travel"}, "", 0}) == "same");
  REQUIRE(room.notes().size() == 1);
  CHECK(room.notes()[0].labels == std::vector<std::string>{"hot", "new"});
  CHECK(room.notes()[0].aliases == std::vector<std::string>{"泰国一百", "travel"});
  CHECK(room.notes()[0].place == 3);
  CHECK(room.note({}) == "saved");
  CHECK(room.notes().empty());
  CHECK(room.shop.integer(
            "SELECT COUNT(*) FROM audit_log WHERE action = 'catalog.product_noted'") == 2);
}

TEST_CASE("B-05: what no page could show is refused, and nothing is written") {
  Room room;
  const std::string long_name(product_notes::kMaxAlias + 1, 'x');
  CHECK(room.note({"", {"cheapest"}, 0, {}, "", 0}) == "out_of_range labels");
  CHECK(room.note({"", {"hot", "new", "value"}, 0, {}, "", 0}) == "out_of_range labels");
  CHECK(room.note({"", {"hot", "hot"}, 0, {}, "", 0}) == "out_of_range labels");
  CHECK(room.note({"", {}, -1, {}, "", 0}) == "out_of_range place");
  CHECK(room.note({"", {}, 10'000, {}, "", 0}) == "out_of_range place");
  CHECK(room.note({"", {}, 0, {""}, "", 0}) == "out_of_range aliases");
  CHECK(room.note({"", {}, 0, {"a\nb"}, "", 0}) == "out_of_range aliases");
  CHECK(room.note({"", {}, 0, {long_name}, "", 0}) == "out_of_range aliases");
  CHECK(room.note({"", {}, 0, {"same", "same"}, "", 0}) == "out_of_range aliases");
  CHECK(room.notes().empty());
}

TEST_CASE("everybody has one draft of the rules, and nobody another's") {
  Room room;
  const auto found = [&](const char* id) {
    std::optional<rule_drafts::Draft> draft;
    room.shop.db().read(
        [&](storage::Reader& reader) { draft = rule_drafts::find(reader, StaffId(id)); });
    return draft;
  };
  const auto save = [&](const char* id, std::int64_t version) {
    room.shop.db().write([&](storage::Tx& tx) {
      rule_drafts::save(tx, {StaffId(id), version, "[]", room.clock.wall_ms()});
      return true;
    });
  };
  for (const char* id : {"anna", "otto"}) {
    room.shop.db().write([&](storage::Tx& tx) {
      tx.exec(
          "INSERT INTO staff (staff_id, name, password, state, must_change_password, "
          "created_at_ms) VALUES ($1, $1, 'none', 'enabled', 0, 1)",
          {std::string_view(id)});
      return true;
    });
  }
  save("anna", 1);
  save("anna", 4);
  REQUIRE(found("anna").has_value());
  CHECK(found("anna")->seen_version == 4);
  CHECK_FALSE(found("otto").has_value());
  room.shop.db().write([](storage::Tx& tx) { return rule_drafts::discard(tx, StaffId("anna")); });
  CHECK_FALSE(found("anna").has_value());
}

}  // namespace
}  // namespace topup::catalog
