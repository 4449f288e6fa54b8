#include "server/payments/alipay.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "server/base/json.h"
#include "server/payments/alipay_text.h"
#include "shared/check.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/scripted_outbound.h"

namespace topup::payments {
namespace {

using base::Json;
using base::RsaKey;
using testing::read_fixture;
using testing::ScriptedOutbound;

const std::string kNumber = "TP20261121000001";
const std::string kRefundNumber = "RF20261121000001";
const std::string kTradeNo = "2026112122001400000000000001";

struct Keys {  // made once: a 2048-bit key takes a while
  RsaKey app = *RsaKey::from_private_pem(read_fixture("wechat/test_merchant_key.txt"));
  RsaKey alipay = RsaKey::generate();
  RsaKey foreign = RsaKey::generate();
};
const Keys& keys() {
  static const Keys one;
  return one;
}

AlipayConfig config() {
  return {.app_id = "2021000000000001",
          .seller_id = "2088000000000001",
          .private_key = keys().app,
          .verify_keys = {{"", keys().alipay}},
          .app_cert_sn = "",
          .root_cert_sn = "",
          .origin = "https://openapi.alipay.com",
          .notify_url = "https://shop.example/notify/alipay",
          .subject = "Topup",
          .op_app_id = "2021000000000002"};
}

struct World {
  explicit World(const AlipayConfig& wanted = config())
      : channel(make_alipay(wanted, alipay, clock)) {}

  static std::string signed_body(const std::string& method, const std::string& content,
                                 const RsaKey& key = keys().alipay, const std::string& more = "") {
    return "{\"" + method + "_response\":" + content + more + ",\"sign\":\"" +
           base::sign_sha256_rsa(key, content) + "\"}";
  }
  void then(const std::string& method, const std::string& content) {
    alipay.then_answer(200, signed_body(method, content), {});
  }
  void then_refuse(const std::string& method, const std::string& sub_code) {
    then(method, R"({"code":"40004","msg":"Business Failed","sub_code":")" + sub_code + R"("})");
  }
  // What was asked: the public parameters and biz_content, verified with the application's key.
  Json asked(std::size_t call = 0) const {
    const auto request = alipay.requests().at(call);
    auto params = alipay_form_in(request.target.substr(request.target.find('?') + 1));
    const auto body = alipay_form_in(request.body);
    REQUIRE(params);
    REQUIRE(body);
    params->insert(params->end(), body->begin(), body->end());
    CHECK(base::verify_sha256_rsa(keys().app, alipay_sign_text(*params),
                                  alipay_value(*params, "sign")));
    Json out = Json::object();
    for (const auto& [name, value] : *params) out[name] = value;
    out["biz"] = *base::json_in(alipay_value(*params, "biz_content"));
    return out;
  }

