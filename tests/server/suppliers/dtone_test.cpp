#include "server/suppliers/dtone.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "server/base/crypto.h"
#include "server/base/log.h"
#include "server/suppliers/exact_json.h"
#include "server/suppliers/iso_country.h"
#include "server/suppliers/reading.h"
#include "tests/support/scripted_outbound.h"
#include "tests/support/supplier_junk.h"

namespace topup::suppliers {
namespace {

using testing::ScriptedOutbound;

constexpr std::int64_t kNowMs = 1'795'246'200'000;  // 2026-11-21T07:30:00Z
const std::string kAttempt = "S01JD8TESTATTEMPT00000000011";
const std::string kToken = "callback-token-of-the-test";

struct FixedClock final : base::Clock {
  std::int64_t wall_ms() const override { return kNowMs; }
  std::int64_t mono_ms() const override { return 1'000'000; }
};

struct World {
  ScriptedOutbound http;
  FixedClock clock;
  std::unique_ptr<Supplier> supplier =
      make_dtone({"test-key", "test-secret-0000", "https://shop.example/callback/dtone?token=x",
                  kToken, Currency::usd},
                 http, clock);
};

SubmitRequest order() {
  SubmitRequest request;
  request.attempt_id = AttemptId(kAttempt);
  request.supplier_operator_id = "1001";
  request.country = "TH";
  request.account_number = "+66812345678";
  request.face = {5'000, Currency::thb};
  request.sku = "18432";
  return request;
}

std::string transaction(int group, const std::string& message,
                        const std::string& attempt = kAttempt, const std::string& cost = "1.435",
                        const std::string& created = "2026-11-21T07:29:59.123456789Z") {
  return R"({"id":2237512891,"external_id":")" + attempt + R"(","creation_date":")" + created +
         R"(","status":{"id":)" + std::to_string(group * 10'000) + R"(,"message":")" + message +
         R"(","class":{"id":)" + std::to_string(group) +
         R"(,"message":"X"}},"prices":{"wholesale":{"unit_type":"CURRENCY","unit":"USD","amount":)" +
         cost + R"(,"fee":0.01},"retail":null},"product":{"id":18432,"destination":)" +
         R"({"unit_type":"CURRENCY","unit":"THB","amount":50}},"adjusted_values":)" +
         R"({"destination":{"unit_type":"CURRENCY","unit":"THB","amount":46.87}},"pin":null})";
}

std::string refusal(int code) {
  return R"({"errors":[{"code":)" + std::to_string(code) + R"(,"message":"refused"}]})";
}

TEST_CASE("dtone: an order carries our id, the number and the product, and nothing secret") {
  World world;
  world.http.then_answer(201, transaction(2, "CONFIRMED"));
  const auto said = world.supplier->submit(order());
  CHECK(said.state == SupplyState::accepted);
  CHECK(said.supplier_order_id == "2237512891");
  const auto request = world.http.requests().at(0);
  CHECK(request.method == "POST");
  CHECK(request.target == "/v1/async/transactions");
  CHECK(*base::json_in(request.body) ==
        *base::json_in(R"({"external_id":"S01JD8TESTATTEMPT00000000011","product_id":18432,
          "auto_confirm":true,"credit_party_identifier":{"mobile_number":"+66812345678"},
          "callback_url":"https://shop.example/callback/dtone?token=x"})"));
  CHECK(ScriptedOutbound::header(request, "Authorization") ==
        "Basic " + base::base64("test-key:test-secret-0000"));
  CHECK(request.body.find("test-secret") == std::string::npos);
}

TEST_CASE("dtone: a ranged product is ordered by what arrives, written as exact digits") {
  World world;
  world.http.then_answer(201, transaction(2, "CONFIRMED"));
  SubmitRequest request = order();
  request.sku = "18432r";
  request.face = {1'234'567'890'150, Currency::thb};
  world.supplier->submit(request);
  const std::string body = world.http.requests().at(0).body;
  CHECK(body.find(R"("product_id":18432})") != std::string::npos);
  CHECK(body.find(R"("amount":12345678901.50,)") != std::string::npos);
  CHECK(body.find(R"("calculation_mode":"DESTINATION_AMOUNT")") != std::string::npos);
}

TEST_CASE("dtone: an order that cannot be written is rejected before anything leaves") {
  World world;
  const auto spoiled = [](auto edit) {
    SubmitRequest request = order();
    edit(request);
    return request;
  };
  for (const SubmitRequest& request :
       {spoiled([](auto& r) { r.attempt_id.text.clear(); }),
        spoiled([](auto& r) { r.attempt_id.text = std::string(41, 'a'); }),
        spoiled([](auto& r) { r.attempt_id.text = "a\"b"; }), spoiled([](auto& r) { r.sku = ""; }),
        spoiled([](auto& r) { r.sku = "r"; }), spoiled([](auto& r) { r.sku = "1,\"x\":2"; }),
        spoiled([](auto& r) { r.account_number = "66812345678"; }),
        spoiled([](auto& r) { r.account_number = ""; }),
        spoiled([](auto& r) { r.face.minor = 0; })}) {
    const auto said = world.supplier->submit(request);
    CHECK(said.state == SupplyState::rejected);
    CHECK(said.code == "request_malformed");
  }
  CHECK(world.http.calls() == 0);
}

TEST_CASE("dtone: each error of an order, one by one; what is not listed is unknown") {
  struct Row {
    int status, code;
    SupplyState state;
  };
  constexpr auto kRejected = SupplyState::rejected;
  constexpr auto kHeld = SupplyState::held;
  constexpr auto kUnknown = SupplyState::unknown;
  constexpr Row rows[] = {
      {400, 1'000'400, kRejected}, {404, 1'000'404, kHeld},     {401, 1'000'401, kHeld},
      {429, 1'000'429, kHeld},     {404, 1'003'001, kRejected}, {400, 1'003'002, kRejected},
      {400, 1'003'003, kRejected}, {404, 1'003'101, kRejected}, {404, 1'003'201, kRejected},
      {404, 1'003'301, kRejected}, {400, 1'005'003, kRejected}, {400, 1'005'004, kRejected},
      {400, 1'005'005, kRejected}, {400, 1'005'006, kRejected}, {400, 1'005'503, kRejected},
      {400, 1'006'001, kHeld},     {400, 1'006'003, kUnknown},  {404, 1'006'009, kUnknown},
      {400, 1'006'503, kUnknown},  {400, 1'007'002, kUnknown},  {400, 1'007'004, kUnknown},
      {400, 1'007'005, kUnknown},  {400, 1'007'007, kUnknown},  {400, 1'007'500, kRejected},
      {404, 1'008'004, kUnknown},  {500, 1'009'001, kUnknown},  {503, 1'009'503, kUnknown},
      {400, 1'234'567, kUnknown},  {500, 1'005'003, kUnknown},  {503, 1'006'001, kUnknown},
      {302, 1'005'003, kUnknown},
  };
  for (const Row& row : rows) {
    CAPTURE(row.code);
    CAPTURE(row.status);
    World world;
    world.http.then_answer(row.status, refusal(row.code));
    CHECK(world.supplier->submit(order()).state == row.state);
    CHECK(world.http.calls() == 1);
  }
  World two;
  two.http.then_answer(400, R"({"errors":[{"code":1005003},{"code":1009001}]})");
  CHECK(two.supplier->submit(order()).state == kUnknown);
}

TEST_CASE("dtone: each class of a transaction, on the order and on a query") {
  struct Row {
    int group;
    const char* message;
    SupplyState state;
  };
  constexpr Row rows[] = {
      {1, "CREATED", SupplyState::accepted},
      {2, "CONFIRMED", SupplyState::accepted},
      {3, "REJECTED-OPERATOR-CURRENTLY-UNAVAILABLE", SupplyState::rejected},
      {3, "REJECTED-INSUFFICIENT-BALANCE", SupplyState::rejected},
      {4, "CANCELLED", SupplyState::rejected},
      {5, "SUBMITTED", SupplyState::accepted},
      {6, "NEW", SupplyState::unknown},
      {7, "COMPLETED", SupplyState::succeeded},
      {8, "REVERSED", SupplyState::rejected},
      {9, "DECLINED-BARRED-CREDIT-PARTY", SupplyState::rejected},
      {10, "DECLINED", SupplyState::unknown},
  };
  for (const Row& row : rows) {
    CAPTURE(row.message);
    World world;
    world.http.then_answer(201, transaction(row.group, row.message));
    world.http.then_answer(200, transaction(row.group, row.message));
    world.http.then_answer(200, "[" + transaction(row.group, row.message) + "]");
    const auto submitted = world.supplier->submit(order());
    CHECK(submitted.state == row.state);
    CHECK(submitted.code == row.message);
    CHECK(world.supplier->query(AttemptId(kAttempt), "2237512891").state == row.state);
    CHECK(world.supplier->query(AttemptId(kAttempt), "").state == row.state);
  }
}

TEST_CASE("dtone: a success says what it cost with the fee, what arrived and the PIN") {
  World world;
  std::string body = transaction(7, "COMPLETED");
  body.replace(body.find("\"pin\":null"), 10, R"("pin":{"code":"4711 0815","serial":"S1"})");
  world.http.then_answer(200, body);
  const auto said = world.supplier->query(AttemptId(kAttempt), "2237512891");
  REQUIRE(said.state == SupplyState::succeeded);
  CHECK(*said.cost == Money{145, Currency::usd});  // 1.435 up, and a cent
  CHECK(*said.delivered == Money{4'687, Currency::thb});
  REQUIRE(said.pins.size() == 1);
  CHECK(said.pins[0].code == "4711 0815");
  CHECK(said.pins[0].serial == "S1");
}

TEST_CASE("dtone: S-05: junk on an order or a query is unknown") {
  for (const auto& junk : testing::supplier_junk()) {
    CAPTURE(junk.name);
    World world;
    testing::play(world.http, junk);
    CHECK(world.supplier->submit(order()).state == SupplyState::unknown);
    testing::play(world.http, junk);
    CHECK(world.supplier->query(AttemptId(kAttempt), "2237512891").state == SupplyState::unknown);
    testing::play(world.http, junk);
    const auto searched = world.supplier->query(AttemptId(kAttempt), "");
    const bool is_empty_list = junk.body == "[]";
    CHECK(searched.state == (is_empty_list ? SupplyState::not_found : SupplyState::unknown));
    testing::play(world.http, junk);
    CHECK_FALSE(world.supplier->balance());
    CHECK(world.http.is_played_out());
  }
}

TEST_CASE("dtone: S-05: another order's answer is never ours, on any path") {
  World world;
  const std::string other = transaction(7, "COMPLETED", "S01JD8SOMEONEELSE0000000001");
  world.http.then_answer(201, other);
  CHECK(world.supplier->submit(order()).state == SupplyState::unknown);
  world.http.then_answer(200, other);
  CHECK(world.supplier->query(AttemptId(kAttempt), "2237512891").state == SupplyState::unknown);
  world.http.then_answer(200, transaction(7, "COMPLETED"));
  CHECK(world.supplier->query(AttemptId(kAttempt), "99").state == SupplyState::unknown);
  world.http.then_answer(200, "[" + other + "]");
  CHECK(world.supplier->query(AttemptId(kAttempt), "").state == SupplyState::unknown);
  const std::string ours = transaction(7, "COMPLETED");
  world.http.then_answer(200, "[" + ours + "," + other + "]");
  CHECK(world.supplier->query(AttemptId(kAttempt), "").state == SupplyState::unknown);
}

TEST_CASE("dtone: not found is said only of an empty search, never of a number they gave") {
  World world;
  world.http.then_answer(200, "[]");
  CHECK(world.supplier->query(AttemptId(kAttempt), "").state == SupplyState::not_found);
  world.http.then_answer(200, "[]", {{"X-Total", "3"}});
  CHECK(world.supplier->query(AttemptId(kAttempt), "").state == SupplyState::unknown);
  world.http.then_answer(404, refusal(1'008'004));
  CHECK(world.supplier->query(AttemptId(kAttempt), "2237512891").state == SupplyState::unknown);
  world.http.then_answer(404, refusal(1'008'004));
  CHECK(world.supplier->query(AttemptId(kAttempt), "").state == SupplyState::unknown);
}

TEST_CASE("dtone: an external id used before is looked up, never called failed") {
  World world;
  world.http.then_answer(400, refusal(1'007'001));
  world.http.then_answer(200, "[" + transaction(7, "COMPLETED") + "]");
  CHECK(world.supplier->submit(order()).state == SupplyState::succeeded);
  world.http.then_answer(400, refusal(1'007'001));
  world.http.then_answer(200, "[]");
  CHECK(world.supplier->submit(order()).state == SupplyState::unknown);
}

TEST_CASE("dtone: O-06: who may no longer send does not, in either step") {
  World world;
  SubmitRequest request = order();
  request.may_leave = [] { return false; };
  const auto stayed = world.supplier->submit(request);
  CHECK(stayed.state == SupplyState::held);
  CHECK(stayed.code == "too_late");
  CHECK(world.http.calls() == 0);
  request.most_cost = {200, Currency::usd};
  int asked = 0;
  request.may_leave = [&asked] { return ++asked == 1; };
  world.http.then_answer(201, transaction(1, "CREATED"));
  CHECK(world.supplier->submit(request).state == SupplyState::unknown);
  CHECK(world.http.calls() == 1);  // reserved, never confirmed
}

TEST_CASE("dtone: X10: with a bound the order is reserved, and confirmed only at a price below") {
  SubmitRequest request = order();
  request.most_cost = {145, Currency::usd};
  World world;
  world.http.then_answer(201, transaction(1, "CREATED"));
  world.http.then_answer(202, transaction(2, "CONFIRMED"));
  CHECK(world.supplier->submit(request).state == SupplyState::accepted);
  const auto calls = world.http.requests();
  CHECK(calls.at(0).body.find("\"auto_confirm\":false") != std::string::npos);
  CHECK(calls.at(1).target == "/v1/async/transactions/2237512891/confirm");

  World dear;
  request.most_cost.minor = 144;
  dear.http.then_answer(201, transaction(1, "CREATED"));
  dear.http.then_answer(202, transaction(4, "CANCELLED"));
  const auto refused = dear.supplier->submit(request);
  CHECK(refused.state == SupplyState::rejected);
  CHECK(refused.code == "cost_too_high");
  CHECK(dear.http.requests().at(1).target == "/v1/transactions/2237512891/cancel");

  World changed;
  request.most_cost.minor = 200;
  request.face = {10'000, Currency::thb};
  changed.http.then_answer(201, transaction(1, "CREATED"));
  changed.http.then_no_answer();
  CHECK(changed.supplier->submit(request).code == "product_changed");

  World lost;
  request.face = {5'000, Currency::thb};
  lost.http.then_answer(201, transaction(1, "CREATED"));
  lost.http.then_no_answer();
  const auto unsure = lost.supplier->submit(request);
  CHECK(unsure.state == SupplyState::unknown);
  CHECK(unsure.supplier_order_id == "2237512891");
}

TEST_CASE("dtone: X10: a reservation left behind is cancelled by a query after two minutes") {
  World world;
  const std::string old = "2026-11-21T07:27:59Z";
  world.http.then_answer(200, transaction(1, "CREATED"));
  CHECK(world.supplier->query(AttemptId(kAttempt), "2237512891").state == SupplyState::accepted);
  CHECK(world.http.calls() == 1);
  world.http.then_answer(200, transaction(1, "CREATED", kAttempt, "1.4", old));
  world.http.then_answer(202, transaction(4, "CANCELLED", kAttempt, "1.4", old));
  CHECK(world.supplier->query(AttemptId(kAttempt), "2237512891").state == SupplyState::rejected);
  // The late confirmation was first: the order goes on.
  world.http.then_answer(200, transaction(1, "CREATED", kAttempt, "1.4", old));
  world.http.then_answer(400, refusal(1'007'007));
  CHECK(world.supplier->query(AttemptId(kAttempt), "2237512891").state == SupplyState::accepted);
}

TEST_CASE(
    "dtone: products keep kind, range, cost and validity, and what cannot be sold is left out") {
  const std::string common =
      R"("operator":{"id":1001,"name":"AIS","country":{"iso_code":"THA"}},
         "required_credit_party_identifier_fields":[["mobile_number"]],)";
  const std::string wholesale =
      R"("prices":{"wholesale":{"unit_type":"CURRENCY","unit":"USD","amount":1.4,"fee":0.1}},)";
  const auto row = [&](int id, const char* type, int service, int sub, const std::string& rest) {
    return R"({"id":)" + std::to_string(id) + R"(,"name":"Name","type":")" + type +
           R"(","service":{"id":)" + std::to_string(service) + R"(,"subservice":{"id":)" +
           std::to_string(sub) + "}}," + common + wholesale + rest + "}";
  };
  const std::string fifty = R"("destination":{"unit_type":"CURRENCY","unit":"THB","amount":50})";
  const std::string range =
      R"("destination":{"unit_type":"CURRENCY","unit":"THB","amount":{"min":10,"max":500,"increment":1}},)"
      R"("rates":{"wholesale":33.3333})";
  const std::string data =
      R"("destination":{"unit_type":"DATA","unit":"GB","amount":5},"validity":{"unit":"WEEK","quantity":2},)"
      R"("source":{"unit_type":"CURRENCY","unit":"USD","amount":3})";
  World world;
  world.http.then_answer(200, "[" + row(1, "FIXED_VALUE_RECHARGE", 1, 11, fifty) + "," +
                                  row(2, "RANGED_VALUE_RECHARGE", 1, 11, range) + "," +
                                  row(3, "FIXED_VALUE_RECHARGE", 1, 13, data) + "," +
                                  row(4, "FIXED_VALUE_PIN_PURCHASE", 1, 11, fifty) + "," +
                                  row(5, "FIXED_VALUE_RECHARGE", 3, 11, fifty) + "," +
                                  row(6, "RANGED_VALUE_PAYMENT", 1, 11, range) + "," +
                                  row(7, "FIXED_VALUE_RECHARGE", 1, 11,
                                      fifty + R"(,"required_sender_fields":[["first_name"]])") +
                                  ",17,null]");
  const auto products = world.supplier->products("TH");
  REQUIRE(products);
  REQUIRE(products->size() == 4);
  const auto& fixed = (*products)[0];
  CHECK(fixed.sku == "1");
  CHECK(fixed.face == Money{5'000, Currency::thb});
  CHECK(fixed.cost == Money{150, Currency::usd});
  CHECK(fixed.country == "TH");
  CHECK(fixed.operator_name == "AIS");
  const auto& ranged = (*products)[1];
  CHECK(ranged.sku == "2r");
  CHECK(ranged.face.minor == 1'000);
  CHECK(ranged.most_minor == 50'000);
  CHECK(ranged.step_minor == 100);
  CHECK(ranged.cost == Money{31, Currency::usd});  // 10 / 33.3333, up
  const auto& bundle = (*products)[2];
  CHECK(bundle.kind == ProductKind::data);
  CHECK(bundle.face == Money{300, Currency::usd});
  CHECK(bundle.validity_days == 14);
  CHECK(bundle.name == "Name");
  CHECK((*products)[3].kind == ProductKind::pin);
  CHECK(world.http.requests().at(0).target.find("country_iso_code=THA") != std::string::npos);
  CHECK_FALSE(world.supplier->products("Thailand"));
}

TEST_CASE("dtone: a statement reads every page of every day, and refuses to be partial") {
  World world;
  const std::int64_t from = kNowMs - 3'600'000;
  const std::string inside = "2026-11-21T07:00:00Z";
  world.http.then_answer(
      200, "[" + transaction(7, "COMPLETED", kAttempt, "1.4", inside) + "," +
               transaction(8, "REVERSED", "S01JD8TESTATTEMPT00000000012", "2", inside) + "," +
               transaction(7, "COMPLETED", "EARLIER", "2", "2026-11-21T05:00:00Z") + "]");
  const auto lines = world.supplier->statement(from, kNowMs);
  REQUIRE(lines);
  REQUIRE(lines->size() == 2);
  CHECK((*lines)[0].attempt_id == kAttempt);
  CHECK((*lines)[0].state == SupplyState::succeeded);
  CHECK(*(*lines)[0].cost == Money{141, Currency::usd});
  CHECK((*lines)[1].state == SupplyState::rejected);
  CHECK_FALSE((*lines)[1].cost);
  world.http.then_answer(200, "[]");
  world.http.then_no_answer();
  CHECK_FALSE(world.supplier->statement(from - 86'400'000, kNowMs));
}

TEST_CASE("dtone: a callback is a hint of whoever knows the token") {
  World world;
  const auto said = [&](const std::string& token, const std::string& body) {
    return world.supplier->parse_callback({{}, body, token});
  };
  CHECK(*said(kToken, transaction(9, "DECLINED")) == AttemptId(kAttempt));
  CHECK(said("", transaction(9, "DECLINED")).error().reason == "signature_invalid");
  CHECK(said(kToken + "x", transaction(9, "X")).error().reason == "signature_invalid");
  CHECK(said(kToken, "[1]").error().reason == "callback_malformed");
  CHECK(said(kToken, R"({"external_id":"a b"})").error().reason == "callback_malformed");
  ScriptedOutbound http;
  FixedClock clock;
  const auto closed = make_dtone({"k", "s", "", "", Currency::usd}, http, clock);
  CHECK(closed->parse_callback({{}, transaction(7, "X"), ""}).error().reason ==
        "signature_invalid");
}

TEST_CASE("suppliers: small readers") {
  CHECK(alpha3_of("TH") == "THA");
  CHECK(alpha2_of("GBR") == "GB");
  CHECK(alpha2_of("GXX").empty());
  CHECK(alpha3_of("H ").empty());
  CHECK(*parse_time("1970-01-01T00:00:00Z") == 0);
  CHECK(*parse_time("2026-11-21T07:30:00.123456789Z") == kNowMs + 123);
  CHECK(*parse_time("2026-11-21T15:30:00+08:00") == kNowMs);
  CHECK_FALSE(parse_time("2026-11-21 07:30:00"));
  CHECK_FALSE(parse_time("2026-13-21T07:30:00Z"));
  CHECK(*parse_spaced_time("2026-11-21 15:30:00", 8 * 3'600'000) == kNowMs);
  CHECK(time_text(kNowMs) == "2026-11-21T07:30:00Z");
  CHECK(time_text(951'782'400'000) == "2000-02-29T00:00:00Z");
  CHECK(spaced_time_text(kNowMs, 8 * 3'600'000) == "2026-11-21 15:30:00");
  CHECK(query_text("a b:+é") == "a%20b%3A%2B%C3%A9");
  CHECK(*cost_at_rate({5'000, Currency::jpy}, 15'000'000'000, Currency::usd) ==
        Money{3'334, Currency::usd});
  CHECK_FALSE(cost_at_rate({kMaxMinor, Currency::usd}, 1, Currency::kwd));
  CHECK(is_above(std::nullopt, {1, Currency::usd}));
  CHECK(is_above(Money{1, Currency::cny}, {100, Currency::usd}));
  CHECK_FALSE(is_above(std::nullopt, {0, Currency::usd}));
  CHECK(dump_exact({{"a", literal("49.50")}, {"b", "x"}}) == R"({"a":49.50,"b":"x"})");
}

}  // namespace
}  // namespace topup::suppliers
