#include "server/orders/order_news.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/order_shop.h"
#include "tests/support/scripted_outbound.h"

namespace topup::orders {
namespace {

using testing::OrderShop;

constexpr std::int64_t kHourMs = 3'600'000;

struct CountedSms final : notify::SmsSender {
  notify::SmsOutcome send(const notify::Sms& message) override {
    heard.push_back(message);
    return outcome;
  }
  std::vector<notify::Sms> heard;
  notify::SmsOutcome outcome = notify::SmsOutcome::sent;
};

// An order shop that tells its buyers: WeChat answers from a script, everybody has an openid.
struct NewsShop : OrderShop {
  NewsShop() {
    wechat_http.then_answer(200, R"({"access_token":"t1","expires_in":86400})");
    rules.mini["order_delivered"] =
        *notify::parse_template("tmpl-1 character_string1=order_no thing2=product phrase3=status");
    rules.mini["order_failed"] = *notify::parse_template("tmpl-2 thing1=product");
    env.announce = [this](storage::Tx& tx, const Order& order, Event event) {
      news.announce(tx, order, event);
    };
  }
  void answer(int errcode, const std::string& more = "") {
    wechat_http.then_answer(
        200, R"({"errcode":)" + std::to_string(errcode) + R"(,"errmsg":"said")" + more + "}");
  }
  OrderId deliver(std::string_view scene = "h5") {
    const OrderId order = place();
    StartPayment start;
    start.user = user;
    start.order = order;
    start.channel = "wechat";
    start.scene = scene == "h5" ? payments::Scene::h5 : payments::Scene::jsapi;
    start.scene_word = std::string(scene);
    start.openid = "openid-1";
    start.client_address = "203.0.113.7";
    const auto started = payments.start(start);
    check(started.has_value(), "it starts");
    check(notify(paid(started->out_trade_no)).has_value(), "it is heard");
    return order;
  }
  // Runs every job, those of the messages with what this shop has; the clock goes on.
  void settle(std::int64_t within_ms = kHourMs * 12) {
    const std::int64_t end = clock.wall_ms() + within_ms;
    for (int ran = 0; ran < 500; ++ran) {
      const std::int64_t due = next_due();
      if (due > end) return;
      clock.advance_to(due);
      for (const jobs::Job& job : claim()) {
        if (job.kind == kMessageJob) {
          news.run_message(job);
        } else if (job.kind == kShippingJob) {
          news.run_shipping(job);
        } else {
          run_one(job);
        }
      }
    }
    check(false, "the jobs end");
  }
  notify::Message message_of(const OrderId& order) {
    std::vector<notify::Message> found;
    shop.db().read(
        [&](storage::Reader& reader) { found = notify::message_store::of_order(reader, order); });
    check(found.size() == 1, "an order that was delivered has one message");
    return found.front();
  }
  std::int64_t quota(std::string_view id = "tmpl-1") {
    std::int64_t left = 0;
    shop.db().read(
        [&](storage::Reader& reader) { left = notify::message_store::quota(reader, user, id); });
    return left;
  }
  std::vector<std::string> sent_to(const std::string& path) {
    std::vector<std::string> bodies;
    for (const base::OutboundRequest& request : wechat_http.requests()) {
      if (request.target.starts_with(path)) bodies.push_back(request.body);
    }
    return bodies;
  }

