#include "server/auth/sms_login.h"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/support/buyer_desk.h"

namespace topup::auth {
namespace {

using testing::BuyerDesk;
constexpr std::int64_t kHourMs = 3'600'000;
constexpr char kPhone[] = "13800001234";

std::string wrong_of(const std::string& code) { return code == "000000" ? "000001" : "000000"; }

struct Desk : BuyerDesk {
  explicit Desk(SmsSettings settings = {}) : login(sms(std::move(settings))) {}
  Result<CodeAsked> ask(const std::string& phone = kPhone, std::string_view purpose = "sign_in") {
    return login.ask(phone, "CN", purpose, "", caller);
  }
  Result<Proof> check(const std::string& code, std::string_view purpose = "sign_in",
                      const std::string& phone = kPhone) {
    return login.check(phone, "CN", purpose, code, caller);
  }
  SmsLogin login;
};

TEST_CASE("A-09: a code has six digits, works once, for its number and purpose, in time") {
  Desk desk;
  REQUIRE(desk.ask().has_value());
  const std::string code = desk.outbox.at(0).code;
  CHECK(code.size() == 6);
  CHECK(desk.outbox[0].number == "+8613800001234");
  CHECK(desk.shop.integer("SELECT COUNT(*) FROM sms_codes WHERE code_hash = $1", {code}) == 0);
  CHECK(desk.check(code, "bind").error().reason == "sms_code_wrong");
  CHECK(desk.check(code, "sign_in", "13800001235").error().reason == "sms_code_wrong");
  const auto proof = desk.check(code);
  REQUIRE(proof.has_value());
  CHECK(proof->subject == "+8613800001234");
  CHECK(desk.check(code).error().reason == "sms_code_wrong");

  desk.clock.advance(60'000);
  REQUIRE(desk.ask().has_value());
  desk.clock.advance(kCodeMs);
  CHECK(desk.check(desk.outbox.at(1).code).error().reason == "sms_code_wrong");
}

TEST_CASE("A-09: five tries wear a code out, and only the newest code counts") {
  Desk desk;
  REQUIRE(desk.ask().has_value());
  const std::string worn = desk.outbox.at(0).code;
  for (int i = 0; i < kMaxCodeTries; ++i) (void)desk.check(wrong_of(worn));
  desk.clock.advance(60'000);  // past the lock
  CHECK(desk.check(worn).error().reason == "sms_code_wrong");

  Desk fresh;
  REQUIRE(fresh.ask().has_value());
  fresh.clock.advance(60'000);
  REQUIRE(fresh.ask().has_value());
  if (fresh.outbox[0].code != fresh.outbox[1].code)
    CHECK_FALSE(fresh.check(fresh.outbox[0].code).has_value());
  CHECK(fresh.check(fresh.outbox[1].code).has_value());
}

TEST_CASE("A-09: 100,000 requests in a day bring one phone at most ten messages") {
  Desk desk;
  const std::vector<std::string> spellings = {"13800001234", "+86 138 0000 1234",
                                              "0086-13800001234", "138-0000-1234", "(138)00001234"};
  std::vector<std::int64_t> sent_at;
  const std::int64_t began = desk.clock.wall_ms();
  for (int i = 0; i < 100'000; ++i) {
    desk.clock.advance(864);  // a day in all
    desk.caller.address =
        "10." + std::to_string(i % 250) + "." + std::to_string(i / 250 % 250) + ".9";
    const std::size_t before = desk.outbox.size();
    (void)desk.login.ask(spellings[static_cast<std::size_t>(i) % spellings.size()], "CN", "sign_in",
                         std::to_string(i), desk.caller);
    if (desk.outbox.size() > before) sent_at.push_back(desk.clock.wall_ms());
  }
  CHECK(desk.clock.wall_ms() - began == 86'400'000);
  CHECK(sent_at.size() == 10);
  MESSAGE("figure A-09: of 100,000 requests in a day " << sent_at.size() << " messages");
  for (std::size_t i = 1; i < sent_at.size(); ++i) CHECK(sent_at[i] - sent_at[i - 1] >= 60'000);
  for (std::size_t i = 5; i < sent_at.size(); ++i) CHECK(sent_at[i] - sent_at[i - 5] >= kHourMs);
  for (const auto& message : desk.outbox) CHECK(message.number == "+8613800001234");
}

TEST_CASE("A-09: a network, a device and the shop as a whole have limits of their own") {
  const auto phone = [](int i) { return "1380000" + std::to_string(2'000 + i); };
  SUBCASE("a network") {
    Desk desk;
    int sent = 0;
    for (int i = 0; i < 40; ++i)
      sent +=
          desk.login.ask(phone(i), "CN", "sign_in", "d" + std::to_string(i), desk.caller) ? 1 : 0;
    CHECK(sent == 20);
    desk.clock.advance(kHourMs);
    CHECK(desk.ask(phone(41)).has_value());
  }
  SUBCASE("a device") {
    Desk desk;
    int sent = 0;
    for (int i = 0; i < 40; ++i) {
      desk.caller.address = "10.0.0." + std::to_string(i);
      sent += desk.login.ask(phone(i), "CN", "sign_in", "one", desk.caller) ? 1 : 0;
    }
    CHECK(sent == 10);
  }
  SUBCASE("the shop") {
    SmsSettings settings;
    settings.limits.shop_day = 7;
    Desk desk(settings);
    int sent = 0;
    for (int i = 0; i < 40; ++i) {
      desk.caller.address = "10.0.0." + std::to_string(i);
      sent += desk.ask(phone(i)) ? 1 : 0;
    }
    CHECK(sent == 7);
  }
}

TEST_CASE("A-09: how long to wait is said") {
  Desk desk;
  REQUIRE(desk.ask().has_value());
  desk.clock.advance(20'000);
  const auto again = desk.ask();
  CHECK(again.error().code == Code::rate_limited);
  CHECK(again.error().reason == "sms_too_often");
  CHECK(again.error().detail == "40");
}

TEST_CASE("A-09: a message whose fate is unknown is not sent again, and its code still counts") {
  Desk desk;
  desk.fate = Sent::unknown;
  CHECK(desk.ask().has_value());
  CHECK(desk.outbox.size() == 1);
  CHECK(desk.shop.text("SELECT state FROM sms_codes") == "unknown");
  CHECK(desk.check(desk.outbox[0].code).has_value());

  desk.fate = Sent::refused;
  desk.clock.advance(60'000);
  CHECK(desk.ask().error().reason == "sms_unavailable");
  CHECK(desk.ask().error().reason == "sms_too_often");
}

TEST_CASE("A-07: no answer tells whether a number has an account") {
  Desk desk;
  REQUIRE(desk.identities.sign_in(BuyerDesk::phone("+8613800001234"), "", desk.caller).has_value());
  desk.clock.advance(1);  // failures count from after the last success
  const auto known = desk.ask("13800001234");
  const auto unknown = desk.ask("13800001235");
  CHECK(known->expires_at_ms == unknown->expires_at_ms);
  CHECK(known->again_after_ms == unknown->again_after_ms);
  for (int i = 0; i < 12; ++i) {
    const auto one = desk.check("none", "sign_in", "13800001234");
    const auto other = desk.check("none", "sign_in", "13800001235");
    CHECK(one.error().reason == other.error().reason);
    CHECK(one.error().detail.view() == other.error().detail.view());
  }
}

TEST_CASE("A-07: wrong codes are answered later and later, then half an hour, and end no session") {
  Desk desk;
  const auto session =
      desk.identities.sign_in(BuyerDesk::phone("+8613800001234"), "", desk.caller)->session;
  desk.clock.advance(1);
  std::map<std::string, int> reasons;
  for (int i = 0; i < kFreeSignInFailures; ++i)
    ++reasons[std::string(desk.check("x").error().reason)];
  CHECK(reasons["sms_code_wrong"] == kFreeSignInFailures);
  CHECK(desk.check("x").error().reason == "sign_in_locked");
  CHECK(desk.check("x").error().detail == "5");
  while (desk.shop.integer("SELECT COUNT(*) FROM sign_ins WHERE outcome = 'refused'") <
         kMostSignInFailures) {
    desk.clock.advance(5 * 60'000);
    (void)desk.check("x");
  }
  const auto locked = desk.check("x");
  CHECK(locked.error().reason == "sign_in_locked");
  CHECK(locked.error().detail == "1800");
  CHECK(desk.sessions.buyer(session->token).has_value());
  desk.clock.advance(kLongSignInLockMs);
  REQUIRE(desk.ask().has_value());
  CHECK(desk.check(desk.outbox.back().code).has_value());
}

TEST_CASE("A-07: spraying many numbers from one network is stopped as well") {
  Desk desk;
  int tried = 0;
  for (int i = 0; i < 300; ++i) {
    const std::string phone = "138000" + std::to_string(10'000 + i);
    tried += desk.check("123456", "sign_in", phone).error().reason == "sms_code_wrong" ? 1 : 0;
  }
  CHECK(tried == kMaxNetworkFailures);
  desk.caller.address = "198.51.100.1";
  CHECK(desk.check("123456", "sign_in", "13800020000").error().reason == "sms_code_wrong");
}

TEST_CASE("B-08: forty spellings of a number are one number") {
  Desk desk;
  std::set<std::string> spellings;
  for (const char* lead : {"", "+86", "+86 ", "86", "0086", "0086 ", "+86-", "＋86"}) {
    for (const char* body : {"13800001234", "138 0000 1234", "138-0000-1234", "138.0000.1234",
                             "１３８００００１２３４"}) {
      spellings.insert(std::string(lead) + body);
    }
  }
  REQUIRE(spellings.size() == 40);
  MESSAGE("figure B-08: " << spellings.size() << " spellings of one number");
  std::set<std::string> wanted;
  for (const std::string& spelling : spellings) {
    CAPTURE(spelling);
    const auto asked = desk.ask(spelling);
    if (!asked) CHECK(asked.error().reason == "sms_too_often");
  }
  CHECK(desk.outbox.size() == 1);
  CHECK(desk.shop.integer("SELECT COUNT(DISTINCT phone_index) FROM sms_codes") == 1);
}

TEST_CASE("A-09: numbers of countries that are not served get no message") {
  Desk desk;
  CHECK(desk.login.ask("0812345678", "TH", "sign_in", "", desk.caller).error().reason ==
        "sms_country_not_served");
  CHECK(desk.ask("123").error().reason == "phone_invalid");
  CHECK(desk.outbox.empty());
}

}  // namespace
}  // namespace topup::auth
