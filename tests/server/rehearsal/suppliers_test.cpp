// The supplier adapters against the rehearsed DT One, DingConnect and Juhe over real HTTP: what is
// ordered is delivered, paid for, told and listed alike on both sides; faults end in one of the
// three outcomes and never in a second delivery.
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "server/rehearsal/number_owner.h"
#include "server/suppliers/dingconnect.h"
#include "server/suppliers/dtone.h"
#include "server/suppliers/juhe.h"
#include "tests/server/rehearsal/rehearsed_shop.h"

using namespace topup;
using namespace topup::rehearsal::test;
using suppliers::SubmitRequest;
using suppliers::SupplyOutcome;
using suppliers::SupplyState;

namespace {

enum class Who { dtone, dingconnect, juhe };

struct Desk {
  explicit Desk(Who who_in, int speed = 1) : shop(speed), who(who_in) {
    const auto& access = shop.world->access();
    const std::string& token = access.supplier_callback_token;
    switch (who) {
      case Who::dtone:
        http = base::make_outbound("dtone", access.dtone_origin);
        supplier = suppliers::make_dtone(
            {access.dtone_api_key, access.dtone_api_secret,
             shop.origin + "/callback/dtone?token=" + token, token, Currency::usd},
            *http, shop.clock);
        country = "TH";
        number = "+6681235";
        break;
      case Who::dingconnect:
        http = base::make_outbound("dingconnect", access.dingconnect_origin);
        supplier =
            suppliers::make_dingconnect({access.dingconnect_api_key, token, Currency::usd}, *http);
        country = "TH";
        number = "+6681235";
        break;
      case Who::juhe:
        http = base::make_outbound("juhe", access.juhe_origin);
        supplier = suppliers::make_juhe(
            {access.juhe_open_id, access.juhe_mobile_key, access.juhe_fuel_key, "13800138000"},
            *http, shop.clock);
        country = "CN";
        number = "+861380013";
        break;
    }
  }

  SubmitRequest order(const std::string& attempt, const std::string& four) {
    if (products.empty()) products = *supplier->products(country);
    for (const auto& product : products) {
      if (product.kind != ProductKind::airtime || product.step_minor > 0) continue;
      SubmitRequest request;
      request.attempt_id = AttemptId(attempt);
      request.supplier_operator_id = product.supplier_operator_id;
      request.country = country;
      request.account_number = number + four;
      request.face = product.face;
      request.sku = product.sku;
      return request;
    }
    FAIL("no airtime product");
    return {};
  }
  SupplyOutcome query(const std::string& attempt, const std::string& theirs = "") {
    return supplier->query(AttemptId(attempt), theirs);
  }
  bool ends(const std::string& attempt, SupplyState state) {
    return soon([&] { return query(attempt).state == state; });
  }
  Json book(const std::string& attempt) {
    const auto reply = http->call(
        {.method = "GET", .target = "/control/orders/" + attempt, .headers = {}, .body = {}});
    return Json::parse(reply.body);
  }
  void arm(const char* kind) {
    REQUIRE(shop.control(*http, "/control", {{"next", kind}}).status == 200);
  }
  std::int64_t balance() { return supplier->balance()->minor; }

  RehearsedShop shop;
  Who who;
  std::unique_ptr<base::Outbound> http;
  std::unique_ptr<suppliers::Supplier> supplier;
  std::string country, number;
  std::vector<suppliers::ListedProduct> products;
};

suppliers::CallbackRequest as_callback(const Heard& heard) {
  const auto mark = heard.path.find("?token=");
  return {heard.headers, heard.body, mark == std::string::npos ? "" : heard.path.substr(mark + 7)};
}

constexpr Who kAll[] = {Who::dtone, Who::dingconnect, Who::juhe};

}  // namespace

