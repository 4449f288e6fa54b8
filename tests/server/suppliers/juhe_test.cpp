#include "server/suppliers/juhe.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "server/base/crypto.h"
#include "server/base/md5.h"
#include "tests/support/scripted_outbound.h"
#include "tests/support/supplier_junk.h"

namespace topup::suppliers {
namespace {

using testing::ScriptedOutbound;

constexpr std::int64_t kNowMs = 1'795'246'200'000;  // 2026-11-21 15:30:00 in China
const std::string kAttempt = "S01JD8TESTATTEMPT00000000011";
const std::string kOpenId = "JH0123456789abcdef";

struct FixedClock final : base::Clock {
  std::int64_t wall_ms() const override { return kNowMs; }
  std::int64_t mono_ms() const override { return 1'000'000; }
};

struct World {
  explicit World(const std::string& fuel_key = "fuelkey")
      : supplier(make_juhe({kOpenId, "mobilekey", fuel_key, "13800138000"}, http, clock)) {}
  ScriptedOutbound http;
  FixedClock clock;
  std::unique_ptr<Supplier> supplier;
  void then_said(const std::string& result, const std::string& code = "0") {
    http.then_answer(200, R"({"reason":"x","result":)" + result + R"(,"error_code":)" + code + "}");
  }
};

SubmitRequest airtime() {
  SubmitRequest request;
  request.attempt_id = AttemptId(kAttempt);
  request.supplier_operator_id = "mobile";
  request.country = "CN";
  request.account_number = "+8613800138000";
  request.face = fen(5'000);
  return request;
}

SubmitRequest fuel() {
  SubmitRequest request = airtime();
  request.kind = ProductKind::fuel_card;
  request.sku = "10008";
  request.account_number = "9030000012345678";
  request.face = fen(50'000);
  return request;
}

std::string placed(const std::string& state = "0", const std::string& attempt = kAttempt) {
  return R"({"cardid":"140101","ordercash":"49.4","sporder_id":"J77001","uorderid":")" + attempt +
         R"(","uordercash":"49.40","addtime":"2026-11-21 15:00:00","game_state":)" + state + "}";
}

std::string md5_hex(const std::string& text) { return base::hex(base::md5(text)); }

TEST_CASE("juhe: MD5 known answers") {
  CHECK(md5_hex("") == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(md5_hex("abc") == "900150983cd24fb0d6963f7d28e17f72");
}

TEST_CASE("juhe: an airtime order is checked first, then signed over OpenID, key and its fields") {
  World world;
  world.then_said("null");
  world.then_said(placed(), "\"0\"");
  const auto said = world.supplier->submit(airtime());
  CHECK(said.state == SupplyState::accepted);
  CHECK(said.supplier_order_id == "J77001");
  const auto calls = world.http.requests();
  REQUIRE(calls.size() == 2);
  CHECK(calls[0].target == "/ofpay/mobile/telcheck");
  CHECK(calls[0].body == "phoneno=13800138000&cardnum=50&key=mobilekey");
  CHECK(calls[1].target == "/ofpay/mobile/onlineorder");
  CHECK(calls[1].body ==
        "phoneno=13800138000&cardnum=50&key=mobilekey&orderid=" + kAttempt +
            "&sign=" + md5_hex(kOpenId + "mobilekey" + "13800138000" + "50" + kAttempt));
  CHECK(calls[1].body.find(kOpenId) == std::string::npos);
}

TEST_CASE("juhe: a fuel order names product, card and charge type, and is signed in their order") {
  World world;
  world.then_said(placed());
  CHECK(world.supplier->submit(fuel()).state == SupplyState::accepted);
  const auto call = world.http.requests().at(0);
  CHECK(call.target == "/ofpay/sinopec/onlineorder");
  CHECK(call.body ==
        "proid=10008&cardnum=500&orderid=" + kAttempt +
            "&game_userid=9030000012345678&gasCardTel=13800138000&chargeType=2&key=fuelkey&sign=" +
            md5_hex(kOpenId + "fuelkey" + "10008" + "500" + "9030000012345678" + kAttempt));
  SubmitRequest sinopec = fuel();
  sinopec.sku = "10003";
  sinopec.account_number = "1000113200000012345";
  world.then_said(placed());
  CHECK(world.supplier->submit(sinopec).state == SupplyState::accepted);
  CHECK(world.http.requests().at(1).body.find("proid=10003&cardnum=1&") == 0);
}

TEST_CASE("juhe: an order that cannot be written is rejected before anything leaves") {
  World world;
  const auto refused = [&](SubmitRequest request, auto edit) {
    edit(request);
    const auto said = world.supplier->submit(request);
    CHECK(said.state == SupplyState::rejected);
    CHECK(said.code == "request_malformed");
  };
  refused(airtime(), [](auto& r) { r.attempt_id.text = "short"; });
  refused(airtime(), [](auto& r) { r.attempt_id.text = std::string(33, 'a'); });
  refused(airtime(), [](auto& r) { r.attempt_id.text = "with-hyphen-0001"; });
  refused(airtime(), [](auto& r) { r.account_number = "+66812345678"; });
  refused(airtime(), [](auto& r) { r.account_number = "13800138000"; });
  refused(airtime(), [](auto& r) { r.face = fen(5'050); });
  refused(airtime(), [](auto& r) { r.face = {5'000, Currency::usd}; });
  refused(airtime(), [](auto& r) { r.kind = ProductKind::pin; });
  refused(fuel(), [](auto& r) { r.sku = "10007"; });
  refused(fuel(), [](auto& r) { r.account_number = "1000113200000012345"; });
  refused(fuel(), [](auto& r) { r.face = fen(30'000); });
  CHECK(world.http.calls() == 0);
}

TEST_CASE("juhe: each error of an order, as a number and as text") {
  struct Row {
    const char* code;
    SupplyState state;
  };
  constexpr auto kRejected = SupplyState::rejected;
  constexpr auto kHeld = SupplyState::held;
  constexpr auto kUnknown = SupplyState::unknown;
  constexpr Row rows[] = {
      {"208501", kRejected}, {"208502", kHeld},     {"208503", kHeld},    {"208504", kHeld},
      {"208505", kRejected}, {"208506", kRejected}, {"208507", kUnknown}, {"208508", kUnknown},
      {"208509", kRejected}, {"208510", kUnknown},  {"208511", kUnknown}, {"208513", kUnknown},
      {"208514", kRejected}, {"208515", kHeld},     {"208517", kHeld},    {"208707", kHeld},
      {"208709", kRejected}, {"10001", kHeld},      {"10002", kHeld},     {"10003", kHeld},
      {"10004", kHeld},      {"10005", kHeld},      {"10007", kHeld},     {"10008", kHeld},
      {"10009", kHeld},      {"10011", kHeld},      {"10012", kHeld},     {"10013", kHeld},
      {"10014", kUnknown},   {"10020", kHeld},      {"10021", kHeld},     {"209999", kUnknown},
      {"208799", kUnknown},
  };
  for (const Row& row : rows) {
    CAPTURE(row.code);
    World world;
    world.then_said("null", row.code);
    CHECK(world.supplier->submit(fuel()).state == row.state);
    world.then_said("null", "\"" + std::string(row.code) + "\"");
    const auto said = world.supplier->submit(fuel());
    CHECK(said.state == row.state);
    CHECK(said.code == row.code);
    // Before the order nothing is unknown: it waits, or it is refused for its number.
    world.then_said("null", row.code);
    const auto before = world.supplier->submit(airtime()).state;
    CHECK(before == (row.state == kRejected ? kRejected : kHeld));
  }
}

TEST_CASE("juhe: a reason in GBK does not hide the error code") {
  World world;
  world.http.then_answer(200, "{\"reason\":\"\xCF\xB5\xCD\xB3\xD2\x5C\",\"error_code\":208709}");
  CHECK(world.supplier->submit(fuel()).state == SupplyState::rejected);
  world.http.then_answer(200, "{\"reason\":\"\xCF\xB5\xCD\xB3\xD2\xEC\",\"error_code\":10014}");
  CHECK(world.supplier->submit(fuel()).code == "10014");
}

TEST_CASE("juhe: accepted is all an order says, whatever state stands beside it") {
  for (const char* state : {"0", "1", "9", "\"9\""}) {
    CAPTURE(state);
    World world;
    world.then_said(placed(state));
    CHECK(world.supplier->submit(fuel()).state == SupplyState::accepted);
  }
}

TEST_CASE("juhe: a reference used before is asked for, never called failed") {
  for (const char* state : {"0", "1", "9"}) {
    World world;
    world.then_said("null", "208710");
    world.then_said(placed(state));
    const auto wanted = std::string(state) == "1"   ? SupplyState::succeeded
                        : std::string(state) == "9" ? SupplyState::rejected
                                                    : SupplyState::accepted;
    CHECK(world.supplier->submit(fuel()).state == wanted);
  }
  World lost;
  lost.then_said("null", "208710");
  lost.then_said("null", "208513");
  CHECK(lost.supplier->submit(fuel()).state == SupplyState::unknown);
}

TEST_CASE("juhe: each state of an order, as a number and as text") {
  struct Row {
    const char* state;
    SupplyState means;
  };
  constexpr Row rows[] = {{"0", SupplyState::accepted},     {"1", SupplyState::succeeded},
                          {"9", SupplyState::rejected},     {"\"1\"", SupplyState::succeeded},
                          {"\"9\"", SupplyState::rejected}, {"2", SupplyState::unknown},
                          {"true", SupplyState::unknown},   {"null", SupplyState::unknown},
                          {"1.0", SupplyState::unknown},    {"\" 1\"", SupplyState::unknown}};
  for (const Row& row : rows) {
    CAPTURE(row.state);
    World world("");
    world.then_said(placed(row.state));
    const auto said = world.supplier->query(AttemptId(kAttempt), "J77001");
    CHECK(said.state == row.means);
    if (said.state == SupplyState::succeeded) CHECK(*said.cost == fen(4'940));
  }
}

TEST_CASE(
    "juhe: S-05: junk on an order or a query is unknown, another order's answer is not ours") {
  for (const auto& junk : testing::supplier_junk()) {
    CAPTURE(junk.name);
    World world("fuelkey");
    testing::play(world.http, junk);
    CHECK(world.supplier->submit(fuel()).state == SupplyState::unknown);
    testing::play(world.http, junk);
    testing::play(world.http, junk);
    CHECK(world.supplier->query(AttemptId(kAttempt), "").state == SupplyState::unknown);
    testing::play(world.http, junk);
    CHECK_FALSE(world.supplier->balance());
    testing::play(world.http, junk);
    CHECK_FALSE(world.supplier->statement(0, kNowMs));
    CHECK(world.http.is_played_out());
  }
  World other("");
  other.then_said(placed("1", "SOMEONEELSE"));
  CHECK(other.supplier->query(AttemptId(kAttempt), "").state == SupplyState::unknown);
  other.then_said(placed("1"));
  CHECK(other.supplier->query(AttemptId(kAttempt), "J1").state == SupplyState::unknown);
}

TEST_CASE("juhe: not found needs the state and the whole list of every interface to agree") {
  World world;
  world.then_said("null", "208513");
  world.then_said(R"({"data":[]})");
  world.then_said("null", "208713");
  world.then_said(R"({"data":[]})");
  CHECK(world.supplier->query(AttemptId(kAttempt), "").state == SupplyState::not_found);
  // Their list knows it.
  world.then_said("null", "208513");
  world.then_said(R"({"data":[)" + placed() + "]}");
  world.then_said("null", "208713");
  CHECK(world.supplier->query(AttemptId(kAttempt), "").state == SupplyState::unknown);
  // One of the two did not answer.
  world.then_said("null", "208513");
  world.then_said(R"({"data":[]})");
  world.http.then_no_answer();
  CHECK(world.supplier->query(AttemptId(kAttempt), "").state == SupplyState::unknown);
  // They numbered it before.
  world.then_said("null", "208513");
  world.then_said("null", "208713");
  CHECK(world.supplier->query(AttemptId(kAttempt), "J77001").state == SupplyState::unknown);
  CHECK(world.http.is_played_out());
}

TEST_CASE("juhe: a bound asks for the price first") {
  World world;
  SubmitRequest request = airtime();
  request.most_cost = fen(4'939);
  world.then_said("null");
  world.then_said(R"({"inprice":49.4,"game_area":"江苏南京移动"})");
  CHECK(world.supplier->submit(request).code == "cost_too_high");
  CHECK(world.http.calls() == 2);
  request.most_cost = fen(4'940);
  world.then_said("null");
  world.then_said(R"({"inprice":"49.4"})");
  world.then_said(placed());
  CHECK(world.supplier->submit(request).state == SupplyState::accepted);
  world.then_said("null");
  world.then_said("{}");
  CHECK(world.supplier->submit(request).state == SupplyState::held);
}

TEST_CASE("juhe: products, look-up, balance and statement") {
  World world;
  const auto products = world.supplier->products("CN");
  REQUIRE(products);
  CHECK(products->size() == 3 * 7 + 8);
  CHECK(products->back().kind == ProductKind::fuel_card);
  CHECK(products->back().sku == "10008");
  CHECK(products->back().face == fen(100'000));
  CHECK(world.supplier->products("TH")->empty());
  world.then_said(R"({"game_area":"江苏南京联通","inprice":"98"})");
  CHECK(world.supplier->look_up("+8613000000000")->supplier_operator_id == "unicom");
  world.then_said(R"({"game_area":"江苏南京"})");
  CHECK(world.supplier->look_up("+8613000000000").error().reason == "operator_unknown");
  world.then_said(R"({"uid":"x","money":"1234.567"})");
  CHECK(*world.supplier->balance() == fen(123'456));
  const std::string stamp = std::to_string(kNowMs / 1'000);
  CHECK(world.http.requests().back().body ==
        "timestamp=" + stamp + "&key=mobilekey&sign=" + md5_hex(kOpenId + "mobilekey" + stamp));
  world.then_said(R"({"data":[)" + placed("1") + "," + placed("\"9\"", "S0000000000002") + "]}");
  world.then_said(R"({"data":[]})");
  const auto lines = world.supplier->statement(kNowMs - 3'600'000, kNowMs);
  REQUIRE(lines);
  REQUIRE(lines->size() == 2);
  CHECK((*lines)[0].at_ms == kNowMs - 1'800'000);
  CHECK(*(*lines)[0].cost == fen(4'940));
  CHECK((*lines)[1].state == SupplyState::rejected);
  CHECK_FALSE((*lines)[1].cost);
}

TEST_CASE("juhe: a callback is signed but not for its state, so that it names an attempt only") {
  World world;
  const auto said = [&](const std::string& key, const std::string& state,
                        const std::string& order = kAttempt) {
    return world.supplier->parse_callback({{},
                                           "sporder_id=J77001&orderid=" + order + "&sta=" + state +
                                               "&sign=" + md5_hex(key + "J77001" + order),
                                           ""});
  };
  CHECK(*said("mobilekey", "1") == AttemptId(kAttempt));
  CHECK(*said("fuelkey", "9") == AttemptId(kAttempt));
  CHECK(said("guess", "1").error().reason == "signature_invalid");
  CHECK(said("mobilekey", "1", "a%20b").error().reason == "signature_invalid");
  CHECK(world.supplier->parse_callback({{}, "orderid=%zz", ""}).error().reason ==
        "signature_invalid");
  CHECK(world.supplier->parse_callback({{}, "orderid=a&orderid=b&sign=c", ""}).error().reason ==
        "signature_invalid");
}

}  // namespace
}  // namespace topup::suppliers
