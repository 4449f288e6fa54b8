#include <sys/stat.h>

#include <set>

#include "tests/server/rehearsal/rehearsed_shop.h"

namespace topup::rehearsal::test {
namespace {

TEST_CASE("world: each party has its own port and the names of the parties are stable words") {
  RehearsedShop shop;
  const auto& access = shop.world->access();
  const std::set<std::string> origins = {
      access.wechat_origin,          access.reloadly_auth_origin, access.reloadly_origin,
      access.wechat_platform_origin, access.sms_origin,           access.alipay_origin,
      access.dtone_origin,           access.dingconnect_origin,   access.juhe_origin};
  CHECK(origins.size() == 9);
  CHECK(shop.world->parties() == std::vector<std::string>{"wechat_pay", "reloadly",
                                                          "wechat_platform", "sms", "alipay",
                                                          "dtone", "dingconnect", "juhe"});
}

TEST_CASE("world: ports follow the first one, and a busy one is passed over") {
  base::SystemClock clock;
  base::SystemRandom random;
  ListeningShop other;
  const auto blocker = http::make_front(1);
  std::uint16_t busy = blocker->listen("127.0.0.1", 0, other);
  RehearsedShop shop(1, busy);
  const auto port_of = [](const std::string& origin) {
    return std::stoi(origin.substr(origin.rfind(':') + 1));
  };
  CHECK(port_of(shop.world->access().wechat_origin) > busy);
  CHECK(port_of(shop.world->access().wechat_origin) <= busy + 20);
  blocker->stop(0);
}

TEST_CASE("world: a restart keeps keys, secrets, orders, tokens and the wallet") {
  RehearsedShop shop(1, 0, Keys::own);
  shop.sheet_of("KEEP-000001");
  const auto before = shop.world->access();
  const auto paid = shop.control(*shop.wechat, "/control/pay", {{"out_trade_no", "KEEP-000001"}});
  REQUIRE(paid.status == 200);
  REQUIRE(shop.reseller("POST", "/topups-async", RehearsedShop::topup_body("keep-1", "13800138000"))
              .status == 200);
  const auto money = shop.balance();
  shop.shop.settle(2);

  shop.restart();
  const auto& after = shop.world->access();
  CHECK(after.merchant_private_key_pem == before.merchant_private_key_pem);
  CHECK(after.platform_public_key_pem == before.platform_public_key_pem);
  CHECK(after.apiv3_key == before.apiv3_key);
  CHECK(after.merchant_serial_no == before.merchant_serial_no);
  CHECK(after.reloadly_client_secret == before.reloadly_client_secret);
  CHECK(after.reloadly_webhook_secret == before.reloadly_webhook_secret);
  CHECK(shop.query("KEEP-000001").at("trade_state") == "SUCCESS");
  CHECK(shop.balance() == money);  // with the token of before
  CHECK(shop.report_of("keep-1").size() == 1);
}

TEST_CASE("world: private keys are readable by their owner only") {
  RehearsedShop shop(1, 0, Keys::own);
  for (const char* name : {"wechat_merchant.pem", "wechat_platform.pem"}) {
    CAPTURE(name);
    struct stat found {};
    REQUIRE(::stat((shop.folder / "rehearsal" / name).c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0600);
  }
}

TEST_CASE(
    "world: an unfinished top-up and an undelivered notification are taken up after a restart") {
  RehearsedShop shop(100);
  shop.sheet_of("LATER-00001");
  shop.control(*shop.wechat, "/control", {{"next", "delay_notifications"}});
  shop.control(*shop.wechat, "/control/pay", {{"out_trade_no", "LATER-00001"}});
  const auto slow = RehearsedShop::topup_body("later-1", "13800139003");
  REQUIRE(shop.reseller("POST", "/topups-async", slow).status == 200);
  CHECK(shop.shop.settle(0).empty());

  shop.close();
  shop.clock_skip_ms = 61'000;
  shop.open();
  const auto heard = shop.shop.wait_for(2);
  REQUIRE(heard.size() == 2);
  CHECK(shop.report_of("later-1").at(0).at("status") == "SUCCESSFUL");
}

TEST_CASE("world: each party lists its magic") {
  RehearsedShop shop;
  const auto wechat = Json::parse(shop.page("/magic").body);
  CHECK(wechat.at("kinds").size() == 13);
  const auto reloadly =
      shop.reloadly->call({.method = "GET", .target = "/magic", .headers = {}, .body = {}});
  CHECK(Json::parse(reloadly.body).at("recipient_numbers").size() == 10);
}

TEST_CASE("world: requests after stop are refused instead of being left open") {
  RehearsedShop shop;
  shop.world->stop();
  CHECK(shop.page("/magic").status == 503);
}

}  // namespace
}  // namespace topup::rehearsal::test
