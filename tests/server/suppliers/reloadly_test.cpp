#include "server/suppliers/reloadly.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/base/crypto.h"
#include "server/base/log.h"
#include "server/base/random.h"
#include "server/suppliers/exact_json.h"
#include "server/suppliers/suppliers.h"
#include "shared/check.h"
#include "tests/support/scripted_outbound.h"

namespace topup::suppliers {
namespace {

using testing::read_fixture;
using testing::ScriptedOutbound;

constexpr std::int64_t kNowS = 1'795'246'200;
const std::string kAttempt = "01JD8TESTATTEMPT0000000001";
const std::string kWebhookSecret = "test-webhook-secret";
const std::string kClientSecret = "test-client-secret-0000";
constexpr const char* kToken = "eyJhbGciOiJSUzI1NiJ9.test-token-one.c2lnbmF0dXJl";

struct FixedClock final : base::Clock {
  std::int64_t now_ms = kNowS * 1000;
  std::int64_t uptime_ms = 1'000'000;
  std::int64_t wall_ms() const override { return now_ms; }
  std::int64_t mono_ms() const override { return uptime_ms; }
};

ReloadlyConfig config() {
  return {.client_id = "test-client-id",
          .client_secret = kClientSecret,
          .audience = "https://topups-sandbox.reloadly.com",
          .webhook_secret = kWebhookSecret,
          .wallet = Currency::usd};
}

std::string token_body(const std::string& token, std::int64_t life_s = 86'400) {
  return R"({"access_token":")" + token + R"(","scope":"developer","expires_in":)" +
         std::to_string(life_s) + R"(,"token_type":"Bearer"})";
}

std::string refusal(const std::string& code) {
  return R"({"timeStamp":"2026-11-21 07:30:00","message":"refused for the test","path":"/topups",)"
         R"("errorCode":")" +
         code + R"(","infoLink":null,"details":[]})";
}

struct World {
  ScriptedOutbound auth, airtime;
  FixedClock clock;
  std::unique_ptr<Supplier> supplier = make_reloadly(config(), auth, airtime, clock);

  World() { auth.then_answer(200, read_fixture("reloadly/token.json")); }
  SupplyOutcome submit();
  SupplyOutcome query(const std::string& order_id = "4602843") {
    return supplier->query(AttemptId(kAttempt), order_id);
  }
};

SubmitRequest submit_request() {
  return {.attempt_id = AttemptId(kAttempt),
          .supplier_operator_id = "341",
          .country = "HT",
          .account_number = "+50936377111",
          .face = {4950, Currency::usd}};
}

SupplyOutcome World::submit() { return supplier->submit(submit_request()); }

std::string bearer(const ScriptedOutbound& outbound, std::size_t call) {
  return ScriptedOutbound::header(outbound.requests().at(call), "Authorization");
}

// ---- Submit.

TEST_CASE("reloadly: a submission carries our id and the amount as exact decimal text") {
  World world;
  world.airtime.then_answer(200, R"({"transactionId":4602843})");
  const auto outcome = world.submit();
  CHECK(outcome.state == SupplyState::accepted);
  CHECK(outcome.supplier_order_id == "4602843");
  const auto request = world.airtime.requests().at(0);
  CHECK(request.method == "POST");
  CHECK(request.target == "/topups-async");
  CHECK(request.body ==
        R"({"operatorId":341,"amount":49.50,"customIdentifier":"01JD8TESTATTEMPT0000000001",)"
        R"("recipientPhone":{"countryCode":"HT","number":"50936377111"},"useLocalAmount":true})");
  CHECK(ScriptedOutbound::header(request, "Accept") == "application/com.reloadly.topups-v1+json");
  CHECK(ScriptedOutbound::header(request, "Content-Type") == "application/json");
  CHECK(bearer(world.airtime, 0) == std::string("Bearer ") + kToken);
  const auto token_request = world.auth.requests().at(0);
  CHECK(token_request.target == "/oauth/token");
  CHECK(*base::json_in(token_request.body) ==
        *base::json_in(R"({"client_id":"test-client-id","client_secret":"test-client-secret-0000",
          "grant_type":"client_credentials","audience":"https://topups-sandbox.reloadly.com"})"));
}

