#include "server/payments/wechat.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/base/json.h"
#include "server/base/log.h"
#include "server/payments/channels.h"
#include "server/payments/wechat_sign.h"
#include "server/payments/wechat_text.h"
#include "shared/check.h"
#include "tests/support/scripted_outbound.h"

namespace topup::payments {
namespace {

using base::Json;
using base::RsaKey;
using testing::read_fixture;
using testing::ScriptedOutbound;

constexpr std::int64_t kNowS = 1'795'246'200;  // 2026-11-21T15:30:00+08:00
constexpr const char* kCertificateSerial = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1";
constexpr const char* kPublicKeyId = "PUB_KEY_ID_0119000001092026112100000000000001";
const std::string kApiKey = "test-apiv3-key-of-32-bytes-00001";
const std::string kNumber = "TP20261121000001";
const std::string kRefundNumber = "RF20261121000001";

struct FixedClock final : base::Clock {
  std::int64_t now_ms = kNowS * 1000;
  std::int64_t wall_ms() const override { return now_ms; }
  std::int64_t mono_ms() const override { return now_ms; }
};

struct Keys {  // made once: a 2048-bit key takes a while
  RsaKey merchant = *RsaKey::from_private_pem(read_fixture("wechat/test_merchant_key.txt"));
  RsaKey platform = RsaKey::generate();
  RsaKey public_key = RsaKey::generate();
  RsaKey foreign = RsaKey::generate();
};
const Keys& keys() {
  static const Keys one;
  return one;
}

struct Draft {  // how an answer or a notification is signed
  const RsaKey* signer = &keys().platform;
  std::string serial = kCertificateSerial;
  std::int64_t timestamp = kNowS;
};

ScriptedOutbound::Headers sign(const Draft& draft, const std::string& body) {
  const std::string timestamp = std::to_string(draft.timestamp);
  const std::string text = timestamp + "\nnonce-of-wechat\n" + body + "\n";
  return {{"wechatpay-timestamp", timestamp},
          {"wechatpay-nonce", "nonce-of-wechat"},
          {"wechatpay-signature", base::sign_sha256_rsa(*draft.signer, text)},
          {"wechatpay-serial", draft.serial},
          {"wechatpay-signature-type", "WECHATPAY2-SHA256-RSA2048"}};
}

WechatConfig config() {
  return {.mchid = "1900000109",
          .appid = "wx8888888888888888",
          .serial_no = "3775B6A45ACD588826D15E583A95F5DD1234ABCD",
          .private_key = keys().merchant,
          .apiv3_key = kApiKey,
          .verify_keys = {{kCertificateSerial, keys().platform}, {kPublicKeyId, keys().public_key}},
          .notify_url = "https://shop.example/notify/wechat",
          .app_name = "Topup",
          .app_url = "https://shop.example"};
}

struct World {
  ScriptedOutbound wechat;
  FixedClock clock;
  base::SystemRandom random;
  std::unique_ptr<PayChannel> channel = make_wechat(config(), wechat, clock, random);

  void then_signed(int status, const std::string& body, const Draft& draft = {}) {
    wechat.then_answer(status, body, sign(draft, body));
  }
  Json sent(std::size_t call = 0) const { return *base::json_in(wechat.requests().at(call).body); }
};

std::string refusal(const std::string& code) {
  return R"({"code":")" + code + R"(","message":"refused for the test","detail":{"field":"/x"}})";
}

PrepayRequest h5_request() {
  PrepayRequest request;
  request.out_trade_no = OutTradeNo(kNumber);
  request.amount = fen(9850);
  request.description = "话费充值 100 元";
  request.expire_at_ms = (kNowS + 900) * 1000;
  request.scene = Scene::h5;
  request.client_address = "203.0.113.7";
  return request;
}

PrepayRequest jsapi_request() {
  PrepayRequest request = h5_request();
  request.scene = Scene::jsapi;
  request.openid = "oTestOpenid0000000000000001";
  return request;
}

RefundRequest refund_request() {
  return {.out_refund_no = OutRefundNo(kRefundNumber),
          .out_trade_no = OutTradeNo(kNumber),
          .amount = fen(9850),
          .total = fen(9850),
          .reason = "充值失败"};
}

// "ok", "fail:CODE" or "unknown:why", so that any outcome fits into a row.
template <class T>
std::string told(const Outcome<T>& outcome) {
  if (const auto* fail = std::get_if<DefiniteFail>(&outcome)) return "fail:" + fail->code();
  if (const auto* unknown = std::get_if<Unknown>(&outcome)) return "unknown:" + unknown->why;
  return "ok";
}

std::string field(const PrepayTicket& ticket, std::string_view name) {
  for (const auto& [key, value] : ticket.invoke) {
    if (key == name) return value;
  }
  return "";
}

std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const auto begin = text.find(from) + from.size();
  return text.substr(begin, text.find(to, begin) - begin);
}

// ---- Signatures.

TEST_CASE("wechat: signatures equal the ones that the openssl command makes") {
  const Json rows = *base::json_in(read_fixture("wechat/known_answers.json"));
  REQUIRE(rows.size() == 6);
  for (const Json& row : rows) {
    CAPTURE(row["name"]);
    const auto text = [&row](const char* key) { return row[key].get<std::string>(); };
    std::string made;
    if (text("kind") == "request") {
      const std::string method = text("method"), target = text("target"), stamp = text("timestamp"),
                        nonce = text("nonce"), body = text("body");
      made = wechat_request_text({method, target, stamp, nonce, body});
      const std::string header = wechat_authorization(keys().merchant, "1900000109", "ABCD",
                                                      {method, target, stamp, nonce, body});
      CHECK(header == "WECHATPAY2-SHA256-RSA2048 mchid=\"1900000109\",nonce_str=\"" + nonce +
                          "\",signature=\"" + text("signature") + "\",timestamp=\"" + stamp +
                          "\",serial_no=\"ABCD\"");
    } else if (text("kind") == "pay_sign") {
      made = wechat_pay_sign_text(text("appid"), text("timestamp"), text("nonce"), text("package"));
    } else {
      made = wechat_answer_text(text("timestamp"), text("nonce"), text("body"));
      const ScriptedOutbound::Headers headers = {{"Wechatpay-Timestamp", text("timestamp")},
                                                 {"Wechatpay-Nonce", text("nonce")},
                                                 {"Wechatpay-Signature", text("signature")},
                                                 {"Wechatpay-Serial", "KAT"}};
      CHECK(check_wechat_signature({{"KAT", keys().merchant}}, kNowS * 1000, headers,
                                   text("body")) == WechatSignature::valid);
    }
    CHECK(made == text("text"));
    CHECK(base::sign_sha256_rsa(keys().merchant, made) == text("signature"));
  }
}

TEST_CASE(
    "wechat: a request carries a signature over exactly what is sent, and asks for the public "
    "key") {
  World world;
  world.then_signed(200, read_fixture("wechat/prepay_h5.json"));
  REQUIRE(told(world.channel->prepay(h5_request())) == "ok");
  const auto request = world.wechat.requests().at(0);
  const std::string header = ScriptedOutbound::header(request, "Authorization");
  const std::string text = request.method + "\n" + request.target + "\n" + std::to_string(kNowS) +
                           "\n" + between(header, "nonce_str=\"", "\"") + "\n" + request.body +
                           "\n";
  CHECK(base::verify_sha256_rsa(keys().merchant, text, between(header, "signature=\"", "\"")));
  CHECK(between(header, "serial_no=\"", "\"") == config().serial_no);
  CHECK(between(header, "mchid=\"", "\"") == "1900000109");
  CHECK(ScriptedOutbound::header(request, "Wechatpay-Serial") == kPublicKeyId);
  CHECK(ScriptedOutbound::header(request, "Content-Type") == "application/json");
  CHECK_FALSE(ScriptedOutbound::header(request, "User-Agent").empty());
  CHECK(request.deadline_ms <= base::kMaxDeadlineMs);
}

TEST_CASE("wechat: without a public key the header is left out") {
  World world;
  WechatConfig certificates_only = config();
  certificates_only.verify_keys.pop_back();
  const auto channel = make_wechat(certificates_only, world.wechat, world.clock, world.random);
  world.then_signed(200, read_fixture("wechat/query_notpay.json"));
  CHECK(told(channel->query(OutTradeNo(kNumber))) == "ok");
  CHECK(ScriptedOutbound::header(world.wechat.requests().at(0), "Wechatpay-Serial").empty());
}

TEST_CASE("wechat: a configuration that cannot work is a broken invariant") {
  World world;
  const auto made = [&world](WechatConfig bad) {
    make_wechat(std::move(bad), world.wechat, world.clock, world.random);
  };
  WechatConfig short_key = config(), no_appid = config(), no_mchid = config();
  short_key.apiv3_key.pop_back();
  no_appid.appid.clear();
  no_mchid.mchid.clear();
  CHECK_THROWS_AS(made(short_key), InvariantBroken);
  CHECK_THROWS_AS(made(no_appid), InvariantBroken);
  CHECK_THROWS_AS(made(no_mchid), InvariantBroken);
}

// ---- Prepay.

TEST_CASE("wechat: an h5 prepay sends the documented fields and gives the address of the cashier") {
  World world;
  world.then_signed(200, read_fixture("wechat/prepay_h5.json"));
  PrepayRequest request = h5_request();
  request.return_url = "https://shop.example/pay?order=1&x=付";
  const auto outcome = world.channel->prepay(request);
  REQUIRE(told(outcome) == "ok");
  CHECK(std::get<PrepayTicket>(outcome).h5_url ==
        "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id="
        "wx2016121516420242444321ca0631331346&package=1405458241&redirect_url="
        "https%3A%2F%2Fshop.example%2Fpay%3Forder%3D1%26x%3D%E4%BB%98");
  CHECK(world.wechat.requests().at(0).target == "/v3/pay/transactions/h5");
  const Json want = *base::json_in(R"({
    "appid":"wx8888888888888888","mchid":"1900000109","description":"话费充值 100 元",
    "out_trade_no":"TP20261121000001","time_expire":"2026-11-21T15:45:00+08:00",
    "notify_url":"https://shop.example/notify/wechat","amount":{"total":9850,"currency":"CNY"},
    "scene_info":{"payer_client_ip":"203.0.113.7",
      "h5_info":{"type":"Wap","app_name":"Topup","app_url":"https://shop.example"}}})");
  CHECK(world.sent() == want);
}

