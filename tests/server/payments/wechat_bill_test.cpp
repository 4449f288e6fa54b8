// Bills of WeChat Pay: F8 of the harness (whatever the file holds: no crash, and the lines add up
// or nothing is used).
#include "server/payments/wechat_bill.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/support/seeded_random.h"

using namespace topup;
using namespace topup::payments;

namespace {

constexpr std::string_view kOwn = "1900000001";
const std::string kTitles =
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,"
    "付款银行,"
    "货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,"
    "退款状态,"
    "商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
const std::string kSums =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";

std::string payment(const std::string& number, const std::string& yuan, const std::string& fee,
                    const std::string& sub = "0", const std::string& name = "话费充值") {
  return "`2026-11-21 12:00:01,`wxapp,`1900000001,`" + sub + ",`,`4200" + number + ",`" + number +
         ",`openid,`MWEB,`SUCCESS,`OTHERS,`CNY,`" + yuan + ",`0.00,`0,`0,`0.00,`0.00,`,`,`" + name +
         ",`,`" + fee + ",`0.60%,`" + yuan + ",`0.00,`";
}
std::string refund(const std::string& number, const std::string& yuan, const std::string& fee) {
  return "`2026-11-21 23:59:59,`wxapp,`1900000001,`0,`,`4200" + number + ",`" + number +
         ",`openid,`MWEB,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`5030,`R" + number + ",`" + yuan +
         ",`0.00,`ORIGINAL,`PROCESSING,`话费充值,`,`" + fee + ",`0.60%,`0.00,`" + yuan + ",`";
}
std::string usual() {
  return "\xEF\xBB\xBF" + kTitles + "\r\n" + payment("T000001", "98.50", "0.59000") + "\r\n" +
         payment("T000002", "100.00", "0.60000", "1800000007", "a,\"b\", c") + "\r\n" +
         refund("T000001", "98.50", "-0.59000") + "\r\n" + kSums + "\r\n" +
         "`3,`198.50,`98.50,`0.00,`0.60000,`198.50,`98.50\r\n";
}

std::string without(std::string text, const std::string& part) {
  const auto at = text.find(part);
  REQUIRE(at != std::string::npos);
  return text.erase(at, part.size());
}
std::string with(std::string text, const std::string& part, const std::string& other) {
  const auto at = text.find(part);
  REQUIRE(at != std::string::npos);
  return text.replace(at, part.size(), other);
}

}  // namespace