TEST_CASE("reloadly: amounts of each currency are written with its own decimals") {
  struct Row {
    Money face;
    const char* text;
  };
  constexpr Row rows[] = {
      {{4950, Currency::usd}, "\"amount\":49.50,"},
      {{1, Currency::usd}, "\"amount\":0.01,"},
      {{1000, Currency::jpy}, "\"amount\":1000,"},
      {{1'234'567, Currency::kwd}, "\"amount\":1234.567,"},
      {{kMaxMinor, Currency::usd}, "\"amount\":90071992547409.91,"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    World world;
    SubmitRequest request = submit_request();
    request.face = row.face;
    world.supplier->submit(request);
    const std::string body = world.airtime.requests().at(0).body;
    CHECK(body.find(row.text) != std::string::npos);
    CHECK(base::json_in(body));
  }
}

TEST_CASE("reloadly: a submission that cannot be written is rejected before anything leaves") {
  struct Row {
    const char* name;
    std::function<void(SubmitRequest&)> edit;
  };
  const Row rows[] = {
      {"no attempt id", [](auto& r) { r.attempt_id.text.clear(); }},
      {"attempt id with a quote", [](auto& r) { r.attempt_id.text = "a\"b"; }},
      {"operator not a number", [](auto& r) { r.supplier_operator_id = "341,\"x\":1"; }},
      {"operator empty", [](auto& r) { r.supplier_operator_id = ""; }},
      {"country in lower case", [](auto& r) { r.country = "ht"; }},
      {"number without plus", [](auto& r) { r.account_number = "50936377111"; }},
      {"number with letters", [](auto& r) { r.account_number = "+5093637711x"; }},
      {"number empty", [](auto& r) { r.account_number = ""; }},
      {"amount zero", [](auto& r) { r.face.minor = 0; }},
      {"amount negative", [](auto& r) { r.face.minor = -1; }},
  };
  World world;
  for (const Row& row : rows) {
    CAPTURE(row.name);
    SubmitRequest request = submit_request();
    row.edit(request);
    const auto outcome = world.supplier->submit(request);
    CHECK(outcome.state == SupplyState::rejected);
    CHECK(outcome.code == "request_malformed");
  }
  CHECK(world.auth.calls() + world.airtime.calls() == 0);
}

TEST_CASE("reloadly: each refusal, one by one; what is not listed is unknown") {
  struct Row {
    int status;
    const char* code;
    SupplyState state;
  };
  constexpr auto kRejected = SupplyState::rejected;
  constexpr auto kHeld = SupplyState::held;
  constexpr auto kUnknown = SupplyState::unknown;
  constexpr Row rows[] = {
      {400, "INVALID_RECIPIENT_PHONE", kRejected},
      {400, "INVALID_SENDER_PHONE", kRejected},
      {400, "INVALID_PHONE_NUMBER", kRejected},
      {400, "INVALID_AMOUNT_FOR_RECIPIENT_PHONE", kRejected},
      {400, "PHONE_BANNED_BY_OPERATOR", kRejected},
      {400, "RECIPIENT_PHONE_INACTIVE", kRejected},
      {400, "RECIPIENT_REACHED_MAX_TOPUP_NUMBER", kRejected},
      {400, "INVALID_AMOUNT_FOR_OPERATOR", kRejected},
      {400, "INVALID_AMOUNT", kRejected},
      {404, "OPERATOR_NOT_FOUND", kRejected},
      {400, "OPERATOR_UNAVAILABLE_OR_CURRENTLY_INACTIVE", kRejected},
      {400, "OPERATOR_NOT_IN_SERVICE", kRejected},
      {404, "COUNTRY_NOT_SUPPORTED", kRejected},
      {400, "COULD_NOT_AUTO_DETECT_OPERATOR", kRejected},
      {400, "FX_RATE_NOT_AVAILABLE", kRejected},
      {400, "TOPUP_TRANSACTION_FAILED", kRejected},
      {400, "TRANSACTION_FAILED_ON_OPERATOR", kRejected},
      {400, "TRANSACTION_REJECTED_BY_OPERATOR", kRejected},
      {400, "TRANSACTION_REFUSED_BY_OPERATOR", kRejected},
      {400, "INSUFFICIENT_BALANCE", kHeld},
      {400, "MAX_DAILY_TRANSACTION_AMOUNT_REACHED", kHeld},
      {400, "MAX_DAILY_TRANSACTION_COUNT_REACHED", kHeld},
      {400, "INACTIVE_ACCOUNT", kHeld},
      {404, "ACCOUNT_NOT_FOUND", kHeld},
      {400, "TRANSACTION_CANNOT_BE_PROCESSED_AT_THE_MOMENT", kHeld},
      {400, "PHONE_RECENTLY_RECHARGED", kHeld},
      {400, "RECIPIENT_HAS_PENDING_TRANSACTION", kHeld},
      {400, "CONNECTION_TO_OPERATOR_TEMPORARILY_DOWN", kHeld},
      {400, "PROVIDER_INTERNAL_ERROR", kUnknown},
      {400, "REQUEST_FAILED_ON_PROVIDER", kUnknown},
      {400, "CONNECTION_TO_OPERATOR_FAILED", kUnknown},
      {400, "REQUEST_PROCESSING_FAILED", kUnknown},
      {400, "UNMAPPED_PROVIDER_ERROR_CODE", kUnknown},
      {400, "BRAND_NEW_CODE", kUnknown},
      {400, "invalid_recipient_phone", kUnknown},
      {401, "ACCESS_DENIED", kUnknown},
      {429, "TOO_MANY_REQUESTS", kHeld},
      {500, "INVALID_RECIPIENT_PHONE", kUnknown},
      {500, "FX_RATE_NOT_AVAILABLE", kUnknown},
      {503, "INSUFFICIENT_BALANCE", kUnknown},
      {302, "INVALID_RECIPIENT_PHONE", kUnknown},
  };
  for (const Row& row : rows) {
    CAPTURE(row.status);
    CAPTURE(row.code);
    World world;
    world.airtime.then_answer(row.status, refusal(row.code));
    const auto outcome = world.submit();
    CHECK(outcome.state == row.state);
    CHECK(outcome.supplier_order_id.empty());
    CHECK(world.airtime.calls() == 1);
  }
}

TEST_CASE("reloadly: a submission without a readable answer is unknown; an unsent one is held") {
  struct Row {
    const char* name;
    std::function<void(ScriptedOutbound&)> script;
    SupplyState state;
    const char* code;
  };
  const Row rows[] = {
      {"never sent", [](auto& o) { o.then_not_sent(); }, SupplyState::held, "not_sent"},
      {"time-out", [](auto& o) { o.then_no_answer("deadline"); }, SupplyState::unknown, "deadline"},
      {"cut off", [](auto& o) { o.then_no_answer("connection_lost"); }, SupplyState::unknown,
       "connection_lost"},
      {"no reason", [](auto& o) { o.then_no_answer(""); }, SupplyState::unknown, "no_answer"},
      {"502", [](auto& o) { o.then_answer(502, "<html>"); }, SupplyState::unknown, "http_502"},
      {"404 of a proxy", [](auto& o) { o.then_answer(404, "<html>"); }, SupplyState::unknown,
       "http_404"},
      {"400 without a code", [](auto& o) { o.then_answer(400, R"({"errorCode":null})"); },
       SupplyState::unknown, "http_400"},
      {"429 without a code", [](auto& o) { o.then_answer(429, ""); }, SupplyState::held,
       "http_429"},
      {"200 not JSON", [](auto& o) { o.then_answer(200, "OK"); }, SupplyState::unknown,
       "answer_malformed"},
      {"200 empty object", [](auto& o) { o.then_answer(200, "{}"); }, SupplyState::unknown,
       "answer_malformed"},
      {"200 with an odd id", [](auto& o) { o.then_answer(200, R"({"transactionId":"../1"})"); },
       SupplyState::unknown, "answer_malformed"},
      {"200 with a fraction for an id",
       [](auto& o) { o.then_answer(200, R"({"transactionId":1.5})"); }, SupplyState::unknown,
       "answer_malformed"},
      {"200 too deep",
       [](auto& o) { o.then_answer(200, std::string(90, '[') + std::string(90, ']')); },
       SupplyState::unknown, "answer_malformed"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    World world;
    row.script(world.airtime);
    const auto outcome = world.submit();
    CHECK(outcome.state == row.state);
    CHECK(outcome.code == row.code);
  }
}

TEST_CASE("reloadly: an identifier used already is looked up, never called failed") {
  struct Row {
    const char* name;
    std::function<void(ScriptedOutbound&)> report;
    SupplyState state;
  };
  const Row rows[] = {
      {"delivered", [](auto& o) { o.then_answer(200, read_fixture("reloadly/report_page.json")); },
       SupplyState::succeeded},
      {"not in the report yet",
       [](auto& o) { o.then_answer(200, read_fixture("reloadly/report_empty.json")); },
       SupplyState::unknown},
      {"no report", [](auto& o) { o.then_no_answer(); }, SupplyState::unknown},
      {"report refused", [](auto& o) { o.then_answer(400, refusal("INVALID_AMOUNT")); },
       SupplyState::unknown},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    World world;
    world.airtime.then_answer(400, refusal("CUSTOM_IDENTIFIER_ALREADY_USED"));
    row.report(world.airtime);
    CHECK(world.submit().state == row.state);
    CHECK(world.airtime.requests().at(1).target ==
          "/topups/reports/transactions?customIdentifier=01JD8TESTATTEMPT0000000001");
  }
}

// ---- The token.

TEST_CASE("reloadly: one token serves many calls until shortly before its end") {
  World world;
  world.auth.then_answer(200, token_body("second-token"));
  for (int i = 0; i < 3; ++i) world.query();
  CHECK(world.auth.calls() == 1);
  world.clock.uptime_ms += 5'184'000'000 - 60'000 - 1;
  world.query();
  CHECK(world.auth.calls() == 1);
  world.clock.uptime_ms += 1;
  world.query();
  CHECK(world.auth.calls() == 2);
  CHECK(bearer(world.airtime, 4) == "Bearer second-token");
}

TEST_CASE("reloadly: a refused token is fetched once more and the call repeated once") {
  for (const char* code : {"TOKEN_EXPIRED", "INVALID_TOKEN"}) {
    CAPTURE(code);
    World world;
    world.auth.then_answer(200, token_body("second-token"));
    world.airtime.then_answer(401, refusal(code));
    world.airtime.then_answer(200, R"({"transactionId":4602843})");
    CHECK(world.submit().state == SupplyState::accepted);
    CHECK(world.auth.calls() == 2);
    CHECK(bearer(world.airtime, 1) == "Bearer second-token");
    CHECK(world.airtime.requests().at(0).body == world.airtime.requests().at(1).body);

    World stubborn;
    stubborn.auth.then_answer(200, token_body("second-token"));
    stubborn.airtime.then_answer(401, refusal(code));
    stubborn.airtime.then_answer(401, refusal(code));
    const auto outcome = stubborn.submit();
    CHECK(outcome.state == SupplyState::held);
    CHECK(outcome.code == code);
    CHECK(stubborn.auth.calls() == 2);
    CHECK(stubborn.airtime.calls() == 2);
  }
}

TEST_CASE("reloadly: without a token a submission is held, a query unknown, and nobody hammers") {
  struct Row {
    const char* name;
    std::function<void(ScriptedOutbound&)> script;
  };
  const Row rows[] = {
      {"refused", [](auto& o) { o.then_answer(401, refusal("INVALID_CREDENTIALS")); }},
      {"time-out", [](auto& o) { o.then_no_answer(); }},
      {"no token", [](auto& o) { o.then_answer(200, R"({"expires_in":100})"); }},
      {"no end", [](auto& o) { o.then_answer(200, R"({"access_token":"abc"})"); }},
      {"end of zero", [](auto& o) { o.then_answer(200, token_body("abc", 0)); }},
      {"a line break in it", [](auto& o) { o.then_answer(200, token_body("a\\r\\nX: y")); }},
      {"not JSON", [](auto& o) { o.then_answer(200, "<html>"); }},
      {"a list", [](auto& o) { o.then_answer(200, "[]"); }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    ScriptedOutbound auth, airtime;
    FixedClock clock;
    row.script(auth);
    const auto supplier = make_reloadly(config(), auth, airtime, clock);
    const auto submitted = supplier->submit(submit_request());
    CHECK(submitted.state == SupplyState::held);
    CHECK(submitted.code == "token_unavailable");
    CHECK(supplier->query(AttemptId(kAttempt), "1").state == SupplyState::unknown);
    CHECK(supplier->query(AttemptId(kAttempt), "").state == SupplyState::unknown);
    CHECK_FALSE(supplier->balance());
    CHECK_FALSE(supplier->products("HT"));
    CHECK(auth.calls() == 1);
    CHECK(airtime.calls() == 0);
    clock.uptime_ms += 2'000;
    auth.then_answer(200, token_body("second-token"));
    supplier->query(AttemptId(kAttempt), "1");
    CHECK(auth.calls() == 2);
    CHECK(airtime.calls() == 1);
  }
}

TEST_CASE("reloadly: threads that need a token at once fetch one") {
  World world;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&world] { world.query(); });
  for (auto& thread : threads) thread.join();
  CHECK(world.auth.calls() == 1);
  CHECK(world.airtime.calls() == 8);
}

// ---- Query.

TEST_CASE("reloadly: a delivered order tells its cost and its delivered amount to the cent") {
  World world;
  world.airtime.then_answer(200, read_fixture("reloadly/status_successful.json"));
  const auto outcome = world.query();
  CHECK(world.airtime.requests().at(0).target == "/topups/4602843/status");
  CHECK(outcome.state == SupplyState::succeeded);
  CHECK(outcome.code == "SUCCESSFUL");
  CHECK(outcome.supplier_order_id == "4602843");
  REQUIRE(outcome.cost);
  CHECK(*outcome.cost == Money{310'503, Currency::usd});
  REQUIRE(outcome.delivered);
  CHECK(*outcome.delivered == Money{4950, Currency::usd});
}

TEST_CASE("reloadly: each status word, and one that nobody documented") {
  struct Row {
    const char* word;
    SupplyState state;
  };
  constexpr Row rows[] = {
      {"SUCCESSFUL", SupplyState::succeeded},
      {"PROCESSING", SupplyState::accepted},
      {"REFUNDED", SupplyState::rejected},
      {"FAILED", SupplyState::rejected},
      {"BRAND_NEW", SupplyState::unknown},
      {"successful", SupplyState::unknown},
      {"", SupplyState::unknown},
  };
  for (const Row& row : rows) {
    CAPTURE(row.word);
    World world;
    const std::string status = std::string(R"("status":")") + row.word + "\"";
    world.airtime.then_answer(200, "{" + status + R"(,"transaction":null})");
    CHECK(world.query().state == row.state);
    world.airtime.then_answer(200, R"({"content":[{"customIdentifier":")" + kAttempt +
                                       R"(","transactionId":7,)" + status + "}]}");
    const auto reported = world.query("");
    CHECK(reported.state == row.state);
    CHECK(reported.supplier_order_id == "7");
  }
}