TEST_CASE("wechat: a jsapi prepay gives a paySign that the merchant's public key verifies") {
  World world;
  world.then_signed(200, read_fixture("wechat/prepay_jsapi.json"));
  const auto outcome = world.channel->prepay(jsapi_request());
  REQUIRE(told(outcome) == "ok");
  const auto& ticket = std::get<PrepayTicket>(outcome);
  CHECK(field(ticket, "package") == "prepay_id=wx201410272009395522657a690389285100");
  CHECK(field(ticket, "signType") == "RSA");
  CHECK(field(ticket, "timeStamp") == std::to_string(kNowS));
  CHECK(field(ticket, "nonceStr").size() == 32);
  const auto public_half = RsaKey::from_public_pem(keys().merchant.public_pem());
  REQUIRE(public_half);
  const std::string text = field(ticket, "appId") + "\n" + field(ticket, "timeStamp") + "\n" +
                           field(ticket, "nonceStr") + "\n" + field(ticket, "package") + "\n";
  CHECK(base::verify_sha256_rsa(*public_half, text, field(ticket, "paySign")));
  CHECK(world.wechat.requests().at(0).target == "/v3/pay/transactions/jsapi");
  CHECK(world.sent()["payer"] == Json{{"openid", "oTestOpenid0000000000000001"}});
  CHECK_FALSE(world.sent().contains("scene_info"));
}

