#include "server/base/wechat_app.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/scripted_outbound.h"
#include "tests/support/together.h"

namespace topup::base {
namespace {

class Shelf final : public WechatTokenShelf {
 public:
  std::optional<WechatToken> load(const std::string& appid) override {
    const std::lock_guard hold(mutex_);
    const auto found = kept_.find(appid);
    return found == kept_.end() ? std::nullopt : std::optional(found->second);
  }
  void keep(const std::string& appid, const WechatToken& token) override {
    const std::lock_guard hold(mutex_);
    kept_[appid] = token;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, WechatToken> kept_;
};

struct App {
  testing::QuietLog quiet;
  testing::ManualClock clock;
  testing::ScriptedOutbound wechat;
  Shelf shelf;
  WechatApp app{{"wx1", "s3cret"}, wechat, clock, &shelf};
  void give_token(const std::string& text, int seconds = 7'200) {
    wechat.then_answer(
        200, R"({"access_token":")" + text + R"(","expires_in":)" + std::to_string(seconds) + "}");
  }
  void give_error(int errcode) {
    wechat.then_answer(200, R"({"errcode":)" + std::to_string(errcode) + R"(,"errmsg":"x"})");
  }
  void give_ok() { wechat.then_answer(200, R"({"errcode":0,"done":true})"); }
};

TEST_CASE("F046: a login code becomes an openid, and each refusal its meaning") {
  App app;
  app.wechat.then_answer(200, R"({"openid":"o1","session_key":"k","unionid":"u1"})");
  const auto person = app.app.person_of_login_code("c&=%1");
  REQUIRE(person.has_value());
  CHECK(person->openid == "o1");
  CHECK(person->unionid == "u1");
  CHECK(app.wechat.requests()[0].target ==
        "/sns/jscode2session?appid=wx1&secret=s3cret&js_code=c%26%3D%251"
        "&grant_type=authorization_code");
  const std::map<int, std::string> meanings = {
      {40029, "wechat_code_invalid"},  {40163, "wechat_code_invalid"},
      {45011, "wechat_too_frequent"},  {40226, "wechat_user_blocked"},
      {40125, "wechat_misconfigured"}, {-1, "wechat_unavailable"},
      {987654, "wechat_unavailable"}};
  for (const auto& [errcode, reason] : meanings) {
    CAPTURE(errcode);
    app.give_error(errcode);
    CHECK(app.app.person_of_login_code("c").error().reason == reason);
  }
  app.wechat.then_answer(502, "<html>");
  CHECK(app.app.person_of_login_code("c").error().reason == "wechat_unavailable");
  app.wechat.then_no_answer();
  CHECK(app.app.person_of_login_code("c").error().reason == "wechat_unavailable");
  const std::size_t calls = app.wechat.calls();
  for (const std::string& code : {std::string(), std::string("a b"), std::string(513, 'x')})
    CHECK(app.app.person_of_login_code(code).error().reason == "wechat_code_invalid");
  CHECK(app.wechat.calls() == calls);
}

TEST_CASE("F047: WeChat's made-up user is nobody") {
  App app;
  app.wechat.then_answer(200, R"({"openid":"o1","is_snapshotuser":1})");
  CHECK(app.app.person_of_oauth_code("c").error().reason == "wechat_snapshot_user");
}

TEST_CASE("F077: one token serves until shortly before its end, and the shelf serves other nodes") {
  App app;
  app.give_token("t1");
  CHECK(*app.app.access_token() == "t1");
  WechatApp other({"wx1", "s3cret"}, app.wechat, app.clock, &app.shelf);
  CHECK(*other.access_token() == "t1");
  app.clock.advance(7'200'000 - kTokenMarginMs - 1);
  CHECK(*app.app.access_token() == "t1");
  CHECK(app.wechat.calls() == 1);
  app.clock.advance(1);
  app.give_token("t2");
  CHECK(*app.app.access_token() == "t2");
  CHECK(*other.access_token() == "t2");
  CHECK(app.wechat.calls() == 2);
}

TEST_CASE("F077: many callers at once wait for one fetch") {
  App app;
  app.give_token("t1");
  testing::together(8, [&](int) { CHECK(*app.app.access_token() == "t1"); });
  CHECK(app.wechat.calls() == 1);
}

TEST_CASE("F077: while a renewal fails the old token serves to its end, and failures pause") {
  App app;
  app.give_token("t1");
  (void)app.app.access_token();
  app.clock.advance(7'200'000 - kTokenMarginMs);
  app.give_error(-1);
  CHECK(*app.app.access_token() == "t1");
  CHECK(*app.app.access_token() == "t1");
  CHECK(app.wechat.calls() == 2);
  app.clock.advance(kTokenMarginMs);
  app.give_error(-1);
  CHECK_FALSE(app.app.access_token().has_value());
}

TEST_CASE("F077: 40001 replaces the token and repeats the call once, never in a loop") {
  for (const int errcode : {40001, 40014, 42001}) {
    CAPTURE(errcode);
    App app;
    app.give_token("t1");
    app.give_error(errcode);
    app.give_token("t2");
    app.give_ok();
    CHECK(app.app.post("/x", {{"a", 1}}).has_value());
    CHECK(app.wechat.requests()[3].target == "/x?access_token=t2");
    CHECK(app.wechat.is_played_out());
    app.give_error(errcode);
    app.give_token("t3");
    app.give_error(errcode);
    CHECK(app.app.post("/x", {{"a", 1}}).error().reason == "wechat_unavailable");
    CHECK(app.wechat.is_played_out());
  }
}

TEST_CASE("F077: the refused token handed out again is forced once, then not for ten minutes") {
  App app;
  app.give_token("t1");
  app.give_error(40001);
  app.give_token("t1");  // what stable_token still believes in
  app.give_token("t2");  // forced
  app.give_ok();
  CHECK(app.app.post("/x", Json::object()).has_value());
  CHECK(app.wechat.requests()[3].body.find("\"force_refresh\":true") != std::string::npos);
  app.give_error(40001);
  app.give_token("t2");
  CHECK_FALSE(app.app.post("/x", Json::object()).has_value());
  CHECK(app.wechat.is_played_out());
}

TEST_CASE("F050: a phone number counts only when it was shared with this app") {
  App app;
  const auto answer = [](const std::string& appid) {
    return R"({"errcode":0,"phone_info":{"phoneNumber":"13800001234","purePhoneNumber":"13800001234",)"
           R"("countryCode":"86","watermark":{"timestamp":1,"appid":")" +
           appid + R"("}}})";
  };
  app.give_token("t1");
  app.wechat.then_answer(200, answer("wx1"));
  const auto phone = app.app.phone_of_code("c");
  REQUIRE(phone.has_value());
  CHECK(phone->calling_code + phone->number == "8613800001234");
  app.wechat.then_answer(200, answer("wx2"));
  CHECK_FALSE(app.app.phone_of_code("c").has_value());
}

}  // namespace
}  // namespace topup::base
