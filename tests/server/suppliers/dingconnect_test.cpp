#include "server/suppliers/dingconnect.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "server/base/json.h"
#include "tests/support/scripted_outbound.h"
#include "tests/support/supplier_junk.h"

namespace topup::suppliers {
namespace {

using testing::ScriptedOutbound;

constexpr std::int64_t kNowMs = 1'795'246'200'000;  // 2026-11-21T07:30:00Z
const std::string kAttempt = "S01JD8TESTATTEMPT00000000011";
const std::string kToken = "callback-token-of-the-test";

struct World {
  ScriptedOutbound http;
  std::unique_ptr<Supplier> supplier =
      make_dingconnect({"test-api-key", kToken, Currency::usd}, http);
};

SubmitRequest order() {
  SubmitRequest request;
  request.attempt_id = AttemptId(kAttempt);
  request.supplier_operator_id = "T6TH";
  request.country = "TH";
  request.account_number = "+66812345678";
  request.face = {5'000, Currency::thb};
  request.sku = "TH_T6_TopUp_50.00";
  return request;
}

std::string price(const std::string& send, const std::string& receive) {
  return R"({"CustomerFee":0,"DistributorFee":0.10,"ReceiveValue":)" + receive +
         R"(,"ReceiveCurrencyIso":"THB","ReceiveValueExcludingTax":0,"SendValue":)" + send +
         R"(,"SendCurrencyIso":"USD"})";
}

std::string product(const std::string& least, const std::string& most, const std::string& more = "",
                    const std::string& sku = "TH_T6_TopUp_50.00") {
  return R"({"ProviderCode":"T6TH","SkuCode":")" + sku + R"(","Minimum":)" + least +
         R"(,"Maximum":)" + most +
         R"(,"CommissionRate":0.1,"RedemptionMechanism":"Immediate","Benefits":["Mobile"],)" +
         R"("DefaultDisplayText":"THB 50.00","LookupBillsRequired":false)" + more + "}";
}

std::string items(const std::string& rows, const std::string& more = "") {
  return R"({"ResultCode":1,"ErrorCodes":[],"Items":[)" + rows + "]" + more + "}";
}

const std::string kFixed = items(product(price("1.50", "46.87"), price("1.50", "46.87")));

std::string record(const std::string& state, const std::string& attempt = kAttempt) {
  return R"({"TransferId":{"TransferRef":"77001","DistributorRef":")" + attempt +
         R"("},"SkuCode":"TH_T6_TopUp_50.00","Price":)" + price("1.50", "46.87") +
         R"(,"CommissionApplied":0.15,"StartedUtc":"2026-11-21T07:00:00Z","ProcessingState":")" +
         state + R"(","ReceiptParams":{}})";
}

std::string taken(const std::string& state) {
  return R"({"ResultCode":1,"ErrorCodes":[],"TransferRecord":)" + record(state) + "}";
}

std::string found(const std::string& records, const char* more = "false") {
  std::string rows;
  rows = records.empty() ? "" : R"({"TransferRecord":)" + records + R"(,"ResultCode":1})";
  return items(rows, std::string(R"(,"ThereAreMoreItems":)") + more);
}

std::string refusal(int result_code, const std::string& code) {
  return R"({"ResultCode":)" + std::to_string(result_code) + R"(,"ErrorCodes":[{"Code":")" + code +
         R"(","Context":null}]})";
}

TEST_CASE("dingconnect: a transfer is deferred, without a plus, at the send value of their price") {
  World world;
  world.http.then_answer(200, kFixed);
  world.http.then_answer(200, taken("Submitted"));
  const auto said = world.supplier->submit(order());
  CHECK(said.state == SupplyState::accepted);
  CHECK(said.supplier_order_id == "77001");
  const auto calls = world.http.requests();
  REQUIRE(calls.size() == 2);
  CHECK(calls[0].target == "/api/V1/GetProducts?skuCodes=TH_T6_TopUp_50.00");
  CHECK(calls[1].target == "/api/V1/SendTransfer");
  CHECK(calls[1].body ==
        R"({"AccountNumber":"66812345678","DistributorRef":"S01JD8TESTATTEMPT00000000011",)"
        R"("SendCurrencyIso":"USD","SendValue":1.50,"SkuCode":"TH_T6_TopUp_50.00",)"
        R"("ValidateOnly":false})");
  CHECK(ScriptedOutbound::header(calls[1], "api_key") == "test-api-key");
  CHECK(ScriptedOutbound::header(calls[1], "X-Option") == "DeferTransfer");
  CHECK_FALSE(world.supplier->deduplicates());
}