TEST_CASE("wechat: text is cleaned to what WeChat Pay accepts") {
  struct Row {
    const char* name;
    std::string in;
    std::size_t max;
    std::string out;
  };
  std::string long_text, cut_text;
  for (int i = 0; i < 50; ++i) long_text += "费";
  for (int i = 0; i < 42; ++i) cut_text += "费";
  const Row rows[] = {
      {"plain", "充值 100", 127, "充值 100"},
      {"emoji are left out", "a\xF0\x9F\x98\x80z", 127, "az"},
      {"a cut falls between characters", long_text, 127, cut_text},
      {"an exact fit stays whole", "费费", 6, "费费"},
      {"control characters", "a\n\tb\x7F", 127, "ab"},
      {"broken UTF-8", "a\xFF\xE8\xB4z", 127, "az"},
      {"overlong form", "a\xC0\xAFz", 127, "az"},
      {"nothing left", "\xF0\x9F\x98\x80", 127, ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(wechat_clean_text(row.in, row.max) == row.out);
  }
  World world;
  world.then_signed(200, read_fixture("wechat/prepay_h5.json"));
  PrepayRequest request = h5_request();
  request.description = "\xF0\x9F\x98\x80";
  REQUIRE(told(world.channel->prepay(request)) == "ok");
  CHECK(world.sent()["description"] == "Topup");
}

TEST_CASE("wechat: times are RFC 3339 in Beijing time, and read with any offset") {
  CHECK(wechat_time(kNowS * 1000) == "2026-11-21T15:30:00+08:00");
  CHECK(wechat_time(1'767'196'799'999) == "2025-12-31T23:59:59+08:00");
  struct Row {
    const char* text;
    std::int64_t seconds;
  };
  constexpr Row rows[] = {
      {"2026-11-21T15:30:00+08:00", kNowS}, {"2026-11-21T07:30:00Z", kNowS},
      {"2026-11-21T07:30:00.123Z", kNowS},  {"2026-11-21T02:30:00-05:00", kNowS},
      {"2026-02-30T07:30:00Z", 0},          {"2026-11-21T24:30:00Z", 0},
      {"2026-11-21T07:30:00", 0},           {"2026-11-21 07:30:00Z", 0},
      {"2026-11-21T07:30:00+8", 0},         {"", 0},
      {"2026-11-21T07:30:00.", 0},          {"-026-11-21T07:30:00Z", 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(parse_wechat_time_ms(row.text) == row.seconds * 1000);
  }
}

TEST_CASE("wechat: an amount that is not positive CNY never leaves") {
  World world;
  PrepayRequest request = h5_request();
  request.amount = fen(0);
  CHECK_THROWS_AS(world.channel->prepay(request), InvariantBroken);
  request.amount = {100, Currency::usd};
  CHECK_THROWS_AS(world.channel->prepay(request), InvariantBroken);
  RefundRequest refund = refund_request();
  refund.amount = fen(9851);
  CHECK_THROWS_AS(world.channel->refund(refund), InvariantBroken);
  CHECK(world.wechat.calls() == 0);
}

// ---- What refusals mean.

enum class Act { prepay, query, close, refund, query_refund };

std::string act(PayChannel& channel, Act what) {
  switch (what) {
    case Act::prepay:
      return told(channel.prepay(h5_request()));
    case Act::query:
      return told(channel.query(OutTradeNo(kNumber)));
    case Act::close:
      return told(channel.close(OutTradeNo(kNumber)));
    case Act::refund:
      return told(channel.refund(refund_request()));
    case Act::query_refund:
      return told(channel.query_refund(OutRefundNo(kRefundNumber)));
  }
  return "";
}

constexpr Act kActs[] = {Act::prepay, Act::query, Act::close, Act::refund, Act::query_refund};

struct RefusalRow {
  Act what;
  int status;
  const char* code;
  bool is_signed;
  const char* want;
};

constexpr RefusalRow kRefusalRows[] = {
    {Act::prepay, 400, "PARAM_ERROR", false, "fail:PARAM_ERROR"},
    {Act::prepay, 400, "PARAM_ERROR", true, "fail:PARAM_ERROR"},
    {Act::prepay, 400, "APPID_MCHID_NOT_MATCH", false, "fail:APPID_MCHID_NOT_MATCH"},
    {Act::prepay, 400, "MCH_NOT_EXISTS", false, "fail:MCH_NOT_EXISTS"},
    {Act::prepay, 404, "MCH_NOT_EXISTS", false, "fail:MCH_NOT_EXISTS"},
    {Act::prepay, 404, "RESOURCE_NOT_EXISTS", false, "fail:RESOURCE_NOT_EXISTS"},
    {Act::prepay, 401, "SIGN_ERROR", false, "fail:SIGN_ERROR"},
    {Act::prepay, 403, "NO_AUTH", false, "fail:NO_AUTH"},
    {Act::prepay, 403, "ACCOUNT_ERROR", false, "fail:ACCOUNT_ERROR"},
    {Act::prepay, 403, "RULE_LIMIT", false, "fail:RULE_LIMIT"},
    {Act::prepay, 403, "REQUEST_BLOCKED", false, "fail:REQUEST_BLOCKED"},
    {Act::prepay, 403, "TRADE_ERROR", true, "unknown:TRADE_ERROR"},
    {Act::prepay, 429, "FREQUENCY_LIMITED", true, "unknown:FREQUENCY_LIMITED"},
    {Act::prepay, 500, "SYSTEM_ERROR", true, "unknown:http_500"},
    {Act::prepay, 400, "SOMETHING_NEW", true, "unknown:SOMETHING_NEW"},
    {Act::prepay, 500, "PARAM_ERROR", true, "unknown:http_500"},
    {Act::prepay, 404, "PARAM_ERROR", true, "unknown:PARAM_ERROR"},
    {Act::query, 404, "ORDER_NOT_EXIST", false, "ok"},
    {Act::query, 404, "RESOURCE_NOT_EXISTS", true, "ok"},
    {Act::query, 401, "SIGN_ERROR", false, "unknown:SIGN_ERROR"},
    {Act::query, 403, "NO_AUTH", true, "unknown:NO_AUTH"},
    {Act::query, 400, "PARAM_ERROR", true, "unknown:PARAM_ERROR"},
    {Act::query, 429, "FREQUENCY_LIMITED", true, "unknown:FREQUENCY_LIMITED"},
    {Act::query, 503, "SERVICE_UNAVAILABLE", true, "unknown:http_503"},
    {Act::close, 404, "ORDER_NOT_EXIST", true, "ok"},
    {Act::close, 404, "RESOURCE_NOT_EXISTS", true, "ok"},
    {Act::close, 400, "PARAM_ERROR", true, "unknown:PARAM_ERROR"},
    {Act::close, 401, "SIGN_ERROR", false, "unknown:SIGN_ERROR"},
    {Act::close, 500, "SYSTEM_ERROR", true, "unknown:http_500"},
    {Act::refund, 400, "PARAM_ERROR", true, "fail:PARAM_ERROR"},
    {Act::refund, 400, "APPID_MCHID_NOT_MATCH", true, "fail:APPID_MCHID_NOT_MATCH"},
    {Act::refund, 400, "MCH_NOT_EXISTS", true, "fail:MCH_NOT_EXISTS"},
    {Act::refund, 404, "MCH_NOT_EXISTS", true, "fail:MCH_NOT_EXISTS"},
    {Act::refund, 404, "RESOURCE_NOT_EXISTS", true, "fail:RESOURCE_NOT_EXISTS"},
    {Act::refund, 401, "SIGN_ERROR", true, "fail:SIGN_ERROR"},
    {Act::refund, 403, "NO_AUTH", true, "fail:NO_AUTH"},
    {Act::refund, 403, "NOT_ENOUGH", true, "fail:NOT_ENOUGH"},
    {Act::refund, 403, "USER_ACCOUNT_ABNORMAL", true, "fail:USER_ACCOUNT_ABNORMAL"},
    {Act::refund, 403, "NOT_ENOUGH", false, "unknown:signature_invalid"},
    {Act::refund, 404, "RESOURCE_NOT_EXISTS", false, "unknown:signature_invalid"},
    {Act::refund, 401, "SIGN_ERROR", false, "unknown:signature_invalid"},
    {Act::refund, 429, "FREQUENCY_LIMITED", true, "unknown:FREQUENCY_LIMITED"},
    {Act::refund, 500, "SYSTEM_ERROR", true, "unknown:http_500"},
    {Act::refund, 502, "NOT_ENOUGH", true, "unknown:http_502"},
    {Act::refund, 400, "NOT_ENOUGH", true, "unknown:NOT_ENOUGH"},
    {Act::refund, 403, "SOMETHING_NEW", true, "unknown:SOMETHING_NEW"},
    {Act::query_refund, 404, "RESOURCE_NOT_EXISTS", true, "fail:RESOURCE_NOT_EXISTS"},
    {Act::query_refund, 404, "RESOURCE_NOT_EXISTS", false, "unknown:signature_invalid"},
    {Act::query_refund, 403, "NO_AUTH", true, "unknown:NO_AUTH"},
    {Act::query_refund, 429, "FREQUENCY_LIMITED", true, "unknown:FREQUENCY_LIMITED"},
};

TEST_CASE("wechat: each refusal, one by one; what is not listed is unknown") {
  for (const RefusalRow& row : kRefusalRows) {
    CAPTURE(static_cast<int>(row.what));
    CAPTURE(row.status);
    CAPTURE(row.code);
    CAPTURE(row.is_signed);
    World world;
    const std::string body = refusal(row.code);
    world.wechat.then_answer(row.status, body,
                             row.is_signed ? sign({}, body) : ScriptedOutbound::Headers{});
    CHECK(act(*world.channel, row.what) == row.want);
    CHECK(world.wechat.calls() == 1);
  }
}

TEST_CASE("wechat: when nobody answers, or nobody that can be trusted, the outcome is unknown") {
  struct Row {
    const char* name;
    std::function<void(World&)> script;
    const char* want;
  };
  const Draft foreign{.signer = &keys().foreign};
  const std::string body = read_fixture("wechat/query_success.json");
  const Row rows[] = {
      {"time-out", [](World& w) { w.wechat.then_no_answer("deadline"); }, "unknown:deadline"},
      {"cut off", [](World& w) { w.wechat.then_no_answer("connection_lost"); },
       "unknown:connection_lost"},
      {"no reason", [](World& w) { w.wechat.then_no_answer(""); }, "unknown:no_answer"},
      {"never sent", [](World& w) { w.wechat.then_not_sent(); }, "unknown:not_sent"},
      {"200 unsigned", [&](World& w) { w.wechat.then_answer(200, body); },
       "unknown:signature_invalid"},
      {"204 unsigned", [](World& w) { w.wechat.then_answer(204, ""); },
       "unknown:signature_invalid"},
      {"200 of another key", [&](World& w) { w.then_signed(200, body, foreign); },
       "unknown:signature_invalid"},
      {"200 of another body",
       [&](World& w) { w.wechat.then_answer(200, body, sign({}, body + " ")); },
       "unknown:signature_invalid"},
      {"200 of an unknown serial", [&](World& w) { w.then_signed(200, body, {.serial = "00"}); },
       "unknown:serial_unknown"},
      {"200 of five minutes ago",
       [&](World& w) { w.then_signed(200, body, {.timestamp = kNowS - 300}); },
       "unknown:timestamp_expired"},
      {"200 of five minutes ahead",
       [&](World& w) { w.then_signed(200, body, {.timestamp = kNowS + 300}); },
       "unknown:timestamp_expired"},
      {"200 not JSON", [](World& w) { w.then_signed(200, "<html>"); }, "unknown:answer_malformed"},
      {"200 not an object", [](World& w) { w.then_signed(200, "[]"); }, "unknown:answer_malformed"},
      {"201", [&](World& w) { w.then_signed(201, body); }, "unknown:http_201"},
      {"202", [&](World& w) { w.then_signed(202, "{}"); }, "unknown:http_202"},
      {"302", [](World& w) { w.wechat.then_answer(302, ""); }, "unknown:http_302"},
      {"502 of a proxy", [](World& w) { w.wechat.then_answer(502, "<html>"); }, "unknown:http_502"},
      {"404 of a proxy", [](World& w) { w.wechat.then_answer(404, "<html>"); }, "unknown:http_404"},
      {"403 without a code", [](World& w) { w.then_signed(403, "{}"); }, "unknown:http_403"},
      {"400 with a code that is none",
       [](World& w) { w.then_signed(400, R"({"code":"param error\n"})"); }, "unknown:http_400"},
      {"400 with a wrong signature",
       [&](World& w) {
         w.wechat.then_answer(400, refusal("PARAM_ERROR"), sign(foreign, refusal("PARAM_ERROR")));
       },
       "unknown:signature_invalid"},
  };
  for (const Row& row : rows) {
    for (const Act what : kActs) {
      CAPTURE(row.name);
      CAPTURE(static_cast<int>(what));
      World world;
      row.script(world);
      CHECK(act(*world.channel, what) == row.want);
    }
  }
}

TEST_CASE("wechat: an ok answer of the wrong shape is unknown") {
  struct Row {
    Act what;
    const char* body;
  };
  constexpr Row rows[] = {
      {Act::prepay, "{}"},
      {Act::prepay, R"({"h5_url":""})"},
      {Act::prepay, R"({"h5_url":5})"},
      {Act::query, "{}"},
      {Act::query, R"({"out_trade_no":"TP20261121000001","trade_state":"SUCCESS"})"},
      {Act::query,
       R"({"out_trade_no":"TP20261121000001","trade_state":"SUCCESS","transaction_id":"4",
           "amount":{"total":"9850"}})"},
      {Act::query,
       R"({"out_trade_no":"TP20261121000001","trade_state":"SUCCESS","transaction_id":"4",
           "amount":{"total":98.5}})"},
      {Act::query,
       R"({"out_trade_no":"TP20261121000001","trade_state":"SUCCESS","amount":{"total":9850}})"},
      {Act::refund, "{}"},
      {Act::refund, R"({"out_refund_no":"RF20261121000001","amount":{"refund":9850}})"},
      {Act::refund,
       R"({"out_refund_no":"RF20261121000001","status":"NEW_WORD","amount":{"refund":9850}})"},
      {Act::refund, R"({"out_refund_no":"RF20261121000001","status":"SUCCESS"})"},
      {Act::query_refund,
       R"({"out_refund_no":"RF20261121000001","status":"SUCCESS",
           "amount":{"refund":9850,"currency":"XXX"}})"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.body);
    World world;
    world.then_signed(200, row.body);
    CHECK(act(*world.channel, row.what) == "unknown:answer_malformed");
  }
  World world;
  world.then_signed(200, R"({"out_trade_no":"OTHER","trade_state":"NOTPAY"})");
  CHECK(told(world.channel->query(OutTradeNo(kNumber))) == "unknown:answer_of_another_order");
  world.then_signed(200, R"({"out_refund_no":"OTHER","status":"SUCCESS","amount":{"refund":1}})");
  CHECK(told(world.channel->refund(refund_request())) == "unknown:answer_of_another_refund");
}