TEST_CASE("suppliers: F001: catalogue, order, callback, query, balance and statement agree") {
  for (const Who who : kAll) {
    Desk desk(who);
    CAPTURE(desk.supplier->name());
    const std::string attempt = "SREHEARSED0001";
    const auto before = desk.balance();
    const auto from = desk.shop.clock.wall_ms() - 1'000;
    const auto taken = desk.supplier->submit(desk.order(attempt, "1234"));
    CHECK(taken.state == SupplyState::accepted);
    const auto heard = desk.shop.shop.wait_for(1);
    REQUIRE(heard.size() >= 1);
    const auto hint = desk.supplier->parse_callback(as_callback(heard[0]));
    REQUIRE(hint);
    CHECK(*hint == AttemptId(attempt));
    REQUIRE(desk.ends(attempt, SupplyState::succeeded));
    const auto said = desk.query(attempt, taken.supplier_order_id);
    REQUIRE(said.cost);
    CHECK(said.cost->minor > 0);
    CHECK(desk.balance() == before - said.cost->minor);
    const auto lines = desk.supplier->statement(from, desk.shop.clock.wall_ms() + 1'000);
    REQUIRE(lines);
    REQUIRE(lines->size() == 1);
    CHECK(lines->front().attempt_id == attempt);
    CHECK(lines->front().supplier_order_id == said.supplier_order_id);
    CHECK(lines->front().state == SupplyState::succeeded);
    CHECK(lines->front().cost == said.cost);
    CHECK(desk.query("SNEVERSENT0001").state == SupplyState::not_found);
  }
}

TEST_CASE(
    "suppliers: F001: what each one lists can be ordered, in every kind and at any of a range") {
  for (const Who who : kAll) {
    Desk desk(who);
    CAPTURE(desk.supplier->name());
    std::size_t kinds = 0;
    for (const std::string country : {"TH", "CN", "US", "GB", "PH"}) {
      const auto products = desk.supplier->products(country);
      REQUIRE(products);
      if (who != Who::juhe) CHECK(products->size() >= 5);
      for (const ProductKind kind :
           {ProductKind::airtime, ProductKind::data, ProductKind::fuel_card, ProductKind::pin}) {
        for (const bool is_range : {false, true}) {
          for (const auto& product : *products) {
            if (product.kind != kind || (product.step_minor > 0) != is_range) continue;
            const std::string attempt = "SKIND00000" + std::to_string(++kinds);
            CAPTURE(product.sku);
            SubmitRequest request;
            request.attempt_id = AttemptId(attempt);
            request.supplier_operator_id = product.supplier_operator_id;
            request.country = country;
            request.account_number = country == "CN" ? "+8613800138123" : "+66812345678";
            if (kind == ProductKind::fuel_card) {
              request.account_number = "1000113200000012345";
            }
            request.face = product.face;
            if (is_range) request.face.minor += product.step_minor;
            request.kind = kind;
            request.sku = product.sku;
            request.most_cost = {product.cost.minor * 2, product.cost.currency};
            if (who == Who::juhe) request.most_cost = fen(product.face.minor * 2);
            CHECK(desk.supplier->submit(request).state == SupplyState::accepted);
            REQUIRE(desk.ends(attempt, SupplyState::succeeded));
            const auto said = desk.query(attempt);
            CHECK(said.pins.size() == (kind == ProductKind::pin ? 1 : 0));
            request.attempt_id.text += "X";
            request.most_cost.minor = 1;
            CHECK(desk.supplier->submit(request).code == "cost_too_high");
            break;
          }
        }
      }
    }
    CHECK(kinds >= 2);
    CHECK(desk.supplier->look_up(desk.order("S", "1234").account_number));
  }
}

TEST_CASE(
    "suppliers: X09: a look-up knows, does not, is slow, has moved, or names nobody we list") {
  for (const Who who : {Who::dtone, Who::dingconnect}) {
    Desk desk(who);
    CAPTURE(desk.supplier->name());
    const auto usual = desk.supplier->look_up(desk.number + "1234");
    REQUIRE(usual);
    CHECK(usual->country == "TH");
    CHECK(desk.supplier->look_up(desk.number + "9081").error().reason == "operator_unknown");
    const auto from = desk.shop.clock.wall_ms();
    CHECK(desk.supplier->look_up(desk.number + "9082")->supplier_operator_id ==
          usual->supplier_operator_id);
    // Two clocks of whole milliseconds: what is held for 200 may be 199 by the other.
    CHECK(desk.shop.clock.wall_ms() - from >= rehearsal::kLookupHeldMs / 100 - 1);
    const auto ported = desk.supplier->look_up(desk.number + "9083");
    REQUIRE(ported);
    CHECK(ported->supplier_operator_id != usual->supplier_operator_id);
    bool is_listed[2] = {false, false};
    const auto elsewhere = desk.supplier->look_up(desk.number + "9084");
    REQUIRE(elsewhere);
    const auto products = desk.supplier->products("TH");
    REQUIRE(products);
    for (const auto& product : *products) {
      is_listed[0] |= product.supplier_operator_id == ported->supplier_operator_id;
      is_listed[1] |= product.supplier_operator_id == elsewhere->supplier_operator_id;
    }
    CHECK(is_listed[0]);
    CHECK_FALSE(is_listed[1]);
  }
}

TEST_CASE("suppliers: S-05, O-02: each fault ends in one of the three outcomes, and once") {
  struct Row {
    const char* kind;
    SupplyState submitted;
    SupplyState ended;  // not_found: nothing was created
    std::int64_t delivered;
  };
  constexpr Row rows[] = {
      {"lost", SupplyState::unknown, SupplyState::not_found, 0},
      {"reply_lost", SupplyState::unknown, SupplyState::succeeded, 1},
      {"refused", SupplyState::rejected, SupplyState::not_found, 0},
      {"failed", SupplyState::accepted, SupplyState::rejected, 0},
      {"late", SupplyState::accepted, SupplyState::succeeded, 1},
      {"time_out", SupplyState::accepted, SupplyState::succeeded, 1},
      {"forged_callback", SupplyState::accepted, SupplyState::succeeded, 1},
      {"duplicate_callbacks", SupplyState::accepted, SupplyState::succeeded, 1},
      {"drop_callbacks", SupplyState::accepted, SupplyState::succeeded, 1},
  };
  for (const Who who : kAll) {
    Desk desk(who);
    CAPTURE(desk.supplier->name());
    const auto before = desk.balance();
    std::int64_t paid = 0;
    int number = 0;
    for (const Row& row : rows) {
      CAPTURE(row.kind);
      const std::string attempt = "SFAULT00000" + std::to_string(++number);
      const SubmitRequest request = desk.order(attempt, "1234");
      desk.arm(row.kind);
      CHECK(desk.supplier->submit(request).state == row.submitted);
      REQUIRE(desk.ends(attempt, row.ended));
      CHECK(desk.book(attempt).at("delivered") == row.delivered);
      if (row.delivered > 0) paid += desk.query(attempt).cost->minor;
    }
    CHECK(desk.balance() == before - paid);
    desk.arm("outage");
    CHECK_FALSE(desk.supplier->balance());
  }
}

TEST_CASE("suppliers: O-04: DT One and Juhe refuse a second order, DingConnect delivers it again") {
  for (const Who who : kAll) {
    Desk desk(who);
    CAPTURE(desk.supplier->name());
    const SubmitRequest request = desk.order("STWICE000001", "1234");
    CHECK(desk.supplier->submit(request).state == SupplyState::accepted);
    REQUIRE(desk.ends("STWICE000001", SupplyState::succeeded));
    const auto again = desk.supplier->submit(request);
    const bool is_safe = desk.supplier->deduplicates();
    CHECK(again.state == (is_safe ? SupplyState::succeeded : SupplyState::accepted));
    CHECK(is_safe == (who != Who::dingconnect));
    CHECK(desk.book("STWICE000001").at("count") == (is_safe ? 1 : 2));
    if (is_safe) continue;
    desk.shop.control(*desk.http, "/control", {{"deduplicates", true}});
    CHECK(desk.supplier->submit(request).state == SupplyState::succeeded);
    CHECK(desk.book("STWICE000001").at("count") == 2);
  }
}

TEST_CASE("suppliers: X10: a success taken back is heard as REVERSED, and the money is back") {
  Desk desk(Who::dtone);
  const auto before = desk.balance();
  CHECK(desk.supplier->submit(desk.order("SBACK0000001", "9904")).state == SupplyState::accepted);
  REQUIRE(desk.ends("SBACK0000001", SupplyState::rejected));
  CHECK(desk.query("SBACK0000001").code == "REVERSED");
  CHECK(desk.balance() == before);
  const auto heard = desk.shop.shop.wait_for(2);
  REQUIRE(heard.size() >= 2);
  CHECK(desk.supplier->parse_callback(as_callback(heard[1])));
  const auto now = desk.shop.clock.wall_ms();
  const auto lines = desk.supplier->statement(now - 60'000, now + 1'000);
  REQUIRE(lines);
  CHECK(lines->at(0).state == SupplyState::rejected);
}

TEST_CASE("suppliers: planted differences stand in the statement, the same in every reading") {
  for (const Who who : kAll) {
    Desk desk(who);
    CAPTURE(desk.supplier->name());
    const auto place = [&](const char* kind, const std::string& attempt) {
      const SubmitRequest request = desk.order(attempt, "1234");
      if (*kind != '\0') desk.arm(kind);
      CHECK(desk.supplier->submit(request).state == SupplyState::accepted);
      CHECK(desk.ends(attempt, SupplyState::succeeded));
      return desk.query(attempt).cost->minor;
    };
    const std::int64_t cost = place("", "SPLANT000001");
    place("statement_missing", "SPLANT000002");
    place("statement_amount", "SPLANT000003");
    place("statement_extra", "SPLANT000004");
    for (int reading = 0; reading < 2; ++reading) {
      const auto now = desk.shop.clock.wall_ms();
      const auto lines = desk.supplier->statement(now - 60'000, now + 1'000);
      REQUIRE(lines);
      REQUIRE(lines->size() == 4);
      CHECK(lines->at(0).cost->minor == cost);
      CHECK(lines->at(1).attempt_id == "SPLANT000003");
      CHECK(lines->at(1).cost->minor == cost + 100);
      CHECK(lines->at(2).attempt_id == "SPLANT000004");
      CHECK(lines->at(3).attempt_id.front() == 'X');
    }
  }
}

TEST_CASE("suppliers: the magic numbers of each, as their pages list them") {
  struct Row {
    Who who;
    const char* four;
    SupplyState submitted;
    SupplyState ended;
  };
  constexpr auto kRejected = SupplyState::rejected;
  constexpr auto kHeld = SupplyState::held;
  constexpr auto kUnknown = SupplyState::unknown;
  constexpr auto kAccepted = SupplyState::accepted;
  constexpr auto kDone = SupplyState::succeeded;
  constexpr auto kNone = SupplyState::not_found;
  constexpr Row rows[] = {
      {Who::dtone, "9000", kAccepted, kDone},
      {Who::dtone, "9002", kAccepted, kRejected},
      {Who::dtone, "9105", kAccepted, kRejected},
      {Who::dtone, "9007", kAccepted, kRejected},
      {Who::dtone, "9901", kHeld, kNone},
      {Who::dtone, "9902", kUnknown, kDone},
      {Who::dtone, "9903", kUnknown, kNone},
      {Who::dtone, "9905", kAccepted, kAccepted},
      {Who::dtone, "9908", kRejected, kNone},
      {Who::dtone, "9910", kUnknown, kDone},
      {Who::dingconnect, "9000", kAccepted, kDone},
      {Who::dingconnect, "9001", kHeld, kNone},
      {Who::dingconnect, "9002", kUnknown, kRejected},
      {Who::dingconnect, "9003", kUnknown, kRejected},
      {Who::dingconnect, "9004", kRejected, kNone},
      {Who::dingconnect, "9005", kRejected, kNone},
      {Who::dingconnect, "9006", kRejected, kNone},
      {Who::dingconnect, "9007", kHeld, kNone},
      {Who::dingconnect, "9008", kUnknown, kDone},
      {Who::dingconnect, "9009", kUnknown, kDone},
      {Who::dingconnect, "9010", kAccepted, kAccepted},
      {Who::dingconnect, "9011", kAccepted, kRejected},
      {Who::juhe, "9000", kAccepted, kDone},
      {Who::juhe, "9002", kAccepted, kRejected},
      {Who::juhe, "9003", kAccepted, kAccepted},
      {Who::juhe, "9004", kUnknown, kDone},
      {Who::juhe, "9005", kUnknown, kNone},
      {Who::juhe, "9006", kAccepted, kDone},
      {Who::juhe, "9008", kHeld, kNone},
      {Who::juhe, "9009", kHeld, kNone},
      {Who::juhe, "9010", kUnknown, kDone},
  };
  for (const Who who : kAll) {
    Desk desk(who);
    for (const Row& row : rows) {
      if (row.who != who) continue;
      CAPTURE(desk.supplier->name());
      CAPTURE(row.four);
      const std::string attempt = std::string("SMAGIC0000") + row.four;
      CHECK(desk.supplier->submit(desk.order(attempt, row.four)).state == row.submitted);
      CHECK(desk.ends(attempt, row.ended));
    }
  }
}

TEST_CASE("suppliers: an order that a kill of the world interrupts ends after the restart") {
  for (const Who who : kAll) {
    Desk desk(who, 10);
    CAPTURE(desk.supplier->name());
    CHECK(desk.supplier->submit(desk.order("SKILL0000001", "1234")).state == SupplyState::accepted);
    desk.shop.restart();
    const auto& access = desk.shop.world->access();
    const std::string origin = who == Who::dtone         ? access.dtone_origin
                               : who == Who::dingconnect ? access.dingconnect_origin
                                                         : access.juhe_origin;
    desk.http = base::make_outbound("again", origin);
    CHECK(soon([&] { return desk.book("SKILL0000001").at("delivered") == 1; }));
  }
}

TEST_CASE("suppliers: F006: a log of a real shop is played again, in the words of each protocol") {
  struct Words {
    Who who;
    const char *refused, *held;
  };
  for (const auto& [who, refused, held] :
       {Words{Who::dtone, "1005003", "1006001"},
        Words{Who::dingconnect, "AccountNumberInvalid", "InsufficientBalance"},
        Words{Who::juhe, "208501", "208517"}}) {
    Desk desk(who, 10);
    CAPTURE(desk.supplier->name());
    const auto said = [](const char* operation, const char* outcome, const char* code,
                         std::int64_t at_ms) {
      return Json{{"operation", operation},
                  {"outcome", outcome},
                  {"code", code},
                  {"latency_ms", 10},
                  {"at_ms", at_ms}};
    };
    const auto replay = [&](const Json& exchanges) {
      const Json log = {{"supplier", desk.supplier->name()}, {"exchanges", exchanges}};
      REQUIRE(desk.shop.control(*desk.http, "/control", {{"replay", log}}).status == 200);
    };
    replay({said("submit", "held", held, 1'000), said("submit", "rejected", refused, 2'000)});
    const auto put_off = desk.supplier->submit(desk.order("SREPLAYED00001", "1234"));
    CHECK(put_off.state == SupplyState::held);
    CHECK(put_off.code == held);
    const auto no = desk.supplier->submit(desk.order("SREPLAYED00001", "1234"));
    CHECK(no.state == SupplyState::rejected);
    CHECK(no.code == refused);

    replay({said("submit", "unknown", "deadline", 1'000), said("query", "succeeded", "", 2'000)});
    CHECK(desk.supplier->submit(desk.order("SREPLAYED00002", "1234")).state ==
          SupplyState::unknown);
    CHECK(desk.ends("SREPLAYED00002", SupplyState::succeeded));

    replay({said("submit", "accepted", "", 1'000), said("query", "rejected", "DECLINED", 2'000)});
    CHECK(desk.supplier->submit(desk.order("SREPLAYED00003", "1234")).state ==
          SupplyState::accepted);
    CHECK(desk.ends("SREPLAYED00003", SupplyState::rejected));

    CHECK(desk.supplier->submit(desk.order("SREPLAYED00004", "1234")).state ==
          SupplyState::accepted);
    CHECK(desk.ends("SREPLAYED00004", SupplyState::succeeded));
  }
}
