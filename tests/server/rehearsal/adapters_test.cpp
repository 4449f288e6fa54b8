// The shop's adapters against the rehearsed parties over real HTTP: what one side signs the other
// verifies, in both directions.
#include <doctest/doctest.h>

#include <string>
#include <variant>

#include "server/payments/wechat.h"
#include "server/suppliers/reloadly.h"
#include "tests/server/rehearsal/rehearsed_shop.h"

using namespace topup;
using namespace topup::rehearsal::test;
namespace pay = topup::payments;

namespace {

pay::WechatConfig config_of(const RehearsedShop& shop, const base::RsaKey& key) {
  const auto& access = shop.world->access();
  const auto platform = base::RsaKey::from_public_pem(access.platform_public_key_pem);
  REQUIRE(platform);
  return {access.mchid,
          access.appid,
          access.merchant_serial_no,
          key,
          access.apiv3_key,
          {{access.platform_key_id, *platform}},
          shop.origin + "/notify/wechat",
          "Topup",
          shop.origin};
}

pay::PrepayRequest prepay_of(const std::string& number, pay::Scene scene, std::int64_t now_ms) {
  pay::PrepayRequest request;
  request.out_trade_no = OutTradeNo(number);
  request.amount = fen(9'950);
  request.description = "话费充值";
  request.expire_at_ms = now_ms + 900'000;
  request.scene = scene;
  request.openid = scene == pay::Scene::jsapi ? "oRehearsalBuyer000000000000" : "";
  request.client_address = "127.0.0.1";
  return request;
}

std::string value_of(const pay::PrepayTicket& ticket, std::string_view name) {
  for (const auto& [key, value] : ticket.invoke) {
    if (key == name) return value;
  }
  return {};
}

void pay_at_sheet(RehearsedShop& shop, const std::string& number) {
  base::OutboundRequest request;
  request.method = "POST";
  request.target = "/control/pay";
  request.headers = {{"Content-Type", "application/json"}};
  request.body = Json({{"out_trade_no", number}}).dump();
  REQUIRE(shop.wechat->call(request).status == 200);
}

// What the shop's route would hand to the adapter.
pay::NotifyRequest as_notify(const Heard& heard) { return {heard.headers, heard.body}; }

}  // namespace

TEST_CASE("WeChat JSAPI: prepay gives a paySign that the merchant's public key verifies") {
  RehearsedShop shop;
  const auto& access = shop.world->access();
  const auto key = base::RsaKey::from_private_pem(access.merchant_private_key_pem);
  REQUIRE(key);
  const auto channel =
      pay::make_wechat(config_of(shop, *key), *shop.wechat, shop.clock, shop.random);
  const auto outcome =
      channel->prepay(prepay_of("JSAPI-0000001", pay::Scene::jsapi, shop.clock.wall_ms()));
  const auto* ticket = std::get_if<pay::PrepayTicket>(&outcome);
  REQUIRE(ticket != nullptr);
  CHECK(value_of(*ticket, "signType") == "RSA");
  CHECK(value_of(*ticket, "package").starts_with("prepay_id="));
  const std::string signed_text = access.appid + "\n" + value_of(*ticket, "timeStamp") + "\n" +
                                  value_of(*ticket, "nonceStr") + "\n" +
                                  value_of(*ticket, "package") + "\n";
  const auto public_key = base::RsaKey::from_public_pem(key->public_pem());
  REQUIRE(public_key);
  CHECK(base::verify_sha256_rsa(*public_key, signed_text, value_of(*ticket, "paySign")));
  CHECK_FALSE(
      base::verify_sha256_rsa(*public_key, signed_text + "x", value_of(*ticket, "paySign")));
}

TEST_CASE("WeChat: prepay, notification, query, refund and its notification agree") {
  RehearsedShop shop;
  const auto key = base::RsaKey::from_private_pem(shop.world->access().merchant_private_key_pem);
  const auto channel =
      pay::make_wechat(config_of(shop, *key), *shop.wechat, shop.clock, shop.random);
  const OutTradeNo number("ADAPTER-00001");
  REQUIRE(std::holds_alternative<pay::PrepayTicket>(
      channel->prepay(prepay_of(number.text, pay::Scene::h5, shop.clock.wall_ms()))));
  CHECK(std::get<pay::Trade>(channel->query(number)).state == pay::TradeState::not_paid);

  pay_at_sheet(shop, number.text);
  const auto heard = shop.shop.wait_for(1);
  REQUIRE(heard.size() >= 1);
  const auto notification = channel->parse_notify(as_notify(heard[0]));
  REQUIRE(notification);
  const auto& trade = std::get<pay::Trade>(notification->what);
  CHECK(trade.state == pay::TradeState::paid);
  CHECK(trade.paid == fen(9'950));
  CHECK(trade.payee_matches);
  const auto asked = std::get<pay::Trade>(channel->query(number));
  CHECK(asked.transaction_id == trade.transaction_id);
  CHECK(std::get<pay::Trade>(channel->close(number)).state == pay::TradeState::paid);

  shop.shop.forget();
  const pay::RefundRequest refund{OutRefundNo("ADAPTER-R0001"), number, fen(9'950), fen(9'950),
                                  "not_delivered"};
  REQUIRE(std::holds_alternative<pay::RefundTrade>(channel->refund(refund)));
  REQUIRE(std::holds_alternative<pay::RefundTrade>(channel->refund(refund)));  // the same refund
  const auto refunded = shop.shop.wait_for(1);
  REQUIRE(refunded.size() >= 1);
  const auto said = channel->parse_notify(as_notify(refunded[0]));
  REQUIRE(said);
  CHECK(std::get<pay::RefundTrade>(said->what).state == pay::RefundState::succeeded);
  CHECK(std::get<pay::RefundTrade>(channel->query_refund(refund.out_refund_no)).amount ==
        fen(9'950));
}

TEST_CASE("WeChat: an order closed by the shop can no longer be paid") {
  RehearsedShop shop;
  const auto key = base::RsaKey::from_private_pem(shop.world->access().merchant_private_key_pem);
  const auto channel =
      pay::make_wechat(config_of(shop, *key), *shop.wechat, shop.clock, shop.random);
  const OutTradeNo number("ADAPTER-00002");
  REQUIRE(std::holds_alternative<pay::PrepayTicket>(
      channel->prepay(prepay_of(number.text, pay::Scene::h5, shop.clock.wall_ms()))));
  CHECK(std::get<pay::Trade>(channel->close(number)).state == pay::TradeState::closed);
  CHECK(std::get<pay::Trade>(channel->close(number)).state == pay::TradeState::closed);
}

TEST_CASE("Reloadly: catalogue, top-up, signed webhook, query and balance agree") {
  RehearsedShop shop;
  const auto& access = shop.world->access();
  const auto supplier = suppliers::make_reloadly(
      {access.reloadly_client_id, access.reloadly_client_secret, access.reloadly_origin,
       access.reloadly_webhook_secret, Currency::usd},
      *shop.auth, *shop.reloadly, shop.clock);
  const auto products = supplier->products("CN");
  REQUIRE(products);
  REQUIRE(products->size() >= 8);
  const auto before = supplier->balance();
  REQUIRE(before);

  const AttemptId attempt("ADAPTERS0001");
  const suppliers::SubmitRequest submit{attempt, products->front().supplier_operator_id, "CN",
                                        "+8613800001234", products->front().face};
  CHECK(supplier->submit(submit).state == suppliers::SupplyState::accepted);
  const auto heard = shop.shop.wait_for(1);
  REQUIRE(heard.size() >= 1);
  const auto hint = supplier->parse_callback({heard[0].headers, heard[0].body});
  REQUIRE(hint);
  CHECK(*hint == attempt);
  const auto outcome = supplier->query(attempt, "");
  CHECK(outcome.state == suppliers::SupplyState::succeeded);
  REQUIRE(outcome.cost);
  // The wallet keeps five decimals and we keep cents, so one cent may lie between the two.
  const auto after = supplier->balance();
  REQUIRE(after);
  CHECK(after->minor <= before->minor - outcome.cost->minor + 1);
  CHECK(after->minor >= before->minor - outcome.cost->minor - 1);
  CHECK(supplier->submit(submit).state == suppliers::SupplyState::succeeded);  // the same top-up
  CHECK(supplier->balance()->minor == after->minor);
}