  testing::QuietLog quiet;
  ScriptedOutbound alipay;
  testing::ManualClock clock;
  std::unique_ptr<PayChannel> channel;
};

PrepayRequest h5_request() {
  PrepayRequest request;
  request.out_trade_no = OutTradeNo(kNumber);
  request.amount = fen(9'850);
  request.description = "话费充值, 100/50 元";
  request.expire_at_ms = 1'795'246'200'000;  // 2026-11-21 15:30 in Beijing
  request.scene = Scene::h5;
  request.return_url = "https://shop.example/#/pages/order/order?id=1";
  return request;
}

RefundRequest refund_request() {
  return {.out_refund_no = OutRefundNo(kRefundNumber),
          .out_trade_no = OutTradeNo(kNumber),
          .amount = fen(9'850),
          .total = fen(9'850),
          .reason = "充值失败"};
}

template <class T>
std::string told(const Outcome<T>& outcome) {
  if (const auto* fail = std::get_if<DefiniteFail>(&outcome)) return "fail:" + fail->code();
  if (const auto* unknown = std::get_if<Unknown>(&outcome)) return "unknown:" + unknown->why;
  return "ok";
}

AlipayParams params_in(const Json& row) {
  AlipayParams params;
  for (const Json& pair : row["params"])
    params.emplace_back(pair[0].get<std::string>(), pair[1].get<std::string>());
  return params;
}

std::string trade_json(const std::string& status, const std::string& more) {
  return R"({"code":"10000","msg":"Success","out_trade_no":")" + kNumber + R"(","trade_no":")" +
         kTradeNo + R"(","trade_status":")" + status + R"(","total_amount":"98.50")" + more + "}";
}
const std::string kPaidAt = R"(,"send_pay_date":"2026-11-21 15:31:02")";

}  // namespace

TEST_CASE("alipay: signatures equal the ones that the openssl command makes") {
  const Json rows = *base::json_in(read_fixture("alipay/known_answers.json"));
  REQUIRE(rows.size() == 6);
  for (const Json& row : rows) {
    CAPTURE(row["name"]);
    const auto text = [&row](const char* key) { return row[key].get<std::string>(); };
    if (text("kind") == "request") {
      AlipayParams params = params_in(row);
      CHECK(alipay_sign_text(params) == text("text"));
      alipay_sign(keys().app, params);
      CHECK(params.back().second == text("sign"));
    } else if (text("kind") == "answer") {
      const std::string body = text("body");
      const auto opened = open_alipay_answer({{"", keys().app}}, body, text("method"));
      REQUIRE(opened);
      CHECK(opened->content == text("content"));
      CHECK(opened->verdict == AlipaySignature::valid);
    } else {
      AlipayParams params = params_in(row);
      params.emplace_back("sign", text("sign"));
      CHECK(check_alipay_notice({{"", keys().app}}, params) == AlipaySignature::valid);
    }
  }
}

TEST_CASE("alipay: the serials of certificates are those that openssl and md5sum make") {
  const Json wanted = *base::json_in(read_fixture("alipay/serials.json"));
  const auto app = base::certificates_in(read_fixture("alipay/app_cert.txt"));
  const auto roots = base::certificates_in(read_fixture("alipay/root_certs.txt"));
  REQUIRE(app);
  REQUIRE(roots);
  REQUIRE(roots->size() == 2);
  CHECK(alipay_cert_sn(app->front()) == wanted["app"].get<std::string>());
  // The second root is signed with an elliptic curve and takes no part.
  CHECK(alipay_root_cert_sn(*roots) == wanted["root"].get<std::string>());
  CHECK(base::is_issued_by(app->front().pem, roots->front().pem));
  CHECK_FALSE(base::is_issued_by(app->front().pem, roots->back().pem));
}

TEST_CASE("alipay: the bare base64 of Alipay's own tool is a key as well") {
  const auto bare = [](const std::string& pem) {
    std::string text;
    for (std::size_t at = 0; at < pem.size();) {
      const std::size_t end = std::min(pem.find('\n', at), pem.size());
      if (pem[at] != '-') text += pem.substr(at, end - at);
      at = end + 1;
    }
    return text;
  };
  const auto private_key = alipay_private_key(bare(keys().app.private_pem()));
  const auto public_key = alipay_public_key(bare(keys().app.public_pem()));
  REQUIRE(private_key);
  REQUIRE(public_key);
  CHECK(base::verify_sha256_rsa(*public_key, "x", base::sign_sha256_rsa(*private_key, "x")));
  CHECK_FALSE(alipay_private_key("no key").has_value());
}

TEST_CASE("alipay: money is text with a point, never a floating number") {
  const auto minor = [](std::string_view text) {
    const auto amount = parse_alipay_amount(text);
    return !amount ? -2 : amount->holdable ? amount->money.minor : -1;
  };
  CHECK(minor("98.50") == 9'850);
  CHECK(minor("98.5") == 9'850);
  CHECK(minor("98") == 9'800);
  CHECK(minor("0.01") == 1);
  CHECK(minor("100000000.00") == 10'000'000'000);
  CHECK(minor("0.29") == 29);  // 0.29 * 100 is 28 in floating point
  CHECK(minor("98.501") == -1);
  CHECK(minor("-0.01") == -1);
  CHECK(minor("1000000000000000000") == -1);
  for (const char* bad : {"", "1e3", "+1", ".5", "5.", "1,000", "0x10", "１", " 1", "1 ", "NaN"})
    CHECK_MESSAGE(minor(bad) == -2, bad);
  CHECK(decimal_text(fen(5)) == "0.05");
}

TEST_CASE("alipay: text keeps off what Alipay or its bills cannot hold, and times are Beijing's") {
  CHECK(alipay_clean_text("话费/充值=50&元,🎉\n", 64) == "话费充值50元");
  CHECK(alipay_clean_text("话费", 4) == "话");
  CHECK(alipay_time(1'795'246'200'000) == "2026-11-21 15:30:00");
  CHECK(parse_alipay_time_ms("2026-11-21 15:30:00") == 1'795'246'200'000);
  for (const char* bad : {"", "2026-11-21T15:30:00", "2026-13-21 15:30:00", "2026-11-21 15:30"})
    CHECK(parse_alipay_time_ms(bad) == 0);
}

TEST_CASE("alipay: a web payment is a signed address, and nothing is called for it") {
  World world;
  const auto outcome = world.channel->prepay(h5_request());
  REQUIRE(told(outcome) == "ok");
  CHECK(world.alipay.calls() == 0);
  const std::string url = std::get<PrepayTicket>(outcome).h5_url;
  REQUIRE(url.starts_with("https://openapi.alipay.com/gateway.do?"));
  const auto params = alipay_form_in(url.substr(url.find('?') + 1));
  REQUIRE(params);
  CHECK(base::verify_sha256_rsa(keys().app, alipay_sign_text(*params),
                                alipay_value(*params, "sign")));
  CHECK(alipay_value(*params, "method") == "alipay.trade.wap.pay");
  CHECK(alipay_value(*params, "notify_url") == config().notify_url);
  CHECK(alipay_value(*params, "return_url") == h5_request().return_url);
  const Json biz = *base::json_in(alipay_value(*params, "biz_content"));
  CHECK(biz == Json{{"out_trade_no", kNumber},
                    {"total_amount", "98.50"},
                    {"subject", "话费充值 10050 元"},
                    {"product_code", "QUICK_WAP_WAY"},
                    {"time_expire", "2026-11-21 15:30:00"},
                    {"quit_url", h5_request().return_url}});
}

TEST_CASE("alipay: trade.create gives the number that the mini-program opens the cashier with") {
  World world;
  world.then("alipay_trade_create", R"({"code":"10000","msg":"Success","out_trade_no":")" +
                                        kNumber + R"(","trade_no":")" + kTradeNo + R"("})");
  PrepayRequest request = h5_request();
  request.scene = Scene::jsapi;
  request.openid = "074a1CcTG1LelxKe4xQC0zgNdId0nxi95b5lsNpazWYoCo5";
  const auto outcome = world.channel->prepay(request);
  REQUIRE(told(outcome) == "ok");
  CHECK(std::get<PrepayTicket>(outcome).invoke ==
        std::vector<std::pair<std::string, std::string>>{{"tradeNO", kTradeNo}});
  const Json asked = world.asked();
  CHECK(asked["method"] == "alipay.trade.create");
  CHECK(asked["biz"]["op_app_id"] == "2021000000000002");
  CHECK(asked["biz"]["buyer_open_id"] == request.openid);
  CHECK(asked["biz"]["product_code"] == "JSAPI_PAY");
  CHECK_FALSE(asked.contains("app_cert_sn"));
}

TEST_CASE("alipay: in certificate mode both serials travel, and an answer names its own") {
  AlipayConfig with_certificates = config();
  with_certificates.app_cert_sn = "app-serial";
  with_certificates.root_cert_sn = "root-serial";
  with_certificates.verify_keys = {{"old-serial", keys().foreign}, {"new-serial", keys().alipay}};
  World world(with_certificates);
  const auto answer = [&](const std::string& serial) {
    const std::string more = serial.empty() ? "" : ",\"alipay_cert_sn\":\"" + serial + "\"";
    world.alipay.then_answer(
        200,
        World::signed_body("alipay_trade_query", trade_json("TRADE_SUCCESS", kPaidAt),
                           keys().alipay, more),
        {});
    return told(world.channel->query(OutTradeNo(kNumber)));
  };
  CHECK(answer("new-serial") == "ok");
  CHECK(answer("old-serial") == "unknown:signature_invalid");
  CHECK(answer("unknown-serial") == "unknown:serial_unknown");
  CHECK(answer("") == "unknown:serial_unknown");
  CHECK(world.asked()["app_cert_sn"] == "app-serial");
  CHECK(world.asked()["alipay_root_cert_sn"] == "root-serial");
}

TEST_CASE("alipay: a query reads state, sum and time; an absent trade is not a failed one") {
  struct Row {
    std::string status, more;
    TradeState state;
  };
  const Row rows[] = {{"WAIT_BUYER_PAY", "", TradeState::not_paid},
                      {"TRADE_SUCCESS", kPaidAt, TradeState::paid},
                      {"TRADE_FINISHED", kPaidAt, TradeState::paid},
                      {"TRADE_CLOSED", "", TradeState::closed},
                      // Paid and then refunded in full: it was a payment.
                      {"TRADE_CLOSED", kPaidAt, TradeState::paid},
                      {"SOMETHING_NEW", "", TradeState::unknown}};
  World world;
  for (const Row& row : rows) {
    CAPTURE(row.status);
    world.then("alipay_trade_query", trade_json(row.status, row.more));
    const auto outcome = world.channel->query(OutTradeNo(kNumber));
    REQUIRE(told(outcome) == "ok");
    const Trade& trade = std::get<Trade>(outcome);
    CHECK(trade.state == row.state);
    CHECK(trade.paid == fen(9'850));
    CHECK(trade.transaction_id.text == kTradeNo);
    CHECK(trade.payee_matches);
  }
  world.then_refuse("alipay_trade_query", "ACQ.TRADE_NOT_EXIST");
  const auto absent = world.channel->query(OutTradeNo(kNumber));
  CHECK(std::get<Trade>(absent).state == TradeState::not_paid);
  world.then("alipay_trade_query", R"({"code":"10000","out_trade_no":"ANOTHER"})");
  CHECK(told(world.channel->query(OutTradeNo(kNumber))) == "unknown:answer_of_another_order");
}

TEST_CASE("alipay: each refusal, one by one; what is not listed is unknown") {
  enum class Act { create, close, refund };
  struct Row {
    Act act;
    std::string code, sub_code, wanted;
  };
  const Row rows[] = {
      {Act::create, "40004", "ACQ.TOTAL_FEE_EXCEED", "fail:ACQ.TOTAL_FEE_EXCEED"},
      {Act::create, "40004", "ACQ.SYSTEM_ERROR", "unknown:ACQ.SYSTEM_ERROR"},
      {Act::create, "20000", "isp.unknow-error", "unknown:isp.unknow-error"},
      {Act::create, "20000", "aop.unknow-error", "unknown:aop.unknow-error"},
      {Act::create, "40006", "isv.insufficient-isv-permissions",
       "fail:isv.insufficient-isv-permissions"},
      {Act::create, "40002", "isp.anything", "unknown:isp.anything"},
      {Act::create, "40004", "ACQ.NEVER_HEARD_OF", "unknown:ACQ.NEVER_HEARD_OF"},
      {Act::create, "10003", "", "unknown:10003"},
      {Act::close, "40004", "ACQ.SYSTEM_ERROR", "unknown:ACQ.SYSTEM_ERROR"},
      {Act::close, "40004", "ACQ.INVALID_PARAMETER", "unknown:ACQ.INVALID_PARAMETER"},
      {Act::close, "40006", "isv.insufficient-isv-permissions",
       "unknown:isv.insufficient-isv-permissions"},
      {Act::close, "40004", "ACQ.TRADE_NOT_EXIST", "ok"},
      {Act::refund, "40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH", "fail:ACQ.SELLER_BALANCE_NOT_ENOUGH"},
      {Act::refund, "40004", "ACQ.TRADE_NOT_EXIST", "fail:ACQ.TRADE_NOT_EXIST"},
      {Act::refund, "40004", "ACQ.SYSTEM_ERROR", "unknown:ACQ.SYSTEM_ERROR"},
      {Act::refund, "20000", "isp.unknow-error", "unknown:isp.unknow-error"},
      {Act::refund, "40004", "ACQ.NEVER_HEARD_OF", "unknown:ACQ.NEVER_HEARD_OF"},
  };
  World world;
  const std::string methods[] = {"alipay_trade_create", "alipay_trade_close",
                                 "alipay_trade_refund"};
  PrepayRequest create = h5_request();
  create.scene = Scene::jsapi;
  create.openid = "buyer";
  for (const Row& row : rows) {
    CAPTURE(row.code);
    CAPTURE(row.sub_code);
    world.then(methods[static_cast<std::size_t>(row.act)],
               R"({"code":")" + row.code + R"(","msg":"x","sub_code":")" + row.sub_code + R"("})");
    const std::string got = row.act == Act::create ? told(world.channel->prepay(create))
                            : row.act == Act::close
                                ? told(world.channel->close(OutTradeNo(kNumber)))
                                : told(world.channel->refund(refund_request()));
    CHECK(got == row.wanted);
    CHECK(world.alipay.is_played_out());
  }
}

TEST_CASE("alipay: when nobody answers, or nobody that can be trusted, the outcome is unknown") {
  World world;
  const std::string content = trade_json("TRADE_SUCCESS", kPaidAt);
  const std::string good = World::signed_body("alipay_trade_query", content);
  const auto ask = [&](int status, const std::string& body) {
    world.alipay.then_answer(status, body, {});
    return told(world.channel->query(OutTradeNo(kNumber)));
  };
  CHECK(ask(200, good) == "ok");
  CHECK(ask(502, good) == "unknown:http_502");
  CHECK(ask(200, "") == "unknown:answer_malformed");
  CHECK(ask(200, "<html>") == "unknown:answer_malformed");
  CHECK(ask(200, R"({"alipay_trade_query_response":)" + content + "}") ==
        "unknown:signature_invalid");
  CHECK(ask(200, World::signed_body("alipay_trade_query", content, keys().foreign)) ==
        "unknown:signature_invalid");
  std::string other = good;  // another sum under the same signature
  other.replace(other.find("98.50"), 5, "98.51");
  CHECK(ask(200, other) == "unknown:signature_invalid");
  std::string blank = good;  // the same JSON, written another way
  blank.insert(blank.find(",\"msg\"") + 1, " ");
  CHECK(ask(200, blank) == "unknown:signature_invalid");
  CHECK(ask(200, World::signed_body("alipay_trade_refund", content)) ==
        "unknown:answer_malformed");  // an answer to another question
  CHECK(ask(200, R"({"error_response":{"code":"40002","sub_code":"isv.invalid-signature"}})") ==
        "unknown:signature_invalid");
  std::string twice = good;
  twice.insert(1, R"("sign":"x",)");
  CHECK(ask(200, twice) == "unknown:answer_malformed");
}

TEST_CASE("alipay: an unsigned refusal begins no trade, and never ends a refund") {
  World world;
  const std::string unsigned_refusal =
      R"({"error_response":{"code":"40002","msg":"x","sub_code":"isv.invalid-signature"}})";
  PrepayRequest create = h5_request();
  create.scene = Scene::jsapi;
  create.openid = "buyer";
  world.alipay.then_answer(200, unsigned_refusal, {});
  const auto refused = world.channel->prepay(create);
  REQUIRE(told(refused) == "fail:isv.invalid-signature");
  CHECK(world.channel->blames_channel(std::get<DefiniteFail>(refused)));
  CHECK_FALSE(world.channel->blames_channel(DefiniteFail("ACQ.TOTAL_FEE_EXCEED", "")));
  world.alipay.then_answer(200, unsigned_refusal, {});
  CHECK(told(world.channel->refund(refund_request())) == "unknown:signature_invalid");
}

TEST_CASE("alipay: close says closed, and asks when payment may have won the race") {
  World world;
  world.then("alipay_trade_close", R"({"code":"10000","msg":"Success"})");
  CHECK(std::get<Trade>(world.channel->close(OutTradeNo(kNumber))).state == TradeState::closed);
  const auto race = [&](const std::string& status, const std::string& more) {
    world.then_refuse("alipay_trade_close", "ACQ.TRADE_STATUS_ERROR");
    world.then("alipay_trade_query", trade_json(status, more));
    const auto outcome = world.channel->close(OutTradeNo(kNumber));
    const auto* trade = std::get_if<Trade>(&outcome);
    return trade != nullptr ? trade->state : TradeState::unknown;
  };
  CHECK(race("TRADE_SUCCESS", kPaidAt) == TradeState::paid);
  CHECK(race("TRADE_CLOSED", "") == TradeState::closed);
  CHECK(race("WAIT_BUYER_PAY", "") == TradeState::unknown);
}

TEST_CASE("R-03: a refund is done when fund_change or its own record says so, and not before") {
  World world;
  const std::string head = R"({"code":"10000","msg":"Success","out_trade_no":")" + kNumber + "\"";
  const auto answer = [&](const std::string& more) {
    world.then("alipay_trade_refund", head + R"(,"refund_fee":"98.50")" + more + "}");
  };
  const auto record = [&](const std::string& more) {
    world.then("alipay_trade_fastpay_refund_query",
               R"({"code":"10000","msg":"Success")" + more + "}");
  };
  const std::string done = R"(,"refund_status":"REFUND_SUCCESS","refund_amount":"98.50",)"
                           R"("out_request_no":")" +
                           kRefundNumber + "\"";
  answer(R"(,"fund_change":"Y")");
  CHECK(told(world.channel->refund(refund_request())) == "ok");
  CHECK(world.asked()["biz"]["out_request_no"] == kRefundNumber);
  CHECK(world.asked()["biz"]["refund_amount"] == "98.50");
  answer(R"(,"fund_change":"N")");
  record(done);
  CHECK(told(world.channel->refund(refund_request())) == "ok");
  answer("");
  record("");
  CHECK(told(world.channel->refund(refund_request())) == "unknown:not_refunded_yet");
  // A refusal that may be the echo of a first request which succeeded.
  world.then_refuse("alipay_trade_refund", "ACQ.REASON_TRADE_REFUND_FEE_ERR");
  record(done);
  CHECK(told(world.channel->refund(refund_request())) == "ok");
  world.then_refuse("alipay_trade_refund", "ACQ.REASON_TRADE_REFUND_FEE_ERR");
  record("");
  CHECK(told(world.channel->refund(refund_request())) == "fail:ACQ.REASON_TRADE_REFUND_FEE_ERR");
  record(done);
  CHECK(told(world.channel->query_refund_of(OutTradeNo(kNumber), OutRefundNo(kRefundNumber), "")) ==
        "ok");
  record(R"(,"refund_status":"REFUND_SUCCESS","refund_amount":"1.00","out_request_no":"OTHER")");
  CHECK(told(world.channel->query_refund_of(OutTradeNo(kNumber), OutRefundNo(kRefundNumber), "")) ==
        "unknown:answer_of_another_refund");
}

TEST_CASE("alipay: a configuration that cannot work is a broken invariant") {
  World world;
  const auto with = [](void (*spoil)(AlipayConfig&)) {
    AlipayConfig bad = config();
    spoil(bad);
    return bad;
  };
  for (const AlipayConfig& bad : {with([](AlipayConfig& c) { c.app_id = ""; }),
                                  with([](AlipayConfig& c) { c.seller_id = ""; }),
                                  with([](AlipayConfig& c) { c.verify_keys.clear(); }),
                                  with([](AlipayConfig& c) { c.app_cert_sn = "one"; })}) {
    CHECK_THROWS_AS(make_alipay(bad, world.alipay, world.clock), InvariantBroken);
  }
}

}  // namespace topup::payments
