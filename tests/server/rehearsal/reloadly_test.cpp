#include "tests/server/rehearsal/rehearsed_shop.h"

namespace topup::rehearsal::test {
namespace {

std::string error_code(const OutboundReply& reply) {
  const Json body = Json::parse(reply.body);
  CHECK(body.contains("timeStamp"));
  CHECK(body.contains("message"));
  CHECK(body.contains("path"));
  CHECK(body.contains("infoLink"));
  CHECK(body.at("details").is_array());
  return body.at("errorCode").is_null() ? "" : body.at("errorCode").get<std::string>();
}

bool has_good_signature(const RehearsedShop& shop, const Heard& heard) {
  const auto message = heard.body + ":" + heard.header("x-reloadly-request-timestamp");
  const auto key = shop.world->access().reloadly_webhook_secret;
  return heard.header("x-reloadly-signature") == base::hex(base::hmac_sha256(key, message));
}

TEST_CASE("reloadly: a token wants the right secret and the right audience") {
  RehearsedShop shop;
  const auto& access = shop.world->access();
  const auto good = shop.token_call(access.reloadly_client_secret, access.reloadly_origin);
  REQUIRE(good.status == 200);
  CHECK(Json::parse(good.body).at("token_type") == "Bearer");
  CHECK(Json::parse(good.body).at("expires_in") == 86'400);
  const auto secret = shop.token_call("guess", access.reloadly_origin);
  CHECK(secret.status == 401);
  CHECK(error_code(secret) == "INVALID_CREDENTIALS");
  const auto audience =
      shop.token_call(access.reloadly_client_secret, "https://topups.reloadly.com");
  CHECK(audience.status == 401);
  CHECK(error_code(audience) == "INVALID_AUDIENCE");
}

TEST_CASE(
    "reloadly: calls want a token that is known and has not expired, and the Accept of the API") {
  RehearsedShop shop;
  const auto call = [&](const std::string& token, const std::string& accept) {
    return shop.reloadly->call({.method = "GET",
                                .target = "/accounts/balance",
                                .headers = {{"Authorization", token}, {"Accept", accept}},
                                .body = {}});
  };
  const std::string accept = "application/com.reloadly.topups-v1+json";
  const auto token = "Bearer " + shop.fresh_token();
  CHECK(call(token, accept).status == 200);
  CHECK(call(token, "application/json").status == 406);
  CHECK(error_code(call("Bearer nonsense", accept)) == "INVALID_TOKEN");
  CHECK(error_code(call("Basic abc", accept)) == "INVALID_TOKEN");
  shop.clock_skip_ms = 86'400'000;
  const auto late = call(token, accept);
  CHECK(late.status == 401);
  CHECK(error_code(late) == "TOKEN_EXPIRED");
}

TEST_CASE("reloadly: the operators of China") {
  RehearsedShop shop;
  const auto reply = shop.reseller("GET", "/operators/countries/CN?includeData=false");
  REQUIRE(reply.status == 200);
  const Json list = Json::parse(reply.body);
  REQUIRE(list.size() == 4);
  CHECK(list[0].at("name") == "China Mobile China");
  CHECK(list[0].at("denominationType") == "FIXED");
  CHECK(list[0].at("supportsLocalAmounts") == true);
  CHECK(list[0].at("senderCurrencyCode") == "USD");
  CHECK(list[0].at("localFixedAmounts").size() == 8);
  CHECK(reply.body.find("\"localFixedAmounts\":[10.00,20.00,") != std::string::npos);
  CHECK(reply.body.find("\"fixedAmounts\":[1.39,2.78,") != std::string::npos);
  CHECK(error_code(shop.reseller("GET", "/operators/countries/AQ")) == "COUNTRY_NOT_SUPPORTED");
  CHECK(shop.reseller("GET", "/operators/1164").status == 200);
  CHECK(shop.reseller("GET", "/operators/7").status == 404);
}

TEST_CASE("reloadly: an asynchronous top-up debits, delivers and sends one signed webhook") {
  RehearsedShop shop;
  CHECK(shop.balance() == "100000.00000");
  const auto body = RehearsedShop::topup_body("attempt-1", "+8613800138000");
  const auto accepted = shop.reseller("POST", "/topups-async", body);
  REQUIRE(accepted.status == 200);
  const auto number = Json::parse(accepted.body).at("transactionId").get<std::int64_t>();
  CHECK(Json::parse(accepted.body).size() == 1);
  CHECK(shop.balance() == "99993.18900");  // 50 CNY × 0.139 = 6.95 USD, less 2 %

  const auto heard = shop.shop.settle(1);
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].path == "/callback/reloadly");
  CHECK(has_good_signature(shop, heard[0]));
  const Json event = Json::parse(heard[0].body);
  CHECK(event.at("type") == "airtime_transaction.status");
  CHECK(event.at("data").at("customIdentifier") == "attempt-1");
  CHECK(event.at("data").at("status") == "SUCCESSFUL");

