#include <set>

#include "tests/server/rehearsal/rehearsed_shop.h"

namespace topup::rehearsal::test {
namespace {

std::string hidden_field(const std::string& html, const std::string& name) {
  const std::string mark = "name=\"" + name + "\" value=\"";
  const auto at = html.find(mark);
  if (at == std::string::npos) return {};
  const auto start = at + mark.size();
  return html.substr(start, html.find('"', start) - start);
}

std::string form_of(const std::string& html, const std::string& redirect_url = {}) {
  std::string out = "prepay_id=" + percent_encoded(hidden_field(html, "prepay_id")) +
                    "&token=" + percent_encoded(hidden_field(html, "token"));
  if (!redirect_url.empty()) out += "&redirect_url=" + percent_encoded(redirect_url);
  return out;
}

Json refund_body(const RehearsedShop& shop, const std::string& number, int refund, int total) {
  return {{"out_trade_no", "REFUND-0001"},
          {"out_refund_no", number},
          {"reason", "充值失败"},
          {"notify_url", shop.origin + "/callback/wechat"},
          {"amount", {{"refund", refund}, {"total", total}, {"currency", "CNY"}}}};
}

TEST_CASE("wechat: a good prepay gives a signed answer with the sheet's address or a prepay_id") {
  RehearsedShop shop;
  const auto h5 = shop.prepay("GOOD-000001");
  REQUIRE(h5.status == 200);
  CHECK(shop.is_genuine(h5));
  CHECK(h5.header("request-id").substr(h5.header("request-id").rfind('-')) == "-0");
  CHECK(Json::parse(h5.body).at("h5_url").get<std::string>().find(
            "/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx") != std::string::npos);

  const auto jsapi =
      shop.ask("POST", "/v3/pay/transactions/jsapi", shop.prepay_body("GOOD-000002", false));
  REQUIRE(jsapi.status == 200);
  CHECK(Json::parse(jsapi.body).at("prepay_id").get<std::string>().substr(0, 2) == "wx");
}

TEST_CASE("wechat: each rule of a prepay body") {
  RehearsedShop shop;
  struct Row {
    const char* name;
    bool is_h5;
    const char* pointer;
    Json value;  // null removes it
    const char* code;
  };
  const Json gone = nullptr;
  const Row rows[] = {
      {"appid of another", true, "/appid", "wx0000000000000000", "APPID_MCHID_NOT_MATCH"},
      {"mchid of another", true, "/mchid", "1900000001", "APPID_MCHID_NOT_MATCH"},
      {"no description", true, "/description", gone, "PARAM_ERROR"},
      {"empty description", true, "/description", "", "PARAM_ERROR"},
      {"long description", true, "/description", std::string(128, 'x'), "PARAM_ERROR"},
      {"emoji in description", true, "/description", "\xF0\x9F\x98\x80", "PARAM_ERROR"},
      {"short out_trade_no", true, "/out_trade_no", "ABC12", "PARAM_ERROR"},
      {"long out_trade_no", true, "/out_trade_no", std::string(33, 'A'), "PARAM_ERROR"},
      {"blank in out_trade_no", true, "/out_trade_no", "ABC 1234", "PARAM_ERROR"},
      {"total as text", true, "/amount/total", "9850", "PARAM_ERROR"},
      {"total with decimals", true, "/amount/total", 98.5, "PARAM_ERROR"},
      {"total zero", true, "/amount/total", 0, "PARAM_ERROR"},
      {"total negative", true, "/amount/total", -1, "PARAM_ERROR"},
      {"total beyond everything", true, "/amount/total", 18446744073709551615ull, "PARAM_ERROR"},
      {"other currency", true, "/amount/currency", "USD", "PARAM_ERROR"},
      {"no amount", true, "/amount", gone, "PARAM_ERROR"},
      {"no notify_url", true, "/notify_url", gone, "PARAM_ERROR"},
      {"notify_url with query", true, "/notify_url", "http://127.0.0.1/a?b=1", "PARAM_ERROR"},
      {"notify_url elsewhere", true, "/notify_url", "https://shop.example/notify", "PARAM_ERROR"},
      {"relative notify_url", true, "/notify_url", "/notify", "PARAM_ERROR"},
      {"unreadable time_expire", true, "/time_expire", "tomorrow", "PARAM_ERROR"},
      {"no scene", true, "/scene_info", gone, "PARAM_ERROR"},
      {"no h5_info", true, "/scene_info/h5_info", gone, "PARAM_ERROR"},
      {"unknown h5 type", true, "/scene_info/h5_info/type", "Desktop", "PARAM_ERROR"},
      {"client address is a name", true, "/scene_info/payer_client_ip", "localhost", "PARAM_ERROR"},
      {"unknown parameter", true, "/coupon~1", 1, "PARAM_ERROR"},
      {"payer in H5", true, "/payer", {{"openid", "oX"}}, "PARAM_ERROR"},
      {"no openid", false, "/payer/openid", gone, "PARAM_ERROR"},
      {"no payer", false, "/payer", gone, "PARAM_ERROR"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Json body = shop.prepay_body("RULE-000001", row.is_h5);
    const Json::json_pointer at{row.pointer == std::string("/coupon~1") ? "/coupon~01"
                                                                        : row.pointer};
    if (row.value.is_null()) {
      body.at(at.parent_pointer()).erase(at.back());
    } else {
      body[at] = row.value;
    }
    const auto reply = shop.ask(
        "POST", row.is_h5 ? "/v3/pay/transactions/h5" : "/v3/pay/transactions/jsapi", body);
    CHECK(reply.status == 400);
    CHECK(shop.is_genuine(reply));
    const Json error = Json::parse(reply.body);
    CHECK(error.at("code") == row.code);
    CHECK(error.at("detail").at("location") == "body");
    const auto field = error.at("detail").at("field").get<std::string>();
    CHECK(std::string(row.pointer).substr(0, 4) == field.substr(0, 4));
    CHECK(reply.header("request-id").substr(reply.header("request-id").rfind('-')) != "-0");
  }
}

TEST_CASE("wechat: a request that is not signed by the merchant gets 401 SIGN_ERROR") {
  RehearsedShop shop;
  using Signed = RehearsedShop::Signed;
  struct Row {
    const char* name;
    std::function<void(Signed&)> spoil;
  };
  const Row rows[] = {
      {"other body than signed", [](Signed& s) { s.body += " "; }},
      {"other merchant", [](Signed& s) { s.mchid = "1900000001"; }},
      {"other serial", [](Signed& s) { s.serial_no = std::string(40, 'A'); }},
      {"too old", [](Signed& s) { s.timestamp = std::to_string(std::stoll(s.timestamp) - 301); }},
      {"from the future",
       [](Signed& s) { s.timestamp = std::to_string(std::stoll(s.timestamp) + 360); }},
      {"timestamp is text", [](Signed& s) { s.timestamp = "now"; }},
      {"other scheme", [](Signed& s) { s.scheme = "Bearer"; }},
      {"no nonce", [](Signed& s) { s.nonce = ""; }},
      {"fields that cannot be read", [](Signed& s) { s.mchid += "\"x"; }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto reply =
        shop.ask("POST", "/v3/pay/transactions/h5", shop.prepay_body("SIGN-000001"), row.spoil);
    CHECK(reply.status == 401);
    CHECK(Json::parse(reply.body).at("code") == "SIGN_ERROR");
    CHECK(shop.is_genuine(reply));
  }
  CHECK(shop.ask("GET", "/v3/pay/transactions/out-trade-no/SIGN-000001?mchid=" +
                            shop.world->access().mchid)
            .status == 404);
}

TEST_CASE("wechat: headers the real service insists on") {
  RehearsedShop shop;
  using Signed = RehearsedShop::Signed;
  const auto with = [&](const std::function<void(Signed&)>& spoil) {
    return shop.ask("POST", "/v3/pay/transactions/h5", shop.prepay_body("HEAD-000001"), spoil)
        .status;
  };
  CHECK(with([](Signed& s) { s.accept = "text/html"; }) == 400);
  CHECK(with([](Signed& s) { s.wechatpay_serial = "PUB_KEY_ID_0"; }) == 400);
  CHECK(with([&](Signed& s) { s.wechatpay_serial = shop.world->access().platform_key_id; }) == 200);
}

TEST_CASE("wechat: the same order again") {
  RehearsedShop shop;
  const auto first = shop.prepay("SAME-000001");
  CHECK(shop.prepay("SAME-000001").body == first.body);

  Json other = shop.prepay_body("SAME-000001");
  other["amount"]["total"] = 9851;
  const auto differs = shop.ask("POST", "/v3/pay/transactions/h5", other);
  CHECK(differs.status == 400);
  CHECK(Json::parse(differs.body).at("code") == "INVALID_REQUEST");

  shop.control(*shop.wechat, "/control/pay", {{"out_trade_no", "SAME-000001"}});
  const auto paid = shop.prepay("SAME-000001");
  CHECK(paid.status == 400);
  CHECK(Json::parse(paid.body).at("code") == "ORDER_PAID");
}

TEST_CASE("wechat: query and close") {
  RehearsedShop shop;
  const auto mchid = shop.world->access().mchid;
  const std::string number = "CLOSE|00*01",
                    path = "/v3/pay/transactions/out-trade-no/CLOSE%7C00%2A01";
  REQUIRE(shop.prepay(number).status == 200);
  const auto open = Json::parse(shop.ask("GET", path + "?mchid=" + mchid).body);
  CHECK(open.at("trade_state") == "NOTPAY");
  CHECK_FALSE(open.contains("transaction_id"));

  CHECK(shop.ask("GET", path).status == 400);
  const auto closed = shop.ask("POST", path + "/close", {{"mchid", mchid}});
  CHECK(closed.status == 204);
  CHECK(shop.is_genuine(closed));
  CHECK(shop.ask("POST", path + "/close", {{"mchid", mchid}}).status == 204);
  CHECK(Json::parse(shop.ask("GET", path + "?mchid=" + mchid).body).at("trade_state") == "CLOSED");
  CHECK(Json::parse(shop.prepay(number).body).at("code") == "ORDER_CLOSED");
  CHECK(shop.control(*shop.wechat, "/control/pay", {{"out_trade_no", number}}).status == 409);

  const auto missing =
      shop.ask("POST", "/v3/pay/transactions/out-trade-no/NOBODY-1/close", {{"mchid", mchid}});
  CHECK(missing.status == 404);
  CHECK(Json::parse(missing.body).at("code") == "ORDER_NOT_EXIST");
}

TEST_CASE("wechat: a paid order cannot be closed and is found by its transaction_id") {
  RehearsedShop shop;
  const auto mchid = shop.world->access().mchid;
  shop.prepay("PAID-000001");
  shop.control(*shop.wechat, "/control/pay", {{"out_trade_no", "PAID-000001"}});
  const auto reply =
      shop.ask("POST", "/v3/pay/transactions/out-trade-no/PAID-000001/close", {{"mchid", mchid}});
  CHECK(reply.status == 400);
  CHECK(Json::parse(reply.body).at("code") == "ORDER_PAID");
  const auto id = shop.query("PAID-000001").at("transaction_id").get<std::string>();
  CHECK(id.size() == 28);
  const auto found = shop.ask("GET", "/v3/pay/transactions/id/" + id + "?mchid=" + mchid);
  CHECK(Json::parse(found.body).at("out_trade_no") == "PAID-000001");
}

TEST_CASE("wechat: paying on the sheet posts exactly one notification that verifies and decrypts") {
  RehearsedShop shop;
  const std::string back = shop.origin + "/#/order/1?a=b&c=d";
  const auto target = shop.sheet_of("SHEET-00001") + "&redirect_url=" + percent_encoded(back);
  const auto sheet = shop.page(target);
  REQUIRE(sheet.status == 200);
  CHECK(sheet.body.find("<p id=\"amount\">¥98.50</p>") != std::string::npos);
  CHECK(sheet.body.find("话费充值 100 元") != std::string::npos);
  CHECK(sheet.body.find("id=\"pay\"") != std::string::npos);
  CHECK(sheet.body.find("id=\"cancel\"") != std::string::npos);
  CHECK(sheet.body.find("<script") == std::string::npos);
  CHECK(sheet.header("content-security-policy").find("default-src 'none'") == 0);
  CHECK(sheet.header("content-security-policy").find("form-action 'self' " + shop.origin) !=
        std::string::npos);

  const auto pressed = shop.post_form("/sheet/pay", form_of(sheet.body, back));
  CHECK(pressed.status == 303);
  const auto again = shop.post_form("/sheet/pay", form_of(sheet.body, back));
  CHECK(again.status == 303);
  CHECK(pressed.header("location") == back);
  const auto done = shop.page("/sheet/done?" + form_of(sheet.body, ""));
  CHECK(done.status == 200);
  CHECK(done.body.find("支付成功") != std::string::npos);

  const auto heard = shop.shop.settle(1);
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].path == "/callback/wechat");
  CHECK(shop.is_genuine(heard[0]));
  const Json envelope = Json::parse(heard[0].body);
  CHECK(envelope.at("event_type") == "TRANSACTION.SUCCESS");
  CHECK(envelope.at("resource_type") == "encrypt-resource");
  const Json plain = shop.decrypted(heard[0]);
  CHECK(plain == shop.query("SHEET-00001"));
  CHECK(plain.at("trade_state") == "SUCCESS");
  CHECK(plain.at("trade_type") == "MWEB");
  CHECK(plain.at("amount").at("total") == 9850);
  CHECK(shop.page(target).body.find("订单已支付") != std::string::npos);
}

TEST_CASE("wechat: the sheet leads back after a cancel and pays nothing") {
  RehearsedShop shop;
  const auto sheet = shop.page(shop.sheet_of("CANCEL-0001"));
  const auto reply = shop.post_form("/sheet/cancel", form_of(sheet.body, shop.origin + "/back"));
  CHECK(reply.status == 303);
  CHECK(reply.header("location") == shop.origin + "/back");
  CHECK(shop.post_form("/sheet/cancel", form_of(sheet.body)).body.find("未支付") !=
        std::string::npos);
  CHECK(shop.query("CANCEL-0001").at("trade_state") == "NOTPAY");
  CHECK(shop.shop.settle(0).empty());
}

TEST_CASE("wechat: the sheet leads nowhere but to the merchant's own host") {
  RehearsedShop shop;
  const auto target = shop.sheet_of("BACK-000001");
  const auto form = form_of(shop.page(target).body);
  for (const std::string back :
       {"https://evil.example/", "//evil.example/", "javascript:alert(1)",
        "http://127.0.0.1@evil.example/", "http://127.0.0.1\\@evil.example/",
        "http://127.0.0.1.evil.example/", "http://127.0.0.1/\r\nSet-Cookie: a=b"}) {
    CAPTURE(back);
    const auto page = shop.page(target + "&redirect_url=" + percent_encoded(back));
    CHECK(hidden_field(page.body, "redirect_url").empty());
    const auto reply =
        shop.post_form("/sheet/cancel", form + "&redirect_url=" + percent_encoded(back));
    CHECK(reply.status == 200);
    CHECK(reply.header("location").empty());
  }
}

TEST_CASE("wechat: a form without the sheet's token, or a wrong package, pays nothing") {
  RehearsedShop shop;
  const auto target = shop.sheet_of("TOKEN-00001");
  const auto prepay_id = hidden_field(shop.page(target).body, "prepay_id");
  CHECK(shop.post_form("/sheet/pay", "prepay_id=" + prepay_id).status == 404);
  CHECK(shop.post_form("/sheet/pay", "prepay_id=" + prepay_id + "&token=x").status == 404);
  CHECK(shop.page(target + "0").status == 404);
  CHECK(shop.query("TOKEN-00001").at("trade_state") == "NOTPAY");
}

TEST_CASE("wechat: closed and expired orders say so on the sheet and cannot be paid") {
  RehearsedShop shop;
  const auto mchid = shop.world->access().mchid;
  const auto target = shop.sheet_of("GONE-000001");
  const auto form = form_of(shop.page(target).body);
  shop.ask("POST", "/v3/pay/transactions/out-trade-no/GONE-000001/close", {{"mchid", mchid}});
  CHECK(shop.page(target).body.find("订单已关闭") != std::string::npos);
  CHECK(shop.post_form("/sheet/pay", form).body.find("订单已关闭") != std::string::npos);

  Json body = shop.prepay_body("GONE-000002");
  body["time_expire"] = rfc3339_china(shop.clock.wall_ms() + 120'000);
  const auto reply = shop.ask("POST", "/v3/pay/transactions/h5", body);
  REQUIRE(reply.status == 200);
  const auto url = Json::parse(reply.body).at("h5_url").get<std::string>();
  const auto expiring = url.substr(shop.world->access().wechat_origin.size());
  const auto open_form = form_of(shop.page(expiring).body);
  shop.clock_skip_ms = 121'000;
  CHECK(shop.page(expiring).body.find("订单已过期") != std::string::npos);
  CHECK(shop.post_form("/sheet/pay", open_form).body.find("订单已过期") != std::string::npos);
  CHECK(shop.query("GONE-000002").at("trade_state") == "NOTPAY");

  const auto stale = shop.sheet_of("GONE-000003");
  shop.clock_skip_ms += 300'000;
  CHECK(shop.page(stale).body.find("链接已过期") != std::string::npos);
  shop.sheet_of("GONE-000003");
  CHECK(shop.page(stale).body.find("id=\"pay\"") != std::string::npos);
}

TEST_CASE("wechat: text of the merchant cannot break out of the sheet") {
  RehearsedShop shop;
  Json body = shop.prepay_body("HTML-000001");
  body["description"] = "</dd><script>alert('x')</script>";
  body["scene_info"]["h5_info"]["app_name"] = "\"><img src=x>";
  const auto reply = shop.ask("POST", "/v3/pay/transactions/h5", body);
  const auto url = Json::parse(reply.body).at("h5_url").get<std::string>();
  const auto page = shop.page(url.substr(shop.world->access().wechat_origin.size()));
  CHECK(page.body.find("<script") == std::string::npos);
  CHECK(page.body.find("<img") == std::string::npos);
}

TEST_CASE("wechat: a notification is repeated with the same id until it is taken") {
  RehearsedShop shop;
  shop.prepay("RETRY-00001");
  shop.shop.refuse_next(2);
  shop.control(*shop.wechat, "/control/pay", {{"out_trade_no", "RETRY-00001"}});
  const auto heard = shop.shop.wait_for(3);
  REQUIRE(heard.size() == 3);
  std::set<std::string> ids, nonces;
  for (const auto& one : heard) {
    CHECK(shop.is_genuine(one));
    ids.insert(Json::parse(one.body).at("id").get<std::string>());
    nonces.insert(one.header("wechatpay-nonce"));
  }
  CHECK(ids.size() == 1);
  CHECK(nonces.size() == 3);
  CHECK(shop.shop.settle(3).size() == 3);
}

TEST_CASE("wechat: a notification that nobody took is delivered after a restart") {
  RehearsedShop shop(1);
  shop.prepay("AGAIN-00001");
  shop.shop.refuse_next(1);
  shop.control(*shop.wechat, "/control/pay", {{"out_trade_no", "AGAIN-00001"}});
  REQUIRE(shop.shop.wait_for(1).size() == 1);
  shop.restart();
  REQUIRE(shop.shop.wait_for(2).size() == 2);
  CHECK(shop.decrypted(shop.shop.wait_for(2)[1]).at("out_trade_no") == "AGAIN-00001");
}

TEST_CASE("wechat: armed faults") {
  RehearsedShop shop;
  const auto arm = [&](const char* kind) {
    REQUIRE(shop.control(*shop.wechat, "/control", {{"next", kind}, {"count", 1}}).status == 200);
  };
  const auto pay = [&](const std::string& number, const Json& more = Json::object()) {
    REQUIRE(shop.prepay(number).status == 200);
    Json body = {{"out_trade_no", number}};
    body.update(more);
    REQUIRE(shop.control(*shop.wechat, "/control/pay", body).status == 200);
  };
  SUBCASE("drop_notifications: only the query tells, and only once") {
    arm("drop_notifications");
    pay("FAULT-00001");
    CHECK(shop.shop.settle(0).empty());
    CHECK(shop.query("FAULT-00001").at("trade_state") == "SUCCESS");
    pay("FAULT-00002");
    CHECK(shop.shop.wait_for(1).size() == 1);
  }
  SUBCASE("duplicate_notifications: three with one id") {
    arm("duplicate_notifications");
    pay("FAULT-00001");
    const auto heard = shop.shop.settle(3);
    REQUIRE(heard.size() == 3);
    CHECK(Json::parse(heard[0].body).at("id") == Json::parse(heard[2].body).at("id"));
  }
  SUBCASE("wrong_amount: query and notification agree on the sum that was paid") {
    arm("wrong_amount");
    pay("FAULT-00001");
    const auto heard = shop.shop.wait_for(1);
    REQUIRE(heard.size() == 1);
    CHECK(shop.decrypted(heard[0]).at("amount").at("total") == 9849);
    CHECK(shop.query("FAULT-00001").at("amount").at("total") == 9849);
  }
  SUBCASE("bad_signature_first: a probe, then the genuine one") {
    arm("bad_signature_first");
    pay("FAULT-00001");
    const auto heard = shop.shop.wait_for(2);
    REQUIRE(heard.size() == 2);
    CHECK(heard[0].header("wechatpay-signature").substr(0, 19) == "WECHATPAY/SIGNTEST/");
    CHECK_FALSE(shop.is_genuine(heard[0]));
    CHECK(shop.is_genuine(heard[1]));
  }
  SUBCASE("delay_notifications: later, but it comes") {
    arm("delay_notifications");
    pay("FAULT-00001");
    CHECK(shop.shop.settle(0).empty());
    CHECK(shop.shop.wait_for(1).size() == 1);
  }
  SUBCASE("outage: no effect") {
    arm("outage");
    const auto reply = shop.prepay("FAULT-00001");
    CHECK(reply.status == 500);
    CHECK(Json::parse(reply.body).at("code") == "SYSTEM_ERROR");
    CHECK(shop.prepay("FAULT-00001").status == 200);
  }
  SUBCASE("control/pay: another sum, several deliveries") {
    pay("FAULT-00001", {{"amount_total", 1}, {"times", 4}});
    const auto heard = shop.shop.settle(4);
    REQUIRE(heard.size() == 4);
    CHECK(shop.decrypted(heard[3]).at("amount").at("total") == 1);
  }
  SUBCASE("a fault stays armed when the order could not be paid") {
    pay("FAULT-00001");
    arm("drop_notifications");
    shop.control(*shop.wechat, "/control/pay", {{"out_trade_no", "FAULT-00001"}});
    const auto armed = Json::parse(shop.page("/control").body).at("armed");
    CHECK(armed.at(0).at("next") == "drop_notifications");
    CHECK(armed.at(0).at("count") == 1);
  }
  SUBCASE("what cannot be armed is refused") {
    CHECK(shop.control(*shop.wechat, "/control", {{"next", "rain"}}).status == 400);
    CHECK(shop.control(*shop.wechat, "/control", {{"next", "outage"}, {"count", -1}}).status ==
          400);
    CHECK(shop.post_form("/control", R"({"next":"outage"})").status == 400);
  }
}

TEST_CASE("wechat: a refund is processed, then notified, and is the same when repeated") {
  RehearsedShop shop;
  shop.prepay("REFUND-0001");
  const std::string path = "/v3/refund/domestic/refunds";
  const auto early = shop.ask("POST", path, refund_body(shop, "R-1", 9850, 9850));
  CHECK(early.status == 400);
  shop.control(*shop.wechat, "/control/pay", {{"out_trade_no", "REFUND-0001"}, {"times", 0}});

  const auto first = shop.ask("POST", path, refund_body(shop, "R-1", 850, 9850));
  REQUIRE(first.status == 200);
  CHECK(Json::parse(first.body).at("status") == "PROCESSING");
  const auto same = shop.ask("POST", path, refund_body(shop, "R-1", 850, 9850));
  CHECK(Json::parse(same.body).at("refund_id") == Json::parse(first.body).at("refund_id"));
  const auto other = shop.ask("POST", path, refund_body(shop, "R-1", 851, 9850));
  CHECK(Json::parse(other.body).at("code") == "INVALID_REQUEST");

  const auto heard = shop.shop.settle(1);
  REQUIRE(heard.size() == 1);
  CHECK(shop.is_genuine(heard[0]));
  CHECK(Json::parse(heard[0].body).at("event_type") == "REFUND.SUCCESS");
  const Json plain = shop.decrypted(heard[0]);
  CHECK(plain.at("refund_status") == "SUCCESS");
  CHECK(plain.at("amount").at("refund") == 850);
  const auto found = Json::parse(shop.ask("GET", path + "/R-1").body);
  CHECK(found.at("status") == "SUCCESS");
  CHECK(found.contains("success_time"));
  CHECK(shop.query("REFUND-0001").at("trade_state") == "REFUND");

  CHECK(shop.ask("POST", path, refund_body(shop, "R-2", 9001, 9850)).status == 400);
  CHECK(shop.ask("POST", path, refund_body(shop, "R-3", 9000, 9850)).status == 200);
  CHECK(shop.ask("POST", path, refund_body(shop, "R-4", 1, 9850)).status == 400);
}

TEST_CASE("wechat: refunds that are refused or end badly") {
  RehearsedShop shop;
  const std::string path = "/v3/refund/domestic/refunds";
  shop.prepay("REFUND-0001");
  shop.control(*shop.wechat, "/control/pay", {{"out_trade_no", "REFUND-0001"}, {"times", 0}});
  const auto code_of = [](const OutboundReply& reply) {
    return Json::parse(reply.body).at("code").get<std::string>();
  };
  CHECK(code_of(shop.ask("POST", path, refund_body(shop, "R-1", 1, 9851))) == "INVALID_REQUEST");
  CHECK(code_of(shop.ask("POST", path, refund_body(shop, "R-1", 0, 9850))) == "PARAM_ERROR");
  CHECK(code_of(shop.ask("POST", path, refund_body(shop, "R 1", 1, 9850))) == "PARAM_ERROR");
  Json unknown = refund_body(shop, "R-1", 1, 9850);
  unknown["out_trade_no"] = "NOBODY-0001";
  CHECK(code_of(shop.ask("POST", path, unknown)) == "RESOURCE_NOT_EXISTS");
  CHECK(shop.ask("GET", path + "/R-1").status == 404);

  shop.control(*shop.wechat, "/control", {{"next", "refund_not_enough"}});
  const auto poor = shop.ask("POST", path, refund_body(shop, "R-1", 1, 9850));
  CHECK(poor.status == 403);
  CHECK(code_of(poor) == "NOT_ENOUGH");
  shop.control(*shop.wechat, "/control", {{"next", "refund_abnormal"}});
  CHECK(shop.ask("POST", path, refund_body(shop, "R-1", 1, 9850)).status == 200);
  const auto heard = shop.shop.wait_for(1);
  REQUIRE(heard.size() == 1);
  CHECK(shop.decrypted(heard[0]).at("refund_status") == "ABNORMAL");
}

}  // namespace
}  // namespace topup::rehearsal::test