TEST_CASE("dingconnect: a ranged product is priced by an estimate, matched by its reference") {
  World world;
  SubmitRequest request = order();
  request.face = {12'300, Currency::thb};
  request.most_cost = {400, Currency::usd};
  world.http.then_answer(200, items(product(price("0.31", "10"), price("15.00", "500"))));
  world.http.then_answer(200, items(R"({"BatchItemRef":"other","Price":)" + price("9.99", "1") +
                                    R"(},{"BatchItemRef":")" + kAttempt + R"(","Price":)" +
                                    price("3.70", "123") + "}"));
  world.http.then_answer(200, taken("Submitted"));
  CHECK(world.supplier->submit(request).state == SupplyState::accepted);
  const auto calls = world.http.requests();
  CHECK(calls.at(1).body.find("\"ReceiveValue\":123.00") != std::string::npos);
  CHECK(calls.at(2).body.find("\"SendValue\":3.70") != std::string::npos);
}

TEST_CASE("dingconnect: a price above the bound, or another product, is never ordered") {
  SubmitRequest request = order();
  request.most_cost = {144, Currency::usd};  // 1.50 + 0.10 − 0.15 = 1.45
  World dear;
  dear.http.then_answer(200, kFixed);
  CHECK(dear.supplier->submit(request).code == "cost_too_high");
  CHECK(dear.http.calls() == 1);
  request.most_cost.minor = 145;
  World fits;
  fits.http.then_answer(200, kFixed);
  fits.http.then_answer(200, taken("Complete"));
  CHECK(fits.supplier->submit(request).state == SupplyState::succeeded);
  World changed;
  request.face = {10'000, Currency::thb};
  changed.http.then_answer(200, kFixed);
  CHECK(changed.supplier->submit(request).code == "product_changed");
  World gone;
  gone.http.then_answer(200, items(""));
  CHECK(gone.supplier->submit(request).code == "product_unknown");
}

TEST_CASE("dingconnect: whatever is unclear before the order only holds it") {
  for (const auto& junk : testing::supplier_junk()) {
    CAPTURE(junk.name);
    World world;
    testing::play(world.http, junk);
    const auto said = world.supplier->submit(order());
    CHECK(said.state == SupplyState::held);
    CHECK(said.code == "not_sent");
    CHECK(world.http.calls() == 1);
  }
  World late;
  SubmitRequest request = order();
  request.may_leave = [] { return false; };
  late.http.then_answer(200, kFixed);
  CHECK(late.supplier->submit(request).code == "too_late");
  CHECK(late.http.calls() == 1);
}

TEST_CASE("dingconnect: each error, whatever its HTTP status; what is not listed is unknown") {
  struct Row {
    int status, result_code;
    const char* code;
    SupplyState state;
  };
  constexpr auto kRejected = SupplyState::rejected;
  constexpr auto kHeld = SupplyState::held;
  constexpr auto kUnknown = SupplyState::unknown;
  constexpr Row rows[] = {
      {200, 3, "TransientProviderError", kUnknown},
      {200, 3, "RateLimited", kHeld},
      {200, 5, "ProviderError", kRejected},
      {200, 5, "RechargeNotAllowed", kRejected},
      {500, 5, "InsufficientBalance", kHeld},
      {200, 5, "InsufficientBalance", kHeld},
      {200, 4, "AccountNumberInvalid", kRejected},
      {400, 4, "ParameterMissing", kRejected},
      {200, 4, "ParameterInvalid", kRejected},
      {200, 4, "ParameterOutOfRange", kRejected},
      {200, 4, "ParameterCombinationInvalid", kRejected},
      {200, 4, "TooManyParameters", kRejected},
      {200, 4, "RequestInvalid", kRejected},
      {200, 4, "BatchItemRefMustBeUnique", kRejected},
      {401, 4, "AuthenticationFailed", kHeld},
      {200, 2, "NearestMatch", kUnknown},
      {200, 5, "OtherError", kUnknown},
      {200, 5, "BrandNewCode", kUnknown},
      {503, 1, "", kUnknown},
  };
  for (const Row& row : rows) {
    CAPTURE(row.code);
    World world;
    world.http.then_answer(200, kFixed);
    world.http.then_answer(row.status, refusal(row.result_code, row.code));
    CHECK(world.supplier->submit(order()).state == row.state);
    CHECK(world.http.calls() == 2);
  }
}

TEST_CASE("dingconnect: a refusal that brings a delivered record contradicts itself: unknown") {
  World world;
  world.http.then_answer(200, kFixed);
  world.http.then_answer(200, R"({"ResultCode":5,"ErrorCodes":[{"Code":"ProviderError"}],)"
                              R"("TransferRecord":)" +
                                  record("Complete") + "}");
  CHECK(world.supplier->submit(order()).state == SupplyState::unknown);
}

TEST_CASE("dingconnect: each state of a record") {
  struct Row {
    const char* state;
    SupplyState means;
  };
  constexpr Row rows[] = {
      {"Complete", SupplyState::succeeded},  {"Completed", SupplyState::succeeded},
      {"Failed", SupplyState::rejected},     {"Cancelled", SupplyState::rejected},
      {"Submitted", SupplyState::accepted},  {"Processing", SupplyState::accepted},
      {"Cancelling", SupplyState::accepted}, {"Dreaming", SupplyState::unknown},
      {"complete", SupplyState::unknown},
  };
  for (const Row& row : rows) {
    CAPTURE(row.state);
    World world;
    world.http.then_answer(200, found(record(row.state)));
    const auto said = world.supplier->query(AttemptId(kAttempt), "");
    CHECK(said.state == row.means);
    CHECK(said.code == row.state);
  }
  World world;
  std::string pin = record("Complete");
  pin.replace(pin.find("\"ReceiptParams\":{}"), 18, R"("ReceiptParams":{"pin":"4711"})");
  world.http.then_answer(200, found(pin));
  const auto said = world.supplier->query(AttemptId(kAttempt), "77001");
  CHECK(*said.cost == Money{145, Currency::usd});
  CHECK(*said.delivered == Money{4'687, Currency::thb});
  REQUIRE(said.pins.size() == 1);
  CHECK(said.pins[0].code == "4711");
}

TEST_CASE("dingconnect: O-04: of several records under one reference the delivered one counts") {
  World world;
  const auto both = [&](const std::string& first, const std::string& second) {
    world.http.then_answer(200, items(R"({"TransferRecord":)" + record(first) +
                                          R"(},{"TransferRecord":)" + record(second) + "}",
                                      R"(,"ThereAreMoreItems":false)"));
    return world.supplier->query(AttemptId(kAttempt), "").state;
  };
  CHECK(both("Failed", "Complete") == SupplyState::succeeded);
  CHECK(both("Complete", "Failed") == SupplyState::succeeded);
  CHECK(both("Failed", "Processing") == SupplyState::accepted);
  CHECK(both("Failed", "Failed") == SupplyState::rejected);
}

TEST_CASE(
    "dingconnect: not found is said only of a whole, empty list of an order without a number") {
  World world;
  world.http.then_answer(200, found(""));
  CHECK(world.supplier->query(AttemptId(kAttempt), "").state == SupplyState::not_found);
  world.http.then_answer(200, found("", "true"));
  CHECK(world.supplier->query(AttemptId(kAttempt), "").state == SupplyState::unknown);
  world.http.then_answer(200, found(""));
  CHECK(world.supplier->query(AttemptId(kAttempt), "77001").state == SupplyState::unknown);
  world.http.then_answer(200, found(record("Complete", "SOMEONEELSE")));
  CHECK(world.supplier->query(AttemptId(kAttempt), "").state == SupplyState::unknown);
  world.http.then_answer(200, refusal(5, "OtherError"));
  CHECK(world.supplier->query(AttemptId(kAttempt), "").state == SupplyState::unknown);
}

TEST_CASE("dingconnect: S-05: junk on a transfer or a query is unknown") {
  for (const auto& junk : testing::supplier_junk()) {
    CAPTURE(junk.name);
    World world;
    world.http.then_answer(200, kFixed);
    testing::play(world.http, junk);
    CHECK(world.supplier->submit(order()).state == SupplyState::unknown);
    testing::play(world.http, junk);
    CHECK(world.supplier->query(AttemptId(kAttempt), "").state == SupplyState::unknown);
    testing::play(world.http, junk);
    CHECK_FALSE(world.supplier->balance());
    testing::play(world.http, junk);
    CHECK_FALSE(world.supplier->statement(0, kNowMs));
    CHECK(world.http.is_played_out());
  }
}

TEST_CASE("dingconnect: products keep nominal and received value, cost and kind") {
  World world;
  world.http.then_answer(200, items(R"({"ProviderCode":"T6TH","CountryIso":"TH","Name":"True"},)"
                                    R"({"ProviderCode":"X","CountryIso":"MM","Name":"Other"})"));
  const std::string fifty = price("1.50", "46.87");
  world.http.then_answer(
      200,
      items(
          product(fifty, fifty) + "," +
          product(price("0.31", "10"), price("15.00", "500"), "", "RANGE") + "," +
          product(fifty, fifty, R"(,"SettingDefinitions":[{"Name":"a","IsMandatory":true}])", "S") +
          "," + R"({"ProviderCode":"T6TH","SkuCode":"DATA","Minimum":)" + fifty + R"(,"Maximum":)" +
          fifty + R"(,"RedemptionMechanism":"Immediate","Benefits":["Mobile","Data"],)" +
          R"("ValidityPeriodIso":"P1M","DefaultDisplayText":"5 GB, 30 days"})"));
  const auto products = world.supplier->products("TH");
  REQUIRE(products);
  REQUIRE(products->size() == 3);
  const auto& fixed = (*products)[0];
  CHECK(fixed.face == Money{5'000, Currency::thb});
  CHECK(fixed.delivered == Money{4'687, Currency::thb});
  CHECK(fixed.cost == Money{145, Currency::usd});
  CHECK(fixed.operator_name == "True");
  const auto& ranged = (*products)[1];
  CHECK(ranged.face.minor == 1'000);
  CHECK(ranged.most_minor == 50'000);
  CHECK(ranged.step_minor == 100);
  CHECK((*products)[2].kind == ProductKind::data);
  CHECK((*products)[2].validity_days == 30);
  CHECK((*products)[2].name == "5 GB, 30 days");
}

TEST_CASE("dingconnect: look-up takes one match only, and a statement every page") {
  World world;
  world.http.then_answer(
      200, items(R"({"ProviderCode":"T6TH","RegionCode":"TH"})", R"(,"CountryIso":"TH")"));
  world.http.then_answer(200, items(R"({"ProviderCode":"T6TH","Name":"True"})"));
  const auto owner = world.supplier->look_up("+66812345678");
  REQUIRE(owner);
  CHECK(owner->supplier_operator_id == "T6TH");
  CHECK(owner->operator_name == "True");
  world.http.then_answer(200, refusal(2, "NearestMatch"));
  CHECK(world.supplier->look_up("+66812345678").error().reason == "operator_unknown");
  world.http.then_no_answer();
  CHECK(world.supplier->look_up("+66812345678").error().reason == "supplier_unavailable");

  world.http.then_answer(200, found(record("Complete"), "true"));
  world.http.then_answer(200, found(record("Failed", "SECOND"), "false"));
  const auto lines = world.supplier->statement(kNowMs - 3'600'000, kNowMs);
  REQUIRE(lines);
  REQUIRE(lines->size() == 2);
  CHECK(*(*lines)[0].cost == Money{145, Currency::usd});
  CHECK((*lines)[1].attempt_id == "SECOND");
  CHECK((*lines)[1].state == SupplyState::rejected);
  CHECK(world.http.requests().back().body == R"({"Skip":100,"Take":100})");
}

TEST_CASE("dingconnect: a webhook is a hint of whoever knows the token") {
  World world;
  const std::string body = R"({"TransferRecord":)" + record("Failed") + "}";
  CHECK(*world.supplier->parse_callback({{}, body, kToken}) == AttemptId(kAttempt));
  CHECK(world.supplier->parse_callback({{}, body, "guess"}).error().reason == "signature_invalid");
  CHECK(world.supplier->parse_callback({{}, "{}", kToken}).error().reason == "callback_malformed");
}

}  // namespace
}  // namespace topup::suppliers