  const auto status = shop.reseller("GET", "/topups/" + std::to_string(number) + "/status");
  const Json told = Json::parse(status.body);
  CHECK(told.at("status") == "SUCCESSFUL");
  CHECK(told.at("transaction").at("recipientPhone") == "8613800138000");
  CHECK(status.body.find("\"requestedAmount\":6.95000") != std::string::npos);
  CHECK(status.body.find("\"discount\":0.14") != std::string::npos);
  CHECK(status.body.find("\"cost\":6.81100") != std::string::npos);
  CHECK(status.body.find("\"deliveredAmount\":50.00000") != std::string::npos);

  const Json report = shop.report_of("attempt-1");
  REQUIRE(report.size() == 1);
  CHECK(report[0].at("transactionId") == number);
  CHECK(report[0].at("balanceInfo").is_null());
  const auto one = shop.reseller("GET", "/topups/reports/transactions/" + std::to_string(number));
  CHECK(Json::parse(one.body) == report[0]);
  CHECK(shop.report_of("attempt-2").empty());
}

TEST_CASE("reloadly: an identifier is used once for ever") {
  RehearsedShop shop;
  const auto body = RehearsedShop::topup_body("once", "13800138000");
  REQUIRE(shop.reseller("POST", "/topups-async", body).status == 200);
  const auto again = shop.reseller("POST", "/topups-async", body);
  CHECK(again.status == 400);
  CHECK(error_code(again) == "CUSTOM_IDENTIFIER_ALREADY_USED");
  CHECK(error_code(shop.reseller("POST", "/topups", body)) == "CUSTOM_IDENTIFIER_ALREADY_USED");
  CHECK(shop.balance() == "99993.18900");
}

TEST_CASE("reloadly: a synchronous top-up answers with its end") {
  RehearsedShop shop;
  auto body = RehearsedShop::topup_body("sync-1", "8613800138000");
  body["operatorId"] = "1162";  // text, as in Reloadly's own samples
  body["amount"] = "13.90";
  body["useLocalAmount"] = false;
  const auto reply = shop.reseller("POST", "/topups", body);
  REQUIRE(reply.status == 200);
  CHECK(Json::parse(reply.body).at("status") == "SUCCESSFUL");
  CHECK(reply.body.find("\"deliveredAmount\":100.00000") != std::string::npos);
  CHECK(reply.body.find("\"oldBalance\":100000.00000") != std::string::npos);
  CHECK(reply.body.find("\"newBalance\":99986.37800") != std::string::npos);
  const auto refused =
      shop.reseller("POST", "/topups", RehearsedShop::topup_body("sync-2", "13800139002"));
  CHECK(refused.status == 400);
  CHECK(error_code(refused) == "TRANSACTION_REFUSED_BY_OPERATOR");
  CHECK(shop.balance() == "99986.37800");
}

TEST_CASE("reloadly: each refusal of a top-up") {
  RehearsedShop shop;
  struct Row {
    const char* name;
    const char* pointer;
    Json value;
    const char* code;
  };
  const Row rows[] = {
      {"unknown operator", "/operatorId", 7, "OPERATOR_NOT_FOUND"},
      {"amount that is not fixed", "/amount", 55, "INVALID_AMOUNT_FOR_OPERATOR"},
      {"dollars where yuan are meant", "/useLocalAmount", false, "INVALID_AMOUNT_FOR_OPERATOR"},
      {"amount that is no number", "/amount", "fifty", "INVALID_AMOUNT"},
      {"negative amount", "/amount", -50, "INVALID_AMOUNT"},
      {"short number", "/recipientPhone/number", "1380013800", "INVALID_RECIPIENT_PHONE"},
      {"landline", "/recipientPhone/number", "02112345678", "INVALID_RECIPIENT_PHONE"},
      {"letters", "/recipientPhone/number", "1380013800a", "INVALID_RECIPIENT_PHONE"},
      {"other country", "/recipientPhone/countryCode", "US", "INVALID_RECIPIENT_PHONE"},
      {"control character in the identifier", "/customIdentifier",
       "a\x01"
       "1",
       "INVALID_CUSTOM_IDENTIFIER"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Json body = RehearsedShop::topup_body("refused", "13800138000");
    body[Json::json_pointer(row.pointer)] = row.value;
    const auto reply = shop.reseller("POST", "/topups-async", body);
    CHECK(reply.status == 400);
    CHECK(error_code(reply) == row.code);
  }
  CHECK(shop.balance() == "100000.00000");
  CHECK(shop.report_of("refused").empty());
}

TEST_CASE("reloadly: the magic numbers") {
  RehearsedShop shop(5);
  struct Row {
    const char* digits;
    int status;  // 0: the connection is lost
    const char* code;
    const char* end;  // "": unknown to the reports
    const char* balance;
    std::size_t webhooks;
  };
  const Row rows[] = {
      {"0000", 200, "", "SUCCESSFUL", "99993.18900", 1},
      {"9001", 400, "RECIPIENT_PHONE_INACTIVE", "", "100000.00000", 0},
      {"9002", 200, "", "REFUNDED", "100000.00000", 1},
      {"9003", 200, "", "SUCCESSFUL", "99993.18900", 1},
      {"9004", 0, "", "SUCCESSFUL", "99993.18900", 1},
      {"9005", 500, "", "", "100000.00000", 0},
      {"9006", 200, "", "SUCCESSFUL", "99993.18900", 1},
      {"9007", 400, "INSUFFICIENT_BALANCE", "", "100000.00000", 0},
      {"9008", 200, "", "SUCCESSFUL", "99993.18900", 0},
      {"9009", 200, "", "SUCCESSFUL", "99993.18900", 2},
  };
  for (const Row& row : rows) {
    CAPTURE(row.digits);
    shop.control(*shop.reloadly, "/control", {{"wallet_usd", 100'000}});
    shop.shop.forget();
    const std::string identifier = std::string("magic-") + row.digits;
    const auto began = shop.clock.mono_ms();
    const auto reply =
        shop.reseller("POST", "/topups-async",
                      RehearsedShop::topup_body(identifier, std::string("1380013") + row.digits));
    const auto took = shop.clock.mono_ms() - began;
    if (row.status == 0) {
      CHECK(reply.kind == OutboundReply::Kind::no_answer);
    } else {
      CHECK(reply.status == row.status);
      if (row.status != 200) CHECK(error_code(reply) == row.code);
    }
    if (row.digits == std::string("9006")) CHECK(took >= 990);
    if (row.digits == std::string("9003")) {
      CHECK(shop.report_of(identifier).at(0).at("status") == "PROCESSING");
    }
    if (*row.end == '\0') {
      CHECK(shop.report_of(identifier).empty());
    } else {
      CHECK(soon([&] { return shop.report_of(identifier).at(0).at("status") == row.end; }));
    }
    CHECK(shop.balance() == row.balance);
    const auto heard = shop.shop.settle(row.webhooks);
    REQUIRE(heard.size() == row.webhooks);
    if (row.webhooks > 0) CHECK(has_good_signature(shop, heard.back()));
    if (row.webhooks == 2) CHECK_FALSE(has_good_signature(shop, heard.front()));
  }
}

TEST_CASE("reloadly: a refunded top-up says why and shows no transaction") {
  RehearsedShop shop;
  const auto reply =
      shop.reseller("POST", "/topups-async", RehearsedShop::topup_body("back", "13800139002"));
  const auto target =
      "/topups/" + std::to_string(Json::parse(reply.body).at("transactionId").get<std::int64_t>()) +
      "/status";
  REQUIRE(soon(
      [&] { return Json::parse(shop.reseller("GET", target).body).at("status") == "REFUNDED"; }));
  const Json told = Json::parse(shop.reseller("GET", target).body);
  CHECK(told.at("code") == "TRANSACTION_REFUSED_BY_OPERATOR");
  CHECK(told.at("transaction").is_null());
  CHECK(shop.reseller("GET", "/topups/1/status").status == 404);
}

TEST_CASE("reloadly: the wallet never goes below zero") {
  RehearsedShop shop;
  shop.control(*shop.reloadly, "/control", {{"wallet_usd", 6}});
  const auto poor =
      shop.reseller("POST", "/topups-async", RehearsedShop::topup_body("poor", "13800138000"));
  CHECK(error_code(poor) == "INSUFFICIENT_BALANCE");
  CHECK(shop.balance() == "6.00000");
  CHECK(shop.report_of("poor").empty());
}

TEST_CASE("reloadly: armed faults") {
  RehearsedShop shop;
  shop.reseller("GET", "/accounts/balance");
  const auto arm = [&](const char* kind, int count = 1) {
    REQUIRE(shop.control(*shop.reloadly, "/control", {{"next", kind}, {"count", count}}).status ==
            200);
  };
  const auto submit = [&](const char* identifier) {
    return shop.reseller("POST", "/topups-async",
                         RehearsedShop::topup_body(identifier, "13800138000"));
  };
  SUBCASE("outage: n calls fail without effect") {
    arm("outage", 2);
    CHECK(submit("out").status == 503);
    CHECK(submit("out").status == 503);
    CHECK(submit("out").status == 200);
  }
  SUBCASE("token_expired: the next call, and then this token for ever") {
    arm("token_expired");
    CHECK(error_code(submit("token")) == "TOKEN_EXPIRED");
    CHECK(error_code(submit("token")) == "TOKEN_EXPIRED");
    shop.token.clear();
    CHECK(submit("token").status == 200);
  }
  SUBCASE("phone_recently_recharged") {
    arm("phone_recently_recharged");
    CHECK(error_code(submit("recent")) == "PHONE_RECENTLY_RECHARGED");
    CHECK(submit("recent").status == 200);
  }
  SUBCASE("drop_webhooks and duplicate_webhooks") {
    arm("drop_webhooks");
    submit("none");
    CHECK(shop.shop.settle(0).empty());
    arm("duplicate_webhooks");
    submit("many");
    CHECK(shop.shop.settle(3).size() == 3);
  }
  SUBCASE("what cannot be armed is refused") {
    CHECK(shop.control(*shop.reloadly, "/control", {{"next", "rain"}}).status == 400);
    CHECK(shop.control(*shop.reloadly, "/control", Json::array()).status == 400);
  }
}

TEST_CASE("reloadly: a webhook is repeated until it is taken") {
  RehearsedShop shop;
  shop.shop.refuse_next(2);
  shop.reseller("POST", "/topups-async", RehearsedShop::topup_body("hook", "13800138000"));
  const auto heard = shop.shop.settle(3);
  REQUIRE(heard.size() == 3);
  CHECK(heard[0].body == heard[2].body);
}

}  // namespace
}  // namespace topup::rehearsal::test