TEST_CASE("wechat: a number that is taken is looked at before prepay is called failed") {
  struct Row {
    int status;
    const char* code;
    int query_status;
    const char* query_body;
    const char* want;
  };
  constexpr const char* kPaid =
      R"({"out_trade_no":"TP20261121000001","trade_state":"SUCCESS","transaction_id":"4",
          "amount":{"total":9850}})";
  constexpr const char* kOpen = R"({"out_trade_no":"TP20261121000001","trade_state":"NOTPAY"})";
  constexpr const char* kClosed = R"({"out_trade_no":"TP20261121000001","trade_state":"CLOSED"})";
  constexpr const char* kAbsent = R"({"code":"ORDER_NOT_EXIST","message":"none"})";
  constexpr Row rows[] = {
      {403, "OUT_TRADE_NO_USED", 200, kPaid, "unknown:ORDER_PAID"},
      {403, "OUT_TRADE_NO_USED", 200, kOpen, "unknown:OUT_TRADE_NO_USED"},
      {403, "OUT_TRADE_NO_USED", 200, kClosed, "fail:OUT_TRADE_NO_USED"},
      {403, "OUT_TRADE_NO_USED", 404, kAbsent, "unknown:OUT_TRADE_NO_USED"},
      {403, "OUT_TRADE_NO_USED", 500, "{}", "unknown:OUT_TRADE_NO_USED"},
      {400, "INVALID_REQUEST", 404, kAbsent, "fail:INVALID_REQUEST"},
      {400, "INVALID_REQUEST", 200, kOpen, "unknown:INVALID_REQUEST"},
      {400, "INVALID_REQUEST", 200, kPaid, "unknown:ORDER_PAID"},
      {400, "ORDER_PAID", 200, kPaid, "unknown:ORDER_PAID"},
      {400, "ORDER_CLOSED", 200, kClosed, "fail:ORDER_CLOSED"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.code);
    CAPTURE(row.query_body);
    World world;
    world.wechat.then_answer(row.status, refusal(row.code));
    world.then_signed(row.query_status, row.query_body);
    CHECK(told(world.channel->prepay(h5_request())) == row.want);
    CHECK(world.wechat.calls() == 2);
  }
}

// ---- Query, close, refund.