TEST_CASE("a WeChat bill reads: payments, refunds, fees, payees and China's time") {
  const auto bill = read_wechat_bill(usual(), kOwn);
  REQUIRE(bill);
  REQUIRE(bill->lines.size() == 3);
  CHECK(bill->payments == 2);
  CHECK(bill->refunds == 1);
  CHECK(bill->paid == fen(19'850));
  CHECK(bill->refunded == fen(9'850));
  CHECK(bill->fees == fen(60));
  const BillLine& first = bill->lines[0];
  CHECK(first.kind == BillKind::payment);
  CHECK(first.out_trade_no.text == "T000001");
  CHECK(first.transaction_id.text == "4200T000001");
  CHECK(first.amount == fen(9'850));
  CHECK(first.fee == fen(59));
  CHECK(first.payee.empty());
  CHECK(first.at_ms == 1'795'233'601'000);
  CHECK(bill->lines[1].payee == "1800000007");
  const BillLine& back = bill->lines[2];
  CHECK(back.kind == BillKind::refund);
  CHECK(back.out_refund_no.text == "RT000001");
  CHECK(back.state == "PROCESSING");
  CHECK(back.fee == fen(-59));
}

TEST_CASE("F8: line feeds alone, no mark at the start, more columns and another order are fine") {
  std::string text = without(usual(), "\xEF\xBB\xBF");
  for (std::size_t at; (at = text.find('\r')) != std::string::npos;) text.erase(at, 1);
  CHECK(read_wechat_bill(text, kOwn));
  const std::string reordered =
      "商户号,商户订单号,新列,微信订单号,交易状态,交易时间,订单金额\n"
      "`1900000001,`T1,`whatever, it is,`42,`SUCCESS,`2026-11-21 00:00:00,`1.23\n"
      "总交易单数,订单总金额\n`1,`1.23\n";
  const auto bill = read_wechat_bill(reordered, kOwn);
  REQUIRE(bill);
  CHECK(bill->paid == fen(123));
  CHECK(bill->fees == fen(0));
}

TEST_CASE("F8: a bill that does not add up is refused as a whole") {
  const std::string good = usual();
  const std::string wrong[] = {
      "",
      "\xEF\xBB\xBF",
      kTitles,
      kTitles + "\r\n" + kSums + "\r\n",
      with(good, "`3,`198.50", "`4,`198.50"),
      with(good, "`3,`198.50", "`3,`198.51"),
      with(good, "`0.60000,`198.50", "`0.60001,`198.50"),
      with(good, "0.59000", "0.59001"),
      with(good, "`98.50,`0.00,`0,`0", "`98.5x,`0.00,`0,`0"),
      with(good, "`98.50,`0.00,`0,`0", "`1e2,`0.00,`0,`0"),
      with(good, "2026-11-21 12:00:01", "2026-13-21 12:00:01"),
      with(good, "2026-11-21 12:00:01", "12:00:01"),
      with(good, "`CNY", "`USD"),
      with(good, "`SUCCESS", "`"),
      with(good, "`T000001", "`"),
      without(good, payment("T000001", "98.50", "0.59000") + "\r\n"),
      with(good, ",商户订单号", ",商户单号"),
      with(good, "费率备注", "费率"),
      with(good, ",`0.60%", ""),
      good + "`1\r\n",
      good.substr(0, good.size() - 40),
  };
  for (const std::string& text : wrong) {
    CAPTURE(text);
    const auto bill = read_wechat_bill(text, kOwn);
    REQUIRE_FALSE(bill);
    CHECK(bill.error().reason == "bill_malformed");
  }
}

TEST_CASE("F8: 20,000 random mutations of a bill never crash, and what reads adds up") {
  testing::SeededRandom random(8);
  const std::string good = usual();
  const std::string bytes = ",`\r\n0123456789.-%ABC\xEF\xE4\x00";
  int read = 0;
  const auto draw = [&](std::size_t below) {
    const std::string drawn = random.bytes(4);
    std::size_t value = 0;
    for (const char c : drawn) value = value * 256 + static_cast<unsigned char>(c);
    return value % below;
  };
  for (int round = 0; round < 20'000; ++round) {
    std::string text = good;
    for (std::size_t changes = 1 + draw(3); changes > 0; --changes) {
      const std::size_t at = draw(text.size());
      switch (draw(4)) {
        case 0:
          text[at] = bytes[draw(bytes.size())];
          break;
        case 1:
          text.erase(at, 1 + draw(20));
          break;
        case 2:
          text.insert(at, 1, bytes[draw(bytes.size())]);
          break;
        default:
          text.insert(at, text.substr(draw(text.size()), draw(60)));
          break;
      }
      if (text.empty()) text = "x";
    }
    const auto bill = read_wechat_bill(text, kOwn);
    if (!bill) continue;
    ++read;
    std::int64_t paid = 0, refunded = 0;
    for (const BillLine& line : bill->lines)
      (line.kind == BillKind::payment ? paid : refunded) += line.amount.minor;
    CHECK(paid == bill->paid.minor);
    CHECK(refunded == bill->refunded.minor);
    CHECK(static_cast<std::int64_t>(bill->lines.size()) == bill->payments + bill->refunds);
  }
  CHECK(read > 500);     // changes of names and the like
  CHECK(read < 19'000);  // and most changes are noticed
}

namespace {

const std::string kFundTitles =
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),"
    "资金变更提交申请人,备注,业务凭证号";
const std::string kFundSums = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额";

std::string movement(const std::string& kind, bool is_in, const std::string& yuan,
                     const std::string& balance, const std::string& number) {
  return "`2026-11-21 12:00:01,`42001,`F" + balance + ",`" + kind + ",`" + kind + ",`" +
         (is_in ? "收入" : "支出") + ",`" + yuan + ",`" + balance + ",`system,`缺货, 两件,`" +
         number + "\r\n";
}
std::string usual_flow() {
  return "\xEF\xBB\xBF" + kFundTitles + "\r\n" + movement("交易", true, "98.50", "198.50", "T1") +
         movement("扣除交易手续费", false, "0.59", "197.91", "T1") +
         movement("退款", false, "10.00", "187.91", "R1") +
         movement("退款手续费", true, "0.06", "187.97", "R1") +
         movement("提现", false, "100.00", "87.97", "") +
         movement("充值", true, "1.00", "88.97", "话 费") + kFundSums + "\r\n" +
         "`6,`3,`99.56,`3,`110.59\r\n";
}

}  // namespace

TEST_CASE("a fund-flow bill reads: kinds by their words, signs, balances and our numbers") {
  const auto lines = read_wechat_fund_bill(usual_flow());
  REQUIRE(lines);
  struct Row {
    FundKind kind;
    std::int64_t amount, balance;
    const char* number;
  };
  constexpr Row rows[] = {
      {FundKind::payment, 9'850, 19'850, "T1"},   {FundKind::fee, -59, 19'791, "T1"},
      {FundKind::refund, -1'000, 18'791, "R1"},   {FundKind::fee, 6, 18'797, "R1"},
      {FundKind::withdrawal, -10'000, 8'797, ""}, {FundKind::other, 100, 8'897, ""}};
  REQUIRE(lines->size() == std::size(rows));
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    CAPTURE(i);
    const FundLine& line = (*lines)[i];
    CHECK(line.kind == rows[i].kind);
    CHECK(line.amount == fen(rows[i].amount));
    CHECK(line.balance == fen(rows[i].balance));
    CHECK(line.number == rows[i].number);
    CHECK(line.business_no == "42001");
    CHECK(line.at_ms == 1'795'233'601'000);
  }
  CHECK((*lines)[4].word == "提现");
  CHECK((*lines)[4].flow_no == "F87.97");
}

TEST_CASE("a fund-flow bill of another order, without our numbers, or with wide brackets reads") {
  const std::string narrow =
      "账户结余（元）,收支金额（元）,收支类型,业务名称,资金流水单号,微信支付业务单号,记账时间\n"
      "`1.00,`1.00,`收入,`交易,`F1,`42,`2026-11-21 00:00:00\n" +
      kFundSums + "\n`1,`1,`1.00,`0,`0.00\n";
  const auto lines = read_wechat_fund_bill(narrow);
  REQUIRE(lines);
  CHECK((*lines)[0].kind == FundKind::payment);
  CHECK((*lines)[0].number.empty());
  const auto none =
      read_wechat_fund_bill(kFundTitles + "\n" + kFundSums + "\n`0,`0,`0.00,`0,`0.00\n");
  REQUIRE(none);
  CHECK(none->empty());
}

TEST_CASE("F8: a fund-flow bill that does not add up is refused as a whole") {
  const std::string good = usual_flow();
  const std::string wrong[] = {
      "",
      kFundTitles + "\r\n",
      with(good, "`6,`3,", "`7,`3,"),
      with(good, "`6,`3,", "`6,`2,"),
      with(good, "`99.56", "`99.57"),
      with(good, "`3,`110.59", "`4,`110.59"),
      with(good, "`110.59", "`110.58"),
      with(good, "`收入", "`别的"),
      with(good, "`98.50", "`-98.50"),
      with(good, "`98.50", "`98.505"),
      with(good, "`198.50", "`"),
      with(good, "`F198.50", "`"),
      with(good, "`42001", "`42 01"),
      with(good, "2026-11-21 12:00:01", "2026-11-21T12:00:01"),
      with(good, ",资金流水单号", ",流水"),
      with(good, ",账户结余(元)", ",结余"),
      without(good, movement("提现", false, "100.00", "87.97", "")),
      good.substr(0, good.size() - 30),
      usual(),
  };
  for (const std::string& text : wrong) {
    CAPTURE(text);
    const auto lines = read_wechat_fund_bill(text);
    REQUIRE_FALSE(lines);
    CHECK(lines.error().reason == "bill_malformed");
  }
  CHECK_FALSE(read_wechat_bill(good, kOwn));
}

TEST_CASE("F8: 10,000 random mutations of a fund-flow bill never crash, and what reads adds up") {
  testing::SeededRandom random(9);
  const std::string good = usual_flow();
  const std::string bytes = ",`\r\n0123456789.-%ABC\xEF\xE4";
  int read = 0;
  const auto draw = [&](std::size_t below) {
    const std::string drawn = random.bytes(2);
    return (static_cast<unsigned char>(drawn[0]) * 256U + static_cast<unsigned char>(drawn[1])) %
           below;
  };
  for (int round = 0; round < 10'000; ++round) {
    std::string text = good;
    for (std::size_t changes = 1 + draw(3); changes > 0; --changes) {
      const std::size_t at = draw(text.size());
      if (draw(2) == 0) {
        text[at] = bytes[draw(bytes.size())];
      } else {
        text.erase(at, 1 + draw(20));
      }
      if (text.empty()) text = "x";
    }
    const auto lines = read_wechat_fund_bill(text);
    if (!lines) continue;
    ++read;
    std::int64_t in = 0, out = 0;
    for (const FundLine& line : *lines) (line.amount.minor > 0 ? in : out) += line.amount.minor;
    CHECK(in - out == 9'956 + 11'059);
  }
  CHECK(read > 100);
  CHECK(read < 9'500);
}

TEST_CASE("the file's address: only the path we know, whatever host it names") {
  CHECK(bill_file_target("https://api.mch.weixin.qq.com/v3/billdownload/file?token=ab").value() ==
        "/v3/billdownload/file?token=ab");
  for (const char* wrong :
       {"", "file:///etc/passwd", "https://evil.example", "https://evil.example/x?token=1",
        "https://a/v3/billdownload/file/../../pay", "https://a/v3/billdownload/file?a b",
        "https://a/v3/billdownload/file?token=a#b", "https://a/v3/billdownload/file\r\nX: y"}) {
    CAPTURE(wrong);
    CHECK_FALSE(bill_file_target(wrong));
  }
}