  testing::ScriptedOutbound wechat_http;
  base::WechatApp mini{{"wx-mini", "secret"}, wechat_http, clock};
  CountedSms sms;
  NewsRules rules;
  OrderNews news{
      env,
      {&mini, nullptr, &sms,
       [](const UserId&, std::string_view kind, std::string_view) {
         return std::string(kind == "phone" ? "+8613800138000" : "openid-1");
       },
       [this] { return rules; }, [this](const UserId& whose) { return whose == silent; }}};
  UserId silent;
};
constexpr const char* kSend = "/cgi-bin/message/subscribe/send?";
constexpr const char* kShip = "/wxa/sec/order/upload_shipping_info?";

TEST_CASE("F066: who has agreed is told once, with typed data, and each agreeing is worth one") {
  NewsShop shop;
  CHECK(shop.news.templates_to_ask().size() == 2);
  CHECK(shop.news.accept(shop.user, {"tmpl-1", "somebody-elses"}) == 1);
  CHECK(shop.quota() == 1);
  shop.answer(0, R"(,"msgid":1234567890123456789)");
  const OrderId order = shop.deliver();
  shop.settle();
  const notify::Message message = shop.message_of(order);
  CHECK(message.state == "sent");
  CHECK(message.way == "subscribe");
  CHECK(message.party_id == "1234567890123456789");
  CHECK(message.topic == "order_delivered");
  CHECK(shop.quota() == 0);
  REQUIRE(shop.sent_to(kSend).size() == 1);
  const auto body = base::json_in(shop.sent_to(kSend)[0]);
  CHECK((*body)["data"]["character_string1"]["value"] == order.text);
  CHECK((*body)["data"]["phrase3"]["value"] == "充值成功");
  CHECK((*body)["touser"] == "openid-1");
}

TEST_CASE("F069: 43101 empties the quota and goes on to the next way, without another try") {
  NewsShop shop;
  shop.news.accept(shop.user, {"tmpl-1"});
  shop.news.accept(shop.user, {"tmpl-1"});
  REQUIRE(shop.quota() == 2);
  SUBCASE("to a short message where the shop pays for it") {
    shop.rules.sms_topics = {"order_delivered"};
    shop.rules.sms_template = "told";
  }
  SUBCASE("to the inbox alone otherwise") {}
  shop.answer(43101);
  const OrderId order = shop.deliver();
  shop.settle();
  CHECK(shop.quota() == 0);
  CHECK(shop.sent_to(kSend).size() == 1);
  const bool by_sms = !shop.rules.sms_topics.empty();
  CHECK(shop.sms.heard.size() == (by_sms ? 1 : 0));
  CHECK(shop.message_of(order).state == (by_sms ? "sent" : "failed"));
  CHECK(shop.message_of(order).code == (by_sms ? "" : "43101"));
  CHECK(shop.work_items().empty());
}

TEST_CASE("F069: 47003 is one work item for the template, however many orders meet it") {
  NewsShop shop;
  for (int i = 0; i < 3; ++i) {
    shop.news.accept(shop.user, {"tmpl-1"});
    shop.answer(47003);
    shop.deliver();
    shop.settle();
  }
  CHECK(shop.sent_to(kSend).size() == 3);
  CHECK(shop.work_items() == std::vector<std::string>{"message_template"});
}

TEST_CASE("F069: a busy platform is asked again, rarely and not for ever") {
  NewsShop shop;
  shop.news.accept(shop.user, {"tmpl-1"});
  for (int i = 0; i < 20; ++i) shop.answer(-1);
  const OrderId order = shop.deliver();
  shop.settle(kHourMs * 24);
  CHECK(shop.sent_to(kSend).size() == static_cast<std::size_t>(kMaxMessageTries));
  CHECK(shop.message_of(order).state == "failed");
  CHECK(shop.quota() == 0);
}

TEST_CASE("F077: 40001 costs one new token and one more call, not a loop") {
  NewsShop shop;
  shop.news.accept(shop.user, {"tmpl-1"});
  shop.answer(40001);
  shop.wechat_http.then_answer(200, R"({"access_token":"t2","expires_in":7200})");
  shop.answer(0, R"(,"msgid":"7")");
  const OrderId order = shop.deliver();
  shop.settle();
  CHECK(shop.sent_to(kSend).size() == 2);
  CHECK(shop.sent_to("/cgi-bin/stable_token").size() == 2);
  CHECK(shop.message_of(order).party_id == "7");
}

TEST_CASE("A-09: short messages about orders are so many a buyer a day, never two in a minute") {
  NewsShop shop;
  shop.rules.mini.clear();
  shop.rules.sms_topics = {"order_delivered"};
  shop.rules.sms_template = "told";
  shop.rules.sms_buyer_day = 3;
  shop.deliver();
  shop.deliver();
  shop.settle(1'000);
  CHECK(shop.sms.heard.size() == 1);
  for (int i = 0; i < 6; ++i) {
    shop.clock.advance(61'000);
    shop.deliver();
    shop.settle(1'000);
  }
  CHECK(shop.sms.heard.size() == 3);
  shop.clock.advance(24 * kHourMs);
  shop.deliver();
  shop.settle(1'000);
  CHECK(shop.sms.heard.size() == 4);
  shop.rules.sms_shop_day = 1;
  shop.user = shop.new_user("buyer-two");
  shop.deliver();
  shop.settle(1'000);
  CHECK(shop.sms.heard.size() == 4);
}

TEST_CASE("A-09: a short message whose fate is unknown is not sent again") {
  NewsShop shop;
  shop.rules.mini.clear();
  shop.rules.sms_topics = {"order_delivered"};
  shop.rules.sms_template = "told";
  shop.sms.outcome = notify::SmsOutcome::unknown;
  shop.deliver();
  shop.settle();
  CHECK(shop.sms.heard.size() == 1);
}

TEST_CASE("P-03: who took back the consent to messages is written to in no way, from then on") {
  NewsShop shop;
  shop.rules.sms_topics = {"order_delivered"};
  shop.rules.sms_template = "told";
  CHECK(shop.news.accept(shop.user, {"tmpl-1"}) == 1);
  const OrderId order = shop.deliver();
  shop.silent = shop.user;  // after the payment, before the delivery
  shop.settle();
  CHECK(shop.sms.heard.empty());
  CHECK(shop.sent_to(kSend).empty());
  CHECK(shop.message_of(order).state == "failed");
  CHECK(shop.message_of(order).code == "consent_withdrawn");
  shop.silent = UserId();
  shop.rules.mini.clear();
  shop.deliver();
  shop.settle();
  CHECK(shop.sms.heard.size() == 1);
}

TEST_CASE("X01: what was paid in the mini-program is reported once when it is delivered") {
  NewsShop shop;
  shop.rules.mini.clear();
  SUBCASE("at once") { shop.answer(0); }
  SUBCASE("after WeChat has heard of the payment") {
    shop.answer(10060001);
    shop.answer(-1);
    shop.answer(0);
  }
  SUBCASE("it was reported before") { shop.answer(10060003); }
  const OrderId order = shop.deliver("mini_program");
  shop.settle();
  std::vector<notify::ShippingReport> reports;
  shop.shop.db().read(
      [&](storage::Reader& reader) { reports = notify::message_store::reports_of(reader, order); });
  REQUIRE(reports.size() == 1);
  CHECK(reports[0].state == "reported");
  CHECK(shop.wechat_http.is_played_out());
  const auto body = base::json_in(shop.sent_to(kShip).back());
  CHECK((*body)["order_key"]["transaction_id"] == "wx-" + reports[0].out_trade_no.text);
  CHECK((*body)["logistics_type"] == 3);
  CHECK((*body)["payer"]["openid"] == "openid-1");
  CHECK(shop.work_items().empty());
}

TEST_CASE("X01: a report that WeChat refuses, or never takes, ends with a person") {
  NewsShop shop;
  shop.rules.mini.clear();
  std::size_t calls = 1;
  SUBCASE("refused") { shop.answer(10060023); }
  SUBCASE("never") {
    calls = static_cast<std::size_t>(kMaxShippingTries);
    for (std::size_t i = 0; i < calls; ++i) shop.answer(10060001);
  }
  shop.deliver("mini_program");
  shop.settle(48 * kHourMs);
  CHECK(shop.sent_to(kShip).size() == calls);
  CHECK(shop.work_items() == std::vector<std::string>{"shipping_not_reported"});
}

TEST_CASE("X01: nothing is reported for what was paid elsewhere") {
  NewsShop shop;
  shop.rules.mini.clear();
  shop.deliver("h5");
  shop.settle();
  CHECK(shop.wechat_http.calls() == 0);
}

TEST_CASE("F068: a template's line is read strictly, and its values are made to fit") {
  CHECK(notify::parse_template("id thing1=product").has_value());
  for (const char* text :
       {"", "id", "id thing1", "id thing1=", "id thing1=price", "id thinks1=product",
        "id thing1=product thing1=status", "i=d thing1=product"}) {
    CAPTURE(text);
    CHECK_FALSE(notify::parse_template(text).has_value());
  }
  const auto spec = *notify::parse_template("id thing1=product amount2=payable time3=at");
  const auto lines = notify::fill_template(
      spec, {{"product", std::string("中国移动话费直充一百元面值全国通用型号长长长")},
             {"payable", "99.50元"},
             {"at", "2026-11-22 15:01"}});
  REQUIRE(lines.has_value());
  CHECK((*lines)[0].second.ends_with("…"));
  CHECK_FALSE(notify::fill_template(spec, {{"product", "x"}, {"payable", "much"}}).has_value());
}

}  // namespace
}  // namespace topup::orders