TEST_CASE("wechat: a query reads state, amount.total, payee and time") {
  World world;
  world.then_signed(200, read_fixture("wechat/query_success.json"));
  const auto outcome = world.channel->query(OutTradeNo(kNumber));
  REQUIRE(told(outcome) == "ok");
  const auto& trade = std::get<Trade>(outcome);
  CHECK(trade.state == TradeState::paid);
  CHECK(trade.paid == fen(9850));
  CHECK(trade.payee_matches);
  CHECK(trade.transaction_id.text == "4200009999202611211234567890");
  CHECK(trade.paid_at_ms == kNowS * 1000);
  const auto request = world.wechat.requests().at(0);
  CHECK(request.method == "GET");
  CHECK(request.target == "/v3/pay/transactions/out-trade-no/TP20261121000001?mchid=1900000109");
  CHECK(request.body.empty());
}

TEST_CASE("wechat: a number with reserved characters is percent-encoded and signed in that form") {
  World world;
  world.wechat.then_answer(404, refusal("ORDER_NOT_EXIST"));
  const auto outcome = world.channel->query(OutTradeNo("A|B*12"));
  REQUIRE(told(outcome) == "ok");
  CHECK(std::get<Trade>(outcome).state == TradeState::not_paid);
  CHECK(std::get<Trade>(outcome).out_trade_no.text == "A|B*12");
  CHECK(world.wechat.requests().at(0).target ==
        "/v3/pay/transactions/out-trade-no/A%7CB%2A12?mchid=1900000109");
}

TEST_CASE("wechat: each trade_state, and a word nobody documented") {
  struct Row {
    const char* word;
    TradeState state;
  };
  constexpr Row rows[] = {
      {"SUCCESS", TradeState::paid},      {"REFUND", TradeState::paid},
      {"NOTPAY", TradeState::not_paid},   {"USERPAYING", TradeState::not_paid},
      {"CLOSED", TradeState::closed},     {"REVOKED", TradeState::closed},
      {"PAYERROR", TradeState::unknown},  {"success", TradeState::unknown},
      {"BRAND_NEW", TradeState::unknown},
  };
  for (const Row& row : rows) {
    CAPTURE(row.word);
    World world;
    Json body = *base::json_in(read_fixture("wechat/query_success.json"));
    body["trade_state"] = row.word;
    world.then_signed(200, body.dump());
    const auto outcome = world.channel->query(OutTradeNo(kNumber));
    REQUIRE(told(outcome) == "ok");
    CHECK(std::get<Trade>(outcome).state == row.state);
  }
}

TEST_CASE("wechat: an answer signed with either kind of key is believed") {
  for (const Draft& draft :
       {Draft{}, Draft{.signer = &keys().public_key, .serial = kPublicKeyId}}) {
    World world;
    world.then_signed(200, read_fixture("wechat/query_notpay.json"), draft);
    CHECK(told(world.channel->query(OutTradeNo(kNumber))) == "ok");
  }
  World world;  // the right key under the other one's name
  world.then_signed(200, "{}", {.signer = &keys().public_key, .serial = kCertificateSerial});
  CHECK(told(world.channel->query(OutTradeNo(kNumber))) == "unknown:signature_invalid");
}

TEST_CASE("wechat: close says closed on 204, and asks when payment may have won the race") {
  World world;
  world.then_signed(204, "");
  const auto closed = world.channel->close(OutTradeNo(kNumber));
  REQUIRE(told(closed) == "ok");
  CHECK(std::get<Trade>(closed).state == TradeState::closed);
  CHECK(world.wechat.requests().at(0).target ==
        "/v3/pay/transactions/out-trade-no/TP20261121000001/close");
  CHECK(world.wechat.requests().at(0).body == R"({"mchid":"1900000109"})");

  struct Row {
    int status;
    const char* code;
  };
  constexpr Row rows[] = {{400, "ORDER_PAID"},      {400, "ORDER_CLOSED"},
                          {400, "INVALID_REQUEST"}, {403, "OUT_TRADE_NO_USED"},
                          {403, "TRADE_ERROR"},     {403, "RULE_LIMIT"}};
  for (const Row& row : rows) {
    CAPTURE(row.code);
    World raced;
    raced.wechat.then_answer(row.status, refusal(row.code));
    raced.then_signed(200, read_fixture("wechat/query_success.json"));
    const auto outcome = raced.channel->close(OutTradeNo(kNumber));
    REQUIRE(told(outcome) == "ok");
    CHECK(std::get<Trade>(outcome).state == TradeState::paid);
    CHECK(std::get<Trade>(outcome).paid == fen(9850));

    World open;
    open.wechat.then_answer(row.status, refusal(row.code));
    open.then_signed(200, read_fixture("wechat/query_notpay.json"));
    CHECK(told(open.channel->close(OutTradeNo(kNumber))) == std::string("unknown:") + row.code);
    World lost;
    lost.wechat.then_answer(row.status, refusal(row.code));
    lost.wechat.then_no_answer();
    CHECK(told(lost.channel->close(OutTradeNo(kNumber))) == std::string("unknown:") + row.code);
  }
}

TEST_CASE("wechat: a refund sends one number, and its answer is read by status") {
  struct Row {
    const char* word;
    RefundState state;
  };
  constexpr Row rows[] = {{"PROCESSING", RefundState::processing},
                          {"SUCCESS", RefundState::succeeded},
                          {"CLOSED", RefundState::closed},
                          {"ABNORMAL", RefundState::abnormal}};
  for (const Row& row : rows) {
    CAPTURE(row.word);
    World world;
    Json body = *base::json_in(read_fixture("wechat/refund_processing.json"));
    body["status"] = row.word;
    world.then_signed(200, body.dump());
    world.then_signed(200, body.dump());
    for (const auto& outcome : {world.channel->refund(refund_request()),
                                world.channel->query_refund(OutRefundNo(kRefundNumber))}) {
      REQUIRE(told(outcome) == "ok");
      CHECK(std::get<RefundTrade>(outcome).state == row.state);
      CHECK(std::get<RefundTrade>(outcome).amount == fen(9850));
      CHECK(std::get<RefundTrade>(outcome).out_trade_no.text == kNumber);
    }
    const Json want = *base::json_in(R"({"out_trade_no":"TP20261121000001",
      "out_refund_no":"RF20261121000001","reason":"充值失败",
      "notify_url":"https://shop.example/notify/wechat",
      "amount":{"refund":9850,"total":9850,"currency":"CNY"}})");
    CHECK(world.sent() == want);
    CHECK(world.wechat.requests().at(1).target == "/v3/refund/domestic/refunds/RF20261121000001");
  }
}

