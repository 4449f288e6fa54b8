// The shop's adapter against the rehearsed Alipay over real HTTP, in both modes of keys: what one
// side signs the other verifies, in both directions.
#include "server/payments/alipay.h"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "server/base/certificate.h"
#include "server/payments/alipay_people.h"
#include "shared/time_point.h"
#include "tests/server/rehearsal/rehearsed_shop.h"

using namespace topup;
using namespace topup::rehearsal::test;
namespace pay = topup::payments;

namespace {

struct Merchant {
  explicit Merchant(bool with_certificates = false, int speed_percent = 1)
      : shop(speed_percent),
        http(base::make_outbound("alipay", shop.world->access().alipay_origin)) {
    const auto& access = shop.world->access();
    pay::AlipayConfig config{access.alipay_app_id,
                             access.alipay_seller_id,
                             *pay::alipay_private_key(access.alipay_app_key_pem),
                             {},
                             "",
                             "",
                             access.alipay_origin,
                             shop.origin + "/notify/alipay",
                             "Topup",
                             access.alipay_op_app_id};
    if (with_certificates) {
      const auto app = base::certificates_in(access.alipay_app_cert_pem);
      const auto root = base::certificates_in(access.alipay_root_pem);
      const auto alipay = base::certificates_in(access.alipay_cert_pem);
      REQUIRE(base::is_issued_by(alipay->front().pem, root->front().pem));
      config.app_cert_sn = pay::alipay_cert_sn(app->front());
      config.root_cert_sn = pay::alipay_root_cert_sn(*root);
      config.verify_keys = {{pay::alipay_cert_sn(alipay->front()),
                             *base::RsaKey::from_public_pem(alipay->front().public_key_pem)}};
    } else {
      config.verify_keys = {{"", *pay::alipay_public_key(access.alipay_public_key_pem)}};
    }
    channel = pay::make_alipay(config, *http, shop.clock);
    people = std::make_unique<pay::AlipayPeople>(config, *http, shop.clock);
  }

  pay::PrepayRequest request(const std::string& number, pay::Scene scene,
                             std::int64_t minor = 9'950) const {
    pay::PrepayRequest wanted;
    wanted.out_trade_no = OutTradeNo(number);
    wanted.amount = fen(minor);
    wanted.description = "话费充值";
    wanted.expire_at_ms = shop.clock.wall_ms() + 900'000;
    wanted.scene = scene;
    wanted.openid = scene == pay::Scene::jsapi ? "buyer-open-id" : "";
    return wanted;
  }
  // The buyer's browser arrives at the cashier; the page it is shown.
  std::string arrive(const std::string& number, std::int64_t minor = 9'950) {
    const auto ticket =
        std::get<pay::PrepayTicket>(channel->prepay(request(number, pay::Scene::h5, minor)));
    const std::string sheet = ticket.h5_url.substr(shop.world->access().alipay_origin.size());
    return http->call({"GET", sheet, {}, {}}).body;
  }
  int control(const std::string& target, const Json& body) {
    return shop.control(*http, target, body).status;
  }
  void arm(const std::string& kind) { REQUIRE(control("/control", {{"next", kind}}) == 200); }
  std::string refund(const OutTradeNo& number, const std::string& refund_number, std::int64_t part,
                     std::int64_t total = 9'950) {
    const auto outcome = channel->refund(
        {OutRefundNo(refund_number), number, fen(part), fen(total), "not_delivered"});
    if (const auto* fail = std::get_if<pay::DefiniteFail>(&outcome)) return "fail:" + fail->code();
    if (const auto* unknown = std::get_if<pay::Unknown>(&outcome)) return "unknown:" + unknown->why;
    return "refunded " + decimal_text(std::get<pay::RefundTrade>(outcome).amount);
  }

  RehearsedShop shop;
  std::unique_ptr<base::Outbound> http;
  std::unique_ptr<pay::PayChannel> channel;
  std::unique_ptr<pay::AlipayPeople> people;
};

}  // namespace

