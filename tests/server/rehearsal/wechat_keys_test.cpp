// Keys that move while orders are under way: the shop's adapter against the rehearsed WeChat Pay,
// over real HTTP.
#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <variant>

#include "server/base/certificate.h"
#include "server/payments/wechat.h"
#include "tests/server/rehearsal/rehearsed_shop.h"

namespace topup::rehearsal::test {
namespace {

namespace pay = topup::payments;

constexpr std::int64_t kMinuteMs = 60'000;

struct Merchant : RehearsedShop {
  base::RsaKey key = *base::RsaKey::from_private_pem(world->access().merchant_private_key_pem);

  pay::WechatConfig config(bool has_public_key) {
    const auto& access = world->access();
    pay::WechatConfig out{access.mchid,
                          access.appid,
                          access.merchant_serial_no,
                          key,
                          access.apiv3_key,
                          {},
                          origin + "/notify/wechat",
                          "Topup",
                          origin};
    if (has_public_key) {
      out.verify_keys.emplace_back(access.platform_key_id,
                                   *base::RsaKey::from_public_pem(access.platform_public_key_pem));
    }
    out.authority_pem = access.platform_authority_pem;
    out.certificate_folder = (folder / "kept").string();
    return out;
  }
  std::unique_ptr<pay::WechatChannel> open(const pay::WechatConfig& config) {
    return pay::make_wechat(config, *wechat, clock, random);
  }
  Json keys(const Json& change = {}) {
    if (!change.is_null()) REQUIRE(control(*wechat, "/control/keys", change).status == 200);
    return Json::parse(page("/control/keys").body);
  }
  std::string rotate(const Json& how) {
    const auto made = control(*wechat, "/control/rotate", how);
    REQUIRE(made.status == 200);
    return Json::parse(made.body).at("serial").get<std::string>();
  }
  std::int64_t downloads() { return keys().at("downloads").get<std::int64_t>(); }
  pay::PrepayRequest order(const std::string& number, const std::string& payee = "") {
    pay::PrepayRequest request;
    request.out_trade_no = OutTradeNo(number);
    request.amount = fen(9'950);
    request.description = "话费充值";
    request.scene = pay::Scene::native;
    request.payee = payee;
    return request;
  }
  bool opens(pay::PayChannel& channel, const std::string& number, const std::string& payee = "") {
    return std::holds_alternative<pay::PrepayTicket>(channel.prepay(order(number, payee)));
  }
  Heard paid(const std::string& number) {
    shop.forget();
    REQUIRE(control(*wechat, "/control/pay", {{"out_trade_no", number}}).status == 200);
    const auto heard = shop.wait_for(1);
    REQUIRE(heard.size() >= 1);
    return heard[0];
  }
};

template <class T>
std::string why(const pay::Outcome<T>& outcome) {
  if (const auto* unknown = std::get_if<pay::Unknown>(&outcome)) return unknown->why;
  if (const auto* fail = std::get_if<pay::DefiniteFail>(&outcome)) return fail->code();
  return "";
}

TEST_CASE(
    "wechat keys, C-12: the first certificate is fetched once, and a rotation loses nothing") {
  Merchant merchant;
  merchant.keys({{"mode", "certificates"}});
  const auto channel = merchant.open(merchant.config(false));
  CHECK(merchant.opens(*channel, "ROTATE-00001"));
  CHECK(merchant.opens(*channel, "ROTATE-00002"));
  CHECK(merchant.downloads() == 1);
  CHECK(channel->keys().size() == 2);  // and our own

  // The new one signs half of everything, before anybody has asked for it.
  merchant.clock_skip_ms += kMinuteMs;
  merchant.rotate({{"new_percent", 50}});
  for (int i = 0; i < 20; ++i) {
    const std::string number = "ROTATE-1" + std::to_string(1'000 + i);
    CAPTURE(number);
    CHECK(merchant.opens(*channel, number));
    const Heard heard = merchant.paid(number);
    CHECK(channel->parse_notify({heard.headers, heard.body}).has_value());
  }
  CHECK(merchant.downloads() == 2);
  CHECK(channel->keys().size() == 3);

  // Kept in files: another start asks nobody, with either certificate.
  const auto next = merchant.open(merchant.config(false));
  for (int i = 0; i < 8; ++i) CHECK(merchant.opens(*next, "ROTATE-2" + std::to_string(1'000 + i)));
  CHECK(merchant.downloads() == 2);
}

TEST_CASE(
    "wechat keys, C-12: an unknown serial is asked for at most once a minute, never in a loop") {
  Merchant merchant;
  merchant.keys({{"mode", "certificates"}});
  const auto channel = merchant.open(merchant.config(false));
  CHECK(merchant.opens(*channel, "UNKNOWN-0001"));
  Heard heard = merchant.paid("UNKNOWN-0001");
  for (auto& [name, value] : heard.headers) {
    if (name == "wechatpay-serial") value = std::string(40, 'A');
  }
  for (int i = 0; i < 50; ++i) {
    const auto told = channel->parse_notify({heard.headers, heard.body});
    REQUIRE_FALSE(told);
    CHECK(told.error().reason == "serial_unknown");
  }
  CHECK(merchant.downloads() == 1);
  merchant.clock_skip_ms += kMinuteMs;
  CHECK_FALSE(channel->parse_notify({heard.headers, heard.body}).has_value());
  CHECK(merchant.downloads() == 2);
  // What is too old anyway is no reason to ask.
  merchant.clock_skip_ms += 5 * kMinuteMs;
  CHECK_FALSE(channel->parse_notify({heard.headers, heard.body}).has_value());
  CHECK(merchant.downloads() == 2);
}

TEST_CASE("wechat keys, C-12: what is expired or of another authority is not believed") {
  Merchant merchant;
  merchant.keys({{"mode", "certificates"}});
  merchant.rotate({{"lives_s", 120}, {"new_percent", 100}});
  const auto channel = merchant.open(merchant.config(false));
  CHECK(merchant.opens(*channel, "EXPIRED-0001"));
  merchant.clock_skip_ms += 3 * kMinuteMs;  // it still signs with it
  CHECK(why(channel->prepay(merchant.order("EXPIRED-0002"))) == "serial_unknown");

  merchant.rotate({{"new_percent", 100}});
  pay::WechatConfig strangers = merchant.config(false);
  const auto other = base::RsaKey::generate();
  base::NewCertificate root;
  root.organisation = "Rehearsal";  // the same name
  root.common_name = "Rehearsed Root CA";
  root.begin_ms = merchant.clock.wall_ms() - kMinuteMs;
  root.end_ms = merchant.clock.wall_ms() + kMinuteMs;
  root.is_authority = true;
  strangers.authority_pem = base::make_certificate(root, other, other, "");
  strangers.certificate_folder += "-of-strangers";
  const auto wary = merchant.open(strangers);
  CHECK(why(wary->prepay(merchant.order("EXPIRED-0003"))) == "serial_unknown");
  CHECK_FALSE(std::filesystem::exists(strangers.certificate_folder));
  merchant.clock_skip_ms += kMinuteMs;
  CHECK(merchant.opens(*channel, "EXPIRED-0004"));
}

TEST_CASE("wechat keys, X04: both kinds at once while a merchant moves to the public key") {
  Merchant merchant;
  merchant.keys({{"mode", "certificates"}});
  const auto channel = merchant.open(merchant.config(true));
  CHECK(merchant.opens(*channel, "MOVING-00001"));  // the header has no effect yet
  merchant.keys({{"mode", "migrating"}, {"public_key_percent", 50}});
  int by_public_key = 0;
  for (int i = 0; i < 24; ++i) {
    const std::string number = "MOVING-1" + std::to_string(1'000 + i);
    CHECK(merchant.opens(*channel, number));
    const Heard heard = merchant.paid(number);
    by_public_key += heard.header("wechatpay-serial").starts_with("PUB_KEY_ID_") ? 1 : 0;
    CHECK(channel->parse_notify({heard.headers, heard.body}).has_value());
  }
  CHECK(by_public_key > 0);
  CHECK(by_public_key < 24);
  merchant.keys({{"mode", "public_key"}});
  CHECK(merchant.opens(*channel, "MOVING-00002"));
  CHECK(merchant.downloads() == 1);
}

TEST_CASE("wechat keys: a merchant without certificates is not asked again for an hour") {
  Merchant merchant;
  const auto channel = merchant.open(merchant.config(true));
  CHECK(merchant.opens(*channel, "PUBLIC-00001"));
  Heard heard = merchant.paid("PUBLIC-00001");
  for (auto& [name, value] : heard.headers) {
    if (name == "wechatpay-serial") value = std::string(40, 'B');
  }
  for (int i = 0; i < 4; ++i) {
    CHECK_FALSE(channel->parse_notify({heard.headers, heard.body}).has_value());
    merchant.clock_skip_ms += kMinuteMs;
  }
  CHECK(merchant.downloads() == 1);
  channel->tend_keys();
  CHECK(merchant.downloads() == 1);
}

TEST_CASE("wechat keys, F031: the merchant's own keys are exchanged while orders are under way") {
  Merchant merchant;
  const auto channel = merchant.open(merchant.config(true));
  CHECK(merchant.opens(*channel, "SWAP-000001"));
  const auto fresh = base::RsaKey::generate();
  pay::WechatConfig changed = merchant.config(true);
  changed.private_key = fresh;
  changed.serial_no = std::string(40, 'C');
  REQUIRE(channel->adopt(changed));
  CHECK(why(channel->prepay(merchant.order("SWAP-000002"))) ==
        "SIGN_ERROR");  // not known there yet
  REQUIRE(merchant
              .control(*merchant.wechat, "/control/merchant",
                       {{"serial_no", changed.serial_no}, {"public_key_pem", fresh.public_pem()}})
              .status == 200);
  CHECK(merchant.opens(*channel, "SWAP-000003"));

  // What was sealed with the former API v3 key and comes late still opens.
  const Heard late = merchant.paid("SWAP-000003");
  changed.apiv3_key = std::string(32, 'x');
  REQUIRE(channel->adopt(changed));
  CHECK(channel->parse_notify({late.headers, late.body}).has_value());
  pay::WechatConfig other = changed;
  other.mchid = "1900000109";
  const auto refused = channel->adopt(other);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().reason == "needs_restart");
  CHECK(merchant.opens(*channel, "SWAP-000004"));
}

TEST_CASE("wechat keys: a kept ticket is signed anew for its own payer and its own key only") {
  Merchant merchant;
  const auto channel = merchant.open(merchant.config(true));
  pay::PrepayRequest request = merchant.order("RESUME-00001");
  request.scene = pay::Scene::jsapi;
  request.openid = "oRehearsalBuyer000000000000";
  const auto first = channel->prepay(request);
  const auto* ticket = std::get_if<pay::PrepayTicket>(&first);
  REQUIRE(ticket != nullptr);
  const auto again = channel->resume(request, ticket->kept);
  REQUIRE(again);
  CHECK(again->invoke[3] == ticket->invoke[3]);  // the package
  CHECK(again->invoke[2] != ticket->invoke[2]);  // the nonce
  CHECK(again->invoke[5] != ticket->invoke[5]);  // the paySign
  request.openid = "oSomebodyElse00000000000000";
  CHECK_FALSE(channel->resume(request, ticket->kept));
  request.openid = "oRehearsalBuyer000000000000";
  CHECK_FALSE(channel->resume(request, ""));
  pay::WechatConfig changed = merchant.config(true);
  changed.serial_no = std::string(40, 'D');
  REQUIRE(channel->adopt(changed));
  CHECK_FALSE(channel->resume(request, ticket->kept));
}

TEST_CASE(
    "wechat partner, F030: a station's payment is asked, closed and refunded as the station's") {
  Merchant merchant;
  pay::WechatConfig config = merchant.config(true);
  config.default_payee = "1716000101";
  config.payees = {{"cn-sinopec", "1716000102"}};
  const auto channel = merchant.open(config);
  CHECK(channel->payee_of("cn-mobile") == "1716000101");
  CHECK(channel->payee_of("cn-sinopec") == "1716000102");
  const OutTradeNo number("STATION-0001");
  REQUIRE(merchant.opens(*channel, number.text, "1716000102"));
  CHECK(std::get<pay::Trade>(channel->query_of(number, "1716000102")).state ==
        pay::TradeState::not_paid);
  CHECK(why(channel->query_of(number, "1716000101")) == "INVALID_REQUEST");
  CHECK(why(channel->query_of(number, "")) == "INVALID_REQUEST");

  Heard heard = merchant.paid(number.text);
  const auto told = channel->parse_notify({heard.headers, heard.body});
  REQUIRE(told);
  const auto& trade = std::get<pay::Trade>(told->what);
  CHECK(trade.payee_matches);
  CHECK(trade.payee == "1716000102");
  CHECK(std::get<pay::Trade>(channel->close_of(number, "1716000102")).state ==
        pay::TradeState::paid);

  merchant.shop.forget();
  pay::RefundRequest refund{OutRefundNo("STATION-R001"), number, fen(9'950), fen(9'950), "test"};
  refund.payee = "1716000101";
  CHECK(why(channel->refund(refund)) == "INVALID_REQUEST");
  refund.payee = "1716000102";
  refund.out_refund_no = OutRefundNo("STATION-R002");
  REQUIRE(std::holds_alternative<pay::RefundTrade>(channel->refund(refund)));
  const auto back = merchant.shop.wait_for(1);
  REQUIRE(back.size() >= 1);
  const auto said = channel->parse_notify({back[0].headers, back[0].body});
  REQUIRE(said);
  CHECK(std::get<pay::RefundTrade>(said->what).payee == "1716000102");
  CHECK(std::get<pay::RefundTrade>(
            channel->query_refund_of(number, refund.out_refund_no, "1716000102"))
            .state == pay::RefundState::succeeded);
  CHECK(why(channel->query_refund_of(number, refund.out_refund_no, "1716000101")) ==
        "RESOURCE_NOT_EXISTS");
}

TEST_CASE("wechat partner: each wrong relation is refused in the documented words") {
  Merchant merchant;
  const auto channel = merchant.open(merchant.config(true));
  CHECK(why(channel->prepay(merchant.order("RELATION-001", "1716000001"))) == "PARAM_ERROR");
  CHECK(why(channel->prepay(merchant.order("RELATION-002", "1716999999"))) == "NO_AUTH");
  CHECK(why(channel->query_of(OutTradeNo("RELATION-003"), "1716999999")) == "NO_AUTH");
}

TEST_CASE("wechat: 429 is later, and nothing is sent for a moment after it") {
  Merchant merchant;
  const auto channel = merchant.open(merchant.config(true));
  REQUIRE(merchant.control(*merchant.wechat, "/control", {{"next", "busy"}}).status == 200);
  CHECK(why(channel->prepay(merchant.order("BUSY-000001"))) == "FREQUENCY_LIMITED");
  CHECK(why(channel->prepay(merchant.order("BUSY-000001"))) == "paced");
  CHECK(std::get<pay::Trade>(channel->query(OutTradeNo("BUSY-000001"))).state ==
        pay::TradeState::not_paid);  // other calls go on
  merchant.clock_skip_ms += 1'000;
  CHECK(merchant.opens(*channel, "BUSY-000001"));
}

TEST_CASE("wechat: a probe in place of an answer's signature is asked again once") {
  Merchant merchant;
  const auto channel = merchant.open(merchant.config(true));
  REQUIRE(merchant.control(*merchant.wechat, "/control", {{"next", "probe_answer"}}).status == 200);
  CHECK(merchant.opens(*channel, "PROBE-000001"));
  REQUIRE(merchant.control(*merchant.wechat, "/control", {{"next", "probe_answer"}, {"count", 2}})
              .status == 200);
  CHECK(why(channel->prepay(merchant.order("PROBE-000002"))) == "signature_probe");
}

}  // namespace
}  // namespace topup::rehearsal::test