TEST_CASE(
    "wechat: INVALID_REQUEST on a refund is final only if they have no refund of that number") {
  struct Row {
    const char* name;
    std::function<void(World&)> query;
    const char* want;
  };
  const std::string absent = refusal("RESOURCE_NOT_EXISTS");
  const Row rows[] = {
      {"none there", [&](World& w) { w.then_signed(404, absent); }, "fail:INVALID_REQUEST"},
      {"one there",
       [](World& w) { w.then_signed(200, read_fixture("wechat/refund_processing.json")); }, "ok"},
      {"not said", [](World& w) { w.wechat.then_no_answer(); }, "unknown:INVALID_REQUEST"},
      {"said unsigned", [&](World& w) { w.wechat.then_answer(404, absent); },
       "unknown:INVALID_REQUEST"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    World world;
    world.then_signed(400, refusal("INVALID_REQUEST"));
    row.query(world);
    CHECK(told(world.channel->refund(refund_request())) == row.want);
  }
}

// ---- Notifications.

struct NotifyDraft {
  std::string plain = read_fixture("wechat/notify_transaction.json");
  std::string event = "TRANSACTION.SUCCESS";
  std::string sealing_key = kApiKey;
  std::string sealing_aad = "transaction";
  std::string sealing_nonce = "fdasfsadsads";
  std::function<void(Json&)> edit_envelope = [](Json&) {};
  std::function<std::string(std::string)> edit_body = [](std::string body) { return body; };
  Draft signature;
  std::function<void(NotifyRequest&)> edit_request = [](NotifyRequest&) {};  // after it is signed

  NotifyRequest build() const {
    Json envelope = {{"id", "EV-2026112115300000001"},
                     {"create_time", "2026-11-21T15:30:00+08:00"},
                     {"event_type", event},
                     {"resource_type", "encrypt-resource"},
                     {"summary", "支付成功"},
                     {"resource",
                      {{"original_type", "transaction"},
                       {"algorithm", "AEAD_AES_256_GCM"},
                       {"ciphertext", base::base64(base::seal_aes_gcm(sealing_key, sealing_nonce,
                                                                      sealing_aad, plain))},
                       {"associated_data", "transaction"},
                       {"nonce", "fdasfsadsads"}}}};
    edit_envelope(envelope);
    NotifyRequest request;
    request.body = edit_body(envelope.dump());
    request.headers = sign(signature, request.body);
    edit_request(request);
    return request;
  }
};

void set_header(NotifyRequest& request, const std::string& name, const std::string& value) {
  for (auto& [key, old] : request.headers) {
    if (key == name) old = value;
  }
}
std::string header_of(const NotifyRequest& request, const std::string& name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return "";
}
void drop_header(NotifyRequest& request, const std::string& name) {
  std::erase_if(request.headers, [&](const auto& header) { return header.first == name; });
}

struct Forgery {
  std::string name;
  NotifyDraft draft;
  std::string reason;
};

// What an outsider, or a party with a wrong key, can send.
std::vector<Forgery> forged_signatures() {
  std::vector<Forgery> rows;
  const auto after = [&rows](const char* name, const char* reason,
                             std::function<void(NotifyRequest&)> edit) {
    NotifyDraft draft;
    draft.edit_request = std::move(edit);
    rows.push_back({name, draft, reason});
  };
  const auto signed_as = [&rows](const char* name, const char* reason, Draft signature) {
    NotifyDraft draft;
    draft.signature = std::move(signature);
    rows.push_back({name, draft, reason});
  };
  const char* kInvalid = "signature_invalid";
  const std::string signature = "wechatpay-signature";
  after("no headers", kInvalid, [](auto& r) { r.headers.clear(); });
  for (const char* name :
       {"wechatpay-signature", "wechatpay-timestamp", "wechatpay-nonce", "wechatpay-serial"}) {
    after(name, kInvalid, [name](auto& r) { drop_header(r, name); });
    after(name, kInvalid, [name](auto& r) { set_header(r, name, ""); });
    after(name, kInvalid, [name](auto& r) { r.headers.emplace_back(name, header_of(r, name)); });
  }
  // An empty serial is a key we do not hold.
  rows[rows.size() - 2].reason = "serial_unknown";
  after("truncated signature", kInvalid,
        [=](auto& r) { set_header(r, signature, header_of(r, signature).substr(0, 340)); });
  after("one character less", kInvalid, [=](auto& r) {
    const std::string whole = header_of(r, signature);
    set_header(r, signature, whole.substr(0, whole.size() - 1));
  });
  after("longer signature", kInvalid,
        [=](auto& r) { set_header(r, signature, header_of(r, signature) + "AAAA"); });
  after("signature of another body", kInvalid, [=](auto& r) {
    set_header(r, signature, header_of(NotifyRequest{sign({}, "{}"), ""}, signature));
  });
  after("not base64", kInvalid, [=](auto& r) { set_header(r, signature, "!!!!****"); });
  after("base64 of nothing useful", kInvalid, [=](auto& r) { set_header(r, signature, "AAAA"); });
  after("signature with a blank", kInvalid,
        [=](auto& r) { set_header(r, signature, " " + header_of(r, signature)); });
  after("signature of zeros", kInvalid,
        [=](auto& r) { set_header(r, signature, base::base64(std::string(256, '\0'))); });
  after("huge signature", kInvalid,
        [=](auto& r) { set_header(r, signature, std::string(100'000, 'A')); });
  after("the probe", "signature_probe",
        [=](auto& r) { set_header(r, signature, "WECHATPAY/SIGNTEST/abcdefghijkl"); });
  after("the probe before a real signature", "signature_probe", [=](auto& r) {
    set_header(r, signature, "WECHATPAY/SIGNTEST/" + header_of(r, signature));
  });
  after("another scheme", kInvalid,
        [](auto& r) { set_header(r, "wechatpay-signature-type", "WECHATPAY2-SM2-WITH-SM3"); });
  after("scheme none", kInvalid, [](auto& r) { set_header(r, "wechatpay-signature-type", ""); });
  after("two schemes", kInvalid, [](auto& r) {
    r.headers.emplace_back("wechatpay-signature-type", "WECHATPAY2-SHA256-RSA2048");
  });
  after("other nonce", kInvalid, [](auto& r) { set_header(r, "wechatpay-nonce", "other"); });
  after("other timestamp", kInvalid,
        [](auto& r) { set_header(r, "wechatpay-timestamp", std::to_string(kNowS - 1)); });
  for (const char* stamp : {"now", "-1795246200", "+1795246200", "1795246200 ", "1795246200.5",
                            "99999999999999999999", "0x6B010000"}) {
    after(stamp, kInvalid, [stamp](auto& r) { set_header(r, "wechatpay-timestamp", stamp); });
  }
  after("body with one blank more", kInvalid, [](auto& r) { r.body += " "; });
  after("body without its end", kInvalid, [](auto& r) { r.body.pop_back(); });
  after("empty body", kInvalid, [](auto& r) { r.body.clear(); });
  after("amount rewritten", kInvalid,
        [](auto& r) { r.body.replace(r.body.find("EV-"), 3, "EW-"); });
  after("unknown serial", "serial_unknown",
        [](auto& r) { set_header(r, "wechatpay-serial", "AB"); });
  after("unknown public key", "serial_unknown",
        [](auto& r) { set_header(r, "wechatpay-serial", "PUB_KEY_ID_1"); });
  after("lower-case serial", "serial_unknown", [](auto& r) {
    set_header(r, "wechatpay-serial", "5157f09efdc096de15ebe81a47057a7232f1b8e1");
  });
  signed_as("another merchant's key", kInvalid, {.signer = &keys().foreign});
  signed_as("our own key", kInvalid, {.signer = &keys().merchant});
  signed_as("key of the other serial", kInvalid, {.signer = &keys().public_key});
  signed_as("300 s old", "timestamp_expired", {.timestamp = kNowS - 300});
  signed_as("301 s old", "timestamp_expired", {.timestamp = kNowS - 301});
  signed_as("300 s ahead", "timestamp_expired", {.timestamp = kNowS + 300});
  signed_as("a year old", "timestamp_expired", {.timestamp = kNowS - 31'536'000});
  signed_as("of 1970", "timestamp_expired", {.timestamp = 0});
  signed_as("far ahead", "timestamp_expired", {.timestamp = 999'999'999'999});
  return rows;
}

// Rightly signed, but not something to act on.
std::vector<Forgery> malformed_contents() {
  std::vector<Forgery> rows;
  const auto add = [&rows](const char* name, auto edit) {
    NotifyDraft draft;
    edit(draft);
    rows.push_back({name, draft, "notify_malformed"});
  };
  const auto in_envelope = [&add](const char* name, std::function<void(Json&)> edit) {
    add(name, [&edit](NotifyDraft& d) { d.edit_envelope = std::move(edit); });
  };
  const auto body = [&add](const char* name, const std::string& text) {
    add(name,
        [&text](NotifyDraft& d) { d.edit_body = [text](const std::string&) { return text; }; });
  };
  const auto plain = [&add](const char* name, const std::string& text) {
    add(name, [&text](NotifyDraft& d) { d.plain = text; });
  };
  add("sealed with another APIv3 key",
      [](NotifyDraft& d) { d.sealing_key = "test-apiv3-key-of-32-bytes-00002"; });
  add("sealed with other associated data", [](NotifyDraft& d) { d.sealing_aad = "refund"; });
  add("sealed with another nonce", [](NotifyDraft& d) { d.sealing_nonce = "000000000000"; });
  in_envelope("other AAD named", [](Json& e) { e["resource"]["associated_data"] = "refund"; });
  in_envelope("no AAD", [](Json& e) { e["resource"].erase("associated_data"); });
  in_envelope("short nonce", [](Json& e) { e["resource"]["nonce"] = "fdasfsadsad"; });
  in_envelope("long nonce", [](Json& e) { e["resource"]["nonce"] = "fdasfsadsadsa"; });
  in_envelope("no nonce", [](Json& e) { e["resource"].erase("nonce"); });
  in_envelope("ciphertext not base64", [](Json& e) { e["resource"]["ciphertext"] = "%%%"; });
  in_envelope("ciphertext empty", [](Json& e) { e["resource"]["ciphertext"] = ""; });
  in_envelope("ciphertext below the tag",
              [](Json& e) { e["resource"]["ciphertext"] = "AAAAAAAA"; });
  in_envelope("ciphertext a number", [](Json& e) { e["resource"]["ciphertext"] = 5; });
  in_envelope("ciphertext too large",
              [](Json& e) { e["resource"]["ciphertext"] = std::string(60'000, 'A'); });
  in_envelope("other algorithm", [](Json& e) { e["resource"]["algorithm"] = "AEAD_SM4_GCM"; });
  in_envelope("no resource", [](Json& e) { e.erase("resource"); });
  in_envelope("resource a list", [](Json& e) { e["resource"] = Json::array(); });
  in_envelope("no id", [](Json& e) { e.erase("id"); });
  in_envelope("empty id", [](Json& e) { e["id"] = ""; });
  in_envelope("long id", [](Json& e) { e["id"] = std::string(65, 'x'); });
  in_envelope("other event", [](Json& e) { e["event_type"] = "TRANSACTION.FAIL"; });
  in_envelope("no event", [](Json& e) { e.erase("event_type"); });
  in_envelope("a payment under the name of a refund",
              [](Json& e) { e["event_type"] = "REFUND.SUCCESS"; });
  body("not JSON", "hello");
  body("empty", "");
  body("a list", "[]");
  body("XML", "<xml><return_code>SUCCESS</return_code></xml>");
  body("deep JSON", std::string(5000, '[') + std::string(5000, ']'));
  body("two documents", "{}{}");
  body("duplicate keys", R"({"id":"a","id":"b"})");
  body("NUL", std::string("{\"id\":\"a\0\"}", 11));
  body("not UTF-8", "{\"id\":\"\xFF\"}");
  body("too large", "{\"id\":\"" + std::string(70'000, 'x') + "\"}");
  plain("plain text not JSON", "hello");
  plain("plain text a list", "[]");
  plain("plain text empty", "");
  plain("no order number",
        R"({"trade_state":"SUCCESS","transaction_id":"4","amount":{"total":1}})");
  plain("paid without an amount",
        R"({"out_trade_no":"A","trade_state":"SUCCESS","transaction_id":"4"})");
  plain("amount as text", R"({"out_trade_no":"A","trade_state":"SUCCESS","transaction_id":"4",)"
                          R"("amount":{"total":"1"}})");
  plain("amount with a fraction",
        R"({"out_trade_no":"A","trade_state":"SUCCESS","transaction_id":"4",)"
        R"("amount":{"total":1.0}})");
  plain("paid without their number",
        R"({"out_trade_no":"A","trade_state":"SUCCESS","amount":{"total":1}})");
  return rows;
}

void refuse_all(const std::vector<Forgery>& rows, Code code) {
  World world;
  for (const Forgery& row : rows) {
    CAPTURE(row.name);
    const auto got = world.channel->parse_notify(row.draft.build());
    REQUIRE_FALSE(got);
    CHECK(got.error().reason == row.reason);
    CHECK(got.error().code == code);
    CHECK(got.error().detail.empty());
  }
  CHECK(world.wechat.calls() == 0);
}

TEST_CASE("wechat notify: each forged signature is refused") {
  const auto rows = forged_signatures();
  CHECK(rows.size() >= 40);
  refuse_all(rows, Code::forbidden);
}

TEST_CASE("wechat notify: contents that cannot be read are refused although they are signed") {
  const auto rows = malformed_contents();
  CHECK(rows.size() >= 40);
  refuse_all(rows, Code::invalid_argument);
}

TEST_CASE("wechat notify: a genuine payment is read, with either kind of key and any letter case") {
  World world;
  NotifyDraft by_public_key, other_case;
  by_public_key.signature = {.signer = &keys().public_key, .serial = kPublicKeyId};
  other_case.edit_request = [](NotifyRequest& request) {
    for (auto& header : request.headers) header.first[0] = 'W';
    drop_header(request, "Wechatpay-signature-type");
  };
  for (const NotifyDraft& draft : {NotifyDraft{}, by_public_key, other_case}) {
    const auto got = world.channel->parse_notify(draft.build());
    REQUIRE(got);
    CHECK(got->notify_id == "EV-2026112115300000001");
    const auto& trade = std::get<Trade>(got->what);
    CHECK(trade.out_trade_no.text == kNumber);
    CHECK(trade.state == TradeState::paid);
    CHECK(trade.paid == fen(9850));
    CHECK(trade.payee_matches);
    CHECK(trade.paid_at_ms == kNowS * 1000);
    CHECK(trade.transaction_id.text == "4200009999202611211234567890");
  }
}

TEST_CASE("wechat notify: the window ends exactly at 300 s, in both directions") {
  struct Row {
    std::int64_t now_ms;
    bool is_taken;
  };
  constexpr Row rows[] = {
      {(kNowS + 299) * 1000, true},  {(kNowS + 300) * 1000 - 1, true},
      {(kNowS + 300) * 1000, false}, {(kNowS + 301) * 1000, false},
      {(kNowS - 299) * 1000, true},  {(kNowS - 300) * 1000 + 1, true},
      {(kNowS - 300) * 1000, false}, {(kNowS - 301) * 1000, false},
  };
  World world;
  const NotifyRequest request = NotifyDraft{}.build();
  for (const Row& row : rows) {
    CAPTURE(row.now_ms);
    world.clock.now_ms = row.now_ms;
    const auto got = world.channel->parse_notify(request);
    CHECK(got.has_value() == row.is_taken);
    if (!got) CHECK(got.error().reason == "timestamp_expired");
  }
}

TEST_CASE("wechat notify: a wrong sum or a wrong payee still parses, so that the caller sees it") {
  struct Row {
    const char* name;
    const char* pointer;
    Json value;
    Money paid;
    bool payee_matches;
  };
  const Row rows[] = {
      {"one fen less", "/amount/total", 9849, fen(9849), true},
      {"one fen more", "/amount/total", 9851, fen(9851), true},
      {"yuan for fen", "/amount/total", 985'000, fen(985'000), true},
      {"nothing", "/amount/total", 0, fen(0), true},
      {"less than nothing", "/amount/total", -1, fen(-1), true},
      {"the largest", "/amount/total", kMaxMinor, fen(kMaxMinor), true},
      {"more than Money holds", "/amount/total", 1'000'000'000'000'000'000, fen(0), false},
      {"dollars", "/amount/currency", "USD", {9850, Currency::usd}, true},
      {"a currency we do not know", "/amount/currency", "XAU", fen(9850), false},
      {"currency in lower case", "/amount/currency", "cny", fen(9850), false},
      {"another merchant", "/mchid", "1900000110", fen(9850), false},
      {"another app", "/appid", "wx8888888888888889", fen(9850), false},
      {"merchant of the wrong type", "/mchid", 1900000109, fen(9850), false},
      {"payer's part is not the sum", "/amount/payer_total", 1, fen(9850), true},
  };
  World world;
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Json plain = *base::json_in(read_fixture("wechat/notify_transaction.json"));
    plain[Json::json_pointer(row.pointer)] = row.value;
    NotifyDraft draft;
    draft.plain = plain.dump();
    const auto got = world.channel->parse_notify(draft.build());
    REQUIRE(got);
    CHECK(std::get<Trade>(got->what).paid == row.paid);
    CHECK(std::get<Trade>(got->what).payee_matches == row.payee_matches);
  }
}

TEST_CASE("wechat notify: refunds are read by refund_status; one of another merchant is refused") {
  struct Row {
    const char* event;
    const char* word;
    RefundState state;
  };
  constexpr Row rows[] = {{"REFUND.SUCCESS", "SUCCESS", RefundState::succeeded},
                          {"REFUND.CLOSED", "CLOSED", RefundState::closed},
                          {"REFUND.ABNORMAL", "ABNORMAL", RefundState::abnormal}};
  World world;
  NotifyDraft draft;
  for (const Row& row : rows) {
    CAPTURE(row.event);
    Json plain = *base::json_in(read_fixture("wechat/notify_refund.json"));
    plain["refund_status"] = row.word;
    draft.plain = plain.dump();
    draft.event = row.event;
    const auto got = world.channel->parse_notify(draft.build());
    REQUIRE(got);
    const auto& refund = std::get<RefundTrade>(got->what);
    CHECK(refund.state == row.state);
    CHECK(refund.amount == fen(9850));
    CHECK(refund.out_refund_no.text == kRefundNumber);
    CHECK(refund.out_trade_no.text == kNumber);
    plain["mchid"] = "1900000110";
    draft.plain = plain.dump();
    CHECK_FALSE(world.channel->parse_notify(draft.build()));
    plain["mchid"] = "1900000109";
    plain["refund_status"] = "BRAND_NEW";
    draft.plain = plain.dump();
    CHECK_FALSE(world.channel->parse_notify(draft.build()));
  }
}

TEST_CASE("wechat notify: no flipped bit is let through") {
  World world;
  const NotifyRequest genuine = NotifyDraft{}.build();
  REQUIRE(world.channel->parse_notify(genuine));
  for (std::size_t bit = 0; bit < genuine.body.size() * 8; bit += 7) {
    NotifyRequest forged = genuine;
    forged.body[bit / 8] = static_cast<char>(forged.body[bit / 8] ^ (1 << (bit % 8)));
    const auto got = world.channel->parse_notify(forged);
    REQUIRE_FALSE(got);
    CHECK(got.error().reason == "signature_invalid");
  }
  // The same inside the seal, signed again: now only the tag of AES-GCM is in the way.
  for (std::size_t at = 0; at < 400; at += 9) {
    NotifyDraft draft;
    draft.edit_envelope = [at](Json& envelope) {
      std::string sealed =
          *base::from_base64(envelope["resource"]["ciphertext"].get<std::string>());
      const std::size_t place = at % sealed.size();
      sealed[place] = static_cast<char>(sealed[place] ^ 1);
      envelope["resource"]["ciphertext"] = base::base64(sealed);
    };
    const auto got = world.channel->parse_notify(draft.build());
    REQUIRE_FALSE(got);
    CHECK(got.error().reason == "notify_malformed");
  }
}

TEST_CASE("wechat notify: random junk in any header or body is refused and never crashes") {
  World world;
  base::SystemRandom random;
  const NotifyRequest genuine = NotifyDraft{}.build();
  for (int round = 0; round < 5'000; ++round) {
    NotifyRequest forged = genuine;
    const std::string dice = random.bytes(2);
    const std::string junk = random.bytes(static_cast<unsigned char>(dice[1]));
    const std::size_t which = static_cast<unsigned char>(dice[0]) % 6;
    if (which == 5) {
      forged.body = junk;
    } else {
      forged.headers[which].second = junk;
    }
    CHECK_FALSE(world.channel->parse_notify(forged));
  }
}

// ---- Secrets, and the registry.

TEST_CASE("wechat: no secret reaches the log or a message") {
  base::SystemRandom random;
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("topup_wechat_" + base::new_nonce(random));
  base::set_log_file(path.string());
  std::string messages;
  {
    World world;
    const auto keep = [&messages](const auto& outcome) {
      messages += told(outcome);
      if (const auto* fail = std::get_if<DefiniteFail>(&outcome)) messages += fail->message();
    };
    world.wechat.then_answer(400, refusal("PARAM_ERROR"), {{"Request-ID", "08F4-268435461"}});
    keep(world.channel->prepay(jsapi_request()));
    world.wechat.then_answer(200, R"({"prepay_id":"wx-prepay-secret"})");
    keep(world.channel->prepay(jsapi_request()));
    world.then_signed(403, refusal("NOT_ENOUGH"));
    keep(world.channel->refund(refund_request()));
    world.wechat.then_no_answer();
    keep(world.channel->query(OutTradeNo(kNumber)));
    std::string signatures;
    for (const auto& request : world.wechat.requests()) {
      signatures += ScriptedOutbound::header(request, "Authorization");
    }
    base::set_log_file("/dev/stderr");
    std::ifstream file(path);
    messages.append(std::istreambuf_iterator<char>(file), {});
    const std::string pem = keys().merchant.private_pem();
    CHECK(messages.find("268435461") != std::string::npos);  // the log was really read
    for (const std::string& secret :
         {kApiKey, pem.substr(40, 40), std::string("oTestOpenid"), std::string("wx-prepay-secret"),
          between(signatures, "signature=\"", "\""), between(signatures, "nonce_str=\"", "\"")}) {
      CAPTURE(secret);
      CHECK(secret.size() > 8);
      CHECK(messages.find(secret) == std::string::npos);
    }
  }
  std::filesystem::remove(path);
}

TEST_CASE("channels: found by name, and never two of one name") {
  World world;
  Channels channels;
  CHECK(channels.find("wechat") == nullptr);
  channels.add(make_wechat(config(), world.wechat, world.clock, world.random));
  REQUIRE(channels.find("wechat") != nullptr);
  CHECK(channels.find("wechat")->name() == "wechat");
  CHECK(channels.find("alipay") == nullptr);
  CHECK_THROWS_AS(channels.add(make_wechat(config(), world.wechat, world.clock, world.random)),
                  InvariantBroken);
}

}  // namespace
}  // namespace topup::payments
