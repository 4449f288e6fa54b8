// The shop's adapters against the rehearsed parties over real HTTP: what one side signs the other
// verifies, in both directions.
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "server/payments/wechat.h"
#include "server/suppliers/reloadly.h"
#include "shared/time_point.h"
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

TEST_CASE("Reloadly: F001: amounts, ranges and bundles abroad are listed and delivered") {
  RehearsedShop shop;
  const auto& access = shop.world->access();
  const auto supplier = suppliers::make_reloadly(
      {access.reloadly_client_id, access.reloadly_client_secret, access.reloadly_origin,
       access.reloadly_webhook_secret, Currency::usd},
      *shop.auth, *shop.reloadly, shop.clock);
  struct Place {
    const char *country, *number;
  };
  int ordered = 0, data = 0, ranges = 0;
  for (const Place& place :
       {Place{"TH", "+66812345678"}, Place{"NG", "+2348031234567"}, Place{"PH", "+639171234567"}}) {
    CAPTURE(place.country);
    const auto products = supplier->products(place.country);
    REQUIRE(products);
    CHECK(products->size() >= 5);
    const auto owner = supplier->look_up(place.number);
    REQUIRE(owner);
    CHECK(owner->country == place.country);
    std::string number = place.number;
    const auto ending = [&number](const char* four) {
      return number.replace(number.size() - 4, 4, four);
    };
    CHECK(supplier->look_up(ending("9081")).error().reason == "operator_unknown");
    const auto ported = supplier->look_up(ending("9083"));
    REQUIRE(ported);
    CHECK(ported->supplier_operator_id != owner->supplier_operator_id);
    CHECK(supplier->look_up(ending("9084"))->supplier_operator_id == "999999");
    for (const ProductKind kind : {ProductKind::airtime, ProductKind::data}) {
      for (const bool is_range : {false, true}) {
        for (const auto& product : *products) {
          if (product.kind != kind || (product.step_minor > 0) != is_range) continue;
          suppliers::SubmitRequest request;
          request.attempt_id = AttemptId("SABROAD0000" + std::to_string(++ordered));
          request.supplier_operator_id = product.supplier_operator_id;
          request.country = place.country;
          request.account_number = place.number;
          request.face = product.face;
          if (is_range) request.face.minor += product.step_minor;
          request.kind = kind;
          CHECK(product.cost.minor > 0);
          CHECK(supplier->submit(request).state == suppliers::SupplyState::accepted);
          REQUIRE(soon([&] {
            return supplier->query(request.attempt_id, "").state ==
                   suppliers::SupplyState::succeeded;
          }));
          // What is listed is what is taken, to the cent.
          const auto said = supplier->query(request.attempt_id, "");
          REQUIRE(said.cost);
          if (!is_range) CHECK(std::abs(said.cost->minor - product.cost.minor) <= 1);
          ++(is_range ? ranges : kind == ProductKind::data ? data : ordered);
          break;
        }
      }
    }
  }
  CHECK(data >= 1);
  CHECK(ranges >= 1);
  // A number of another country is refused, and nothing is taken for it.
  const auto before = supplier->balance();
  const auto thai = supplier->products("TH");
  suppliers::SubmitRequest wrong;
  wrong.attempt_id = AttemptId("SABROAD00099");
  wrong.supplier_operator_id = thai->front().supplier_operator_id;
  wrong.country = "TH";
  wrong.account_number = "+639171234567";
  wrong.face = thai->front().face;
  CHECK(supplier->submit(wrong).state == suppliers::SupplyState::rejected);
  CHECK(supplier->balance()->minor == before->minor);
}