TEST_CASE("reloadly: an answer to a query that is not about this attempt is unknown") {
  struct Row {
    const char* name;
    const char* order_id;
    int status;
    std::string body;
  };
  const std::string of_another =
      R"({"status":"SUCCESSFUL","transaction":{"transactionId":4602843,"customIdentifier":"X"}})";
  const std::string other_order = R"({"status":"SUCCESSFUL","transaction":{"transactionId":1,)"
                                  R"("customIdentifier":"01JD8TESTATTEMPT0000000001"}})";
  const std::string row = R"({"customIdentifier":"01JD8TESTATTEMPT0000000001","status":"FAILED"})";
  const Row rows[] = {
      {"other identifier", "4602843", 200, of_another},
      {"other order", "4602843", 200, other_order},
      {"404 for a number they gave", "4602843", 404, "{}"},
      {"refusal code on a query", "4602843", 400, refusal("INVALID_AMOUNT")},
      {"500", "4602843", 500, "{}"},
      {"a list", "4602843", 200, "[]"},
      {"odd number of theirs", "../x", 200, "{}"},
      {"report: filter not applied", "", 200, R"({"content":[{"customIdentifier":"X"}]})"},
      {"report: two rows", "", 200, R"({"content":[)" + row + "," + row + "]}"},
      {"report: rows that are not objects", "", 200, R"({"content":[1]})"},
      {"report: empty page of many", "", 200, R"({"content":[],"totalElements":3})"},
      {"report: no content", "", 200, "{}"},
      {"report: content a map", "", 200, R"({"content":{}})"},
      {"report: a list", "", 200, "[]"},
      {"report: 404", "", 404, "{}"},
      {"report: 503", "", 503, "{}"},
  };
  for (const Row& r : rows) {
    CAPTURE(r.name);
    World world;
    world.airtime.then_answer(r.status, r.body);
    CHECK(world.query(r.order_id).state == SupplyState::unknown);
  }
  World silent;
  silent.airtime.then_no_answer();
  CHECK(silent.query().state == SupplyState::unknown);
  silent.airtime.then_not_sent();
  CHECK(silent.query().state == SupplyState::unknown);
}

