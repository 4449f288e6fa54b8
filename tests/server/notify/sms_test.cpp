#include "server/notify/sms.h"

#include <doctest/doctest.h>

#include "server/base/crypto.h"
#include "tests/server/rehearsal/rehearsed_shop.h"
#include "tests/support/scratch_shop.h"

namespace topup::notify {
namespace {

using rehearsal::test::Json;
using rehearsal::test::RehearsedShop;

struct Gateway {
  testing::QuietLog quiet;
  RehearsedShop world;
  std::unique_ptr<base::Outbound> http =
      base::make_outbound("sms", world.world->access().sms_origin);

  SmsOutcome send(const std::string& reference, const std::string& key = "") {
    const std::string& right = world.world->access().sms_key;
    const auto sender =
        make_http_sms({"/send", key.empty() ? right : key, "sign_in_code"}, *http, world.clock);
    return sender->send({"+8613800001234", "123456", 5, reference});
  }
  void arm(const std::string& kind) {
    REQUIRE(world.control(*http, "/control", {{"next", kind}}).status == 200);
  }
  Json inbox() {
    return Json::parse(
               http->call({.method = "GET", .target = "/inbox", .headers = {}, .body = {}}).body)
        .at("messages");
  }
};

TEST_CASE("F074: a message arrives in the rehearsed inbox, once for each reference") {
  Gateway gateway;
  CHECK(gateway.send("r1") == SmsOutcome::sent);
  CHECK(gateway.send("r1") == SmsOutcome::sent);
  const Json messages = gateway.inbox();
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].at("to") == "+8613800001234");
  CHECK(messages[0].at("params").at("code") == "123456");
}

TEST_CASE("F074: what the gateway does decides between sent, refused and unknown") {
  Gateway gateway;
  CHECK(gateway.send("r1", "another key") == SmsOutcome::refused);
  gateway.arm("refuse");
  CHECK(gateway.send("r2") == SmsOutcome::refused);
  gateway.arm("outage");
  CHECK(gateway.send("r3") == SmsOutcome::unknown);
  CHECK(gateway.inbox().empty());
  gateway.arm("silence");
  CHECK(gateway.send("r4") == SmsOutcome::unknown);
  CHECK(gateway.inbox().size() == 1);
}

}  // namespace
}  // namespace topup::notify
