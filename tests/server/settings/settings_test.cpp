#include "server/settings/settings.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>

#include "server/audit/audit_log.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/together.h"

namespace topup::settings {
namespace {

using base::Json;

// Each type once, so that the rules do not depend on which settings the shop has today.
constexpr std::array kEach = {
    Definition{"is_on", Type::boolean, 0, 0, "", "false", kWrite, "a boolean"},
    Definition{"count", Type::integer, 1, 100, "", "", kWrite, "an integer"},
    Definition{"note", Type::text, 0, 12, "", "\"\"", kWrite, "a text"},
    Definition{"word", Type::word, 0, 0, "one two", "\"one\"", kWrite, "a word"},
    Definition{"names", Type::list, 0, 3, "", "[]", "names.write", "a list"},
};

struct Desk {
  testing::QuietLog quiet;
  testing::ManualClock clock;
  testing::ScratchShop shop;
  Settings settings{shop.db(), clock, {{"count", 5}}, kEach};
  std::vector<FieldError> wrong;
  bool may_names = true;

  Author author() {
    return {"staff:1", TraceId("trace"),
            [this](std::string_view permission) { return permission == kWrite || may_names; }};
  }
  // "" when it was done, else why not.
  std::string change(const Json& changes, std::int64_t seen) {
    wrong.clear();
    const auto done = settings.change(changes, seen, author(), &wrong);
    return done ? "" : std::string(done.error().reason);
  }
  std::string change(const Json& changes) { return change(changes, settings.current()->version); }
  std::string roll_back(std::int64_t to) {
    wrong.clear();
    const auto done = settings.roll_back(to, settings.current()->version, author(), &wrong);
    return done ? "" : std::string(done.error().reason);
  }
  std::int64_t rows() { return shop.integer("SELECT COUNT(*) FROM settings"); }
};

TEST_CASE("settings: nothing set means presets; a change is seen at once, with its row and audit") {
  Desk desk;
  CHECK(desk.settings.current()->version == 0);
  CHECK(desk.settings.current()->integer("count") == 5);
  CHECK(desk.settings.current()->text("word") == "one");
  const auto before = desk.settings.current();
  CHECK(desk.change({{"count", 7}, {"is_on", true}, {"note", "\xE4\xBD\xA0\xE5\xA5\xBD"}}) == "");
  const auto now = desk.settings.current();
  CHECK(now->version == 1);
  CHECK(now->integer("count") == 7);
  CHECK(now->boolean("is_on"));
  CHECK(now->text("note") == "\xE4\xBD\xA0\xE5\xA5\xBD");
  CHECK(before->integer("count") == 5);  // whoever holds the old snapshot keeps it
  CHECK(desk.rows() == 3);
  CHECK(desk.shop.integer("SELECT COUNT(*) FROM audit_log WHERE action = 'settings.changed' AND "
                          "subject = 'settings:1' AND actor = 'staff:1'") == 1);
  CHECK(desk.change({{"names", {"user-1", "user-2"}}}) == "");
  CHECK(desk.settings.current()->list("names") == std::vector<std::string>{"user-1", "user-2"});
  desk.shop.db().read([](storage::Reader& reader) { CHECK(audit::verify(reader).holds); });
}

TEST_CASE("settings: what does not fit is refused by name, all of it at once, and writes nothing") {
  struct Row {
    const char* key;
    Json value;
    const char* reason;
  };
  const Row rows[] = {
      {"is_on", 1, "wrong_type"},
      {"is_on", "true", "wrong_type"},
      {"count", "5", "wrong_type"},
      {"count", 5.5, "wrong_type"},
      {"count", 0, "out_of_range"},
      {"count", 101, "out_of_range"},
      {"count", 18'446'744'073'709'551'615U, "out_of_range"},
      {"count", true, "wrong_type"},
      {"note", 5, "wrong_type"},
      {"note", "thirteen char", "out_of_range"},
      {"note", "two\nlines", "out_of_range"},
      {"note", "\x7f", "out_of_range"},
      {"word", "three", "out_of_range"},
      {"word", "", "out_of_range"},
      {"word", "one two", "out_of_range"},
      {"word", Json::array(), "wrong_type"},
      {"names", "user-1", "wrong_type"},
      {"names", Json::object(), "wrong_type"},
      {"names", {1}, "wrong_type"},
      {"names", {"a", "a"}, "out_of_range"},
      {"names", {""}, "out_of_range"},
      {"names", {"a b"}, "out_of_range"},
      {"names", {"a", "b", "c", "d"}, "out_of_range"},
      {"names", {std::string(65, 'a')}, "out_of_range"},
      {"unheard", 1, "unknown_field"},
      {"", 1, "unknown_field"},
      {"count ", 1, "unknown_field"},
  };
  Desk desk;
  Json all = Json::object();
  for (const Row& row : rows) {
    CAPTURE(row.key);
    CAPTURE(row.value.dump());
    CHECK(desk.change({{row.key, row.value}}) == row.reason);
    REQUIRE(desk.wrong.size() == 1);
    CHECK(desk.wrong[0].key == row.key);
    all[row.key] = row.value;
  }
  desk.change(all);
  CHECK(desk.wrong.size() == all.size());
  CHECK(desk.change({{"count", 7}, {"word", "three"}}) == "out_of_range");
  CHECK(desk.change(Json::object()) == "changes_empty");
  CHECK(desk.change(Json::array()) == "wrong_type");
  CHECK(desk.rows() == 0);
  CHECK(desk.settings.current()->integer("count") == 5);
}

TEST_CASE("settings: who has not seen the newest version changes nothing") {
  Desk desk;
  CHECK(desk.change({{"count", 7}}, 0) == "");
  CHECK(desk.change({{"count", 8}}, 0) == "settings_changed");
  CHECK(desk.change({{"count", 8}}, 2) == "settings_changed");
  CHECK(desk.settings.current()->integer("count") == 7);
  CHECK(desk.change({{"count", 7}}, 1) == "");  // as it is: no version
  CHECK(desk.settings.current()->version == 1);
  // Many at once from the same version: one of them wins.
  std::atomic<int> done = 0;
  testing::together(4, [&](int thread) {
    std::vector<FieldError> wrong;
    const Author author{"staff:1", {}, [](std::string_view) { return true; }};
    for (int i = 0; i < 5; ++i) {
      const auto changed =
          desk.settings.change({{"count", 10 + thread * 5 + i}}, 1, author, &wrong);
      if (changed) ++done;
    }
  });
  CHECK(done == 1);
  CHECK(desk.settings.current()->version == 2);
}

TEST_CASE("settings: a setting with a permission of its own is changed only by who has it") {
  Desk desk;
  desk.may_names = false;
  CHECK(desk.change({{"names", {"user-1"}}}) == "permission_missing");
  CHECK(desk.change({{"count", 7}}) == "");
  desk.may_names = true;
  CHECK(desk.change({{"names", {"user-1"}}}) == "");
}

TEST_CASE("settings: going back makes a new version with every value of the old one") {
  Desk desk;
  CHECK(desk.change({{"count", 7}, {"word", "two"}}) == "");  // 1
  CHECK(desk.change({{"count", 8}, {"is_on", true}}) == "");  // 2
  CHECK(desk.change({{"count", nullptr}}) == "");             // 3: the preset again
  CHECK(desk.settings.current()->integer("count") == 5);
  CHECK(desk.roll_back(1) == "");  // 4
  const auto now = desk.settings.current();
  CHECK(now->version == 4);
  CHECK(now->integer("count") == 7);
  CHECK(now->text("word") == "two");
  CHECK_FALSE(now->boolean("is_on"));
  CHECK(desk.roll_back(0) == "");
  CHECK(desk.settings.current()->values == desk.settings.presets());
  CHECK(desk.roll_back(6) == "version_unknown");
  CHECK(desk.roll_back(-1) == "version_unknown");
  CHECK(desk.shop.integer("SELECT COUNT(*) FROM audit_log WHERE action = "
                          "'settings.rolled_back'") == 2);
  const auto rows = desk.settings.history({}, 100);
  REQUIRE(rows.size() == static_cast<std::size_t>(desk.rows()));
  CHECK(rows.front().version == 5);
  CHECK(rows.back().version == 1);
  // Page by page it is the same story.
  std::vector<settings_store::StoredRow> paged;
  settings_store::Place place;
  for (;;) {
    const auto page = desk.settings.history(place, 2);
    if (page.empty()) break;
    paged.insert(paged.end(), page.begin(), page.end());
    place = {page.back().version, page.back().key};
  }
  REQUIRE(paged.size() == rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CHECK(paged[i].version == rows[i].version);
    CHECK(paged[i].key == rows[i].key);
  }
}

TEST_CASE("settings: rows are only ever added") {
  Desk desk;
  CHECK(desk.change({{"count", 7}}) == "");
  CHECK_THROWS_AS(desk.shop.tamper("UPDATE settings SET value = '9'"), storage::SqlError);
  CHECK_THROWS_AS(desk.shop.tamper("DELETE FROM settings"), storage::SqlError);
}

TEST_CASE("settings: another node follows, observers hear each version in order, a restart keeps") {
  Desk desk;
  Settings other(desk.shop.db(), desk.clock, {{"count", 5}}, kEach);
  std::vector<std::int64_t> heard;
  other.observe([&heard](const Snapshot& now) { heard.push_back(now.version); });
  CHECK(desk.change({{"count", 7}}) == "");
  CHECK(other.current()->integer("count") == 5);
  other.refresh();
  other.refresh();
  CHECK(other.current()->integer("count") == 7);
  CHECK(heard == std::vector<std::int64_t>{0, 1});
  Settings again(desk.shop.db(), desk.clock, {{"count", 6}}, kEach);
  CHECK(again.current()->integer("count") == 7);
  CHECK(again.current()->version == 1);
}

TEST_CASE("settings: a value that this release no longer allows counts as not set") {
  Desk desk;
  CHECK(desk.change({{"count", 50}, {"word", "two"}}) == "");
  std::array narrower = kEach;
  narrower[1].max = 10;
  narrower[3].key = "renamed";
  Settings later(desk.shop.db(), desk.clock, {{"count", 5}}, narrower);
  CHECK(later.current()->integer("count") == 5);
  CHECK(later.current()->text("renamed") == "one");
  CHECK(desk.change({{"count", 6}}) == "");
  later.refresh();
  CHECK(later.current()->integer("count") == 6);
  std::vector<FieldError> wrong;
  const auto back = later.roll_back(1, 2, desk.author(), &wrong);
  REQUIRE_FALSE(back);
  CHECK(back.error().reason == "out_of_range");
  CHECK(back.error().field == "count");
}

TEST_CASE("settings: every definition of the shop has words, bounds and a preset that fits") {
  testing::ManualClock clock;
  testing::ScratchShop shop;
  const Json configured = {{"orders.pay_within_ms", 900'000},
                           {"orders.max_unpaid_per_user", 10},
                           {"orders.repeat_window_ms", 600'000},
                           {"orders.review_above_minor", 200'000},
                           {"log.level", "info"}};
  Settings settings(shop.db(), clock, configured);
  CHECK(settings.current()->values.size() == kDefinitions.size());
  for (const Definition& definition : kDefinitions) {
    CAPTURE(definition.key);
    CHECK_FALSE(definition.doc.empty());
    CHECK_FALSE(definition.permission.empty());
    CHECK((definition.type == Type::word) == !definition.words.empty());
  }
}

}  // namespace
}  // namespace topup::settings