TEST_CASE("reloadly: only an empty report says not found") {
  World world;
  world.airtime.then_answer(200, read_fixture("reloadly/report_empty.json"));
  CHECK(world.query("").state == SupplyState::not_found);
}

TEST_CASE("reloadly: a cost in another currency than the wallet's is not taken over") {
  struct Row {
    const char* wallet;
    bool has_cost;
  };
  constexpr Row rows[] = {
      {R"({"cost":3105.03200,"currencyCode":"USD"})", true},
      {R"({"cost":3105.03200,"currencyCode":"EUR"})", false},
      {R"({"cost":3105.03200})", false},
      {R"({"cost":null,"currencyCode":"USD"})", false},
      {R"({"cost":1e3,"currencyCode":"USD"})", false},
      {R"({"currencyCode":"USD"})", false},
      {"null", false},
      {"[]", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.wallet);
    World world;
    world.airtime.then_answer(
        200,
        std::string(R"({"status":"SUCCESSFUL","transaction":{"balanceInfo":)") + row.wallet + "}}");
    const auto outcome = world.query();
    CHECK(outcome.state == SupplyState::succeeded);
    CHECK(outcome.cost.has_value() == row.has_cost);
  }
}

// ---- Decimals, catalogue, balance.

TEST_CASE("reloadly: numbers keep their literal text and never become doubles") {
  struct Row {
    const char* literal;
    Currency currency;
    Round round;
    std::int64_t minor;  // -1: not an amount
  };
  constexpr Row rows[] = {
      {"49.5", Currency::usd, Round::down, 4950},
      {"10", Currency::usd, Round::down, 1000},
      {"10.0", Currency::usd, Round::down, 1000},
      {"3105.03200", Currency::usd, Round::half_up, 310'503},
      {"63.365", Currency::usd, Round::half_up, 6337},
      {"1.005", Currency::usd, Round::half_up, 101},
      {"0.285", Currency::usd, Round::half_up, 29},
      {"90071992547409.91", Currency::usd, Round::down, kMaxMinor},
      {"1000.5", Currency::jpy, Round::half_up, 1001},
      {"1.2345", Currency::kwd, Round::down, 1234},
      {"\"7.25\"", Currency::usd, Round::down, 725},
      {"1e2", Currency::usd, Round::down, -1},
      {"null", Currency::usd, Round::down, -1},
      {"true", Currency::usd, Round::down, -1},
      {"[49.5]", Currency::usd, Round::down, -1},
      {"123456789012345678901234567890", Currency::usd, Round::down, -1},
  };
  for (const Row& row : rows) {
    CAPTURE(row.literal);
    const auto json = exact_json_in(std::string(R"({"amount":)") + row.literal + "}");
    REQUIRE(json);
    const auto amount = amount_in(*json, "amount", row.currency, row.round);
    CHECK(amount.has_value() == (row.minor >= 0));
    if (amount) CHECK(*amount == Money{row.minor, row.currency});
  }
  CHECK_FALSE(exact_json_in(R"({"a":1,"a":2})"));
  CHECK_FALSE(exact_json_in(R"({"a":NaN})"));
  CHECK_FALSE(exact_json_in(""));
}

TEST_CASE("reloadly: apart from fractions the tree is the one that the gate builds") {
  for (const char* name : {"report_page.json", "report_empty.json", "callback_nested.json"}) {
    CAPTURE(name);
    const std::string text = read_fixture(std::string("reloadly/") + name);
    auto exact = *exact_json_in(text);
    auto plain = *base::json_in(text);
    for (auto* tree : {&exact, &plain}) {
      if (!tree->contains("content")) continue;
      for (auto& row : (*tree)["content"]) {
        row.erase("requestedAmount");
        row.erase("deliveredAmount");
      }
    }
    CHECK(exact == plain);
  }
}

TEST_CASE("reloadly: the catalogue lists fixed and ranged operators with local amounts, by kind") {
  World world;
  world.airtime.then_answer(200, read_fixture("reloadly/operators.json"));
  const auto products = world.supplier->products("HT");
  REQUIRE(products);
  struct Row {
    const char* operator_id;
    const char* name;
    Money face;
    ProductKind kind;
    std::int64_t most_minor;
  };
  constexpr auto kAirtime = ProductKind::airtime;
  constexpr auto kData = ProductKind::data;
  constexpr Row rows[] = {
      {"341", "Natcom Haiti", {1000, Currency::usd}, kAirtime, 0},
      {"341", "Natcom Haiti", {4950, Currency::usd}, kAirtime, 0},
      {"341", "Natcom Haiti", {7, Currency::usd}, kAirtime, 0},
      {"342", "日本の携帯", {1000, Currency::jpy}, kAirtime, 0},
      {"342", "日本の携帯", {3000, Currency::jpy}, kAirtime, 0},
      {"343", "Ranged", {100, Currency::usd}, kAirtime, 5'000},
      {"345", "Some Data", {500, Currency::usd}, kData, 0},
      {"346", "Some Bundle", {500, Currency::usd}, kData, 0},
      {"347", "Some PIN", {500, Currency::usd}, ProductKind::pin, 0},
  };
  REQUIRE(products->size() == std::size(rows));
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    CAPTURE(i);
    CHECK((*products)[i].supplier_operator_id == rows[i].operator_id);
    CHECK((*products)[i].operator_name == rows[i].name);
    CHECK((*products)[i].face == rows[i].face);
    CHECK((*products)[i].kind == rows[i].kind);
    CHECK((*products)[i].most_minor == rows[i].most_minor);
    CHECK((*products)[i].country == "HT");
  }
  CHECK(world.airtime.requests().at(0).target.find("/operators/countries/HT?") == 0);
}

const char* const kQuotedOperator =
    R"({"operatorId":341,"supportsLocalAmounts":true,"denominationType":"FIXED",)"
    R"("senderCurrencyCode":"USD","destinationCurrencyCode":"USD","internationalDiscount":6,)"
    R"("fixedAmounts":[9.9,49.1],"localFixedAmounts":[10,49.5]})";

TEST_CASE("reloadly: a bound asks for the price first, discount taken off") {
  World world;
  SubmitRequest request = submit_request();
  request.most_cost = {4'615, Currency::usd};  // 49.10 less 6 % is 46.16, rounded for the shop
  world.airtime.then_answer(200, kQuotedOperator);
  const auto dear = world.supplier->submit(request);
  CHECK(dear.state == SupplyState::rejected);
  CHECK(dear.code == "cost_too_high");
  CHECK(world.airtime.calls() == 1);
  request.most_cost.minor = 4'616;
  world.airtime.then_answer(200, kQuotedOperator);
  world.airtime.then_answer(200, R"({"transactionId":4602843})");
  CHECK(world.supplier->submit(request).state == SupplyState::accepted);
  world.airtime.then_no_answer();
  CHECK(world.supplier->submit(request).state == SupplyState::held);
  request.face.minor = 5'000;
  world.airtime.then_answer(200, kQuotedOperator);
  CHECK(world.supplier->submit(request).code == "product_changed");
}

TEST_CASE("reloadly: a number is looked up by its country") {
  World world;
  world.airtime.then_answer(200, R"({"operatorId":341,"name":"Natcom Haiti"})");
  const auto owner = world.supplier->look_up("+50936377111");
  REQUIRE(owner);
  CHECK(owner->supplier_operator_id == "341");
  CHECK(owner->country == "HT");
  CHECK(world.airtime.requests().at(0).target ==
        "/operators/auto-detect/phone/50936377111/countries/HT");
  world.airtime.then_answer(400, refusal("COULD_NOT_AUTO_DETECT_OPERATOR"));
  CHECK(world.supplier->look_up("+50936377111").error().reason == "operator_unknown");
  world.airtime.then_answer(200, "[]");
  CHECK(world.supplier->look_up("+50936377111").error().reason == "supplier_unavailable");
}

TEST_CASE("reloadly: a catalogue that cannot be read is unavailable") {
  World world;
  world.airtime.then_answer(200, "{}");
  world.airtime.then_answer(500, "[]");
  world.airtime.then_answer(404, refusal("COUNTRY_NOT_SUPPORTED"));
  world.airtime.then_no_answer();
  for (int i = 0; i < 4; ++i) {
    const auto products = world.supplier->products("HT");
    REQUIRE_FALSE(products);
    CHECK(products.error().code == Code::unavailable);
  }
  for (const char* country : {"", "ht", "HTI", "H/", "1A"}) {
    const auto products = world.supplier->products(country);
    REQUIRE_FALSE(products);
    CHECK(products.error().reason == "country_malformed");
  }
  CHECK(world.airtime.calls() == 4);
}

TEST_CASE("reloadly: the balance is rounded down, and only in the wallet's currency") {
  World world;
  world.airtime.then_answer(200, read_fixture("reloadly/balance.json"));
  const auto balance = world.supplier->balance();
  REQUIRE(balance);
  CHECK(*balance == Money{4'881'579, Currency::usd});
  for (const char* body : {R"({"balance":1,"currencyCode":"EUR"})", R"({"balance":1})",
                           R"({"currencyCode":"USD"})", "[]", ""}) {
    CAPTURE(body);
    world.airtime.then_answer(200, body);
    CHECK_FALSE(world.supplier->balance());
  }
}

// ---- Callbacks.

CallbackRequest callback(const std::string& body, const std::string& stamp = std::to_string(kNowS),
                         const std::string& secret = kWebhookSecret, const char* joint = ":") {
  return {.headers = {{"content-type", "application/json"},
                      {"x-reloadly-signature",
                       base::hex(base::hmac_sha256(secret, body + joint + stamp))},
                      {"x-reloadly-request-timestamp", stamp}},
          .body = body};
}

TEST_CASE("reloadly callback: a genuine one names our attempt, in either shape") {
  World world;
  for (const char* name : {"callback.json", "callback_nested.json"}) {
    CAPTURE(name);
    const auto got =
        world.supplier->parse_callback(callback(read_fixture(std::string("reloadly/") + name)));
    REQUIRE(got);
    CHECK(got->text == kAttempt);
  }
  // Made by another program, so that both sides of this test cannot be wrong together.
  CallbackRequest known = callback(read_fixture("reloadly/callback.json"));
  known.headers[1].second = "a719aa5ba27aec98968946efc25e65dc1aaa1948f5efc805bfe83d1708e8da6a";
  CHECK(world.supplier->parse_callback(known));
  CHECK(world.airtime.calls() + world.auth.calls() == 0);
}

TEST_CASE("reloadly callback: the window ends at 300 s, for seconds and for milliseconds") {
  struct Row {
    const char* stamp;
    const char* reason;
  };
  constexpr Row rows[] = {
      {"1795246200", ""},
      {"1795245901", ""},
      {"1795246499", ""},
      {"1795246200000", ""},
      {"1795245900001", ""},
      {"1795246499999", ""},
      {"1795245900", "timestamp_expired"},
      {"1795245899", "timestamp_expired"},
      {"1795246500", "timestamp_expired"},
      {"1795245900000", "timestamp_expired"},
      {"1795246500000", "timestamp_expired"},
      {"0", "timestamp_expired"},
      {"", "callback_malformed"},
      {"now", "callback_malformed"},
      {"-1795246200", "callback_malformed"},
      {"1795246200.0", "callback_malformed"},
      {"9999999999999999", "callback_malformed"},
  };
  World world;
  for (const Row& row : rows) {
    CAPTURE(row.stamp);
    const auto got =
        world.supplier->parse_callback(callback(read_fixture("reloadly/callback.json"), row.stamp));
    CHECK(got.has_value() == (*row.reason == '\0'));
    if (!got) CHECK(got.error().reason == row.reason);
  }
}

TEST_CASE("reloadly callback: each forgery is refused") {
  struct Row {
    const char* name;
    std::function<void(CallbackRequest&)> edit;
  };
  const std::string body = read_fixture("reloadly/callback.json");
  const Row rows[] = {
      {"no headers", [](auto& r) { r.headers.clear(); }},
      {"no signature", [](auto& r) { r.headers.erase(r.headers.begin() + 1); }},
      {"no timestamp", [](auto& r) { r.headers.pop_back(); }},
      {"empty signature", [](auto& r) { r.headers[1].second.clear(); }},
      {"truncated signature", [](auto& r) { r.headers[1].second.pop_back(); }},
      {"longer signature", [](auto& r) { r.headers[1].second += "0"; }},
      {"signature of zeros", [](auto& r) { r.headers[1].second.assign(64, '0'); }},
      {"one digit changed",
       [](auto& r) { r.headers[1].second[0] = r.headers[1].second[0] == '0' ? '1' : '0'; }},
      {"upper case",
       [](auto& r) {
         r.headers[1].second =
             "A719AA5BA27AEC98968946EFC25E65DC1AAA"
             "1948F5EFC805BFE83D1708E8DA6A";
       }},
      {"signature twice", [](auto& r) { r.headers.push_back(r.headers[1]); }},
      {"timestamp twice", [](auto& r) { r.headers.push_back(r.headers[2]); }},
      {"other timestamp", [](auto& r) { r.headers[2].second = std::to_string(kNowS + 1); }},
      {"other body", [](auto& r) { r.body += " "; }},
      {"empty body", [](auto& r) { r.body.clear(); }},
      {"other secret", [&](auto& r) { r = callback(body, std::to_string(kNowS), "other"); }},
      {"empty secret", [&](auto& r) { r = callback(body, std::to_string(kNowS), ""); }},
      {"joined by a dot",
       [&](auto& r) { r = callback(body, std::to_string(kNowS), kWebhookSecret, "."); }},
      {"not joined",
       [&](auto& r) { r = callback(body, std::to_string(kNowS), kWebhookSecret, ""); }},
      {"signature only over the body",
       [&](auto& r) { r.headers[1].second = base::hex(base::hmac_sha256(kWebhookSecret, body)); }},
  };
  World world;
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CallbackRequest request = callback(body);
    row.edit(request);
    const auto got = world.supplier->parse_callback(request);
    REQUIRE_FALSE(got);
    CHECK(got.error().reason == "signature_invalid");
    CHECK(got.error().code == Code::forbidden);
  }
  ReloadlyConfig without_secret = config();
  without_secret.webhook_secret.clear();
  const auto open = make_reloadly(without_secret, world.auth, world.airtime, world.clock);
  CHECK_FALSE(open->parse_callback(callback(body, std::to_string(kNowS), "")));
}

TEST_CASE("reloadly callback: signed contents that name no attempt are malformed") {
  World world;
  for (const char* body :
       {"", "[]", "{}", "hello", R"({"type":"airtime_transaction.status"})",
        R"({"type":"airtime_transaction.status","data":[]})",
        R"({"type":"airtime_transaction.status","data":{}})",
        R"({"type":"airtime_transaction.status","data":{"customIdentifier":null}})",
        R"({"type":"airtime_transaction.status","data":{"customIdentifier":5}})",
        R"({"type":"airtime_transaction.status","data":{"customIdentifier":"a b"}})",
        R"({"type":"airtime_transaction.status","data":{"customIdentifier":"a&b=c"}})",
        R"({"type":"giftcard_transaction.status","data":{"customIdentifier":"A1"}})",
        R"({"data":{"customIdentifier":"A1"}})"}) {
    CAPTURE(body);
    const auto got = world.supplier->parse_callback(callback(body));
    REQUIRE_FALSE(got);
    CHECK(got.error().reason == "callback_malformed");
  }
}

// ---- Secrets, and the registry.

TEST_CASE("reloadly: no secret and no number reaches the log or an outcome") {
  base::SystemRandom random;
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("topup_reloadly_" + base::new_nonce(random));
  base::set_log_file(path.string());
  std::string seen;
  {
    World world;
    world.auth.then_answer(401, R"({"message":"Access Denied","errorCode":"INVALID_CREDENTIALS"})");
    world.airtime.then_answer(
        400, R"({"errorCode":"INVALID_RECIPIENT_PHONE","message":"+50936377111 is not valid"})");
    world.airtime.then_answer(401, refusal("TOKEN_EXPIRED"));
    seen += world.submit().code;
    seen += world.submit().code;
  }
  base::set_log_file("/dev/stderr");
  std::ifstream file(path);
  seen.append(std::istreambuf_iterator<char>(file), {});
  CHECK(seen.find("reloadly_token_failed") != std::string::npos);  // the log was really read
  CHECK(seen.find("INVALID_RECIPIENT_PHONE") != std::string::npos);
  for (const std::string& secret :
       {kClientSecret, kWebhookSecret, std::string("test-token-one"), std::string("36377111")}) {
    CAPTURE(secret);
    CHECK(seen.find(secret) == std::string::npos);
  }
  std::filesystem::remove(path);
}

TEST_CASE("suppliers: found by name, and never two of one name") {
  World world;
  Suppliers suppliers;
  CHECK(suppliers.find("reloadly") == nullptr);
  suppliers.add(make_reloadly(config(), world.auth, world.airtime, world.clock));
  REQUIRE(suppliers.find("reloadly") != nullptr);
  CHECK(suppliers.find("reloadly")->name() == "reloadly");
  CHECK(suppliers.find("other") == nullptr);
  CHECK_THROWS_AS(suppliers.add(make_reloadly(config(), world.auth, world.airtime, world.clock)),
                  InvariantBroken);
}

}  // namespace
}  // namespace topup::suppliers