TEST_CASE("WeChat: the rehearsed bill reads, and differs from the books only where planted") {
  RehearsedShop shop;
  const auto key = base::RsaKey::from_private_pem(shop.world->access().merchant_private_key_pem);
  const auto channel =
      pay::make_wechat(config_of(shop, *key), *shop.wechat, shop.clock, shop.random);
  const auto today = day_text(shop.clock.wall_ms(), kShanghaiOffsetMs);
  for (const char* number : {"BILL-000001", "BILL-000002", "BILL-000003"}) {
    REQUIRE(std::holds_alternative<pay::PrepayTicket>(
        channel->prepay(prepay_of(number, pay::Scene::h5, shop.clock.wall_ms()))));
  }
  pay_at_sheet(shop, "BILL-000001");
  pay_at_sheet(shop, "BILL-000002");
  REQUIRE(std::holds_alternative<pay::RefundTrade>(channel->refund(
      {OutRefundNo("BILL-R00001"), OutTradeNo("BILL-000002"), fen(1'000), fen(9'950), "part"})));
  CHECK(std::get<pay::Unknown>(channel->bill(today)).why == "STATEMENT_CREATING");

  shop.clock_skip_ms += 40 * 3'600'000;  // tomorrow after ten
  const auto bill = channel->bill(today);
  REQUIRE(std::holds_alternative<pay::Bill>(bill));
  const auto& read = std::get<pay::Bill>(bill);
  CHECK(read.lines.size() == 3);
  CHECK(read.paid == fen(19'900));
  CHECK(read.refunded == fen(1'000));
  CHECK(read.fees == fen(60 + 60 - 6));
  CHECK(read.lines[0].payee.empty());
  const auto day_before = day_text(shop.clock.wall_ms() - 3 * kDayMs, kShanghaiOffsetMs);
  CHECK(std::get<pay::Bill>(channel->bill(day_before)).lines.empty());

  const auto plant = [&](const Json& what) {
    REQUIRE(shop.control(*shop.wechat, "/control/bill", what).status == 200);
  };
  plant({{"plant", "leave_out"}, {"number", "BILL-000001"}});
  plant({{"plant", "twice"}, {"number", "BILL-000002"}});
  plant({{"plant", "stranger"}, {"number", "BILL-999999"}, {"value", "777"}, {"day", today}});
  const auto planted = std::get<pay::Bill>(channel->bill(today));
  CHECK(planted.payments == 3);
  CHECK(planted.paid == fen(2 * 9'950 + 777));
  plant({{"plant", "none"}});
  CHECK(std::get<pay::Bill>(channel->bill(today)).paid == fen(19'900));
  REQUIRE(shop.control(*shop.wechat, "/control", {{"next", "bill_hash"}}).status == 200);
  CHECK(std::get<pay::Unknown>(channel->bill(today)).why == "bill_hash_differs");
}

TEST_CASE("WeChat: the rehearsed fund flow lists each movement, and its balance runs on") {
  RehearsedShop shop;
  const auto key = base::RsaKey::from_private_pem(shop.world->access().merchant_private_key_pem);
  const auto channel =
      pay::make_wechat(config_of(shop, *key), *shop.wechat, shop.clock, shop.random);
  const auto today = day_text(shop.clock.wall_ms(), kShanghaiOffsetMs);
  using Funds = std::vector<pay::FundLine>;
  REQUIRE(channel->has_fund_bill());
  for (const char* number : {"FUND-000001", "FUND-000002", "FUND-000003"}) {
    REQUIRE(std::holds_alternative<pay::PrepayTicket>(
        channel->prepay(prepay_of(number, pay::Scene::h5, shop.clock.wall_ms()))));
  }
  pay_at_sheet(shop, "FUND-000001");
  pay_at_sheet(shop, "FUND-000002");
  REQUIRE(std::holds_alternative<pay::RefundTrade>(channel->refund(
      {OutRefundNo("FUND-R00001"), OutTradeNo("FUND-000002"), fen(1'000), fen(9'950), "part"})));
  CHECK(std::get<pay::Unknown>(channel->fund_bill(today)).why == "STATEMENT_CREATING");

  shop.clock_skip_ms += 40 * 3'600'000;  // tomorrow after ten
  const auto funds = std::get<Funds>(channel->fund_bill(today));
  REQUIRE(funds.size() == 6);
  std::int64_t balance = 0;
  std::map<pay::FundKind, std::int64_t> sums;
  for (const pay::FundLine& line : funds) {
    balance += line.amount.minor;
    CHECK(line.balance == fen(balance));
    sums[line.kind] += line.amount.minor;
  }
  CHECK(sums == std::map<pay::FundKind, std::int64_t>{{pay::FundKind::payment, 2 * 9'950},
                                                      {pay::FundKind::refund, -1'000},
                                                      {pay::FundKind::fee, -60 - 60 + 6}});
  CHECK(funds[0].number == "FUND-000001");
  CHECK(funds[0].word == "交易");
  const auto bill = std::get<pay::Bill>(channel->bill(today));
  CHECK(bill.paid.minor - bill.refunded.minor - bill.fees.minor == balance);
  CHECK(funds[0].business_no == bill.lines[0].transaction_id.text);

  // The next day begins where this one ended; a day of standing still has no bill.
  const auto tomorrow = day_text(shop.clock.wall_ms(), kShanghaiOffsetMs);
  REQUIRE(std::holds_alternative<pay::PrepayTicket>(
      channel->prepay(prepay_of("FUND-000004", pay::Scene::h5, shop.clock.wall_ms()))));
  pay_at_sheet(shop, "FUND-000004");
  shop.clock_skip_ms += 96 * 3'600'000;
  const auto next = std::get<Funds>(channel->fund_bill(tomorrow));
  REQUIRE(next.size() == 2);
  CHECK(next[0].balance == fen(balance + 9'950));
  const auto still = day_text(shop.clock.wall_ms() - 2 * kDayMs, kShanghaiOffsetMs);
  CHECK(std::get<Funds>(channel->fund_bill(still)).empty());
  CHECK(funds[0].flow_no == std::get<Funds>(channel->fund_bill(today))[0].flow_no);
}

TEST_CASE(
    "WeChat: a rehearsed fund flow says otherwise where planted, and a bad file is not used") {
  RehearsedShop shop;
  const auto key = base::RsaKey::from_private_pem(shop.world->access().merchant_private_key_pem);
  const auto channel =
      pay::make_wechat(config_of(shop, *key), *shop.wechat, shop.clock, shop.random);
  const auto today = day_text(shop.clock.wall_ms(), kShanghaiOffsetMs);
  using Funds = std::vector<pay::FundLine>;
  for (const char* number : {"FUND-000001", "FUND-000002"}) {
    REQUIRE(std::holds_alternative<pay::PrepayTicket>(
        channel->prepay(prepay_of(number, pay::Scene::h5, shop.clock.wall_ms()))));
    pay_at_sheet(shop, number);
  }
  shop.clock_skip_ms += 40 * 3'600'000;
  struct Row {
    Json plant;
    std::size_t funds, trades;
    std::int64_t closing;
  };
  const std::int64_t whole = 2 * (9'950 - 60);
  const std::vector<Row> rows = {
      {{{"plant", "amount"}, {"number", "FUND-000001"}, {"value", "-50"}}, 4, 2, whole - 50},
      {{{"plant", "leave_out"}, {"number", "FUND-000001"}, {"bill", "funds"}}, 2, 2, whole / 2},
      {{{"plant", "leave_out"}, {"number", "FUND-000001"}, {"bill", "trade"}}, 4, 1, whole},
      {{{"plant", "twice"}, {"number", "FUND-000002"}, {"bill", "funds"}}, 6, 2, whole * 3 / 2},
      {{{"plant", "payee"}, {"number", "FUND-000002"}, {"value", "1716000102"}}, 2, 2, whole / 2},
      {{{"plant", "state"}, {"number", "FUND-000002"}, {"value", "NOTPAY"}}, 2, 2, whole / 2},
      {{{"plant", "fee"}, {"number", "FUND-000002"}, {"value", "70"}, {"bill", "funds"}},
       4,
       2,
       whole - 10},
      {{{"plant", "withdraw"}, {"number", "W-1"}, {"value", "5000"}, {"day", today}},
       5,
       2,
       whole - 5'000},
      {{{"plant", "balance"}, {"number", "B-1"}, {"value", "7"}, {"day", today}}, 4, 2, whole + 7},
  };
  for (const Row& row : rows) {
    CAPTURE(row.plant.dump());
    REQUIRE(shop.control(*shop.wechat, "/control/bill", row.plant).status == 200);
    const auto funds = std::get<Funds>(channel->fund_bill(today));
    REQUIRE(funds.size() == row.funds);
    CHECK(std::get<pay::Bill>(channel->bill(today)).lines.size() == row.trades);
    std::int64_t closing = 0;
    for (const pay::FundLine& line : funds) {
      if (&line == &funds.back()) closing = line.balance.minor;
    }
    CHECK(closing == row.closing);
    REQUIRE(shop.control(*shop.wechat, "/control/bill", {{"plant", "none"}}).status == 200);
  }
  CHECK(shop.control(*shop.wechat, "/control/bill",
                     {{"plant", "amount"}, {"number", "X"}, {"bill", "other"}})
            .status == 400);
  CHECK(std::get<Funds>(channel->fund_bill(today)).size() == 4);
  REQUIRE(shop.control(*shop.wechat, "/control", {{"next", "bill_hash"}}).status == 200);
  CHECK(std::get<pay::Unknown>(channel->fund_bill(today)).why == "bill_hash_differs");
  REQUIRE(shop.control(*shop.wechat, "/control", {{"next", "outage"}}).status == 200);
  CHECK(std::get<pay::Unknown>(channel->fund_bill(today)).why == "http_500");
  CHECK(std::get<Funds>(channel->fund_bill(today)).size() == 4);
}

TEST_CASE("regression: a station's payment stands in the rehearsed bill as the station's") {
  RehearsedShop shop;
  const auto key = base::RsaKey::from_private_pem(shop.world->access().merchant_private_key_pem);
  auto config = config_of(shop, *key);
  config.default_payee = "1716000101";
  const auto channel = pay::make_wechat(config, *shop.wechat, shop.clock, shop.random);
  auto request = prepay_of("FUND-000009", pay::Scene::h5, shop.clock.wall_ms());
  request.payee = "1716000101";
  REQUIRE(std::holds_alternative<pay::PrepayTicket>(channel->prepay(request)));
  pay_at_sheet(shop, "FUND-000009");
  const auto today = day_text(shop.clock.wall_ms(), kShanghaiOffsetMs);
  shop.clock_skip_ms += 40 * 3'600'000;
  const auto bill = std::get<pay::Bill>(channel->bill(today));
  REQUIRE(bill.lines.size() == 1);
  CHECK(bill.lines[0].payee == "1716000101");
  CHECK(std::get<std::vector<pay::FundLine>>(channel->fund_bill(today)).empty());
}
