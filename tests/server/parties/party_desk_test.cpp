// What staff do about outside parties: secrets go in and stay in, and nobody goes live half ready.
#include "server/parties/party_desk.h"

#include <doctest/doctest.h>

#include <string>

#include "server/audit/audit_log.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/seeded_random.h"

namespace topup::parties {
namespace {

struct Desk {
  testing::ScratchShop shop;
  testing::ManualClock clock;
  testing::SeededRandom random{5};
  privacy::Pii pii{std::string(32, 'k'), random};
  Worlds worlds;
  PartyDesk desk{shop.db(), clock, pii, worlds, true};
  Heard next_heard{true, "100.00 USD"};
  std::string taken_over;
  int synced = 0;
  Author author{"staff:01JDSTAFF", TraceId("0123456789abcdef0123456789abcdef")};

  Desk() { attach(desk); }
  void attach(PartyDesk& to) {
    std::map<std::string, Standing> standings;
    for (const char* party : {"wechat_pay", "reloadly", "dingconnect"}) {
      standings[party].is_played = true;
      standings[party].switches_now = true;
    }
    standings["sms"].is_played = true;
    standings["juhe"].is_in_file = true;
    DeskHooks hooks;
    hooks.try_keys = [this](const Party&, const Values&) { return next_heard; };
    hooks.take_over = [this](const Party& party, const Values& values) {
      taken_over = std::string(party.word) + " " + values.find("api_key")->second;
    };
    hooks.world_changed = [this](storage::Tx&, const Party&) { ++synced; };
    to.attach(std::move(standings), std::move(hooks));
  }
  Result<PartyView> save(std::int64_t seen, const std::string& key = "the-api-key") {
    return desk.save(
        "dingconnect", seen,
        {{"api_key", key}, {"callback_token", "the-token"}, {"origin", "http://127.0.0.1:9000"}},
        author, &faults);
  }
  void probe(Reach reach) {
    ProbeReport report;
    report.reach = reach;
    report.at_ms = clock.wall_ms();
    for (const std::string& path : desk.notify_paths())
      report.paths.push_back({path, true, {}, {}, {}});
    desk.keep_probe(report, author);
  }
  std::string reason_of(const Result<PartyView>& done) {
    return done ? "" : std::string(done.error().reason);
  }
  std::vector<Fault> faults;
};

TEST_CASE("secrets are sealed, never shown, and kept when a field is left empty") {
  Desk d;
  const auto saved = d.save(0);
  REQUIRE(saved);
  CHECK(saved->version == 1);
  CHECK(saved->plain.count("api_key") == 0);
  CHECK(saved->secrets == std::vector<std::string>{"api_key", "callback_token"});
  CHECK(saved->plain.at("origin") == "http://127.0.0.1:9000");
  CHECK(d.shop.text("SELECT secrets_sealed FROM party_keys").find("the-api-key") ==
        std::string::npos);
  const auto again = d.desk.save("dingconnect", 1, {{"wallet", "EUR"}}, d.author, &d.faults);
  REQUIRE(again);
  CHECK(again->version == 2);
  CHECK(again->secrets.size() == 2);
  for (const std::string& detail : d.shop.texts("SELECT detail FROM audit_log"))
    CHECK(detail.find("the-api-key") == std::string::npos);
}

TEST_CASE("wrong keys save nothing, and whoever saved meanwhile is not overwritten") {
  Desk d;
  const auto wrong = d.desk.save("dingconnect", 0, {{"api_key", "k"}}, d.author, &d.faults);
  CHECK(d.reason_of(wrong) == "keys_wrong");
  REQUIRE(d.faults.size() == 1);
  CHECK(d.faults.front().field == "callback_token");
  CHECK(d.shop.integer("SELECT COUNT(*) FROM party_keys") == 0);
  REQUIRE(d.save(0));
  CHECK(d.reason_of(d.save(0)) == "keys_changed");
  CHECK(d.reason_of(d.desk.save("juhe", 0, {}, d.author, &d.faults)) == "party_in_file");
  CHECK(d.reason_of(d.desk.save("nobody", 0, {}, d.author, &d.faults)) == "party_unknown");
}

TEST_CASE("nobody goes live before keys, test and callback address are proven, and each is named") {
  Desk d;
  const auto missing = [&] {
    const auto done = d.desk.go("dingconnect", World::live, "we open", d.author);
    return done ? ""
                : std::string(done.error().reason) + " " + std::string(done.error().detail.view());
  };
  CHECK(missing() == "keys_missing ");
  REQUIRE(d.save(0));
  CHECK(missing() == "not_ready_to_go_live test");
  d.next_heard = {false, "unauthorized"};
  REQUIRE(d.desk.test("dingconnect", d.author));
  CHECK(missing() == "not_ready_to_go_live test");
  d.next_heard = {true, "100.00 USD"};
  REQUIRE(d.desk.test("dingconnect", d.author));
  CHECK(missing() == "not_ready_to_go_live notify");
  d.probe(Reach::this_machine);
  CHECK(missing() == "");
  CHECK(d.taken_over == "dingconnect the-api-key");
  CHECK(d.synced == 1);
  const auto view = d.desk.view("dingconnect");
  CHECK(view->state == "live");
  CHECK(view->from_ms == d.clock.wall_ms() + kSwitchAfterMs);
  CHECK(d.worlds.at("dingconnect", d.clock.wall_ms()) == World::rehearsed);
  CHECK(d.worlds.at("dingconnect", view->from_ms) == World::live);
  const auto rows = d.shop.texts("SELECT action FROM audit_log ORDER BY seq");
  CHECK(rows.back() == "party.went_live");
}

TEST_CASE(
    "a test, a self-test and new keys each count for what they were made of, and not for ever") {
  Desk d;
  REQUIRE(d.save(0));
  REQUIRE(d.desk.test("dingconnect", d.author));
  d.probe(Reach::this_machine);
  CHECK(d.desk.view("dingconnect")->may_go_live);
  d.clock.advance(kTestGoodMs);
  CHECK_FALSE(d.desk.view("dingconnect")->may_go_live);
  d.probe(Reach::this_machine);
  REQUIRE(d.desk.test("dingconnect", d.author));
  CHECK(d.desk.view("dingconnect")->may_go_live);
  REQUIRE(d.save(1, "another-key"));
  CHECK_FALSE(d.desk.view("dingconnect")->may_go_live);
}

TEST_CASE("a real party out there needs an address that is reached from out there") {
  Desk d;
  REQUIRE(d.desk.save("dingconnect", 0, {{"api_key", "k"}, {"callback_token", "t"}}, d.author,
                      &d.faults));
  REQUIRE(d.desk.test("dingconnect", d.author));
  d.probe(Reach::this_machine);
  CHECK_FALSE(d.desk.view("dingconnect")->may_go_live);
  d.probe(Reach::outside);
  CHECK(d.desk.view("dingconnect")->may_go_live);
}

TEST_CASE(
    "a channel waits for the suppliers; the account of a live party stays; the way back is open") {
  Desk d;
  const auto waits_for = [&] {
    const auto view = d.desk.view("wechat_pay");
    for (const Missing& one : view->checklist)
      if (one.what == "suppliers") return one.is_done ? std::string("nobody") : one.detail;
    return std::string("?");
  };
  CHECK(waits_for() == "reloadly dingconnect");
  REQUIRE(d.save(0));
  REQUIRE(d.desk.test("dingconnect", d.author));
  d.probe(Reach::this_machine);
  REQUIRE(d.desk.go("dingconnect", World::live, "we open", d.author));
  d.clock.advance(kSwitchAfterMs);
  CHECK(waits_for() == "reloadly");
  CHECK(d.desk.rehearsed() == std::vector<std::string>{"wechat_pay", "reloadly", "sms"});
  const auto moved = d.desk.save("dingconnect", 1, {{"wallet", "EUR"}}, d.author, &d.faults);
  CHECK(d.reason_of(moved) == "keys_wrong");
  CHECK(d.faults.front().reason == "account_fixed");
  CHECK(d.reason_of(d.desk.go("dingconnect", World::live, "again", d.author)) == "world_unchanged");
  REQUIRE(d.desk.go("dingconnect", World::rehearsed, "we close", d.author));
  d.clock.advance(kSwitchAfterMs);
  CHECK(waits_for() == "reloadly dingconnect");
}

TEST_CASE("after a restart the worlds are as they were, and the keys open") {
  Desk d;
  REQUIRE(d.save(0));
  REQUIRE(d.desk.test("dingconnect", d.author));
  d.probe(Reach::this_machine);
  REQUIRE(d.desk.go("dingconnect", World::live, "we open", d.author));
  REQUIRE(d.save(1, "waits-for-its-test"));
  d.clock.advance(kSwitchAfterMs);
  Worlds worlds;
  PartyDesk fresh(d.shop.db(), d.clock, d.pii, worlds, true);
  CHECK(worlds.at("dingconnect", d.clock.wall_ms()) == World::live);
  CHECK(fresh.live_values().at("dingconnect").find("api_key")->second == "the-api-key");
}

TEST_CASE("steps and the shop's own facts are kept, and nonsense is refused") {
  Desk d;
  CHECK(d.desk.set_step("alipay", "skipped", d.author));
  REQUIRE(d.desk.steps().size() == 1);
  CHECK(d.desk.steps().front().value == "skipped");
  CHECK(d.desk.set_step("alipay", "open", d.author));
  CHECK(d.desk.steps().empty());
  CHECK_FALSE(d.desk.set_step("lunch", "done", d.author));
  CHECK(d.desk.set_shop({"小店", "Asia/Shanghai", "zh"}, d.author));
  CHECK(d.desk.shop().name == "小店");
  CHECK_FALSE(d.desk.set_shop({"  ", "Asia/Shanghai", "zh"}, d.author));
  CHECK_FALSE(d.desk.set_shop({"Shop", "Mars/Olympus", "zh"}, d.author));
  CHECK_FALSE(d.desk.set_shop({"Shop", "UTC", "xx"}, d.author));
  CHECK(d.desk.shop().time_zone == "Asia/Shanghai");
}

}  // namespace
}  // namespace topup::parties
