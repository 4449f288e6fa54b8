#include "server/payments/alipay_people.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/support/manual_clock.h"
#include "tests/support/scratch_shop.h"
#include "tests/support/scripted_outbound.h"

namespace topup::payments {
namespace {

using base::RsaKey;
using testing::read_fixture;

const std::string kMethod = "alipay_system_oauth_token";
const std::string kGoodAnswer =
    R"({"access_token":"t","expires_in":1296000,"open_id":"074a1CcTG1LelxKe4xQC0zgNdId0nxi95b5"})";

struct Keys {
  RsaKey app = *RsaKey::from_private_pem(read_fixture("wechat/test_merchant_key.txt"));
  RsaKey alipay = RsaKey::generate(), foreign = RsaKey::generate();
};
const Keys& keys() {
  static const Keys one;
  return one;
}

std::string signed_body(const std::string& content, const RsaKey& key = keys().alipay,
                        const std::string& name = kMethod + "_response") {
  return "{\"" + name + "\":" + content + ",\"sign\":\"" + base::sign_sha256_rsa(key, content) +
         "\"}";
}

struct Asking {
  explicit Asking(bool has_keys_of_its_own = false)
      : people(config(has_keys_of_its_own), alipay, clock) {}
  static AlipayConfig config(bool has_keys_of_its_own) {
    AlipayConfig out{.app_id = "2021000000000001",
                     .seller_id = "2088000000000001",
                     .private_key = has_keys_of_its_own ? keys().foreign : keys().app,
                     .verify_keys = {{"", has_keys_of_its_own ? keys().foreign : keys().alipay}},
                     .app_cert_sn = "",
                     .root_cert_sn = "",
                     .origin = "https://openapi.alipay.com",
                     .notify_url = "https://shop.example/notify/alipay",
                     .subject = "Topup",
                     .op_app_id = "2021000000000002"};
    if (has_keys_of_its_own) {
      out.mini_key = keys().app;
      out.mini_verify_keys = {{"", keys().alipay}};
    }
    return out;
  }
  std::string told(int status, const std::string& body) {
    alipay.then_answer(status, body, {});
    const auto person = people.person_of_code("code-1");
    return person ? *person : std::string(person.error().reason);
  }

  testing::QuietLog quiet;
  testing::ScriptedOutbound alipay;
  testing::ManualClock clock;
  AlipayPeople people;
};

}  // namespace

TEST_CASE("alipay sign-in: a code is exchanged in the mini-program's name, signed with its key") {
  for (const bool has_keys_of_its_own : {false, true}) {
    CAPTURE(has_keys_of_its_own);
    Asking asking(has_keys_of_its_own);
    CHECK(asking.told(200, signed_body(kGoodAnswer)) == "074a1CcTG1LelxKe4xQC0zgNdId0nxi95b5");
    const auto request = asking.alipay.requests().at(0);
    auto params = alipay_form_in(request.target.substr(request.target.find('?') + 1));
    const auto body = alipay_form_in(request.body);
    REQUIRE(params);
    REQUIRE(body);
    CHECK(alipay_value(*params, "app_id") == "2021000000000002");
    CHECK(alipay_value(*params, "method") == "alipay.system.oauth.token");
    CHECK(alipay_value(*params, "grant_type") == "authorization_code");
    CHECK(alipay_value(*params, "code") == "");  // a secret stays out of the address
    CHECK(alipay_value(*body, "code") == "code-1");
    params->insert(params->end(), body->begin(), body->end());
    CHECK(base::verify_sha256_rsa(keys().app, alipay_sign_text(*params),
                                  alipay_value(*params, "sign")));
  }
  Asking old;
  CHECK(old.told(200, signed_body(R"({"user_id":"2088102150477652"})")) == "2088102150477652");
}

TEST_CASE("alipay sign-in: nobody is signed in by an answer that Alipay has not signed") {
  Asking asking;
  const std::string genuine = signed_body(kGoodAnswer);
  const std::size_t sign = genuine.find("\"sign\":\"") + 8;
  std::string flipped = genuine;
  flipped[sign + 5] = flipped[sign + 5] == 'A' ? 'B' : 'A';
  std::string other = genuine;
  other.replace(other.find("074a"), 4, "074b");
  const std::string forged[] = {
      signed_body(kGoodAnswer, keys().foreign),
      flipped,
      other,
      "{\"" + kMethod + "_response\":" + kGoodAnswer + "}",
      "{\"" + kMethod + "_response\":" + kGoodAnswer + ",\"sign\":\"\"}",
      signed_body(kGoodAnswer, keys().alipay, "alipay_trade_query_response"),
      signed_body(kGoodAnswer, keys().alipay, "error_response"),
      signed_body(R"({"code":"40004","sub_code":"ACQ.X","open_id":"x"})"),
      signed_body(R"({"access_token":"t"})"),
      signed_body(R"({"open_id":""})"),
      signed_body("{\"open_id\":\"a b\"}"),
      signed_body("{\"open_id\":\"" + std::string(129, 'a') + "\"}"),
      "",
      "{}",
      "<html>"};
  for (const std::string& body : forged) {
    CAPTURE(body);
    CHECK(asking.told(200, body) == "alipay_unavailable");
  }
  CHECK(asking.told(502, genuine) == "alipay_unavailable");
  CHECK(asking.told(200, genuine) == "074a1CcTG1LelxKe4xQC0zgNdId0nxi95b5");
}

TEST_CASE("alipay sign-in: a used code is the buyer's trouble, a refused application the shop's") {
  Asking asking;
  const auto refusal = [](const std::string& code, const std::string& sub_code) {
    return R"({"error_response":{"code":")" + code + R"(","msg":"x","sub_code":")" + sub_code +
           R"("}})";
  };
  CHECK(asking.told(200, refusal("40002", "isv.code-invalid")) == "alipay_code_invalid");
  CHECK(asking.told(200, refusal("40002", "isv.invalid-signature")) == "alipay_misconfigured");
  CHECK(asking.told(200, refusal("40006", "isv.insufficient-isv-permissions")) ==
        "alipay_misconfigured");
  CHECK(asking.told(200, refusal("20000", "isp.unknow-error")) == "alipay_unavailable");
  const std::size_t asked = asking.alipay.calls();
  for (const std::string& code : {std::string(), std::string(65, 'a'), std::string("a b"),
                                  std::string("a\r\nb"), std::string("代码")}) {
    const auto person = asking.people.person_of_code(code);
    REQUIRE_FALSE(person);
    CHECK(person.error().reason == "alipay_code_invalid");
  }
  CHECK(asking.alipay.calls() == asked);
}

}  // namespace topup::payments