TEST_CASE(
    "Alipay: cashier, notification, query, close and refund agree, with keys and certificates") {
  for (const bool with_certificates : {false, true}) {
    CAPTURE(with_certificates);
    Merchant merchant(with_certificates);
    const OutTradeNo number("ADAPTER00001");
    // Nothing is there before the buyer has arrived at the cashier.
    CHECK(std::get<pay::Trade>(merchant.channel->query(number)).state == pay::TradeState::not_paid);
    CHECK(merchant.control("/control/pay", {{"out_trade_no", number.text}}) == 404);
    CHECK(merchant.arrive(number.text).find("¥99.50") != std::string::npos);
    CHECK(std::get<pay::Trade>(merchant.channel->query(number)).state == pay::TradeState::not_paid);
    REQUIRE(merchant.control("/control/pay", {{"out_trade_no", number.text}}) == 200);
    const auto heard = merchant.shop.shop.wait_for(1);
    REQUIRE(heard.size() == 1);
    const auto notice = merchant.channel->parse_notify({heard[0].headers, heard[0].body});
    REQUIRE(notice);
    const auto& trade = std::get<pay::Trade>(notice->what);
    CHECK(trade.state == pay::TradeState::paid);
    CHECK(trade.paid == fen(9'950));
    CHECK(trade.payee_matches);
    const auto asked = std::get<pay::Trade>(merchant.channel->query(number));
    CHECK(asked.transaction_id == trade.transaction_id);
    CHECK(std::get<pay::Trade>(merchant.channel->close(number)).state == pay::TradeState::paid);

    CHECK(merchant.refund(number, "R1", 1'000) == "refunded 10.00");
    CHECK(merchant.refund(number, "R1", 1'000) == "refunded 10.00");  // the same refund
    CHECK(merchant.refund(number, "R1", 900) == "refunded 10.00");    // its record, not our wish
    CHECK(merchant.refund(number, "R2", 9'000) == "fail:ACQ.REASON_TRADE_REFUND_FEE_ERR");
    CHECK(merchant.refund(number, "R3", 8'950) == "refunded 89.50");
    // Refunded in full Alipay calls the trade closed: it was a payment all the same.
    CHECK(std::get<pay::Trade>(merchant.channel->query(number)).state == pay::TradeState::paid);
  }
}

TEST_CASE("Alipay: trade.create gives the mini-program its number, and a repeat the same") {
  Merchant merchant;
  const auto wanted = merchant.request("ADAPTER00002", pay::Scene::jsapi);
  const auto first = merchant.channel->prepay(wanted);
  const auto again = merchant.channel->prepay(wanted);
  REQUIRE(std::holds_alternative<pay::PrepayTicket>(first));
  CHECK(std::get<pay::PrepayTicket>(first).invoke == std::get<pay::PrepayTicket>(again).invoke);
  auto other = wanted;
  other.amount = fen(1);
  const auto inconsistent = merchant.channel->prepay(other);
  REQUIRE(std::holds_alternative<pay::Unknown>(inconsistent));
  CHECK(std::get<pay::Unknown>(inconsistent).why == "ACQ.CONTEXT_INCONSISTENT");
}

TEST_CASE("Alipay: a closed trade can no longer be paid, and one that is absent closes as well") {
  Merchant merchant;
  const OutTradeNo number("ADAPTER00003");
  CHECK(std::get<pay::Trade>(merchant.channel->close(number)).state == pay::TradeState::closed);
  merchant.arrive(number.text);
  CHECK(std::get<pay::Trade>(merchant.channel->close(number)).state == pay::TradeState::closed);
  CHECK(std::get<pay::Trade>(merchant.channel->close(number)).state == pay::TradeState::closed);
  CHECK(merchant.control("/control/pay", {{"out_trade_no", number.text}}) == 409);
  CHECK(merchant.arrive(number.text).find("交易已关闭") != std::string::npos);
}

TEST_CASE("Alipay: the faults of refunds, armed and by the sum") {
  Merchant merchant(false, 30);  // a slow refund takes 0.9 s
  const auto paid = [&](const std::string& number, std::int64_t minor) {
    merchant.arrive(number, minor);
    REQUIRE(merchant.control("/control/pay", {{"out_trade_no", number}}) == 200);
    return OutTradeNo(number);
  };
  const OutTradeNo first = paid("FAULTS00001", 9'950);
  merchant.arm("refund_not_enough");
  CHECK(merchant.refund(first, "R1", 100) == "fail:ACQ.SELLER_BALANCE_NOT_ENOUGH");
  merchant.arm("refund_lost");
  CHECK(merchant.refund(first, "R1", 100) == "unknown:aop.unknow-error");
  CHECK(merchant.refund(first, "R1", 100) == "refunded 1.00");
  merchant.arm("refund_silent");
  CHECK(merchant.refund(first, "R2", 100) == "refunded 1.00");
  merchant.arm("refund_slow");
  CHECK(merchant.refund(first, "R3", 100) == "unknown:not_refunded_yet");
  CHECK(soon([&] { return merchant.refund(first, "R3", 100) == "refunded 1.00"; }));
  merchant.arm("outage");
  CHECK(merchant.refund(first, "R4", 100) == "unknown:isp.unknow-error");
  merchant.arm("bad_gateway");
  CHECK(merchant.refund(first, "R4", 100) == "unknown:http_502");
  merchant.arm("forged_answer");
  CHECK(merchant.refund(first, "R4", 100) == "unknown:signature_invalid");
  merchant.arm("unsigned_answer");
  CHECK(merchant.refund(first, "R4", 100) == "unknown:signature_invalid");
  CHECK(merchant.refund(first, "R4", 100) == "refunded 1.00");
  CHECK(merchant.refund(paid("FAULTS00002", 1'091), "R1", 1'091, 1'091) ==
        "fail:ACQ.SELLER_BALANCE_NOT_ENOUGH");
  const OutTradeNo lost = paid("FAULTS00003", 1'093);
  CHECK(merchant.refund(lost, "R1", 1'093, 1'093) == "unknown:aop.unknow-error");
  CHECK(merchant.refund(lost, "R1", 1'093, 1'093) == "refunded 10.93");
}

TEST_CASE("Alipay: a notification comes again until it is answered with the seven letters") {
  Merchant merchant;  // its shop answers 204 without a body, which is not enough
  merchant.arrive("RESENT00001");
  REQUIRE(merchant.control("/control/pay", {{"out_trade_no", "RESENT00001"}}) == 200);
  const auto heard = merchant.shop.shop.wait_for(2);  // 4 minutes at one percent of the time
  REQUIRE(heard.size() >= 2);
  const auto first = merchant.channel->parse_notify({{}, heard[0].body});
  const auto second = merchant.channel->parse_notify({{}, heard[1].body});
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->notify_id == second->notify_id);
}

TEST_CASE("Alipay: the gateway refuses what is not signed by the application, or not now") {
  Merchant merchant;
  const auto ask = [&](const std::string& query) {
    return merchant.http->call({"POST", "/gateway.do?" + query, {}, {}}).body;
  };
  const auto& access = merchant.shop.world->access();
  const auto signed_query = [&](const pay::AlipayParams& more, const std::string& timestamp) {
    pay::AlipayParams params = {{"app_id", access.alipay_app_id},
                                {"method", "alipay.trade.query"},
                                {"charset", "utf-8"},
                                {"sign_type", "RSA2"},
                                {"timestamp", timestamp},
                                {"version", "1.0"},
                                {"biz_content", R"({"out_trade_no":"X"})"}};
    params.insert(params.end(), more.begin(), more.end());
    pay::alipay_sign(*pay::alipay_private_key(access.alipay_app_key_pem), params);
    return pay::alipay_form(params);
  };
  const std::int64_t now = merchant.shop.clock.wall_ms();
  const std::string good = signed_query({}, pay::alipay_time(now));
  CHECK(ask(good).find("ACQ.TRADE_NOT_EXIST") != std::string::npos);
  CHECK(ask(good + "&extra=1").find("isv.invalid-signature") != std::string::npos);
  CHECK(ask("app_id=1").find("isv.missing-method") != std::string::npos);
  CHECK(ask(signed_query({}, pay::alipay_time(now - 3'600'000))).find("isv.invalid-timestamp") !=
        std::string::npos);
  CHECK(
      ask(signed_query({{"app_cert_sn", "x"}, {"alipay_root_cert_sn", "y"}}, pay::alipay_time(now)))
          .find("isv.cert-parse-failed") != std::string::npos);
}

TEST_CASE("Alipay: the bill of a day comes in the morning after it, as a zip, with its fees") {
  Merchant merchant;
  const OutTradeNo number("ADAPTERBILL1");
  merchant.arrive(number.text);
  REQUIRE(merchant.control("/control/pay", {{"out_trade_no", number.text}}) == 200);
  CHECK(merchant.refund(number, "RBILL1", 1'000) == "refunded 10.00");
  const std::int64_t now = merchant.shop.clock.wall_ms();
  const std::string today = day_text(now, kShanghaiOffsetMs);
  const auto why = [&](const std::string& day) {
    const auto bill = merchant.channel->bill(day);
    if (const auto* fail = std::get_if<pay::DefiniteFail>(&bill))
      return fail->code() + ": " + fail->message();
    const auto* unknown = std::get_if<pay::Unknown>(&bill);
    return unknown == nullptr ? std::string() : unknown->why;
  };
  CHECK(why(today) == "INVAILID_ARGUMENTS");
  merchant.arm("early_bill");
  merchant.arm("bill_elsewhere");
  CHECK(why(today) == "bill_link_elsewhere");
  merchant.arm("early_bill");
  merchant.arm("bill_cut");
  CHECK(why(today) == "bill_malformed: zip_malformed");
  CHECK(why("2026-13-01") == "INVAILID_ARGUMENTS");
  // A day without trade is empty, but only once its file would have been made.
  merchant.arm("early_bill");
  const std::string yesterday = day_text(now - kDayMs, kShanghaiOffsetMs);
  const auto empty = merchant.channel->bill(yesterday);
  const bool is_made = now >= start_of_day_ms(now, kShanghaiOffsetMs) + 9 * 3'600'000;
  CHECK(std::holds_alternative<pay::Bill>(empty) == is_made);

  merchant.shop.clock_skip_ms = 2 * kDayMs;
  const auto bill = merchant.channel->bill(today);
  REQUIRE(std::holds_alternative<pay::Bill>(bill));
  const auto& lines = std::get<pay::Bill>(bill).lines;
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].out_trade_no == number);
  CHECK(lines[0].amount == fen(9'950));
  CHECK(lines[0].fee == fen(60));
  CHECK(lines[1].kind == pay::BillKind::refund);
  CHECK(lines[1].out_refund_no.text == "RBILL1");
  CHECK(lines[1].amount == fen(1'000));
  CHECK(lines[1].fee == fen(-6));
}

TEST_CASE("Alipay: the rehearsed fund flow lists each movement, and its balance runs on") {
  Merchant merchant;
  using Funds = std::vector<pay::FundLine>;
  const auto why = [&](const std::string& day) {
    const auto funds = merchant.channel->fund_bill(day);
    if (const auto* fail = std::get_if<pay::DefiniteFail>(&funds))
      return fail->code() + ": " + fail->message();
    const auto* unknown = std::get_if<pay::Unknown>(&funds);
    return unknown == nullptr ? std::string() : unknown->why;
  };
  const auto paid = [&](const char* number) {
    merchant.arrive(number);
    REQUIRE(merchant.control("/control/pay", {{"out_trade_no", number}}) == 200);
  };
  REQUIRE(merchant.channel->has_fund_bill());
  const std::string today = day_text(merchant.shop.clock.wall_ms(), kShanghaiOffsetMs);
  paid("FUNDS000001"), paid("FUNDS000002");
  CHECK(merchant.refund(OutTradeNo("FUNDS000002"), "RFUNDS1", 1'000) == "refunded 10.00");
  CHECK(merchant.refund(OutTradeNo("FUNDS000002"), "RFUNDS2", 2'000) == "refunded 20.00");
  CHECK(why(today) == "INVAILID_ARGUMENTS");
  merchant.arm("early_bill");
  merchant.arm("bill_elsewhere");
  CHECK(why(today) == "bill_link_elsewhere");
  merchant.arm("early_bill");
  merchant.arm("bill_cut");
  CHECK(why(today) == "bill_malformed: zip_malformed");

  merchant.shop.clock_skip_ms = 40 * 3'600'000;  // tomorrow after nine
  const auto funds = std::get<Funds>(merchant.channel->fund_bill(today));
  REQUIRE(funds.size() == 8);
  std::int64_t balance = 0;
  std::map<pay::FundKind, std::int64_t> sums;
  std::set<std::string> flows;
  for (const pay::FundLine& line : funds) {
    balance += line.amount.minor;
    CHECK(line.balance == fen(balance));
    sums[line.kind] += line.amount.minor;
    flows.insert(line.flow_no);
  }
  CHECK(flows.size() == funds.size());
  CHECK(sums == std::map<pay::FundKind, std::int64_t>{{pay::FundKind::payment, 2 * 9'950},
                                                      {pay::FundKind::refund, -3'000},
                                                      {pay::FundKind::fee, -60 - 60 + 6 + 12}});
  CHECK(funds[0].number == "FUNDS000001");
  CHECK(funds[0].word == "在线支付");
  const auto bill = std::get<pay::Bill>(merchant.channel->bill(today));
  CHECK(bill.paid.minor - bill.refunded.minor - bill.fees.minor == balance);
  CHECK(funds[0].business_no == bill.lines[0].transaction_id.text);
  // A refund stands under its payment, as Alipay has it, and what is given back of a fee with it.
  CHECK(funds[4].kind == pay::FundKind::refund);
  CHECK(funds[4].number == "FUNDS000002");
  CHECK(funds[4].business_no == bill.lines[2].transaction_id.text);
  CHECK(funds[5].number == "FUNDS000002");

  // The next day begins where this one ended; a day of standing still has no bill.
  const std::string tomorrow = day_text(merchant.shop.clock.wall_ms(), kShanghaiOffsetMs);
  paid("FUNDS000003");
  merchant.shop.clock_skip_ms += 96 * 3'600'000;
  const auto next = std::get<Funds>(merchant.channel->fund_bill(tomorrow));
  REQUIRE(next.size() == 2);
  CHECK(next[0].balance == fen(balance + 9'950));
  const std::string still = day_text(merchant.shop.clock.wall_ms() - 2 * kDayMs, kShanghaiOffsetMs);
  CHECK(std::get<Funds>(merchant.channel->fund_bill(still)).empty());
  CHECK(funds[0].flow_no == std::get<Funds>(merchant.channel->fund_bill(today))[0].flow_no);
}

TEST_CASE("Alipay: a rehearsed fund flow says otherwise where planted, alone or with the bill") {
  Merchant merchant;
  using Funds = std::vector<pay::FundLine>;
  const std::string today = day_text(merchant.shop.clock.wall_ms(), kShanghaiOffsetMs);
  for (const char* number : {"FUNDS000001", "FUNDS000002"}) {
    merchant.arrive(number);
    REQUIRE(merchant.control("/control/pay", {{"out_trade_no", number}}) == 200);
  }
  merchant.shop.clock_skip_ms = 40 * 3'600'000;
  struct Row {
    Json plant;
    std::size_t funds, trades;
    std::int64_t closing;
  };
  const std::int64_t whole = 2 * (9'950 - 60);
  const std::vector<Row> rows = {
      {{{"plant", "amount"}, {"number", "FUNDS000001"}, {"value", "-50"}}, 4, 2, whole - 50},
      {{{"plant", "leave_out"}, {"number", "FUNDS000001"}, {"bill", "funds"}}, 2, 2, whole / 2},
      {{{"plant", "leave_out"}, {"number", "FUNDS000001"}, {"bill", "trade"}}, 4, 1, whole},
      {{{"plant", "twice"}, {"number", "FUNDS000002"}, {"bill", "funds"}}, 6, 2, whole * 3 / 2},
      {{{"plant", "next_day"}, {"number", "FUNDS000002"}, {"bill", "funds"}}, 2, 2, whole / 2},
      {{{"plant", "day_before"}, {"number", "FUNDS000001"}, {"bill", "trade"}}, 4, 1, whole},
      {{{"plant", "fee"}, {"number", "FUNDS000002"}, {"value", "70"}, {"bill", "funds"}},
       4,
       2,
       whole - 10},
      {{{"plant", "stranger"}, {"number", "NOBODY"}, {"value", "777"}, {"day", today}},
       6,
       3,
       whole + 777 - 5},
      {{{"plant", "withdraw"}, {"number", "W-1"}, {"value", "5000"}, {"day", today}},
       5,
       2,
       whole - 5'000},
      {{{"plant", "balance"}, {"number", "B-1"}, {"value", "7"}, {"day", today}}, 4, 2, whole + 7},
  };
  for (const Row& row : rows) {
    CAPTURE(row.plant.dump());
    REQUIRE(merchant.control("/control/bill", row.plant) == 200);
    const auto funds = std::get<Funds>(merchant.channel->fund_bill(today));
    REQUIRE(funds.size() == row.funds);
    CHECK(std::get<pay::Bill>(merchant.channel->bill(today)).lines.size() == row.trades);
    CHECK(funds.back().balance == fen(row.closing));
    REQUIRE(merchant.control("/control/bill", {{"plant", "none"}}) == 200);
  }
  CHECK(merchant.control("/control/bill",
                         {{"plant", "amount"}, {"number", "X"}, {"bill", "other"}}) == 400);
  CHECK(merchant.control("/control/bill", {{"plant", "payee"}, {"number", "X"}}) == 400);
  CHECK(std::get<Funds>(merchant.channel->fund_bill(today)).size() == 4);
  merchant.arm("outage");
  CHECK(std::get<pay::Unknown>(merchant.channel->fund_bill(today)).why == "isp.unknow-error");
}

TEST_CASE("Alipay: a mini-program's code says once, and in time, who the buyer is") {
  Merchant merchant;
  const auto code_for = [&](const std::string& open_id) {
    const auto reply =
        merchant.shop.control(*merchant.http, "/control/auth-code", {{"open_id", open_id}});
    REQUIRE(reply.status == 200);
    return Json::parse(reply.body).at("auth_code").get<std::string>();
  };
  const auto told = [&](const std::string& code) {
    const auto person = merchant.people->person_of_code(code);
    return person ? *person : std::string(person.error().reason);
  };
  const std::string code = code_for("buyer-one");
  CHECK(told(code) == "buyer-one");
  CHECK(told(code) == "alipay_code_invalid");
  CHECK(told("nobody") == "alipay_code_invalid");
  const std::string late = code_for("buyer-two");
  merchant.shop.clock_skip_ms = 6 * 60'000;
  CHECK(told(late) == "alipay_code_invalid");
  const std::string spoilt = code_for("buyer-three");
  merchant.arm("forged_answer");
  CHECK(told(spoilt) == "alipay_unavailable");
}
